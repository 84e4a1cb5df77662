/** Walks a tree of modules: the first rule that knows a module by its names and whose shapes fit says how it is wired. */
import { attentionUnit, gatedForward, transformerBlock } from "./block.ts";
import { parallelBranches } from "./branches.ts";
import { embedding } from "./embedding.ts";
import { headList } from "./heads.ts";
import { lowRankAdapter, plainLayer, recurrentStack, secondInput } from "./leaf.ts";
import { leafWeight, leavesOf, type ModuleNode } from "./moduleTree.ts";
import { channelGate, depthwiseFirst, invertedResidual, residualBlock } from "./residual.ts";
import { inSequence } from "./sequence.ts";
import type { Plan, Signal } from "./signal.ts";
import { besidesUnits, isBlock, unitsOf } from "./units.ts";
import type { Facts, Rule, Scope, Walker } from "./walker.ts";
import { expected } from "./widths.ts";

/** Of a module that is one weight, or holds nothing but one such module. */
const leafRules: readonly Rule[] = [embedding, secondInput, plainLayer];

const rules: readonly Rule[] = [
  recurrentStack,
  lowRankAdapter,
  secondInput,
  transformerBlock,
  attentionUnit,
  gatedForward,
  channelGate,
  invertedResidual,
  depthwiseFirst,
  parallelBranches,
  headList,
  residualBlock,
];

/** Lays every weight below `root` on the plan. */
export function walkModules(root: ModuleNode, plan: Plan, facts: Facts): void {
  const fit: Walker["fit"] = (node, from, scope) => {
    if (node.weightCount === 0) return from;
    if (plan.isExhausted()) return null;
    for (const rule of leafWeight(node) === null ? rules : leafRules) {
      const laid = plan.placements.length;
      const output = plan.attempt(() => {
        const read = rule(node, from, walker, scope);
        return leafWeight(node) !== null || countOf(plan, laid) >= node.weightCount ? read : null;
      });
      if (output !== null) return output;
    }
    return leafWeight(node) === null ? walker.sequence(node, from, scope) : null;
  };
  const walker: Walker = {
    plan,
    facts,
    outputs: new Map(),
    pooled: null,
    condition: null,
    contexts: new Map(),
    fit,
    sequence: (node, from, scope) =>
      inSequence(node, from, { walker, scope, otherwise: () => null }),
  };

  /** The module's weights are laid in any case, with breaks where they fit nothing. */
  const forced = (node: ModuleNode, from: Signal, scope: Scope): Signal => {
    const isComposite = leafWeight(node) === null && node.weightCount > 1;
    const isUnit = isComposite && holdsUnits(node);
    if (isUnit || !isComposite) return afresh(node, from, scope);
    return inSequence(node, from, { walker, scope, otherwise: forced })!;
  };
  const afresh = (node: ModuleNode, from: Signal, scope: Scope): Signal => {
    const width = expected(node, facts.rowsSend);
    const first = weightsOf(node)[0]!;
    const whole =
      width === null
        ? null
        : plan.attempt(() => fit(node, plan.broken(first.layer.name, width), scope));
    return whole ?? brokenUp(node, from);
  };
  const brokenUp = (node: ModuleNode, from: Signal): Signal =>
    weightsOf(node).reduce<Signal>((at, weight) => {
      const { groups, inPerGroup } = weight.layer.layout;
      const source = plan.broken(weight.layer.name, groups * inPerGroup);
      return plan.place(weight, source, { basis: "shape" }) ?? at;
    }, from);

  const scope: Scope = { basis: "shape", expect: null, memory: null, taps: [] };
  const input = plan.source("input", null);
  if (isUnitAlone(root) && fit(root, input, scope) !== null) return;
  inSequence(root, input, { walker, scope, otherwise: forced });
}

/** The state dict of an attention unit or a transformer block by itself: nothing else stands in the file. */
function isUnitAlone(root: ModuleNode): boolean {
  return (
    unitsOf(root).some(({ kind }) => kind === "attention") &&
    besidesUnits(root).every(({ weightCount }) => weightCount === 0)
  );
}

function weightsOf(node: ModuleNode): NonNullable<ReturnType<typeof leafWeight>>[] {
  return leavesOf(node).flatMap((leaf) => [...leaf.weights.values()]);
}

/** Units of its own, not those of the modules below. */
function holdsUnits(node: ModuleNode): boolean {
  const below = node.children.reduce((sum, child) => sum + unitsOf(child).length, 0);
  return isBlock(node) || unitsOf(node).length > below;
}

/** Weights that were laid since: a rule that leaves one out does not know its module. */
function countOf({ placements }: Plan, start: number): number {
  let count = placements.length - start;
  for (let i = start; i < placements.length; i++) if (placements[i]!.past !== null) count++;
  return count;
}

/** Transformer blocks: every unit reads the stream and adds to it, so that all of them share its neurons. */
import { attend } from "./attention.ts";
import { feedForward, mixtureOfExperts } from "./forward.ts";
import { leafWeight, type ModuleNode } from "./moduleTree.ts";
import type { Signal } from "./signal.ts";
import { besidesUnits, isBlock, unitsOf, type Unit } from "./units.ts";
import type { Rule, Scope, Walker } from "./walker.ts";
import { widthOf } from "./widths.ts";

export const transformerBlock: Rule = (node, from, walker, scope) => {
  if (!isBlock(node)) return null;
  // All of them share the stream's neurons, so their order is a matter of reading only: attention first.
  const isAttention = ({ kind }: Unit): boolean => kind === "attention";
  const all = unitsOf(node);
  const units = [...all.filter(isAttention), ...all.filter((unit) => !isAttention(unit))];
  const attention = units[0]!;
  const width = widthOf(attention, walker.facts.rowsSend);
  if (width === null || (from.size !== null && from.size !== width)) return null;
  walker.plan.resize(from, width);
  const stream = units.reduce<Signal | null>(
    (at, unit) => (at === null ? null : added(unit, at, walker, scope)),
    from,
  );
  if (stream === null) return null;
  for (const other of besidesUnits(node)) besides(other, stream, walker);
  return stream;
};

/** An attention unit alone: layers of adapters, or of attention without a feed-forward part. */
export const attentionUnit: Rule = (node, from, walker, scope) => {
  const units = unitsOf(node);
  const [unit] = units;
  if (unit?.kind !== "attention" || units.length > 1 || unit.path !== node.path) return null;
  const width = widthOf(unit, walker.facts.rowsSend);
  if (width === null || (from.size !== null && from.size !== width)) return null;
  walker.plan.resize(from, width);
  return added(unit, from, walker, scope);
};

/** Gated feed-forward parts outside a block: no residual sum is claimed. */
export const gatedForward: Rule = (node, from, walker, scope) => {
  const units = unitsOf(node);
  const [unit] = units;
  if (unit?.kind !== "forward" || unit.other === null || units.length > 1) return null;
  return node.children.includes(unit.main) ? feedForward(unit, from, walker, scope) : null;
};

function added(unit: Unit, from: Signal, walker: Walker, scope: Scope): Signal | null {
  const output = outputOf(unit, from, walker, scope);
  if (output === null || output === from) return output;
  return output.size === from.size ? walker.plan.sum([from, output]) : null;
}

function outputOf(unit: Unit, from: Signal, walker: Walker, scope: Scope): Signal | null {
  switch (unit.kind) {
    case "attention":
      return attend(unit, from, walker, scope);
    case "forward":
      return feedForward(unit, from, walker, scope);
    case "experts":
      return mixtureOfExperts(unit, from, walker, scope);
  }
}

/** What a block holds beside its units (a modulation, a bias of positions) is told, and ends there. */
function besides(node: ModuleNode, stream: Signal, { plan }: Walker): void {
  const weight = leafWeight(node);
  for (const own of weight === null ? node.weights.values() : [weight]) {
    const width = own.layer.layout.groups * own.layer.layout.inPerGroup;
    const read = plan.attempt(() =>
      /gate|router/.test(node.path) ? plan.place(own, stream, { basis: "name" }) : null,
    );
    if (read === null) plan.place(own, plan.broken(own.layer.name, width), { basis: "name" });
  }
}

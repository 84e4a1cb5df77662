/** Modules one after another: what each reads, where the order alone does not say it. */
import { concatenatedSkip } from "./skip.ts";
import { conditions, headNames } from "./families.ts";
import { leafWeight, type ModuleNode } from "./moduleTree.ts";
import type { Signal } from "./signal.ts";
import { stepsOf } from "./steps.ts";
import type { Facts, Scope, Walker } from "./walker.ts";
import { expected, outOf } from "./widths.ts";

interface Step {
  readonly child: ModuleNode;
  readonly current: Signal;
  /** What the child before read. */
  readonly before: Signal | null;
  readonly scope: Scope;
}

/** Reads what does not fit; gives null if it must not be read so. */
type Otherwise = (child: ModuleNode, from: Signal, scope: Scope) => Signal | null;

export function inSequence(
  node: ModuleNode,
  from: Signal,
  { walker, scope, otherwise }: { walker: Walker; scope: Scope; otherwise: Otherwise },
): Signal | null {
  const steps = stepsOf(node, from, walker);
  const { rowsSend } = walker.facts;
  let current = from;
  let before: Signal | null = null;
  let taps = scope.taps;
  let { memory } = scope;
  const later = widthsFrom(steps, rowsSend);
  const isDense = growsThrough(steps, rowsSend);
  const done: ModuleNode[] = [];
  for (const [i, child] of steps.entries()) {
    const expect = later[i + 1] ?? scope.expect;
    const inner: Scope = { ...scope, expect, memory, taps };
    const input =
      child.name === "decoder" && memory !== null ? decoderInput(child, current, walker) : current;
    const step: Step = { child, current: input, before, scope: inner };
    const trunk = headTrunk(child, done, walker) ?? input;
    const told = walker.plan.attempt(() => conditioned(child, input, walker, inner));
    const output =
      told ??
      walker.plan.attempt(() => walker.fit(child, trunk, inner)) ??
      walker.plan.attempt(() => beside(step, walker)) ??
      walker.plan.attempt(() => concatenatedSkip(child, input, walker, inner)) ??
      otherwise(child, input, inner);
    if (output === null) return null;
    setOutput(child, output, walker);
    done.push(child);
    if (child.name === "pooler") {
      const earlier = walker.pooled;
      walker.plan.remember(() => void (walker.pooled = earlier));
      walker.pooled = output;
      continue;
    }
    if (child.name === "encoder") memory = output;
    before = current;
    const both = (input.size ?? 0) + output.size!;
    current = isDense && expect === both ? walker.plan.concat([input, output]) : output;
    taps = [...taps, ...tapsOf(child, walker)].slice(-tapLimit);
  }
  return current;
}

/** Taken back with the trial that walked the module. */
function setOutput(child: ModuleNode, output: Signal, { outputs, plan }: Walker): void {
  const before = outputs.get(child);
  plan.remember(() => {
    if (before === undefined) outputs.delete(child);
    else outputs.set(child, before);
  });
  outputs.set(child, output);
}

/** Stages that a head or a decoder may still read: more than networks have. */
const tapLimit = 64;

/** The width that each step, or the first after it that says so, takes in. */
function widthsFrom(steps: readonly ModuleNode[], rowsSend: Facts["rowsSend"]): (number | null)[] {
  const widths = steps.map((step) => expected(step, rowsSend));
  for (let i = widths.length - 2; i >= 0; i--) widths[i] ??= widths[i + 1]!;
  return widths;
}

/**
 * A time or a class is an input of its own; what a block makes of it is added to the signal, which goes on. Null for modules of
 * other names, and where it does not fit.
 */
function conditioned(
  child: ModuleNode,
  current: Signal,
  walker: Walker,
  scope: Scope,
): Signal | null {
  if (!conditions.test(child.name) || child.weightCount === 0) return null;
  const width = expected(child, walker.facts.rowsSend);
  const { condition, plan } = walker;
  if (condition !== null && condition.size === width) {
    const told = walker.fit(child, condition, { ...scope, basis: "name", expect: null });
    return told !== null && told.size === current.size
      ? plan.sum([current, told])
      : told && current;
  }
  if (width === null) return null;
  plan.remember(() => void (walker.condition = condition));
  walker.condition = walker.fit(child, plan.source(`input of ${child.path}`, width), scope);
  return walker.condition && current;
}

/** Dense connections: each module reads what the one before it read and put out. */
function growsThrough(steps: readonly ModuleNode[], rowsSend: Facts["rowsSend"]): boolean {
  const layers = steps.filter((step) => step.weightCount > 0);
  return (
    layers.length > 1 &&
    layers.slice(1).every((next, i) => {
      const before = layers[i]!;
      const [width, added] = [expected(before, rowsSend), outOf(before, rowsSend)];
      return width !== null && added !== null && expected(next, rowsSend) === width + added;
    })
  );
}

/** A second layer that reads what the first read: variants of one name (`conv4_1`, `conv4_2`), or both to be joined. */
function beside({ child, current, before, scope }: Step, walker: Walker): Signal | null {
  if (before === null) return null;
  const output = walker.fit(child, before, scope);
  if (output === null) return null;
  const isOrdered = !walker.facts.isSorted || /^expand\d|^[a-z]+_?\d+$/i.test(child.name);
  if (isOrdered && scope.expect === current.size! + output.size!) {
    return walker.plan.concat([current, output]);
  }
  const { origin } = current;
  const name = origin.kind === "weight" ? origin.placement.weight.layer.name : "";
  const weight = leafWeight(child);
  const stem = (own: string): string => own.replace(/_\d+(?=\.\w+$|$)/, "_");
  const areTwins = weight !== null && stem(name) === stem(weight.layer.name) && stem(name) !== name;
  return areTwins ? output : null;
}

/** Heads that read one pooled position, where there is a pooler. */
const pooledHeads = /^(?:classifier|seq_relationship)$/;

/** Heads at the end of a network read one trunk: what the first of them read. */
function headTrunk(child: ModuleNode, done: readonly ModuleNode[], walker: Walker): Signal | null {
  if (!headNames.test(child.name) || child.name === "pooler") return null;
  if (pooledHeads.test(child.name)) {
    const { pooled } = walker;
    if (pooled?.size === expected(child, walker.facts.rowsSend)) return pooled;
  }
  const first = done.findIndex(({ name }) => headNames.test(name));
  if (first <= 0) return null;
  const trunk = walker.outputs.get(done[first - 1]!);
  const width = expected(child, walker.facts.rowsSend);
  return trunk?.size === width ? trunk : null;
}

/** A decoder begins with its own tokens; where the file has no table for them, with neurons of its own. */
function decoderInput(child: ModuleNode, current: Signal, walker: Walker): Signal {
  const width = expected(child, walker.facts.rowsSend);
  return width === null || width !== current.size
    ? current
    : walker.plan.source(`input of ${child.path}`, width);
}

/** Outputs that stand at the ends of a network's stages. */
function tapsOf(child: ModuleNode, { outputs }: Walker): Signal[] {
  let stage = child;
  while (stage.children.length === 1 && stage.weights.size === 0) stage = stage.children[0]!;
  const isContainer = /^(?:encoder|down\w*|backbone|base\w*|extras?|features|\d+)$/.test(
    child.name,
  );
  const inner = isContainer ? stage.children.flatMap((own) => outputs.get(own) ?? []) : [];
  const own = outputs.get(child);
  return own === undefined ? inner : [...inner.filter((tap) => tap !== own), own];
}

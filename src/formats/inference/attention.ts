/** Attention: queries and keys weigh positions and end there; the values' neurons go on to the output projection. */
import { leavesOf, type ModuleNode } from "./moduleTree.ts";
import type { Signal } from "./signal.ts";
import type { AttentionUnit } from "./units.ts";
import type { Scope, Walker } from "./walker.ts";
import { inOf } from "./widths.ts";

/** What the unit adds to its stream; the stream itself if it has no output projection; null if a projection does not fit. */
export function attend(
  unit: AttentionUnit,
  from: Signal,
  walker: Walker,
  scope: Scope,
): Signal | null {
  const named: Scope = { ...scope, basis: "name" };
  const values = valuesOf(unit, from, walker, named);
  if (values === null) return null;
  if (unit.out === null) return from;
  const need = inOf(unit.out, walker.facts.rowsSend);
  if (need === null) return null;
  const senders = values === "none" ? null : senderOf(unit, values, need, walker);
  return readBy(unit.out, senders, walker, named);
}

/** `node` reads `from`, or neurons of its own where that is null. */
function readBy(
  node: ModuleNode,
  from: Signal | null,
  walker: Walker,
  scope: Scope,
): Signal | null {
  if (from !== null) return walker.fit(node, from, scope);
  const width = inOf(node, walker.facts.rowsSend);
  const leaf = leavesOf(node)[0];
  const weight = leaf && [...leaf.weights.values()][0];
  if (width === null || weight === undefined) return null;
  return walker.fit(node, walker.plan.broken(weight.layer.name, width), scope);
}

function valuesOf(
  unit: AttentionUnit,
  from: Signal,
  walker: Walker,
  scope: Scope,
): Signal | "none" | null {
  const { query, key, value } = unit;
  if (query !== null && walker.fit(query, from, scope) === null) return null;
  const past = key ?? value;
  if (past === null) return "none";
  const context = contextOf(unit, past, from, { walker, scope });
  if (key !== null && readBy(key, context, walker, scope) === null) return null;
  return value === null ? "none" : readBy(value, context, walker, scope);
}

/** What keys and values read: the stream, or in cross attention an encoder's output, or else an input that all of it shares. */
function contextOf(
  unit: AttentionUnit,
  past: ModuleNode,
  from: Signal,
  { walker, scope }: { walker: Walker; scope: Scope },
): Signal | null {
  const width = inOf(past, walker.facts.rowsSend);
  const isOther = unit.isCross || (from.size !== null && width !== from.size);
  if (!isOther || unit.fused !== null) return from;
  if (scope.memory !== null && scope.memory.size === width) return scope.memory;
  if (!unit.isCross || width === null) return null;
  const known = walker.contexts.get(width) ?? walker.plan.source("context", width);
  walker.contexts.set(width, known);
  return known;
}

/** The neurons that the output projection reads, of which it takes `need`; null where heads would have to be known and are not. */
function senderOf(
  unit: AttentionUnit,
  values: Signal,
  need: number,
  walker: Walker,
): Signal | null {
  const total = values.size!;
  if (unit.fused === null && !unit.isHalfFused) return repeatHeads(unit, values, need, walker);
  if (unit.isHalfFused) {
    const half = pickRange(walker, values, total / 2, total);
    return total % 2 === 0 ? repeatHeads(unit, half, need, walker) : null;
  }
  const shared = (total - need) / 2;
  if (!Number.isInteger(shared) || shared <= 0) return null;
  if (unit.fused === "blocks") {
    return repeatHeads(unit, pickRange(walker, values, total - shared, total), need, walker);
  }
  const size = headSize(unit, need, walker);
  return size === null ? null : valuesOfHeads(values, { need, shared, size }, walker);
}

function pickRange({ plan }: Walker, of: Signal, start: number, end: number): Signal {
  return plan.pick(
    of,
    Int32Array.from({ length: end - start }, (_, i) => start + i),
  );
}

function headSize(unit: AttentionUnit, need: number, { facts: { hints } }: Walker): number | null {
  const size = hints.headSize ?? unit.headSize ?? (hints.heads ? need / hints.heads : null);
  return size !== null && Number.isInteger(size) && size > 0 && need % size === 0 ? size : null;
}

/** Grouped queries: each head of values serves as many heads in a row as there are times fewer of them. */
function repeatHeads(
  unit: AttentionUnit,
  values: Signal,
  need: number,
  walker: Walker,
): Signal | null {
  const own = values.size!;
  if (own === need) return values;
  const size = headSize(unit, need, walker);
  const times = need / own;
  if (size === null || own === 0 || !Number.isInteger(times) || own % size !== 0) return null;
  const at = Int32Array.from(
    { length: need },
    (_, i) => Math.floor(Math.floor(i / size) / times) * size + (i % size),
  );
  return walker.plan.pick(values, at);
}

/** Groups of [queries of a head or of those that share keys, key, value], each `size` wide. */
function valuesOfHeads(
  all: Signal,
  { need, shared, size }: { need: number; shared: number; size: number },
  { plan }: Walker,
): Signal | null {
  const groups = shared / size;
  if (!Number.isInteger(groups) || groups === 0) return null;
  const queries = need / size / groups;
  if (!Number.isInteger(queries)) return null;
  const at = Int32Array.from({ length: need }, (_, i) => {
    const group = Math.floor(Math.floor(i / size) / queries);
    return (group * (queries + 2) + queries + 1) * size + (i % size);
  });
  return plan.pick(all, at);
}

/** Attention: queries and keys weigh positions and end there; the values' neurons go on to the output projection. */
import { leavesOf, type ModuleNode } from "./moduleTree.ts";
import type { Signal } from "./signal.ts";
import type { AttentionUnit } from "./units.ts";
import type { Scope, Walker } from "./walker.ts";
import { inOf, widthOf } from "./widths.ts";

/** What the unit adds to its stream; the stream itself if it has no output projection; null if a projection does not fit. */
export function attend(
  unit: AttentionUnit,
  from: Signal,
  walker: Walker,
  scope: Scope,
): Signal | null {
  const named: Scope = { ...scope, basis: "name" };
  const made = project(unit, from, walker, named);
  if (made === null) return null;
  const need = unit.out ? inOf(unit.out, walker.facts.rowsSend) : (made.query?.size ?? null);
  if (need === null) return unit.out === null ? from : null;
  const size = headSize(unit, need, walker);
  const parts = separated(unit, made, { need, size, walker });
  if (parts !== null && size !== null) tellHeads(parts, size, walker);
  if (unit.out === null) return from;
  const values = parts?.value ?? null;
  const senders = values === null ? null : repeatHeads(values, { need, size, walker });
  return readBy(unit.out, senders, walker, named);
}

/** Null for what the unit has not. */
interface Projected {
  readonly query: Signal | null;
  readonly key: Signal | null;
  /** What `unit.value` puts out, keys and queries among it if they are fused. */
  readonly value: Signal | null;
}

interface Heads {
  /** Neurons that the output projection reads. */
  readonly need: number;
  /** Neurons of a head; null where that is not known. */
  readonly size: number | null;
  readonly walker: Walker;
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

function project(
  unit: AttentionUnit,
  from: Signal,
  walker: Walker,
  scope: Scope,
): Projected | null {
  const queries = unit.query && walker.fit(unit.query, from, scope);
  if (unit.query !== null && queries === null) return null;
  const past = unit.key ?? unit.value;
  if (past === null) return { query: queries, key: null, value: null };
  const context = contextOf(unit, past, from, { walker, scope });
  const keys = unit.key && readBy(unit.key, context, walker, scope);
  if (unit.key !== null && keys === null) return null;
  const values = unit.value && readBy(unit.value, context, walker, scope);
  if (unit.value !== null && values === null) return null;
  return { query: queries, key: keys, value: values };
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

/** Queries, keys and values each for themselves; null where heads would have to be known for that and are not. */
function separated(unit: AttentionUnit, made: Projected, heads: Heads): Projected | null {
  const { value: all } = made;
  const { need, walker } = heads;
  if (all === null || (unit.fused === null && !unit.isHalfFused)) return made;
  const total = all.size!;
  const range = (start: number, end: number): Signal => pickRange(walker, all, start, end);
  if (unit.isHalfFused) {
    if (total % 2 !== 0) return null;
    return { query: made.query, key: range(0, total / 2), value: range(total / 2, total) };
  }
  const shared = (total - need) / 2;
  if (!Number.isInteger(shared) || shared <= 0) return null;
  if (unit.fused !== "blocks") return separatedHeads(all, shared, heads);
  return {
    query: range(0, need),
    key: range(need, need + shared),
    value: range(total - shared, total),
  };
}

function pickRange({ plan }: Walker, of: Signal, start: number, end: number): Signal {
  return plan.pick(
    of,
    Int32Array.from({ length: end - start }, (_, i) => start + i),
  );
}

/** By what a configuration says of streams of this width, or of all; or by a normalisation of each head. */
function headSize(unit: AttentionUnit, need: number, { facts }: Walker): number | null {
  const width = widthOf(unit, facts.rowsSend);
  const exact = facts.hints.filter((hint) => hint.width !== undefined && hint.width === width);
  const general = facts.hints.filter((hint) => hint.width === undefined);
  const sizes = (exact.length > 0 ? exact : general).flatMap(({ headSize: own, heads }) =>
    own === undefined && heads === undefined ? [] : [own ?? need / heads!],
  );
  const size = sizes[0] ?? unit.headSize;
  const isSame = sizes.every((own) => own === size);
  return size !== null && isSame && Number.isInteger(size) && size > 0 && need % size === 0
    ? size
    : null;
}

function tellHeads(parts: Projected, size: number, { plan }: Walker): void {
  for (const role of ["query", "key", "value"] as const) {
    const of = parts[role];
    if (of !== null && of.size! % size === 0) plan.attend(role, of, size);
  }
}

/** Grouped queries: each head of values serves as many heads in a row as there are times fewer of them. */
function repeatHeads(values: Signal, { need, size, walker }: Heads): Signal | null {
  const own = values.size!;
  if (own === need) return values;
  const times = need / own;
  if (size === null || own === 0 || !Number.isInteger(times) || own % size !== 0) return null;
  const at = Int32Array.from(
    { length: need },
    (_, i) => Math.floor(Math.floor(i / size) / times) * size + (i % size),
  );
  return walker.plan.pick(values, at);
}

/** Groups of [queries of a head or of those that share keys, key, value], each `size` wide. */
function separatedHeads(
  all: Signal,
  shared: number,
  { need, size, walker }: Heads,
): Projected | null {
  if (size === null) return null;
  const groups = shared / size;
  const queries = need / size / groups;
  if (!Number.isInteger(groups) || groups === 0 || !Number.isInteger(queries)) return null;
  /** `count` heads of each group, from the one at `first`. */
  const picked = (first: number, count: number): Signal => {
    const at = Int32Array.from({ length: groups * count * size }, (_, i) => {
      const head = Math.floor(i / size);
      const place = Math.floor(head / count) * (queries + 2) + first + (head % count);
      return place * size + (i % size);
    });
    return walker.plan.pick(all, at);
  };
  return { query: picked(0, queries), key: picked(queries, 1), value: picked(queries + 1, 1) };
}

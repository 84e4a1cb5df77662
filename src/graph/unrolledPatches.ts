/** The edges of one link of an unrolled graph, output position by output position: a window, and the weights of its valid taps. */
import type { FloatArray } from "../tensor/dtype.ts";
import { elementCount } from "../tensor/shape.ts";
import { inputAt, tapClasses } from "./axisWindow.ts";
import type { UnrolledLink } from "./unrolledPlan.ts";

/** Every row meets every column of its group. */
export interface Patch {
  /** [groups, rows / groups, columns / groups]; shared between positions that the same taps reach. */
  readonly weights: FloatArray;
  readonly groups: number;
  /** Receiving nodes. */
  readonly rows: Int32Array;
  /** Sending nodes, by channel and tap. */
  readonly columns: Int32Array;
}

/**
 * `kernel` is [groups, rows / groups, columns / groups, taps], for a pooling the weight of each of its taps. Taps in the padding
 * are left out. Cost: the nodes of each window; weights are copied once per kind of border.
 */
export function* unrolledPatches(link: UnrolledLink, kernel: FloatArray): Generator<Patch> {
  const { axes, groups } = link;
  const classes = axes.map((axis) => tapClasses(axis, "output"));
  const outputs = axes.map(({ output }) => output);
  const taps = axes.map(({ kernel: size }) => size);
  const parts = new Map<
    number,
    { readonly weights: FloatArray; readonly taps: readonly (readonly number[])[] }
  >();
  const at = axes.map(() => 0);
  for (let position = 0; position < elementCount(outputs); position++) {
    place(at, position, outputs);
    let key = 0;
    classes.forEach(({ of, taps: known }, i) => {
      key = key * known.length + of[at[i]!]!;
    });
    let part = parts.get(key);
    if (part === undefined) {
      const valid = combinations(classes.map(({ of, taps: known }, i) => known[of[at[i]!]!]!));
      const indices = valid.map((own) => own.reduce((index, tap, i) => index * taps[i]! + tap, 0));
      const own = withTaps(kernel, elementCount(taps), indices);
      part = { weights: isShared(link) ? own.map((one) => one / valid.length) : own, taps: valid };
      parts.set(key, part);
    }
    if (part.taps.length === 0) continue;
    const places = part.taps.map((own) =>
      own.reduce((place, tap, i) => {
        const axis = axes[i]!;
        return place * axis.input + inputAt(axis, at[i]!, tap);
      }, 0),
    );
    yield {
      weights: part.weights,
      groups,
      rows: Int32Array.from(link.rows, (first) => first + position),
      columns: nodesAt(link.columns, places),
    };
  }
}

/** True for an average over the taps that are no padding. */
function isShared({ weights }: UnrolledLink): boolean {
  return "pooling" in weights && weights.pooling === "average" && !weights.countsPadding;
}

/** Indices along each axis of element `index` of `shape`. */
function place(at: number[], index: number, shape: readonly number[]): void {
  let rest = index;
  for (let i = shape.length - 1; i >= 0; i--) {
    at[i] = rest % shape[i]!;
    rest = Math.floor(rest / shape[i]!);
  }
}

/** One of each list, the last varying fastest. */
export function combinations(lists: readonly (readonly number[])[]): number[][] {
  return lists.reduce<number[][]>(
    (known, list) => known.flatMap((own) => list.map((one) => [...own, one])),
    [[]],
  );
}

/** Of each edge's `count` taps only those at `indices`; the same array where that is all. */
function withTaps(kernel: FloatArray, count: number, indices: readonly number[]): FloatArray {
  if (indices.length === count) return kernel;
  const edges = kernel.length / count;
  const kept = kernel.slice(0, edges * indices.length);
  for (let edge = 0, next = 0; edge < edges; edge++) {
    for (const index of indices) kept[next++] = kernel[edge * count + index]!;
  }
  return kept;
}

function nodesAt(firsts: Float64Array, places: readonly number[]): Int32Array {
  const nodes = new Int32Array(firsts.length * places.length);
  let next = 0;
  for (const first of firsts) for (const own of places) nodes[next++] = first + own;
  return nodes;
}

/** Folding of sums and extremes along axes (weight normalisation), of choices, and of parts. */
import type { FloatArray } from "../../tensor/dtype.ts";
import { elementCount } from "../../tensor/shape.ts";
import { foldedFrom, integersOf, type Constant, type Fold } from "./constant.ts";
import { broadcastIndex } from "./foldElements.ts";
import { selected } from "./foldSelection.ts";

export interface Reduction {
  readonly start: number;
  readonly add: (sum: number, value: number) => number;
  readonly finish?: (sum: number, count: number) => number;
}

/** ReduceSum and its kin: axes stand in an attribute or an input; none are all. */
export function foldReduce({ start, add, finish = (sum) => sum }: Reduction): Fold {
  return async (node, [data, axesInput]) => {
    if (data === undefined) return null;
    const { shape } = data;
    const given = axesInput ? await integersOf(axesInput) : (node.ints("axes") ?? []);
    if (given === null) return null;
    const isNone = given.length === 0;
    if (isNone && node.int("noop_with_empty_axes", 0) !== 0) return data;
    const gone = new Set(given.map((axis) => (axis < 0 ? axis + shape.length : axis)));
    const isGone = shape.map((_, axis) => isNone || gone.has(axis));
    const kept = shape.map((size, axis) => (isGone[axis] ? 1 : size));
    const result = shape.flatMap((size, axis) => (isGone[axis] ? [] : [size]));
    const count = elementCount(shape) / Math.max(1, elementCount(kept));
    return foldedFrom([data], {
      shape: node.int("keepdims", 1) === 0 ? result : kept,
      async read() {
        const values = await data.read();
        const sums = new Float64Array(elementCount(kept)).fill(start);
        const placeOf = broadcastIndex(kept, shape);
        for (let i = 0; i < values.length; i++) {
          const at = placeOf(i);
          sums[at] = add(sums[at]!, values[i]!);
        }
        return sums.map((sum) => finish(sum, count));
      },
    });
  };
}

/** Values between two numbers. */
export const foldClip: Fold = async (node, [data, low, high]) => {
  if (data === undefined) return null;
  const least = async (): Promise<number> =>
    low ? (await low.read())[0]! : node.float("min", -Infinity);
  const most = async (): Promise<number> =>
    high ? (await high.read())[0]! : node.float("max", Infinity);
  const read = async (): Promise<FloatArray> => {
    const [from, to] = [await least(), await most()];
    return (await data.read()).map((value) => Math.min(Math.max(value, from), to));
  };
  return foldedFrom([data], { shape: data.shape, read });
};

/** The parts of a Split, each a constant: even ones, or of the lengths that are given. */
export const foldSplit: Fold = async (node, [data, lengthsInput]) => {
  if (data === undefined) return null;
  const { shape } = data;
  const axis = node.axis(shape.length, 0);
  const size = shape[axis];
  if (size === undefined) return null;
  const count = node.outputs.length;
  const share = Math.ceil(size / count);
  const even = node.outputs.map((_, i) => Math.max(0, Math.min(share, size - i * share)));
  const lengths = lengthsInput ? await integersOf(lengthsInput) : (node.ints("split") ?? even);
  if (!lengths || lengths.length !== count || lengths.reduce((a, b) => a + b, 0) !== size) {
    return null;
  }
  let start = 0;
  return lengths.map((length): Constant => {
    const from = start;
    start += length;
    const picks = { count: length, at: (i: number) => from + i };
    return selected(
      data,
      shape.map((_, own) => (own === axis ? picks : null)),
    );
  });
};

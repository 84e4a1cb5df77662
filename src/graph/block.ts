import type { FloatArray } from "../tensor/dtype.ts";
import type { Block } from "./layeredGraph.ts";

/**
 * How the taps between two neurons become one edge weight: their L2 norm, signed sum, sum of absolute values, or the sums of
 * their positive parts and of the magnitudes of their negative parts.
 */
export type TapReduction = "norm" | "sum" | "absoluteSum" | "positiveSum" | "negativeSum";

/**
 * One weight per edge, [groups, rows / groups, columns / groups]. A view when the block has one tap and `reduction` is "sum".
 * With one tap, "norm" and "absoluteSum" are both |w|. Cost: one pass over the weights; float64 sums.
 */
export function edgeWeights(block: Block, reduction: TapReduction): FloatArray {
  const { weights, taps } = block;
  if (taps === 1) return reduction === "sum" ? weights : partsOf(weights, reduction);
  const reduced = new Float64Array(weights.length / taps);
  if (reduction === "norm") {
    for (let edge = 0; edge < reduced.length; edge++)
      reduced[edge] = tapNorm(weights, edge * taps, taps);
    return reduced;
  }
  const part = partOf[reduction];
  for (let edge = 0, at = 0; edge < reduced.length; edge++) {
    let sum = 0;
    for (let tap = 0; tap < taps; tap++, at++) sum += part(weights[at]!);
    reduced[edge] = sum;
  }
  return reduced;
}

/** The parts of single weights, in the weights' own precision. */
function partsOf(weights: FloatArray, reduction: TapReduction): FloatArray {
  const part = partOf[reduction];
  const parts = weights.slice();
  for (let i = 0; i < parts.length; i++) parts[i] = part(parts[i]!);
  return parts;
}

/** What one weight adds to an edge. */
const partOf: Readonly<Record<TapReduction, (weight: number) => number>> = {
  norm: Math.abs,
  sum: (weight) => weight,
  absoluteSum: Math.abs,
  positiveSum: (weight) => (weight > 0 ? weight : 0),
  negativeSum: (weight) => (weight < 0 ? -weight : 0),
};

/** L2 norm of weights[first … first + count), by the largest magnitude where the squares leave the range of float64. */
function tapNorm(weights: FloatArray, first: number, count: number): number {
  let squares = 0;
  for (let at = first; at < first + count; at++) squares += weights[at]! * weights[at]!;
  if (squares > 1e-280 && squares < 1e300) return Math.sqrt(squares);
  let largest = 0;
  for (let at = first; at < first + count; at++)
    largest = Math.max(largest, Math.abs(weights[at]!));
  if (largest === 0) return 0;
  let scaled = 0;
  for (let at = first; at < first + count; at++) scaled += (weights[at]! / largest) ** 2;
  return largest * Math.sqrt(scaled);
}

/** First column that row `row` meets, and how many it meets. */
export function columnSpan(
  block: Block,
  row: number,
): { readonly first: number; readonly count: number } {
  const count = block.columns / block.groups;
  const group = Math.floor(row / (block.rows / block.groups));
  return { first: group * count, count };
}

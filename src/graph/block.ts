import type { FloatArray } from "../tensor/dtype.ts";
import type { Block } from "./layeredGraph.ts";

/** How the taps between two neurons become one edge weight: their L2 norm, signed sum, or sum of absolute values. */
export type TapReduction = "norm" | "sum" | "absoluteSum";

/**
 * One weight per edge, [groups, rows / groups, columns / groups]. A view when the block has one tap and `reduction` is "sum".
 * With one tap, "norm" and "absoluteSum" are both |w|. Cost: one pass over the weights; float64 sums.
 */
export function edgeWeights(block: Block, reduction: TapReduction): FloatArray {
  const { weights, taps } = block;
  if (taps === 1 && reduction === "sum") return weights;
  const edges = weights.length / taps;
  const reduced = new Float64Array(edges);
  for (let edge = 0, at = 0; edge < edges; edge++) {
    let sum = 0;
    for (let tap = 0; tap < taps; tap++, at++) {
      const weight = weights[at]!;
      if (reduction === "norm") sum += weight * weight;
      else if (reduction === "sum") sum += weight;
      else sum += Math.abs(weight);
    }
    // sqrt(w * w) is |w| to the bit for one tap, except where the square under- or overflows.
    if (reduction !== "norm") reduced[edge] = sum;
    else reduced[edge] = taps === 1 ? Math.abs(weights[edge]!) : Math.sqrt(sum);
  }
  return reduced;
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

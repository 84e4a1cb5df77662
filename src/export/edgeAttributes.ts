/** What an edge carries beside its weight, on demand. */
import { tapsAt, type Block } from "../graph/block.ts";
import type { LayeredGraph } from "../graph/layeredGraph.ts";

export interface EdgeAttributes {
  /** Of the block: from a layer to another, from a layer's own past, or of a bias node. */
  readonly kind: "forward" | NonNullable<Block["kind"]>;
  /** Weights between the two neurons. */
  readonly taps: number;
  /** Sum of the positive taps. */
  readonly positive: number;
  /** Sum of the magnitudes of the negative taps. */
  readonly negative: number;
  /** L2 norm of the taps. Absent where the graph has other edge weights, which are all that it keeps beside the sums. */
  readonly norm?: number;
}

/** Of one edge, by its place in its block. Cost: O(taps), or O(1) where these are collapsed. */
export function edgeAttributes(graph: LayeredGraph, block: Block, place: number): EdgeAttributes {
  const { norm, positiveSum, negativeSum } = tapsAt(block, place);
  return {
    kind: block.kind ?? "forward",
    taps: block.taps,
    positive: positiveSum,
    negative: negativeSum,
    ...(graph.edgeWeight === "norm" && { norm }),
  };
}

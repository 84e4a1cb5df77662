/** How the edge weights of a graph came to be: recorded in the graph, and in every result. */

/**
 * Which number stands for an edge of several taps: their L2 norm, their signed sum or their absolute sum. Of edges with one tap
 * all three have the magnitude |w|.
 */
export type EdgeWeight = "norm" | "sum" | "absoluteSum";

/** Norms of the edge weights of a block: Frobenius (`l2`), sum of magnitudes (`l1`), largest magnitude (`max`). */
export type LayerNorm = "l2" | "l1" | "max";

/** A transform of edge weights, as it is written and recorded; `graphTransforms` says what each does. */
export type GraphTransform =
  | "absolute"
  | "square"
  | "positive"
  | "negative"
  | `layerNorm=${LayerNorm}`
  | `threshold=${number}`
  | `top=${number}`
  | `topPerNode=${number}`
  | `topPerReceiver=${number}`
  | `topPerSender=${number}`
  | `disparity=${number}`;

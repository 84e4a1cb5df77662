import type { AttentionNeurons } from "../model/topology.ts";

/** A factor of a product of activations. */
export interface AttentionFactor {
  /** True for the one whose neurons are those of the product. */
  readonly isKept: boolean;
  /** True if the last axis of the product is its own. */
  readonly standsLast: boolean;
}

/**
 * What a factor is where heads part its neurons. Attention weights keep the values' neurons and sum over positions. Queries and
 * keys are summed over their neurons, the keys' positions last; in linear attention keys meet the values first, and both sum over
 * positions. `sumsNeurons`: the product sums over an axis that carries the factor's neurons.
 */
export function attentionRole(
  own: AttentionFactor,
  other: AttentionFactor,
  sumsNeurons: boolean,
): AttentionNeurons["role"] {
  if (own.isKept) return "value";
  if (other.isKept) return sumsNeurons ? "query" : "key";
  return own.standsLast ? "key" : "query";
}

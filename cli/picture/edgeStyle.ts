import type { ViewEdges } from "../../src/index.ts";

export interface EdgeStyle {
  /** |weight| over that of the strongest edge of the same block: 0..1. */
  readonly strength: number;
  /** Opacity in a crowd of edges, in steps of 1/32. */
  readonly alpha: number;
}

const alphaSteps = 32;

/**
 * How bold an edge is drawn when the first `count` are. It is as bold as it is strong among those of its block, so that no
 * layer is lost beside one of larger weights; many edges are each fainter, so that the crowd keeps its texture.
 */
export function edgeStyles(
  { weight, block, blocks }: ViewEdges,
  count: number,
): (edge: number) => EdgeStyle {
  const strongest = blocks.map(() => 0);
  for (let i = 0; i < weight.length; i++) {
    strongest[block[i]!] = Math.max(strongest[block[i]!]!, Math.abs(weight[i]!));
  }
  const crowd = Math.min(1, Math.sqrt(1500 / Math.max(1, count)));
  return (edge) => {
    const strength = Math.abs(weight[edge]!) / (strongest[block[edge]!]! || 1);
    const alpha = 0.04 + 0.82 * (crowd * strength + (1 - crowd) * strength ** 2.2);
    return { strength, alpha: stepped(alpha) };
  };
}

/** Rounded up to a step, so that edges of like opacity share one style. */
export function stepped(alpha: number): number {
  return Math.ceil(alpha * alphaSteps) / alphaSteps;
}

/**
 * Which number stands for an edge whose two neurons are joined by several weights (taps): their L2 norm, their signed sum or
 * their absolute sum. Measures that use one number per edge take its magnitude.
 */
import { GraphError, UsageError } from "../errors.ts";
import { blockFrame, edgeWeights, type Block, type CollapsedTaps } from "./block.ts";
import type { LayeredGraph } from "./layeredGraph.ts";
import type { EdgeWeight } from "./weighting.ts";

export const edgeWeightNames: readonly EdgeWeight[] = ["norm", "sum", "absoluteSum"];

/**
 * The graph with another edge weight. Strengths and hypercore numbers stay as they are: they sum over taps, by sign.
 * Blocks of one tap are shared with the old graph. Cost: a pass over the edges of the others.
 * @throws {UsageError} `USAGE_INVALID_OPTION` for an unknown name, or when the graph has been weighed otherwise or transformed
 */
export function weighEdges(graph: LayeredGraph, edgeWeight: EdgeWeight): LayeredGraph {
  if (!edgeWeightNames.includes(edgeWeight)) {
    throw new UsageError(
      "USAGE_INVALID_OPTION",
      `edgeWeight must be ${edgeWeightNames.join(", ")}, not ${edgeWeight as string}`,
      { path: ["edgeWeight"] },
    );
  }
  if (edgeWeight === graph.edgeWeight) return graph;
  if (graph.edgeWeight !== "norm" || graph.transforms.length > 0) {
    throw new UsageError(
      "USAGE_INVALID_OPTION",
      "the edge weights of this graph are chosen already",
      {
        path: ["edgeWeight"],
        hint: "Weigh the edges of the graph as it was read.",
      },
    );
  }
  const blocks = graph.blocks.map((block) => weighBlock(block, edgeWeight));
  return { ...graph, blocks, edgeWeight };
}

function weighBlock(block: Block, edgeWeight: EdgeWeight): Block {
  if (block.taps === 1) return block;
  return { ...blockFrame(block), weights: null, collapsed: collapse(block, edgeWeight) };
}

function collapse(block: Block, edgeWeight: EdgeWeight): CollapsedTaps {
  const part = (sign: "positiveSum" | "negativeSum"): Float64Array =>
    block.collapsed?.[sign] ?? Float64Array.from(edgeWeights(block, sign));
  const positiveSum = part("positiveSum");
  const negativeSum = part("negativeSum");
  const sign = edgeWeight === "sum" ? -1 : 1;
  const norm = positiveSum.map((positive, edge) => {
    const magnitude = Math.abs(positive + sign * negativeSum[edge]!);
    if (Number.isFinite(magnitude)) return magnitude;
    throw new GraphError(
      "GRAPH_WEIGHT_RANGE",
      `the ${edgeWeight} of edge ${edge} exceeds float64`,
      {
        path: [block.name],
      },
    );
  });
  return { norm, positiveSum, negativeSum };
}

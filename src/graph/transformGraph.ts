/**
 * A graph with other edge weights: transforms by name, one after another, recorded in `LayeredGraph.transforms`. The result has
 * one weight per edge: the edge weight that the graph was weighed by, with the sign of the sum of its taps.
 *
 * Selections (threshold, top, disparity) set what they leave out to 0, and keep the rest as it is; equal magnitudes are taken in
 * order of block, row and column. Nodes and layers stay, so that a transform may leave neurons without edges.
 * Cost: O(edges) a transform, O(edges · log N) at worst for `topPerNode`; memory of one weight per edge.
 */
import { allocateWeights } from "../kernels/weightArena.ts";
import type { FloatArray } from "../tensor/dtype.ts";
import { signedWeights, withOneTap } from "./block.ts";
import type { EdgeTable } from "./edgeTable.ts";
import { scratchBytes, type LayeredGraph } from "./layeredGraph.ts";
import { parseTransform } from "./transforms.ts";
import type { GraphTransform } from "./weighting.ts";

export interface TransformOptions {
  /** As in `layeredGraph`. @defaultValue 1 */
  readonly threads?: number;
}

/**
 * `graph` with `transforms` done in order; the graph itself when there are none.
 * @throws {UsageError} `USAGE_INVALID_OPTION` {GraphError} `GRAPH_WEIGHT_RANGE` for weights that leave float64
 */
export function transformGraph(
  graph: LayeredGraph,
  transforms: readonly (GraphTransform | (string & {}))[],
  { threads = 1 }: TransformOptions = {},
): LayeredGraph {
  const steps = transforms.map(parseTransform);
  if (steps.length === 0) return graph;
  const { blocks, nodeCount } = graph;
  const counts = blocks.map(({ weights, taps }) =>
    weights instanceof Float32Array && taps === 1 ? weights.length : 0,
  );
  const rooms = allocateWeights(counts, scratchBytes(nodeCount, counts), { threads });
  const weights = blocks.map((block, i): FloatArray => {
    const signed = signedWeights(block);
    if (counts[i] === 0) return Float64Array.from(signed);
    rooms[i]!.set(signed);
    return rooms[i]!;
  });
  const edges: EdgeTable = { name: graph.name, nodeCount, blocks, weights };
  for (const { run } of steps) run(edges);
  return {
    ...graph,
    blocks: blocks.map((block, i) => withOneTap(block, edges.weights[i]!)),
    transforms: [...graph.transforms, ...steps.map(({ text }) => text)],
  };
}

import type { LayeredGraph } from "./layeredGraph.ts";

/**
 * The graph with its recurrent weights as edges: they join neurons of one layer, and neurons to themselves. Measures take them as
 * they take any cycle. The graph itself when it has none, or has them included. Cost: O(blocks).
 */
export function includeRecurrent(graph: LayeredGraph): LayeredGraph {
  const { blocks, recurrentBlocks, edgeCount } = graph;
  if (recurrentBlocks.length === 0 || blocks.some(({ kind }) => kind === "recurrent")) return graph;
  const edges = recurrentBlocks.map(({ rows, columns, groups }) => (rows * columns) / groups);
  return {
    ...graph,
    blocks: [...blocks, ...recurrentBlocks],
    edgeCount: edges.reduce((sum, own) => sum + own, edgeCount),
  };
}

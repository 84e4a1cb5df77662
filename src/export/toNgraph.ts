import createGraph, { type Graph } from "ngraph.graph";
import type { LayeredGraph } from "../graph/layeredGraph.ts";
import {
  exportedGraph,
  type ExportedEdge,
  type ExportedNode,
  type ExportOptions,
} from "./exportedGraph.ts";

/** Ids are node numbers; links run from the sending to the receiving neuron. */
export type NgraphGraph = Graph<ExportedNode, ExportedEdge>;

/**
 * The graph as an ngraph.graph, for its layouts and path finders; a multigraph when two blocks join the same two nodes.
 * Cost: an object per node and edge. Errors: those of `exportedGraph`.
 * @throws {GraphError} `GRAPH_TOO_LARGE`; {ShapeError} `SHAPE_MISMATCH`; {UsageError} `USAGE_INVALID_OPTION`
 */
export function toNgraph(layered: LayeredGraph, options: ExportOptions = {}): NgraphGraph {
  const { nodes, edges, edgeOf, parallel } = exportedGraph(layered, options);
  const graph: NgraphGraph = createGraph({ multigraph: parallel });
  nodes.forEach((node, number) => graph.addNode(number, node));
  edges.from.forEach((from, edge) => graph.addLink(from, edges.to[edge]!, edgeOf(edge)));
  return graph;
}

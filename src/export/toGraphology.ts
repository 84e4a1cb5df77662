import {
  DirectedGraph,
  MultiDirectedGraph,
  MultiUndirectedGraph,
  UndirectedGraph,
} from "graphology";
import type { AbstractGraph } from "graphology-types";
import type { LayeredGraph } from "../graph/layeredGraph.ts";
import {
  exportedGraph,
  type ExportedEdge,
  type ExportedFacts,
  type ExportedNode,
  type ExportOptions,
} from "./exportedGraph.ts";

export interface GraphologyOptions extends ExportOptions {
  /** `directed` edges run from the sending to the receiving neuron. @defaultValue "directed" */
  readonly type?: "directed" | "undirected";
}

/** Keys are node numbers and edge numbers; `graph.export()` is graphology's JSON. */
export type GraphologyGraph = AbstractGraph<ExportedNode, ExportedEdge, ExportedFacts>;

/**
 * The graph as a graphology `Graph`, for its algorithms and for sigma; a multigraph when two blocks join the same two nodes.
 * Its attributes say how many of the edges it holds and which share of the weights.
 * Cost: about 300 bytes an edge, hence the budget. Errors: those of `exportedGraph`.
 * @throws {GraphError} `GRAPH_TOO_LARGE`; {ShapeError} `SHAPE_MISMATCH`; {UsageError} `USAGE_INVALID_OPTION`
 */
export function toGraphology(
  layered: LayeredGraph,
  { type = "directed", ...options }: GraphologyOptions = {},
): GraphologyGraph {
  const { nodes, edges, edgeOf, parallel, facts } = exportedGraph(layered, options);
  const graph: GraphologyGraph = emptyGraph(type, parallel);
  graph.replaceAttributes(facts);
  nodes.forEach((node, number) => graph.addNode(number, node));
  // Own keys, since graphology's differ from run to run.
  edges.from.forEach((from, edge) => {
    graph.addEdgeWithKey(edge, from, edges.to[edge], edgeOf(edge));
  });
  return graph;
}

function emptyGraph(type: "directed" | "undirected", multi: boolean): GraphologyGraph {
  if (type === "directed") return multi ? new MultiDirectedGraph() : new DirectedGraph();
  return multi ? new MultiUndirectedGraph() : new UndirectedGraph();
}

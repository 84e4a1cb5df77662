/**
 * Weighted core number (s-core): the largest k such that the neuron belongs to a subgraph in which every neuron keeps a
 * weighted degree of k or more.
 *
 * An edge weight is the L2 norm of its taps; parallel edges add; an edge from a node to itself is left out. `unweighted` gives
 * the k-core instead: the number of distinct neighbours joined by a weight other than zero.
 * Domain: finite weights. A node that stands in no block has no value; one whose weights are all zero has core number 0.
 * Degrees are compensated sums, exact on whole numbers.
 * Cost: O(edges log nodes).
 * Source: Batagelj and Zaversnik 2002, arXiv cs/0202039 (generalised cores); Eidsaa and Almaas 2013,
 * doi 10.1103/PhysRevE.88.062819 (s-core).
 * Golden: docs/measures/core.md, by hand; a peel without shortcuts in the tests.
 */
import { GraphError } from "../errors.ts";
import { adjacencyOf } from "../graph/adjacency.ts";
import type { LayeredGraph } from "../graph/layeredGraph.ts";
import { visitMarks } from "../graph/visitMarks.ts";
import { nodeMeasure, type Measure } from "./measure.ts";
import type { NodeValues } from "./nodeValues.ts";
import { peelByDegree, type LinkVisitor } from "./peelByDegree.ts";

export interface CoreNumberOptions {
  /** Count neighbours instead of adding weights. @defaultValue false */
  readonly unweighted?: boolean;
}

/** @throws {GraphError} `GRAPH_NO_EDGES` @throws {AnalysisError} `ANALYSIS_UNDEFINED` */
export function coreNumber(
  graph: LayeredGraph,
  { unweighted = false }: CoreNumberOptions = {},
): NodeValues {
  if (graph.edgeCount === 0) {
    throw new GraphError("GRAPH_NO_EDGES", "no block, so no neuron has a core number", {
      path: [graph.name],
    });
  }
  const { nodeCount } = graph;
  const { sends, receives, forEachSender, forEachReceiver } = adjacencyOf(graph, "norm");
  const marks = visitMarks(nodeCount);
  const visitNeighbours = (node: number, visit: LinkVisitor): void => {
    marks.next();
    const visitOther: LinkVisitor = (other, weight) => {
      if (other === node) return;
      if (!unweighted) visit(other, weight);
      else if (marks.first(other)) visit(other, 1);
    };
    forEachSender(node, visitOther);
    forEachReceiver(node, visitOther);
  };
  return peelByDegree({
    covered: Uint8Array.from({ length: nodeCount }, (_, n) => (sends(n) || receives(n) ? 1 : 0)),
    measure: "weighted degree",
    fill(add) {
      for (let node = 0; node < nodeCount; node++)
        visitNeighbours(node, (_, amount) => add(node, amount));
    },
    remove: visitNeighbours,
  });
}

/** As data. */
export const coreNumberMeasure: Measure = nodeMeasure({
  id: "core",
  title: "Core number",
  description: "Deepest core of weighted degree that holds the neuron.",
  parameters: [
    {
      name: "unweighted",
      kind: "boolean",
      default: false,
      description: "Count neighbours instead of adding weights.",
    },
  ],
  compute: coreNumber,
});

/**
 * Weighted core number (s-core): the largest k such that the neuron belongs to a subgraph in which every neuron keeps a
 * weighted degree of k or more.
 *
 * An edge weight is the L2 norm of its taps; parallel edges add; an edge from a node to itself is left out. `unweighted` gives
 * the k-core instead: the number of distinct neighbours joined by a weight other than zero.
 * Domain: finite weights. A node that stands in no block has no value; one whose weights are all zero has core number 0.
 * Numbers are right to 1e-9, exact on whole numbers.
 * Cost: two to three passes over the weights.
 * Source: Batagelj and Zaversnik 2002, arXiv cs/0202039 (generalised cores); Eidsaa and Almaas 2013,
 * doi 10.1103/PhysRevE.88.062819 (s-core).
 * Golden: docs/measures/core.md, by hand; a peel without shortcuts in the tests.
 */
import { GraphError } from "../errors.ts";
import type { LayeredGraph } from "../graph/layeredGraph.ts";
import { bulkCores } from "./peel/bulkCores.ts";
import { coresByHeap } from "./peel/coresByHeap.ts";
import { nodeMeasure, type Measure } from "./measure.ts";
import type { NodeValues } from "./nodeValues.ts";

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
  return bulkCores(graph, unweighted) ?? coresByHeap(graph, { unweighted });
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

/**
 * Weighted degree: the sum of a neuron's edge weights in the rolled graph, both directions.
 *
 * An edge weight is the L2 norm of the taps between two neurons, so it is never negative: |w| in a dense layer, the Frobenius
 * norm of a kernel in a convolution. Parallel edges add up. Domain: finite weights; a neuron that stands in no block has no
 * value, one whose weights are all zero has degree 0.
 * Cost: one pass over the weights, float64 sums.
 * Source: Vahedian et al. 2022, doi 10.1145/3511808.3557628 (the rolled graph and its weights).
 * Golden: docs/measures/degree.md, by hand: 10 10 11 12 20 14 19 3 7.
 */
import { GraphError } from "../errors.ts";
import { blockSums } from "../graph/blockSums.ts";
import type { LayeredGraph } from "../graph/layeredGraph.ts";
import { nodeMeasure, type Measure } from "./measure.ts";
import { addTo } from "./nodeStrength.ts";
import { checkRange, type NodeValues } from "./nodeValues.ts";

/** @throws {GraphError} `GRAPH_NO_EDGES` {AnalysisError} `ANALYSIS_UNDEFINED` */
export function weightedDegree(graph: LayeredGraph): NodeValues {
  if (graph.edgeCount === 0) {
    throw new GraphError("GRAPH_NO_EDGES", "no block, so no neuron has a degree", {
      path: [graph.name],
    });
  }
  const values = new Float64Array(graph.nodeCount);
  const covered = new Uint8Array(graph.nodeCount);
  for (const block of graph.blocks) {
    const { rows, columns } = blockSums(block);
    addTo({ values, covered }, block.rowNodes, rows.norm);
    addTo({ values, covered }, block.columnNodes, columns.norm);
  }
  return { values: checkRange(values, "weighted degree"), covered };
}

/** As data. */
export const weightedDegreeMeasure: Measure = nodeMeasure({
  id: "degree",
  title: "Weighted degree",
  description: "Sum of a neuron's edge weights, an edge weight being the norm of its taps.",
  fromSums: true,
  parameters: [],
  compute: weightedDegree,
});

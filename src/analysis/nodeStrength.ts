/**
 * Node strength: the sum of a neuron's weights.
 *
 * Domain: finite weights. `in` sums the weights that a neuron receives, `out` those it sends, `both` adds the two. Every tap of
 * a kernel counts, zero or not; parallel blocks add up. `negative` is the magnitude of the negative part, so that
 * signed = positive - negative and absolute = positive + negative. The empty sum is 0: an input neuron receives nothing. Only a
 * neuron that no block touches has no value.
 * Cost: one pass over the weights for all signs and directions together, float64 sums of either sign.
 * Source: Barrat et al. 2004, doi 10.1073/pnas.0400087101; signs as in the rewiring of Scabini et al., arXiv 2207.08148.
 * Golden: docs/measures/strength.md, by hand.
 */
import { plus } from "../numeric/vector.ts";
import { GraphError } from "../errors.ts";
import type { SideSums } from "../graph/block.ts";
import { blockSums } from "../graph/blockSums.ts";
import type { LayeredGraph } from "../graph/layeredGraph.ts";
import { nodeMeasure, type Measure } from "./measure.ts";
import { checkRange, type NodeValues } from "./nodeValues.ts";
import { requireOneOf } from "./options.ts";

export interface NodeStrengthOptions {
  /** @defaultValue "signed" */
  readonly sign?: "signed" | "absolute" | "positive" | "negative";
  /** @defaultValue "both" */
  readonly direction?: "in" | "out" | "both";
}

/** @throws {UsageError} `USAGE_INVALID_OPTION` {GraphError} `GRAPH_NO_EDGES` {AnalysisError} `ANALYSIS_UNDEFINED` */
export function nodeStrength(
  graph: LayeredGraph,
  { sign = "signed", direction = "both" }: NodeStrengthOptions = {},
): NodeValues {
  if (graph.edgeCount === 0) {
    throw new GraphError("GRAPH_NO_EDGES", "no block, so no neuron has a strength", {
      path: [graph.name],
    });
  }
  requireOneOf("sign", sign, Object.keys(sumOf));
  requireOneOf("direction", direction, ["in", "out", "both"]);
  const sum = sumOf[sign];
  const values = new Float64Array(graph.nodeCount);
  const covered = new Uint8Array(graph.nodeCount);
  for (const block of graph.blocks) {
    const { rows, columns } = blockSums(block);
    addTo({ values, covered }, block.rowNodes, direction === "out" ? null : sum(rows));
    addTo({ values, covered }, block.columnNodes, direction === "in" ? null : sum(columns));
  }
  return { values: checkRange(values, "strength"), covered };
}

/** A weight's part is own · w + magnitude · |w|; halves are exact, so that a positive weight has a negative part of 0. */
export const partOf = {
  signed: { own: 1, magnitude: 0 },
  absolute: { own: 0, magnitude: 1 },
  positive: { own: 0.5, magnitude: 0.5 },
  negative: { own: -0.5, magnitude: 0.5 },
} as const;

/** Strength of each neuron on one side of a block. */
const sumOf: Readonly<
  Record<NonNullable<NodeStrengthOptions["sign"]>, (sums: SideSums) => Float64Array>
> = {
  signed: ({ positive, negative }) => plus(positive, -1, negative),
  absolute: ({ positive, negative }) => plus(positive, 1, negative),
  positive: ({ positive }) => positive,
  negative: ({ negative }) => negative,
};

/** Adds what one side of a block gives to its nodes, which it covers in any case. */
export function addTo(
  { values, covered }: NodeValues,
  nodes: Int32Array,
  sums: Float64Array | null,
): void {
  for (let i = 0; i < nodes.length; i++) {
    const node = nodes[i]!;
    covered[node] = 1;
    if (sums !== null) values[node]! += sums[i]!;
  }
}

/** As data. */
export const nodeStrengthMeasure: Measure = nodeMeasure({
  id: "strength",
  title: "Node strength",
  description: "Sum of a neuron's weights.",
  fromSums: true,
  parameters: [
    {
      name: "sign",
      kind: "choice",
      choices: ["signed", "absolute", "positive", "negative"],
      default: "signed",
      description: "Which part of each weight is summed; negative is the magnitude of that part.",
    },
    {
      name: "direction",
      kind: "choice",
      choices: ["in", "out", "both"],
      default: "both",
      description: "Weights that the neuron receives, sends, or both.",
    },
  ],
  compute: nodeStrength,
});

/**
 * Node strength: the sum of a neuron's weights.
 *
 * Domain: finite weights. `in` sums the weights that a neuron receives, `out` those it sends, `both` adds the two. Every tap of
 * a kernel counts, zero or not; parallel blocks add up. `negative` is the magnitude of the negative part, so that
 * signed = positive - negative and absolute = positive + negative. The empty sum is 0: an input neuron receives nothing. Only a
 * neuron that no block touches has no value.
 * Cost: one pass over the weights, float64 sums.
 * Source: Barrat et al. 2004, doi 10.1073/pnas.0400087101; signs as in the rewiring of Scabini et al., arXiv 2207.08148.
 * Golden: docs/measures/strength.md, by hand.
 */
import { GraphError } from "../errors.ts";
import { edgeWeights } from "../graph/block.ts";
import type { Block, LayeredGraph } from "../graph/layeredGraph.ts";
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
  requireOneOf("sign", sign, Object.keys(partOf));
  requireOneOf("direction", direction, ["in", "out", "both"]);
  const values = new Float64Array(graph.nodeCount);
  const covered = new Uint8Array(graph.nodeCount);
  for (const block of graph.blocks) {
    const { rows, columns } = sumsOf(block, sign);
    addTo({ values, covered }, block.rowNodes, direction === "out" ? null : rows);
    addTo({ values, covered }, block.columnNodes, direction === "in" ? null : columns);
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

const reductionOf = {
  signed: "sum",
  absolute: "absoluteSum",
  positive: "positiveSum",
  negative: "negativeSum",
} as const;

function sumsOf(
  block: Block,
  sign: keyof typeof partOf,
): { rows: Float64Array; columns: Float64Array } {
  const { rows, columns, groups } = block;
  // What was collapsed by sign holds the parts already.
  const weights = block.weights ?? edgeWeights(block, reductionOf[sign]);
  const taps = block.weights === null ? 1 : block.taps;
  const { own, magnitude } = block.weights === null ? partOf.signed : partOf[sign];
  const sums = { rows: new Float64Array(rows), columns: new Float64Array(columns) };
  const columnsPerGroup = columns / groups;
  let at = 0;
  for (let row = 0; row < rows; row++) {
    const first = Math.floor((row * groups) / rows) * columnsPerGroup;
    let rowSum = 0;
    for (let column = first; column < first + columnsPerGroup; column++) {
      let edge = 0;
      for (let tap = 0; tap < taps; tap++, at++) {
        const weight = weights[at]!;
        edge += own * weight + magnitude * Math.abs(weight);
      }
      rowSum += edge;
      sums.columns[column]! += edge;
    }
    sums.rows[row] = rowSum;
  }
  return sums;
}

function addTo(
  { values, covered }: NodeValues,
  nodes: Int32Array,
  sums: Float64Array | null,
): void {
  nodes.forEach((node, i) => {
    covered[node] = 1;
    if (sums !== null) values[node]! += sums[i]!;
  });
}

/** As data. */
export const nodeStrengthMeasure: Measure = nodeMeasure({
  id: "strength",
  title: "Node strength",
  description: "Sum of a neuron's weights.",
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

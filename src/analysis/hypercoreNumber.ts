/**
 * Hypercore numbers: how deep a neuron lies in the hypergraph in which the neurons on one side are vertices and each neuron
 * on the other is a hyperedge that holds all it is connected to.
 *
 * The (k, l)-hypercore is the largest sub-hypergraph in which every vertex has degree >= k (sum of its weights in the
 * hyperedges that are left) and every hyperedge holds >= l vertices; with a fraction t, >= max(l, t · initial members). A
 * vertex's hypercore number is the largest k of a hypercore that holds it. Greedy peeling finds it: the vertex of least degree
 * goes, hyperedges that fall short die.
 *
 * Domain: finite weights; "signed" sums are no degrees, so a sign has to be chosen. Exact zeros join nothing. Between two
 * channels the taps' parts are summed (L1), and so are parallel blocks. A node without weights on its side is not covered.
 * With l = 2 on a full positive layer the numbers are the strengths, except that the largest is that of the second.
 * Cost: two to six passes over the weights, and a bit per weight; exact on integers.
 * Source: in the style of Hcore-Init (Limnios et al. 2020, arXiv 2004.07636), whose details are not published: the rule above is
 * ours. (k, t): Bu, Lee and Shin 2023, doi 10.1007/s10618-023-00956-2.
 * Golden: docs/measures/hypercore.md, by hand; exponential oracle in the tests.
 */
import { GraphError } from "../errors.ts";
import { assembleGraph, type Block, type LayeredGraph } from "../graph/layeredGraph.ts";
import { allocateWeights, arenaOf } from "../kernels/weightArena.ts";
import { nodeMeasure, type Measure } from "./measure.ts";
import type { NodeValues } from "./nodeValues.ts";
import { requireNumber, requireOneOf } from "./options.ts";
import { bulkHypercores } from "./peel/bulkHypercores.ts";
import { hypercoresByHeap } from "./peel/hypercoresByHeap.ts";

export interface HypercoreOptions {
  /** Least number of vertices in a living hyperedge. @defaultValue 2 */
  readonly l?: number;
  /** Least fraction of its initial vertices in a living hyperedge, 0 to 1; null for none. @defaultValue null */
  readonly t?: number | null;
  /** Count hyperedges instead of adding weights. @defaultValue false */
  readonly unweighted?: boolean;
  /** Which weights connect. @defaultValue "absolute" */
  readonly sign?: "absolute" | "positive" | "negative";
  /** `in`: sending neurons are vertices, receiving ones hyperedges; `out`: the reverse. @defaultValue "in" */
  readonly side?: "in" | "out";
}

/** Hypercore numbers in the hypergraph of the whole graph. @throws {UsageError} {GraphError} {AnalysisError} */
export function hypercoreNumber(graph: LayeredGraph, options: HypercoreOptions = {}): NodeValues {
  if (graph.edgeCount === 0) {
    throw new GraphError("GRAPH_NO_EDGES", "a graph without edges has no hyperedges", {
      path: [graph.name],
    });
  }
  const { l = 2, t = null, unweighted = false, sign = "absolute", side = "in" } = options;
  requireNumber("l", l, { min: 1, max: Number.MAX_SAFE_INTEGER, integer: true });
  if (t !== null) requireNumber("t", t, { min: 0, max: 1, integer: false });
  requireOneOf("sign", sign, ["absolute", "positive", "negative"]);
  requireOneOf("side", side, ["in", "out"]);
  const needed = (size: number): number => Math.max(l, t === null ? 0 : leastShare(t, size));
  const part = { sign, counted: unweighted };
  return (
    bulkHypercores(graph, { side, part, needed }) ?? hypercoresByHeap(graph, { side, part, needed })
  );
}

/**
 * Hypercore numbers of one matrix [rows, columns], a row per receiving neuron: [columns] values with side `in`, [rows] with
 * `out`. A flattened kernel counts every (channel, tap) as a vertex. @throws {UsageError} {GraphError} {AnalysisError}
 */
export function hypercoreOfMatrix(
  matrix: Pick<Block, "weights" | "rows" | "columns">,
  options: HypercoreOptions = {},
): Float64Array {
  const { rows, columns } = matrix;
  const weights = inKernels(matrix);
  const number = (count: number, first: number): Int32Array =>
    Int32Array.from({ length: count }, (_, i) => first + i);
  const layers = [
    { name: "in", size: columns },
    { name: "out", size: rows },
  ];
  const nodes = { rowNodes: number(rows, columns), columnNodes: number(columns, 0) };
  const block = { name: "matrix", weights, rows, columns, groups: 1, taps: 1, ...nodes };
  const graph = assembleGraph("matrix", layers, [block], "declared");
  const { values } = hypercoreNumber(graph, options);
  return options.side === "out" ? values.slice(columns) : values.slice(0, columns);
}

/** A copy of float32 weights where kernels work on them, if it is worth one. */
function inKernels({ weights, rows, columns }: Pick<Block, "weights" | "rows" | "columns">) {
  if (!(weights instanceof Float32Array) || arenaOf(weights) !== null) return weights;
  const nodeBytes = 1024 * (rows + columns);
  const [room] = allocateWeights([weights.length], 2 ** 22 + nodeBytes + weights.length / 4);
  if (arenaOf(room!) === null) return weights;
  room!.set(weights);
  return room!;
}

/** Least whole number whose share of `size` is t or more; t times size alone would round 0.55 · 100 up to 56. */
function leastShare(t: number, size: number): number {
  const least = Math.ceil(t * size);
  return least > 0 && (least - 1) / size >= t ? least - 1 : least;
}

/** As data. */
export const hypercoreNumberMeasure: Measure = nodeMeasure({
  id: "hypercore",
  title: "Hypercore number",
  description: "Deepest (k, l)-hypercore that holds the neuron.",
  parameters: [
    {
      name: "l",
      kind: "number",
      integer: true,
      min: 1,
      max: Number.MAX_SAFE_INTEGER,
      default: 2,
      description: "Least number of vertices in a living hyperedge.",
    },
    {
      name: "t",
      kind: "number",
      integer: false,
      min: 0,
      max: 1,
      default: null,
      description: "Least fraction of its initial vertices in a living hyperedge.",
    },
    {
      name: "sign",
      kind: "choice",
      choices: ["absolute", "positive", "negative"],
      default: "absolute",
      description: "Which weights connect.",
    },
    {
      name: "unweighted",
      kind: "boolean",
      default: false,
      description: "Count hyperedges instead of adding weights.",
    },
    {
      name: "side",
      kind: "choice",
      choices: ["in", "out"],
      default: "in",
      description: "Vertices: the sending neurons of each block, or the receiving ones.",
    },
  ],
  compute: hypercoreNumber,
});

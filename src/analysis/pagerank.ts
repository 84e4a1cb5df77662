/**
 * PageRank of every neuron: where a walker is found who follows edges from sender to receiver, each with a chance in
 * proportion to its weight, and who with a chance of 1 - damping, or wherever no edge leads on, starts anew at any neuron.
 *
 * An edge weight is the norm of its taps unless the graph was weighed otherwise; parallel edges add. `reverse` follows the edges
 * from receiver to sender. The values sum to 1 over the neurons that stand in a block; others have no value.
 * Domain: damping from 0 to 1; 1 itself only where every neuron leads to one without outgoing edges, as in a network without
 * cycles. Blocks of zeros make every neuron equal.
 * Since the walker starts anew in the same way from everywhere, x is proportional to the solution of z = 1 + damping Pᵀz, which
 * is exact after one sweep from the first layer to the last unless shortcuts make cycles.
 * Cost: three passes over the weights without cycles; with them one a sweep, about 200 at a damping of 0.85 at the very most.
 * Source: Page, Brin, Motwani and Winograd 1999; Langville and Meyer 2004, doi 10.1080/15427951.2004.10129091 (dangling nodes).
 * Golden: docs/measures/pagerank.md; networkx and igraph on trained models.
 */
import { AnalysisError, GraphError } from "../errors.ts";
import { blockSums } from "../graph/blockSums.ts";
import type { LayeredGraph } from "../graph/layeredGraph.ts";
import { compensatedSum } from "../numeric/sum.ts";
import { blockProducts, scatterAdd, type BlockProducts } from "./blockProducts.ts";
import { nodeMeasure, type Measure } from "./measure.ts";
import type { NodeValues } from "./nodeValues.ts";
import { requireNumber } from "./options.ts";
import { solveAlongEdges } from "./solveAlongEdges.ts";

export interface PagerankOptions {
  /** Chance to follow an edge. @defaultValue 0.85 */
  readonly damping?: number;
  /** From receiver to sender. @defaultValue false */
  readonly reverse?: boolean;
  /** The largest residual that is accepted. @defaultValue 1e-12 */
  readonly tolerance?: number;
  /** Sweeps over the edges, for graphs with cycles. @defaultValue 2000 */
  readonly maxIterations?: number;
}

export interface Pagerank extends NodeValues {
  /** Σ|x - Gx|, G being one step of the walker, measured on the values that are returned; Σ|error| is at most this / (1 - damping). */
  readonly residual: number;
  /** Sweeps over the edges: 1 without cycles. */
  readonly iterations: number;
  /** Neurons in a block from which no edge leads on: the walker starts anew from them. */
  readonly dangling: number;
}

/**
 * @throws {UsageError} `USAGE_INVALID_OPTION` @throws {GraphError} `GRAPH_NO_EDGES`
 * @throws {AnalysisError} `ANALYSIS_NOT_CONVERGED`; `ANALYSIS_UNDEFINED` for weights that span more than 570 powers of ten
 */
export function pagerank(
  graph: LayeredGraph,
  {
    damping = 0.85,
    reverse = false,
    tolerance = 1e-12,
    maxIterations = 2000,
  }: PagerankOptions = {},
): Pagerank {
  requireNumber("damping", damping, unitInterval);
  requireNumber("tolerance", tolerance, unitInterval);
  requireNumber("maxIterations", maxIterations, iterationDomain);
  if (graph.edgeCount === 0) {
    throw new GraphError("GRAPH_NO_EDGES", "no block, so no neuron has a PageRank", {
      path: [graph.name],
    });
  }
  const { products, sums } = walk(graph, reverse);
  const { blocks, covered } = products;
  const start = Float64Array.from(covered);
  const factor = sums.map((sum) => (sum === 0 ? 0 : damping / sum));
  const { values: visits, sweeps } = solveAlongEdges(blocks, {
    start,
    factor,
    reverse,
    maxSweeps: maxIterations,
  });
  const total = compensatedSum(visits);
  const values = visits.map((visit) => visit / total);

  const count = covered.reduce((n, one) => n + one, 0);
  const stranded = values.filter((_, node) => sums[node] === 0 && covered[node] === 1);
  const anew = (damping * compensatedSum(stranded) + 1 - damping) / count;
  const image = start.map((one) => one * anew);
  const sent = values.map((value, node) => value * factor[node]!);
  (reverse ? products.backward : products.forward)(sent, image);
  const residual = compensatedSum(image.map((value, node) => Math.abs(value - values[node]!)));
  if (!(residual <= tolerance)) {
    const details = { residual, iterations: sweeps };
    const message = `residual ${residual.toExponential(2)} after ${sweeps} sweeps`;
    throw new AnalysisError("ANALYSIS_NOT_CONVERGED", message, {
      path: [graph.name],
      details,
      hint: "Raise maxIterations, or take a damping further from 1.",
    });
  }
  return { values, covered, residual, iterations: sweeps, dangling: stranded.length };
}

const unitInterval = { min: 0, max: 1, integer: false };
const iterationDomain = { min: 1, max: Number.MAX_SAFE_INTEGER, integer: true };

/** Between these a sum neither overflows nor has a reciprocal that does. */
const comfortable = { least: 2 ** -1000, most: 2 ** 1000 };

interface Walk {
  readonly products: BlockProducts;
  /** [nodeCount]: weights of all edges that lead on from a neuron. */
  readonly sums: Float64Array;
}

/** Products scaled such that the sums of the weights that lead on can be divided by. */
function walk(graph: LayeredGraph, reverse: boolean): Walk {
  const fits = (sum: number): boolean =>
    sum === 0 || (sum >= comfortable.least && sum <= comfortable.most);
  const plain = sumsLeadingOn(graph, reverse);
  if (plain.every(fits)) return { products: blockProducts(graph), sums: plain };
  const largest = plain.reduce((most, sum) => Math.max(most, sum), 0);
  // The weights are finite, so that 2^-100 of any number of them is.
  const exponent = Math.max(-100, Math.min(1000, 900 - Math.floor(Math.log2(largest))));
  const products = blockProducts(graph, { scale: 2 ** exponent });
  const sums = new Float64Array(graph.nodeCount);
  (reverse ? products.forward : products.backward)(new Float64Array(sums.length).fill(1), sums);
  if (sums.every((sum, node) => fits(sum) && (sum > 0 || plain[node] === 0))) {
    return { products, sums };
  }
  throw new AnalysisError("ANALYSIS_UNDEFINED", "the weights span more than float64 can divide", {
    path: [graph.name],
    hint: "Set weights of no account to zero.",
  });
}

function sumsLeadingOn(graph: LayeredGraph, reverse: boolean): Float64Array {
  const sums = new Float64Array(graph.nodeCount);
  for (const block of graph.blocks) {
    const { rows, columns } = blockSums(block);
    const nodes = reverse ? block.rowNodes : block.columnNodes;
    scatterAdd((reverse ? rows : columns).norm, nodes, sums);
  }
  return sums;
}

/** As data. */
export const pagerankMeasure: Measure = nodeMeasure({
  id: "pagerank",
  title: "PageRank",
  description: "Where a walker along the edges is found, in proportion to their weights.",
  onRequest: true,
  parameters: [
    {
      name: "damping",
      kind: "number",
      ...unitInterval,
      default: 0.85,
      description: "Chance to follow an edge instead of starting anew.",
    },
    {
      name: "reverse",
      kind: "boolean",
      default: false,
      description: "Follow edges from receiver to sender.",
    },
    {
      name: "tolerance",
      kind: "number",
      ...unitInterval,
      default: 1e-12,
      description: "Largest residual that is accepted.",
    },
    {
      name: "maxIterations",
      kind: "number",
      ...iterationDomain,
      default: 2000,
      description: "Most sweeps over the edges, where they form cycles.",
    },
  ],
  compute: pagerank,
  facts: ({ residual, iterations, dangling }) => ({ residual, iterations, dangling }),
});

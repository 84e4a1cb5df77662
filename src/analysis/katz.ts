/**
 * Katz centrality: 1 for every neuron, and on top alpha times the weighted sum of what those have that send to it. It counts
 * the paths that end in a neuron, each with the product of its edge weights, shorter by a factor of alpha the longer they are:
 * x = 1 + alpha W x with W[receiver, sender].
 *
 * An edge weight is the norm of its taps unless the graph was weighed otherwise; parallel edges add. `reverse` counts the paths
 * that begin in a neuron, `undirected` takes every edge both ways.
 * Domain: the series of powers of alpha W has a sum. Without cycles it ends, for any alpha; undirected it needs alpha below 1 / λ,
 * λ being the spectral radius of the symmetric matrix of edge weights. By default alpha is 0.9 / λ, directed or not, which does
 * not depend on the scale of the weights and is below the limit of any directed graph too. A neuron that stands in no block has
 * no value.
 * Directed graphs are solved exactly by one sweep from the first layer to the last, in sweeps where shortcuts make cycles;
 * undirected ones by conjugate gradients.
 * Cost: two passes over the weights without cycles, some 60 undirected; the default alpha costs an eigenvalue beside.
 * Source: Katz 1953, doi 10.1007/BF02289026. Golden: docs/measures/katz.md; networkx and LAPACK on trained models.
 */
import { AnalysisError, GraphError, UsageError } from "../errors.ts";
import type { LayeredGraph } from "../graph/layeredGraph.ts";
import { conjugateGradient } from "../numeric/conjugateGradient.ts";
import { toUnit } from "../numeric/vector.ts";
import { blockProducts, type BlockProducts } from "./blockProducts.ts";
import { eigenvectorCentrality } from "./eigenvectorCentrality.ts";
import { nodeMeasure, type Measure } from "./measure.ts";
import { checkRange, type NodeValues } from "./nodeValues.ts";
import { requireNumber } from "./options.ts";
import { solveAlongEdges } from "./solveAlongEdges.ts";

export interface KatzOptions {
  /** What an edge is worth, times its weight; null for 0.9 / λ. @defaultValue null */
  readonly alpha?: number | null;
  /** Paths that begin in a neuron. @defaultValue false */
  readonly reverse?: boolean;
  /** Every edge both ways. @defaultValue false */
  readonly undirected?: boolean;
  /** The solution as it is, instead of at unit L2 norm. @defaultValue false */
  readonly unnormalised?: boolean;
  /** The largest residual that is accepted. @defaultValue 1e-10 */
  readonly tolerance?: number;
  /** Products with the weights, where one is not enough. @defaultValue 2000 */
  readonly maxIterations?: number;
}

export interface Katz extends NodeValues {
  readonly alpha: number;
  /** λ; null where alpha is given and the graph directed, since nothing depends on it then. */
  readonly eigenvalue: number | null;
  /** The largest |1 + alpha W x - x| / x of a neuron, measured before the values are normalised. */
  readonly residual: number;
  /** Products with the weights: 1 for a directed graph without cycles. */
  readonly iterations: number;
}

/**
 * @throws {UsageError} `USAGE_INVALID_OPTION`
 * @throws {GraphError} `GRAPH_NO_EDGES`: no block; or only zeros, where λ is needed
 * @throws {AnalysisError} `ANALYSIS_UNDEFINED` for alpha at or above 1 / λ, or values beyond float64; `ANALYSIS_NOT_CONVERGED`
 */
export function katz(
  graph: LayeredGraph,
  {
    alpha: given = null,
    reverse = false,
    undirected = false,
    unnormalised = false,
    tolerance = 1e-10,
    maxIterations = 2000,
  }: KatzOptions = {},
): Katz {
  if (given !== null) requireNumber("alpha", given, alphaDomain);
  requireNumber("tolerance", tolerance, { min: 0, max: 1, integer: false });
  requireNumber("maxIterations", maxIterations, iterationDomain);
  if (reverse && undirected) {
    throw new UsageError("USAGE_INVALID_OPTION", "an undirected graph has no reverse", {
      path: ["reverse"],
    });
  }
  if (graph.edgeCount === 0) {
    throw new GraphError("GRAPH_NO_EDGES", "no block, so no neuron has a Katz centrality", {
      path: [graph.name],
    });
  }
  const eigenvalue = given === null || undirected ? spectralRadius(graph) : null;
  const alpha = given ?? defaultShare / eigenvalue!;
  if (undirected && given !== null && given * eigenvalue! >= 1) {
    throw new AnalysisError(
      "ANALYSIS_UNDEFINED",
      `alpha ${alpha} is not below 1 / spectral radius = ${1 / eigenvalue!}, so that paths add up to no number`,
      { path: [graph.name], details: { alpha, eigenvalue }, hint: "Lower alpha, or leave it out." },
    );
  }

  // With λ known its power of two is taken out of the weights and put into alpha, so that neither leaves float64.
  const scale = eigenvalue === null ? 1 : scaleOf(eigenvalue);
  const share = given === null ? defaultShare : alpha * (eigenvalue ?? 1);
  const scaledAlpha = share / ((eigenvalue ?? 1) * scale);
  const products = blockProducts(graph, { scale });
  const options = { alpha: scaledAlpha, reverse, maxIterations };
  const { values, iterations } = undirected
    ? solveUndirected(products, options)
    : solveDirected(products, options);
  const { covered } = products;
  checkRange(values, "Katz centrality");
  const sent = values.map((value) => scaledAlpha * value);
  const image = Float64Array.from(covered);
  const { forward, backward, both } = products;
  (undirected ? both : reverse ? backward : forward)(sent, image);
  const residual = image.reduce((most, value, node) => {
    const own = values[node]!;
    return covered[node] === 0 ? most : Math.max(most, Math.abs(value - own) / own);
  }, 0);
  if (!(residual <= tolerance)) {
    throw new AnalysisError(
      "ANALYSIS_NOT_CONVERGED",
      `residual ${residual.toExponential(2)} after ${iterations} products`,
      {
        path: [graph.name],
        details: { alpha, residual, iterations },
        hint: "Lower alpha: the paths add up to something only below 1 over the spectral radius.",
      },
    );
  }
  return {
    values: unnormalised ? values : toUnitNorm(values),
    covered,
    alpha,
    eigenvalue,
    residual,
    iterations,
  };
}

/** Of the limit for undirected graphs. */
const defaultShare = 0.9;
const alphaDomain = { min: 0, max: Number.MAX_VALUE, integer: false };
const iterationDomain = { min: 1, max: Number.MAX_SAFE_INTEGER, integer: true };
/** What conjugate gradients aim at; below it rounding rules. */
const target = 1e-15;

/** Largest eigenvalue of the edge weights, each edge both ways. */
function spectralRadius(graph: LayeredGraph): number {
  const { eigenvalue } = eigenvectorCentrality(graph);
  if (!Number.isFinite(defaultShare / eigenvalue)) {
    throw new AnalysisError("ANALYSIS_UNDEFINED", "1 / spectral radius exceeds float64", {
      path: [graph.name],
      hint: "Multiply all weights by a common factor.",
    });
  }
  return eigenvalue;
}

/** Beyond 2^±1000 the reciprocal leaves float64. */
function scaleOf(eigenvalue: number): number {
  return 2 ** -Math.min(1000, Math.max(-1000, Math.floor(Math.log2(eigenvalue))));
}

interface Solution {
  readonly values: Float64Array;
  readonly iterations: number;
}

interface KatzEquation {
  readonly alpha: number;
  readonly reverse: boolean;
  readonly maxIterations: number;
}

function solveDirected(
  { blocks, covered }: BlockProducts,
  { alpha, reverse, maxIterations }: KatzEquation,
): Solution {
  const { values, sweeps, settled } = solveAlongEdges(blocks, {
    start: Float64Array.from(covered),
    factor: new Float64Array(covered.length).fill(alpha),
    reverse,
    maxSweeps: maxIterations,
  });
  if (!settled && !values.every(Number.isFinite)) {
    throw new AnalysisError("ANALYSIS_UNDEFINED", "paths round a cycle add up to no number", {
      details: { alpha },
      hint: "Lower alpha: it has to be below 1 / spectral radius.",
    });
  }
  return { values, iterations: sweeps };
}

function solveUndirected(
  { covered, both }: BlockProducts,
  { alpha, maxIterations }: KatzEquation,
): Solution {
  const apply = (x: Float64Array, y: Float64Array): void => {
    y.fill(0);
    both(x, y);
    for (let node = 0; node < y.length; node++) y[node] = x[node]! - alpha * y[node]!;
  };
  const ones = Float64Array.from(covered);
  const { solution, iterations } = conjugateGradient(apply, ones, { target, maxIterations });
  return { values: solution, iterations };
}

/** Values may be as large as float64 allows. */
function toUnitNorm(values: Float64Array): Float64Array {
  const largest = values.reduce((most, value) => Math.max(most, value), 0);
  return toUnit(values.map((value) => value / largest));
}

/** As data. */
export const katzMeasure: Measure = nodeMeasure({
  id: "katz",
  title: "Katz centrality",
  description:
    "Paths that end in the neuron, each the product of its weights, longer ones for less.",
  onRequest: true,
  parameters: [
    {
      name: "alpha",
      kind: "number",
      ...alphaDomain,
      default: null,
      description: "What an edge is worth, times its weight; 0.9 / spectral radius unless given.",
    },
    {
      name: "reverse",
      kind: "boolean",
      default: false,
      description: "Paths that begin in the neuron.",
    },
    {
      name: "undirected",
      kind: "boolean",
      default: false,
      description: "Take every edge both ways.",
    },
    {
      name: "unnormalised",
      kind: "boolean",
      default: false,
      description: "Leave the solution as it is, instead of at unit L2 norm.",
    },
    {
      name: "tolerance",
      kind: "number",
      integer: false,
      min: 0,
      max: 1,
      default: 1e-10,
      description: "Largest residual, relative to the value, that is accepted.",
    },
    {
      name: "maxIterations",
      kind: "number",
      ...iterationDomain,
      default: 2000,
      description: "Most products with the weights, where one sweep is not enough.",
    },
  ],
  compute: katz,
  facts: ({ alpha, eigenvalue, residual, iterations }) => ({
    alpha,
    eigenvalue,
    residual,
    iterations,
  }),
});

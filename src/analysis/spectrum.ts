/**
 * Spectral figures of each block: norms, stable rank, and the power law of its eigenvalues, as WeightWatcher defines them.
 *
 * The eigenvalues are those of W Wᵀ, the squared singular values, min(rows, columns) of them, not divided by a size. A kernel is
 * the set of its slices, one matrix per tap, and a block with groups is one matrix per group: the eigenvalues of all of them are
 * pooled. `kernels` takes one matrix instead: columns times taps (`flatten`), or the sum or the L2 norm of the taps.
 * Domain: finite weights; a block of zeros has norms 0 and no other figure. The power law needs ten eigenvalues above
 * `minEigenvalue` and above the rounding of the largest. Blocks with a matrix whose smaller side exceeds `maxDimension` get only
 * what the largest eigenvalue tells.
 * Cost: per matrix of sides n <= m a Gram matrix, n² m / 2 products, and its eigenvalues, n³ / 6 visits; beyond `maxDimension`
 * one pass over the weights per Lanczos step.
 * Source: Martin, Peng and Mahoney 2021, doi 10.1038/s41467-021-24025-8 (the figures); Clauset, Shalizi and Newman 2009,
 * doi 10.1137/070710111 (the fit); Rudelson and Vershynin 2007, doi 10.1145/1255443.1255449 (stable rank).
 * Golden: docs/measures/spectrum.md; trained models by numpy's SVD (fixtures/golden/spectral.json).
 */
import { AnalysisError, GraphError } from "../errors.ts";
import { edgeWeights } from "../graph/block.ts";
import type { Block, LayeredGraph } from "../graph/layeredGraph.ts";
import { symmetricRooms, type SymmetricRoom } from "../kernels/symmetricRoom.ts";
import { gramMatrix, wide, type StridedMatrix } from "../numeric/gram.ts";
import { largestEigenpair } from "../numeric/lanczos.ts";
import { fitPowerLaw } from "../numeric/powerLaw.ts";
import { symmetricEigenvalues } from "../numeric/symmetricEigenvalues.ts";
import { blockMeasure, type BlockFigures, type BlockMeasure } from "./measure.ts";
import { requireNumber, requireOneOf } from "./options.ts";

export interface SpectrumOptions {
  /** How the taps of a kernel become matrices. @defaultValue "slices" */
  readonly kernels?: (typeof kernelForms)[number];
  /** Eigenvalues at or below this are left out of the power law. @defaultValue 1e-5 */
  readonly minEigenvalue?: number;
  /** Largest smaller side of a matrix whose whole spectrum is computed. @defaultValue 4096 */
  readonly maxDimension?: number;
}

const kernelForms = ["slices", "flatten", "sum", "norm"] as const;

/** Null where a figure is undefined or was not asked for. */
export interface BlockSpectrum {
  /** Matrices whose eigenvalues are pooled: groups, times taps for slices. */
  readonly matrices: number;
  /** min(rows, columns) of each matrix, added up. */
  readonly eigenvalues: number;
  /** ‖W‖_F, over all matrices. */
  readonly frobeniusNorm: number;
  /** Largest singular value of a matrix. */
  readonly spectralNorm: number;
  /** Sum of the eigenvalues over the largest. */
  readonly stableRank: number | null;
  /** log10 of the sum of the eigenvalues, ‖W‖_F². */
  readonly logNorm: number | null;
  /** log10 of the largest eigenvalue, the square of the spectral norm. */
  readonly logSpectralNorm: number | null;
  /** Exponent of the power law. */
  readonly alpha: number | null;
  /** alpha · log10 of the largest eigenvalue. */
  readonly alphaHat: number | null;
  /** log10 of the sum of the eigenvalues to the power alpha. */
  readonly logAlphaNorm: number | null;
  /** Where the power law starts. */
  readonly xmin: number | null;
  /** Kolmogorov and Smirnov's distance between the tail and the law. */
  readonly distance: number | null;
  /** Standard error of alpha. */
  readonly alphaError: number | null;
  /** Eigenvalues from xmin up. */
  readonly tail: number | null;
}

export interface Spectrum {
  /** In order of `graph.blocks`. */
  readonly blocks: readonly BlockSpectrum[];
}

/** @throws {GraphError} `GRAPH_NO_EDGES`, `GRAPH_NO_TAPS` @throws {AnalysisError} `ANALYSIS_UNDEFINED`, `ANALYSIS_NOT_CONVERGED` */
export function spectrum(
  graph: LayeredGraph,
  { kernels = "slices", minEigenvalue = 1e-5, maxDimension = 4096 }: SpectrumOptions = {},
): Spectrum {
  requireOneOf("kernels", kernels, kernelForms);
  requireNumber("minEigenvalue", minEigenvalue, eigenvalueDomain);
  requireNumber("maxDimension", maxDimension, dimensionDomain);
  if (graph.edgeCount === 0) {
    throw new GraphError("GRAPH_NO_EDGES", "no block, so no spectrum", { path: [graph.name] });
  }
  const roomFor = symmetricRooms();
  const blocks = graph.blocks.map((block) => {
    const matrices = matricesOf(graph, block, kernels);
    const found = figuresOf(matrices, { minEigenvalue, maxDimension, roomFor });
    if (!Number.isFinite(found.frobeniusNorm)) {
      throw new AnalysisError("ANALYSIS_UNDEFINED", "the norm exceeds float64", {
        path: [graph.name, block.name],
        hint: "Divide all weights by a common factor.",
      });
    }
    return found;
  });
  return { blocks };
}

const eigenvalueDomain = { min: 0, max: Number.MAX_VALUE, integer: false };
const dimensionDomain = { min: 0, max: 16384, integer: true };
/** Fewer eigenvalues than this are not fitted. */
const leastFitted = 10;
const lanczos = { target: 1e-8, maxIterations: 4000 };

function matricesOf(
  graph: LayeredGraph,
  block: Block,
  kernels: NonNullable<SpectrumOptions["kernels"]>,
): StridedMatrix[] {
  const rows = block.rows / block.groups;
  const columns = block.columns / block.groups;
  const single = block.taps === 1 ? "sum" : kernels;
  const inner = single === "slices" || single === "flatten" ? block.taps : 1;
  const values = inner === 1 && single !== "flatten" ? edgeWeights(block, tapsTo(single)) : taps();
  const shape =
    single === "flatten"
      ? { rows, columns: columns * inner, rowStride: columns * inner, columnStride: 1 }
      : { rows, columns, rowStride: columns * inner, columnStride: inner };
  const slices = single === "slices" ? inner : 1;
  return Array.from({ length: block.groups * slices }, (_, i) => ({
    values,
    offset: Math.floor(i / slices) * rows * columns * inner + (i % slices),
    ...shape,
  }));

  function taps(): NonNullable<Block["weights"]> {
    if (block.weights !== null) return block.weights;
    throw new GraphError("GRAPH_NO_TAPS", "the spectrum of a kernel needs each of its taps", {
      path: [graph.name, block.name],
      hint: 'Build the graph with keep: "taps", or take kernels: "sum" or "norm".',
    });
  }
}

const tapsTo = (form: string): "sum" | "norm" => (form === "norm" ? "norm" : "sum");

interface Limits {
  readonly minEigenvalue: number;
  readonly maxDimension: number;
  readonly roomFor: (n: number) => SymmetricRoom | null;
}

function figuresOf(
  matrices: readonly StridedMatrix[],
  { minEigenvalue, maxDimension, roomFor }: Limits,
): BlockSpectrum {
  const sides = matrices.map(({ rows, columns }) => Math.min(rows, columns));
  const counts = {
    matrices: matrices.length,
    eigenvalues: sides.reduce((sum, side) => sum + side, 0),
  };
  const { values } = matrices[0]!;
  let largest = 0;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i]!));
  if (largest === 0) return { ...counts, frobeniusNorm: 0, spectralNorm: 0, ...nothing };
  // A power of two, so that scaled weights have the same digits.
  const scale = 2 ** -Math.min(1000, Math.max(-1000, Math.floor(Math.log2(largest))));
  let trace = 0;
  for (let i = 0; i < values.length; i++) trace += (values[i]! * scale) ** 2;

  const isWhole = sides.every((side) => side <= maxDimension);
  const spectrumOf = (matrix: StridedMatrix): Float64Array =>
    isWhole ? allEigenvalues(matrix, scale, roomFor) : largestOnly(matrix, scale);
  const scaled = matrices.map(spectrumOf);
  const top = scaled.reduce((most, own) => Math.max(most, own.at(-1)!), 0);
  const shift = 2 * Math.log10(scale);
  const logSpectralNorm = Math.log10(top) - shift;
  const norms = {
    frobeniusNorm: Math.sqrt(trace) / scale,
    spectralNorm: Math.sqrt(top) / scale,
    stableRank: trace / top,
    logNorm: Math.log10(trace) - shift,
    logSpectralNorm,
  };
  if (!isWhole) return { ...counts, ...nothing, ...norms };
  const noise = Number.EPSILON * Math.max(...sides) * top;
  const fitted = joined(scaled)
    .filter((value) => value > noise && value / scale / scale > minEigenvalue)
    .sort();
  const law = fitted.length < leastFitted ? null : fitPowerLaw(fitted);
  if (law === null) return { ...counts, ...nothing, ...norms };
  const powers = fitted.reduce((sum, value) => sum + (value / top) ** law.alpha, 0);
  return {
    ...counts,
    ...norms,
    alpha: law.alpha,
    alphaHat: law.alpha * logSpectralNorm,
    logAlphaNorm: law.alpha * logSpectralNorm + Math.log10(powers),
    xmin: law.xmin / scale / scale,
    distance: law.distance,
    alphaError: law.alphaError,
    tail: law.tail,
  };
}

const nothing = {
  stableRank: null,
  logNorm: null,
  logSpectralNorm: null,
  alpha: null,
  alphaHat: null,
  logAlphaNorm: null,
  xmin: null,
  distance: null,
  alphaError: null,
  tail: null,
};

function allEigenvalues(
  matrix: StridedMatrix,
  scale: number,
  roomFor: Limits["roomFor"],
): Float64Array {
  const turned = wide(matrix);
  const room = roomFor(turned.rows);
  const gram = gramMatrix(turned, scale, room?.gram);
  return symmetricEigenvalues(gram, turned.rows, room?.reduction);
}

function joined(parts: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The largest eigenvalue, by Lanczos: its own error is about the square of the residual that the iteration stops at. */
function largestOnly(matrix: StridedMatrix, scale: number): Float64Array {
  const { rows } = wide(matrix);
  const apply = gramOperator(matrix, scale);
  const start = new Float64Array(rows);
  apply(new Float64Array(rows).fill(1), start);
  if (start.every((entry) => entry === 0)) start.fill(1);
  const { value, iterations } = largestEigenpair(apply, start, lanczos);
  if (iterations >= lanczos.maxIterations) {
    throw new AnalysisError(
      "ANALYSIS_NOT_CONVERGED",
      `no largest singular value after ${iterations} iterations`,
      { hint: "Raise maxDimension, so that the whole spectrum is computed." },
    );
  }
  return Float64Array.of(value);
}

/** x -> scale² M Mᵀ x, M being the matrix with no more rows than columns; the weights are read in their own order. */
function gramOperator(matrix: StridedMatrix, scale: number) {
  const { values, offset, rows, columns, rowStride, columnStride } = matrix;
  const factor = scale * scale;
  const between = new Float64Array(Math.max(rows, columns));
  const backward = (x: Float64Array, y: Float64Array): void => {
    y.fill(0);
    for (let i = 0; i < rows; i++) {
      const own = x[i]!;
      for (let j = 0, at = offset + i * rowStride; j < columns; j++, at += columnStride)
        y[j]! += values[at]! * own;
    }
  };
  const forward = (x: Float64Array, y: Float64Array): void => {
    for (let i = 0; i < rows; i++) {
      let sum = 0;
      for (let j = 0, at = offset + i * rowStride; j < columns; j++, at += columnStride)
        sum += values[at]! * x[j]!;
      y[i] = sum;
    }
  };
  const [first, second] = rows <= columns ? [backward, forward] : [forward, backward];
  return (x: Float64Array, y: Float64Array): void => {
    first(x, between);
    second(between, y);
    for (let i = 0; i < y.length; i++) y[i]! *= factor;
  };
}

/** As data. */
export const spectrumMeasure: BlockMeasure = blockMeasure({
  id: "spectrum",
  title: "Spectral figures",
  description: "Norms, stable rank and the power law of the eigenvalues of each block.",
  onRequest: true,
  needsTaps: true,
  parameters: [
    {
      name: "kernels",
      kind: "choice",
      choices: kernelForms,
      default: "slices",
      description:
        "What a kernel is: a matrix per tap, one of columns times taps, or the sum or L2 norm of its taps.",
    },
    {
      name: "minEigenvalue",
      kind: "number",
      ...eigenvalueDomain,
      default: 1e-5,
      description: "Eigenvalues up to this are left out of the power law.",
    },
    {
      name: "maxDimension",
      kind: "number",
      ...dimensionDomain,
      default: 4096,
      description:
        "Smaller side of a matrix beyond which only its largest singular value is computed.",
    },
  ],
  outputs: [
    { name: "eigenvalues", description: "How many, over all matrices of the block" },
    { name: "frobeniusNorm", description: "Square root of the sum of the eigenvalues" },
    { name: "spectralNorm", description: "Largest singular value" },
    { name: "stableRank", description: "Sum of the eigenvalues over the largest" },
    { name: "logNorm", description: "log10 of the sum of the eigenvalues" },
    { name: "logSpectralNorm", description: "log10 of the largest eigenvalue" },
    { name: "alpha", description: "Exponent of the power law" },
    { name: "alphaHat", description: "alpha times log10 of the largest eigenvalue" },
    { name: "logAlphaNorm", description: "log10 of the sum of the eigenvalues to the alpha" },
    { name: "xmin", description: "Least eigenvalue that the power law covers" },
    { name: "distance", description: "Kolmogorov-Smirnov distance of the power law" },
    { name: "alphaError", description: "Standard error of alpha" },
    { name: "tail", description: "Eigenvalues that the power law covers" },
  ],
  compute: (graph, options: SpectrumOptions) => {
    const { blocks } = spectrum(graph, options);
    return {
      blocks: blocks.map((block): BlockFigures => ({ ...block })),
      facts: { mean: meanFigures(blocks) },
    };
  },
});

const averaged = ["stableRank", "logNorm", "logSpectralNorm", "alpha", "alphaHat"] as const;

/** Over the blocks that have the figure: what a network is compared by. */
function meanFigures(blocks: readonly BlockSpectrum[]): BlockFigures {
  return Object.fromEntries(
    averaged.map((name) => {
      const values = blocks.map((block) => block[name]).filter((value) => value !== null);
      const sum = values.reduce((total, value) => total + value, 0);
      return [name, values.length === 0 ? null : sum / values.length];
    }),
  );
}

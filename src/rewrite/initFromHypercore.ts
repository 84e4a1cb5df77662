/**
 * Hypercore re-initialisation: new random weights for a layer, around means that the old weights' hypercore numbers set.
 *
 * The sending neurons are the vertices, the receiving ones the hyperedges, once with the positive weights and once with the
 * absolute negative ones; `neuronMeans.ts` has the laws. Meant for use after a very short training: initialise, train a few
 * epochs, re-initialise, then train in full.
 * With l = 2 the numbers almost equal node strength (docs/rewriting.md has the proof), so compare with `initFromStrength`, and
 * with `shuffled`, which deals the same numbers to random neurons. With equal seeds all variants add the same noise.
 *
 * Domain: finite weights, at least one row and column. The means are float64, the result has the weights' own type.
 * Cost: two peelings, O(rows * columns * log columns), and a normal draw per weight.
 * Source: in the style of Hcore-Init, Limnios, Dasoulas, Thilikos, Vazirgiannis 2020 (arXiv 2004.07636); the formulas are our
 * reading and our own. Golden: worked by hand on a 4 x 5 layer.
 */
import { hypercoreOfMatrix } from "../analysis/hypercoreNumber.ts";
import { UsageError } from "../errors.ts";
import { createRandom, shuffle, type Random } from "../random.ts";
import type { FloatArray } from "../tensor/dtype.ts";
import { activationGains, type GainedActivation } from "./activationGain.ts";
import { checkChoice } from "./checkChoice.ts";
import { neuronMeans, type MeanLaw, type NeuronMeans, type NeuronScores } from "./neuronMeans.ts";
import { checkMatrix, type WeightMatrix } from "./weightMatrix.ts";

export interface ReinitOptions extends MeanLaw {
  /** Sets the spread: gain / sqrt(columns). @defaultValue "relu" */
  readonly activation?: GainedActivation;
  /** Deal the scores to random neurons: a control. @defaultValue false */
  readonly shuffled?: boolean;
  /** So many consecutive columns belong to one sending neuron, which is then one vertex. @defaultValue 1 */
  readonly taps?: number;
  /** @defaultValue 0 */
  readonly seed?: number | Random;
}

export interface HypercoreInitOptions extends ReinitOptions {
  /** Fewest members of a living hyperedge. @defaultValue 2 */
  readonly l?: number;
  /** Least fraction of its members in a living hyperedge; null for none. @defaultValue null */
  readonly t?: number | null;
  /** Count hyperedges instead of adding weights. @defaultValue false */
  readonly unweighted?: boolean;
}

export interface Reinitialised<T extends FloatArray> extends NeuronMeans {
  /** [rows, columns], a new array of the same type. */
  readonly weights: T;
  /** Of each sending neuron, as used: shuffled ones after the shuffle. */
  readonly scores: NeuronScores;
}

/**
 * @throws {UsageError} `USAGE_INVALID_OPTION` for an unknown mode or activation, alpha outside 0..1, taps that do not divide the columns, or a bad l or t;
 *   {ShapeError} `SHAPE_MISMATCH`; {WeightGraphError} `WEIGHTS_NOT_FINITE`.
 */
export function initFromHypercore<T extends FloatArray>(
  matrix: WeightMatrix<T>,
  options: HypercoreInitOptions = {},
): Reinitialised<T> {
  const { l = 2, t = null, unweighted = false } = options;
  return reinitialise(matrix, options, (part) =>
    hypercoreOfMatrix(part, { l, t, unweighted, sign: "positive" }),
  );
}

/** The control: the same laws with the neurons' strengths in place of their hypercore numbers. Errors as there. */
export function initFromStrength<T extends FloatArray>(
  matrix: WeightMatrix<T>,
  options: ReinitOptions = {},
): Reinitialised<T> {
  return reinitialise(matrix, options, ({ weights, columns }) => {
    const strengths = new Float64Array(columns);
    for (let i = 0; i < weights.length; i++) strengths[i % columns]! += weights[i]!;
    return strengths;
  });
}

/** `scoresOf` scores the columns of a non-negative matrix. */
function reinitialise<T extends FloatArray>(
  matrix: WeightMatrix<T>,
  options: ReinitOptions,
  scoresOf: (part: WeightMatrix) => Float64Array,
): Reinitialised<T> {
  const { activation = "relu", shuffled = false, taps = 1, alpha = 0.5, seed = 0 } = options;
  checkMatrix(matrix);
  checkChoice("mode", options.mode, ["variance-matched", "sign-switch"]);
  checkChoice("activation", activation, Object.keys(activationGains));
  const { rows, columns } = matrix;
  if (!(alpha >= 0 && alpha <= 1)) {
    throw new UsageError("USAGE_INVALID_OPTION", `alpha must be from 0 to 1, not ${alpha}`);
  }
  if (!Number.isSafeInteger(taps) || taps < 1 || columns % taps !== 0) {
    throw new UsageError("USAGE_INVALID_OPTION", `${taps} taps do not divide ${columns} columns`);
  }
  const random = typeof seed === "number" ? createRandom(seed) : seed;
  const found = {
    positive: scoresOf(partOf(matrix, taps, 1)),
    negative: scoresOf(partOf(matrix, taps, -1)),
  };
  const scores = shuffled ? dealtAnew(found, random.fork("shuffle")) : found;
  const shape = { rows, columns, taps, sigma: activationGains[activation] / Math.sqrt(columns) };
  const law = neuronMeans(scores, shape, options);
  const noise = random.fork("noise");
  const weights = matrix.weights.slice() as T;
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, at++) {
      weights[at] = law.means[Math.floor(column / taps)]! + law.sigma * noise.normal();
    }
  }
  return { weights, scores, ...law };
}

/** The weights of one sign, absolute, those of one neuron's taps added up: [rows, columns / taps]. */
function partOf(
  { weights, rows, columns }: WeightMatrix,
  taps: number,
  sign: 1 | -1,
): WeightMatrix {
  const part = new Float64Array(weights.length / taps);
  for (let at = 0; at < weights.length; at++) {
    part[Math.floor(at / taps)]! += Math.max(0, sign * weights[at]!);
  }
  return { weights: part, rows, columns: columns / taps };
}

/** The same pairs of scores, each at a random neuron. */
function dealtAnew({ positive, negative }: NeuronScores, random: Random): NeuronScores {
  const order = shuffle(
    Uint32Array.from(positive, (_, i) => i),
    random,
  );
  return {
    positive: positive.map((_, i) => positive[order[i]!]!),
    negative: negative.map((_, i) => negative[order[i]!]!),
  };
}

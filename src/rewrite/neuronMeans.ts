/**
 * From a neuron's rank to the mean of its new weights: the laws of Hcore-Init style re-initialisation.
 *
 * Every sending neuron i has two scores, c+ and c-, of its positive and its negative weights (hypercore numbers, or strengths
 * in the control). All its new weights share the mean mu_i; sigma_K is the spread that the plain initialiser would give.
 * - `sign-switch`: mu_i = c+_i / sum c+ where c+_i >= c-_i, else -c-_i / sum c-; variance sigma_K^2. Our reading of Hcore-Init
 *   (Limnios et al. 2020, arXiv 2004.07636), whose exact formula we could not verify. The second moment grows by mu_i^2.
 * - `variance-matched`: d_i = c+_i / mean c+ - c-_i / mean c-, z = d / max|d|, mu_i = alpha sigma_K z_i, variance
 *   sigma_K^2 - mean(mu^2). Our own: keeps the layer's second moment, ignores the scale of the scores, and with alpha = 0 is
 *   the plain initialiser.
 * A sum or mean of zero makes its term zero.
 *
 * A mean that all receivers share is a matrix of rank one, of spectral norm sqrt(rows) |mu|: too large, and every receiving
 * neuron computes the same. The guard shrinks mu until that is at most half of the noise's norm, sigma_K (sqrt rows + sqrt columns).
 */
export interface NeuronScores {
  /** Per sending neuron, non-negative. */
  readonly positive: Float64Array;
  readonly negative: Float64Array;
}

export interface MeanLaw {
  /** @defaultValue "variance-matched" */
  readonly mode?: "variance-matched" | "sign-switch";
  /** Largest mean over sigma_K, 0 to 1, of `variance-matched`. @defaultValue 0.5 */
  readonly alpha?: number;
  /** @defaultValue true */
  readonly guard?: boolean;
}

export interface NeuronMeans {
  /** Per sending neuron, after the guard. */
  readonly means: Float64Array;
  /** Of the noise around the means. */
  readonly sigma: number;
  /** What the guard left of the means: 1 when they were small enough. */
  readonly guardFactor: number;
}

/** The matrix to be drawn: each score stands for `taps` of its columns. */
export interface DrawnShape {
  readonly rows: number;
  readonly columns: number;
  readonly taps: number;
  /** Spread of the plain initialiser. */
  readonly sigma: number;
}

/** Cost: O(neurons). */
export function neuronMeans(scores: NeuronScores, shape: DrawnShape, law: MeanLaw): NeuronMeans {
  const { mode = "variance-matched", alpha = 0.5, guard = true } = law;
  const wanted =
    mode === "sign-switch" ? signSwitch(scores) : varianceMatched(scores, alpha * shape.sigma);
  const squares = wanted.reduce((sum, mean) => sum + mean * mean, 0) * shape.taps;
  const guardFactor = guard ? factorOf(Math.sqrt(squares), shape) : 1;
  const removed = mode === "sign-switch" ? 0 : (squares * guardFactor ** 2) / shape.columns;
  return {
    means: wanted.map((mean) => mean * guardFactor),
    sigma: Math.sqrt(shape.sigma ** 2 - removed),
    guardFactor,
  };
}

function signSwitch({ positive, negative }: NeuronScores): Float64Array {
  const positiveSum = sumOf(positive);
  const negativeSum = sumOf(negative);
  return positive.map((score, i) => {
    const other = negative[i]!;
    return score >= other ? share(score, positiveSum) : -share(other, negativeSum);
  });
}

function varianceMatched({ positive, negative }: NeuronScores, largest: number): Float64Array {
  const positiveMean = sumOf(positive) / positive.length;
  const negativeMean = sumOf(negative) / negative.length;
  const lead = positive.map(
    (score, i) => share(score, positiveMean) - share(negative[i]!, negativeMean),
  );
  const most = lead.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  return lead.map((value) => largest * share(value, most));
}

function factorOf(norm: number, { rows, columns, sigma }: DrawnShape): number {
  const limit = 0.5 * sigma * (Math.sqrt(rows) + Math.sqrt(columns));
  const rankOne = Math.sqrt(rows) * norm;
  return rankOne > limit ? limit / rankOne : 1;
}

function sumOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

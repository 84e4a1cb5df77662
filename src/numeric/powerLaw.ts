/** A tail of the density x^-alpha, fitted to the values from `xmin` up. */
export interface PowerLaw {
  readonly alpha: number;
  /** Standard error of alpha: (alpha - 1) / sqrt(tail). */
  readonly alphaError: number;
  readonly xmin: number;
  /** Kolmogorov and Smirnov's distance between the tail and the law. */
  readonly distance: number;
  /** Values from `xmin` up. */
  readonly tail: number;
}

/** A tail whose mean log excess is below this is taken as equal values: rounding would make an alpha of 1e15 of it. */
const flat = 1e-9;

/**
 * The power law of least distance: every value but the largest is tried as xmin, with the maximum likelihood estimate
 * alpha = 1 + n / Σ ln(x / xmin). The distance is taken at the values, the empirical law there being i / n (i = 0, 1, …).
 * `values` are positive and ascending. Null when there are fewer than two, or all are equal.
 * Cost: O(n²) powers.
 * Source: Clauset, Shalizi and Newman 2009, doi 10.1137/070710111, equations 3.1 and 3.9; the distance as WeightWatcher 0.7.
 */
export function fitPowerLaw(values: Float64Array): PowerLaw | null {
  const n = values.length;
  const logs = values.map(Math.log);
  let best: PowerLaw | null = null;
  let sum = n > 0 ? logs[n - 1]! : 0;
  for (let i = n - 2; i >= 0; i--) {
    sum += logs[i]!;
    const tail = n - i;
    const excess = sum / tail - logs[i]!;
    if (excess <= flat) continue;
    const slope = 1 / excess;
    // Ties go to the longer tail, which comes later.
    const limit = best?.distance ?? Infinity;
    const distance = tailDistance(logs, i, slope, limit);
    if (distance > limit) continue;
    const alpha = 1 + slope;
    best = { alpha, alphaError: slope / Math.sqrt(tail), xmin: values[i]!, distance, tail };
  }
  return best;
}

/** The distance of the values from `first` up, or whatever exceeded `limit` first. */
function tailDistance(logs: Float64Array, first: number, slope: number, limit: number): number {
  const tail = logs.length - first;
  let largest = 0;
  for (let i = 0; i < tail; i++) {
    const law = -Math.expm1(-slope * (logs[first + i]! - logs[first]!));
    const gap = Math.abs(law - i / tail);
    if (gap > largest) {
      largest = gap;
      if (largest > limit) return largest;
    }
  }
  return largest;
}

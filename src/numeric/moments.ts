import { compensatedSum } from "./sum.ts";

/** The first four moments, as a population: nothing is corrected for the sample size. */
export interface Moments {
  readonly mean: number;
  /** Standard deviation, ddof 0. */
  readonly std: number;
  /** Third standardised moment, biased. */
  readonly skewness: number;
  /** Fourth standardised moment minus 3, biased. */
  readonly kurtosis: number;
}

/** A spread below this share of the largest magnitude is rounding: the values are taken as equal. */
const roundingShare = 1e-14;

/**
 * Moments of at least one value. Equal values, up to rounding, have skewness and kurtosis 0 by definition.
 * Deviations are scaled by the largest, so that no power of them overflows. Cost: five passes.
 */
export function moments(values: Float64Array): Moments {
  const count = values.length;
  const scale = largestMagnitude(values);
  if (scale === 0) return { mean: 0, std: 0, skewness: 0, kurtosis: 0 };
  const terms = new Float64Array(count);
  for (let i = 0; i < count; i++) terms[i] = values[i]! / scale;
  const mean = compensatedSum(terms) / count;
  const deviations = new Float64Array(count);
  for (let i = 0; i < count; i++) deviations[i] = terms[i]! - mean;
  const widest = largestMagnitude(deviations);
  if (widest <= roundingShare) return { mean: mean * scale, std: 0, skewness: 0, kurtosis: 0 };
  const meanOf = (power: (deviation: number) => number): number => {
    for (let i = 0; i < count; i++) terms[i] = power(deviations[i]! / widest);
    return compensatedSum(terms) / count;
  };
  const variance = meanOf((d) => d * d);
  return {
    mean: mean * scale,
    std: Math.sqrt(variance) * widest * scale,
    skewness: meanOf((d) => d * d * d) / variance ** 1.5,
    kurtosis: meanOf((d) => d * d * (d * d)) / variance ** 2 - 3,
  };
}

function largestMagnitude(values: Float64Array): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i]!));
  return largest;
}

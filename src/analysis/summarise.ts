/**
 * A vector of node values in a few numbers: the five that signatures are made of, and the extremes.
 *
 * Definition: mean, median, standard deviation (ddof 0), skewness (biased), excess kurtosis (biased), minimum, maximum. Equal
 * values have skewness and kurtosis 0. Domain: at least one finite value. Cost: O(n) on average.
 * Source: the five aggregators of NetSimile (Berlingerio et al. 2012, arXiv 1209.2684); the conventions are ours.
 * Golden: docs/measures/signature.md, by numpy and scipy.
 */
import { AnalysisError } from "../errors.ts";
import { moments, type Moments } from "../numeric/moments.ts";
import { median } from "../numeric/quantile.ts";

export interface Summary extends Moments {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** Values that were summarised. */
  readonly count: number;
}

/** The numbers of a signature, in its order. */
export const signatureStatistics = ["mean", "median", "std", "skewness", "kurtosis"] as const;
export type SignatureStatistic = (typeof signatureStatistics)[number];

/** @throws {AnalysisError} `ANALYSIS_UNDEFINED` for no values. */
export function summarise(values: Float64Array): Summary {
  if (values.length === 0) {
    throw new AnalysisError("ANALYSIS_UNDEFINED", "no values, so no summary", {
      hint: "The measure covers no node here; choose another direction, side or layer.",
    });
  }
  return {
    ...moments(values),
    median: median(values),
    ...extremes(values),
    count: values.length,
  };
}

function extremes(values: Float64Array): Pick<Summary, "min" | "max"> {
  let min = Infinity;
  let max = -Infinity;
  for (let i = 0; i < values.length; i++) {
    min = Math.min(min, values[i]!);
    max = Math.max(max, values[i]!);
  }
  return { min, max };
}

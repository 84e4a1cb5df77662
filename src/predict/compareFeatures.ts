import { crossValidate, type CrossValidateOptions, type CrossValidation } from "./crossValidate.ts";
import { featureTable, type FeatureRow } from "./features.ts";

/** A finished run: what was known early, by set of features, and how it ended. */
export interface LabelledRun {
  readonly name: string;
  /** The final metric. */
  readonly target: number;
  /** For instance `signature`, `curve`, `hyperparameters`. */
  readonly features: Readonly<Record<string, FeatureRow>>;
}

export interface FeatureSetScores extends CrossValidation {
  /** Name of the set; `baseline` has no features. */
  readonly set: string;
  readonly featureCount: number;
}

export interface FeatureComparison {
  /** The baseline first, then the sets in the order of the first run. */
  readonly sets: readonly FeatureSetScores[];
  /** Sets that were left out because not every run has them. */
  readonly skipped: readonly string[];
}

/**
 * Cross-validates every set of features on the same folds, beside a baseline without features. A graph's signature says something
 * only where it beats the learning curve and the hyper-parameters of the same runs: on a wide grid of learning rates, the rate
 * alone often tells which runs fail.
 * @throws {AnalysisError} `SERIES_MISMATCH` and `ANALYSIS_UNDEFINED` for features that do not fit together or are not finite; what
 *   `crossValidate` throws.
 */
export function compareFeatures(
  runs: readonly LabelledRun[],
  options: CrossValidateOptions = {},
): FeatureComparison {
  const targets = Float64Array.from(runs, ({ target }) => target);
  const names = [...new Set(runs.flatMap(({ features }) => Object.keys(features)))];
  const shared = names.filter((name) =>
    runs.every(({ features }) => Object.hasOwn(features, name)),
  );
  const none = { set: "baseline", rows: runs.map(() => new Float64Array(0)) };
  const sets = shared.map((set) => ({
    set,
    rows: featureTable(runs.map(({ features }) => features[set]!)).rows,
  }));
  return {
    sets: [none, ...sets].map(({ set, rows }) => ({
      set,
      featureCount: rows[0]?.length ?? 0,
      ...crossValidate(rows, targets, options),
    })),
    skipped: names.filter((name) => !shared.includes(name)),
  };
}

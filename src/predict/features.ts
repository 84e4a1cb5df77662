/**
 * What a predictor reads of a run: named numbers. A set of features is the same for all runs that are compared.
 */
import type { TemporalSignature } from "../analysis/temporalSignature.ts";
import { AnalysisError } from "../errors.ts";

export type FeatureRow = Readonly<Record<string, number>>;

export interface FeatureTable {
  readonly names: readonly string[];
  /** One per run, in the order of `names`. */
  readonly rows: readonly Float64Array[];
}

/** The signature of the graph over the first epochs: `degree@1.mean`, layer by layer `degree[conv1]@1.mean`. */
export function signatureFeatures({ vector, columns }: TemporalSignature): FeatureRow {
  return Object.fromEntries(
    columns.map(({ measure, layer, epoch, statistic }, i) => [
      `${measure}${layer === null ? "" : `[${layer}]`}@${epoch}.${statistic}`,
      vector[i]!,
    ]),
  );
}

/** The learning curve over the first epochs, to compare with: `val_loss@1`. */
export function curveFeatures(
  snapshots: readonly {
    readonly epoch: number;
    readonly metrics: Readonly<Record<string, number>>;
  }[],
): FeatureRow {
  return Object.fromEntries(
    snapshots.flatMap(({ epoch, metrics }) =>
      Object.entries(metrics).flatMap(([name, value]) =>
        Number.isFinite(value) ? [[`${name}@${epoch}`, value] as const] : [],
      ),
    ),
  );
}

/**
 * Hyper-parameters alone, to compare with: numbers as they are, and their decimal logarithm where above 0, since learning rates
 * span decades; words and yes or no as indicators, `optimizer=adam`. Indicators that a run lacks are 0.
 */
export function hyperparameterFeatures(
  runs: readonly Readonly<Record<string, string | number | boolean>>[],
): FeatureRow[] {
  const positive = new Map<string, boolean>();
  const indicators = new Set<string>();
  for (const run of runs) {
    for (const [name, value] of Object.entries(run)) {
      if (typeof value === "number") positive.set(name, (positive.get(name) ?? true) && value > 0);
      else indicators.add(`${name}=${value}`);
    }
  }
  return runs.map((run) => {
    const row: Record<string, number> = Object.fromEntries(
      Array.from(indicators, (name) => [name, 0]),
    );
    for (const [name, value] of Object.entries(run)) {
      if (typeof value !== "number") row[`${name}=${value}`] = 1;
      else {
        row[name] = value;
        if (positive.get(name) === true) row[`log10(${name})`] = Math.log10(value);
      }
    }
    return row;
  });
}

/**
 * Rows of equal features as a matrix, in the order of the first row or of `names`.
 * @throws {AnalysisError} `SERIES_MISMATCH` for a run with other features, `ANALYSIS_UNDEFINED` for a value that is not finite;
 *   the path leads to run and feature.
 */
export function featureTable(
  rows: readonly FeatureRow[],
  names: readonly string[] = Object.keys(rows[0] ?? {}),
): FeatureTable {
  const known = new Set(names);
  return {
    names,
    rows: rows.map((row, run) => {
      const odd =
        names.find((name) => !Object.hasOwn(row, name)) ??
        Object.keys(row).find((name) => !known.has(name));
      if (odd !== undefined) {
        throw new AnalysisError("SERIES_MISMATCH", `run ${run} and the others differ in ${odd}`, {
          path: [run, odd],
          hint: "Runs that are compared must have the same epochs, measures and, by layer, layers.",
        });
      }
      return Float64Array.from(names, (name) => {
        const value = row[name]!;
        if (!Number.isFinite(value)) {
          throw new AnalysisError("ANALYSIS_UNDEFINED", `${name} of run ${run} is ${value}`, {
            path: [run, name],
          });
        }
        return value;
      });
    }),
  };
}

/**
 * A fitted predictor as plain JSON (`weightgraph.predictor`, version 1), to be saved and applied to a run that has just begun.
 */
import { FormatError } from "../errors.ts";
import { createRandom } from "../random.ts";
import { featureTable, type FeatureRow } from "./features.ts";
import { fitSide, fitTarget, medianSplit, type FitOptions } from "./fitted.ts";
import { linearScore, sigmoid, type LinearModel } from "./linearModel.ts";

export interface Predictor {
  readonly schema: "weightgraph.predictor";
  readonly version: 1;
  /** Name of the metric that is predicted. */
  readonly target: string;
  /** In the order of the coefficients. */
  readonly features: readonly string[];
  /** Ridge regression of the target. */
  readonly regression: LinearModel;
  /** Logistic regression on "the target is above `threshold`", the median of the training runs. */
  readonly classification: LinearModel & { readonly threshold: number };
  /** How many runs it was fitted on. */
  readonly runs: number;
  /** How the features were made, so that they can be made alike: measures, epochs, scope. Kept as given. */
  readonly settings: Readonly<Record<string, unknown>>;
}

export interface FitPredictorOptions extends FitOptions {
  /** Name of the metric. @defaultValue "target" */
  readonly target?: string;
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Of the inner cross-validation. @defaultValue 0 */
  readonly seed?: number;
}

export interface Prediction {
  /** The target, as far as a linear fit can say: it may leave the metric's range. */
  readonly value: number;
  /** That the target is above the threshold. */
  readonly probability: number;
  readonly threshold: number;
}

/**
 * Fits both questions on all runs. For how good it is, ask `crossValidate`.
 * @throws {AnalysisError} `PREDICT_TOO_FEW` when all targets are equal; `SERIES_MISMATCH`, `ANALYSIS_UNDEFINED` for features that do
 *   not fit together or are not finite.
 */
export function fitPredictor(
  runs: readonly { readonly target: number; readonly features: FeatureRow }[],
  { target = "target", settings = {}, seed = 0, ...options }: FitPredictorOptions = {},
): Predictor {
  const { names, rows } = featureTable(runs.map(({ features }) => features));
  const targets = Float64Array.from(runs, (run) => run.target);
  const threshold = medianSplit(targets);
  const random = createRandom(seed);
  return {
    schema: "weightgraph.predictor",
    version: 1,
    target,
    features: names,
    regression: fitTarget(rows, targets, { ...options, random: random.fork("regression") }),
    classification: {
      ...fitSide(rows, targets, { ...options, threshold, random: random.fork("classification") }),
      threshold,
    },
    runs: runs.length,
    settings,
  };
}

/** @throws {AnalysisError} `SERIES_MISMATCH` unless the run has the predictor's features; `ANALYSIS_UNDEFINED` */
export function applyPredictor(predictor: Predictor, features: FeatureRow): Prediction {
  const row = featureTable([features], predictor.features).rows[0]!;
  return {
    value: linearScore(predictor.regression, row),
    probability: sigmoid(linearScore(predictor.classification, row)),
    threshold: predictor.classification.threshold,
  };
}

/**
 * A saved predictor, checked.
 * @throws {FormatError} `FORMAT_MALFORMED` with the path of the first offence, `FORMAT_UNSUPPORTED` for another version
 */
export function parsePredictor(input: unknown): Predictor {
  const schema = fieldOf(input, "schema");
  if (schema !== "weightgraph.predictor") {
    throw malformed(["schema"], "this is not a saved predictor");
  }
  const version = fieldOf(input, "version");
  if (version !== 1) {
    throw new FormatError("FORMAT_UNSUPPORTED", `predictors of version ${String(version)}`, {
      path: ["version"],
      hint: "This release reads version 1.",
    });
  }
  const target = fieldOf(input, "target");
  if (typeof target !== "string") throw malformed(["target"], "a name is expected");
  const features = fieldOf(input, "features");
  if (!isListOf(features, isString)) {
    throw malformed(["features"], "a list of names is expected");
  }
  const settings = fieldOf(input, "settings");
  if (!isRecord(settings)) throw malformed(["settings"], "an object is expected");
  return {
    schema,
    version,
    target,
    features,
    regression: modelOf(input, "regression", features.length),
    classification: {
      ...modelOf(input, "classification", features.length),
      threshold: numberOf(input, "classification", "threshold"),
    },
    runs: numberOf(input, "runs"),
    settings,
  };
}

function modelOf(
  input: unknown,
  name: "regression" | "classification",
  featureCount: number,
): LinearModel {
  const coefficients = fieldOf(input, name, "coefficients");
  if (!isListOf(coefficients, isNumber) || coefficients.length !== featureCount) {
    throw malformed([name, "coefficients"], `${featureCount} numbers are expected`);
  }
  return {
    intercept: numberOf(input, name, "intercept"),
    coefficients,
    lambda: numberOf(input, name, "lambda"),
  };
}

function numberOf(input: unknown, ...path: string[]): number {
  const value = fieldOf(input, ...path);
  if (!isNumber(value)) throw malformed(path, "a finite number is expected");
  return value;
}

function fieldOf(input: unknown, ...path: string[]): unknown {
  return path.reduce((value, field, depth) => {
    if (!isRecord(value) || !Object.hasOwn(value, field)) {
      throw malformed(path.slice(0, depth + 1), `${field} is missing`);
    }
    return value[field];
  }, input);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isNumber(value: unknown): value is number {
  return Number.isFinite(value);
}

function isString(value: unknown): value is string {
  return typeof value === "string";
}

function isListOf<T>(value: unknown, isItem: (item: unknown) => item is T): value is T[] {
  return Array.isArray(value) && value.every(isItem);
}

function malformed(path: readonly string[], message: string): FormatError {
  return new FormatError("FORMAT_MALFORMED", message, { path });
}

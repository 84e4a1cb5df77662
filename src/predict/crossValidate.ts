/**
 * How well features predict where runs end, on runs that the fit has not seen.
 *
 * Each repeat deals the runs into folds anew, stratified by target. For each fold everything is learnt from the other runs: scale
 * and penalty, the regression, the threshold that splits the targets at their median, the classifier. A repeat is scored on its
 * predictions for all runs together; mean and standard deviation (n - 1) are over repeats. With equal seeds and targets the folds
 * are equal, so that sets of features can be compared.
 * Without features it is the baseline: the training mean, and the larger class.
 * Cost: folds · repeats fits, and six times five more of each with lambda `auto`.
 */
import { AnalysisError, UsageError } from "../errors.ts";
import { variance } from "../numeric/variance.ts";
import { createRandom, type Random } from "../random.ts";
import { fitSide, fitTarget, medianSplit, type FitOptions } from "./fitted.ts";
import { stratifiedFolds } from "./folds.ts";
import { linearScore } from "./linearModel.ts";
import { accuracy, macroF1, meanAbsoluteError, r2, spearman } from "./scores.ts";

export interface CrossValidateOptions extends FitOptions {
  /** @defaultValue 5 */
  readonly folds?: number;
  /** @defaultValue 5 */
  readonly repeats?: number;
  /** @defaultValue 0 */
  readonly seed?: number;
}

/** Over repeats; the standard deviation of a single one is null. */
export interface Score {
  readonly mean: number;
  readonly std: number | null;
}

export interface CrossValidation {
  /** Of the target; r2 and Spearman's correlation are null where they are undefined. */
  readonly regression: {
    readonly r2: Score | null;
    readonly mae: Score;
    readonly spearman: Score | null;
  };
  /** Of the half that the target lies in. */
  readonly classification: { readonly accuracy: Score; readonly macroF1: Score };
  /** Of each run when it was left out, the mean over repeats. */
  readonly predictions: readonly number[];
}

/**
 * @param features one row per run; rows of length 0 for the baseline.
 * @throws {AnalysisError} `PREDICT_TOO_FEW` for fewer runs than folds, or when the training runs of a fold end at one value
 * @throws {UsageError} `USAGE_INVALID_OPTION` for less than 2 folds or 1 repeat, or a negative lambda
 */
export function crossValidate(
  features: readonly Float64Array[],
  targets: Float64Array,
  options: CrossValidateOptions = {},
): CrossValidation {
  const { repeats = 5, seed = 0 } = options;
  check(targets.length, options);
  const random = createRandom(seed);
  const outcomes = Array.from({ length: repeats }, (_, repeat) =>
    predictLeftOut(features, targets, { ...options, random: random.fork(`repeat ${repeat}`) }),
  );
  // The training means of a baseline rank runs backwards by construction: that is no correlation.
  const ranked = (features[0]?.length ?? 0) > 0;
  const scores = (score: (outcome: Outcome) => number | null): Score | null =>
    scoreOf(outcomes.map(score));
  const always = (score: (outcome: Outcome) => number): Score => scores(score)!;
  return {
    regression: {
      r2: scores(({ values }) => r2(targets, values)),
      mae: always(({ values }) => meanAbsoluteError(targets, values)),
      spearman: ranked ? scores(({ values }) => spearman(targets, values)) : null,
    },
    classification: {
      accuracy: always(({ labels, sides }) => accuracy(labels, sides)),
      macroF1: always(({ labels, sides }) => macroF1(labels, sides)),
    },
    predictions: Array.from(
      targets,
      (_, run) => outcomes.reduce((sum, { values }) => sum + values[run]!, 0) / repeats,
    ),
  };
}

/** Of one repeat, per run. */
interface Outcome {
  readonly values: Float64Array;
  /** Which side of its fold's threshold the run lies on, and which was predicted. */
  readonly labels: Float64Array;
  readonly sides: Float64Array;
}

function predictLeftOut(
  features: readonly Float64Array[],
  targets: Float64Array,
  options: CrossValidateOptions & { readonly random: Random },
): Outcome {
  const { folds = 5, random } = options;
  const foldOf = stratifiedFolds(targets, folds, random.fork("folds"));
  const values = new Float64Array(targets.length);
  const labels = new Float64Array(targets.length);
  const sides = new Float64Array(targets.length);
  for (let fold = 0; fold < folds; fold++) {
    const isTraining = (_: unknown, run: number): boolean => foldOf[run] !== fold;
    const training = features.filter(isTraining);
    const trainingTargets = targets.filter(isTraining);
    const threshold = medianSplit(trainingTargets);
    const fitting = { ...options, threshold, random: random.fork(`fold ${fold}`) };
    const target = fitTarget(training, trainingTargets, fitting);
    const side = fitSide(training, trainingTargets, fitting);
    features.forEach((row, run) => {
      if (foldOf[run] !== fold) return;
      values[run] = linearScore(target, row);
      labels[run] = Number(targets[run]! > threshold);
      sides[run] = Number(linearScore(side, row) > 0);
    });
  }
  return { values, labels, sides };
}

function scoreOf(values: readonly (number | null)[]): Score | null {
  const known = values.filter((value) => value !== null);
  if (known.length < values.length) return null;
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
  return { mean, std: known.length < 2 ? null : Math.sqrt(variance(known, 1)) };
}

function check(
  runs: number,
  { folds = 5, repeats = 5, lambda = "auto" }: CrossValidateOptions,
): void {
  const refuse = (name: string, value: unknown, want: string): never => {
    throw new UsageError("USAGE_INVALID_OPTION", `${name} must be ${want}, not ${String(value)}`, {
      path: [name],
    });
  };
  if (!Number.isSafeInteger(folds) || folds < 2) refuse("folds", folds, "a whole number >= 2");
  if (!Number.isSafeInteger(repeats) || repeats < 1) {
    refuse("repeats", repeats, "a whole number >= 1");
  }
  if (lambda !== "auto" && !(Number.isFinite(lambda) && lambda >= 0)) {
    refuse("lambda", lambda, '"auto" or a number >= 0');
  }
  if (runs < folds || runs < 3) {
    throw new AnalysisError("PREDICT_TOO_FEW", `${runs} runs cannot fill ${folds} folds`, {
      hint: "Add runs, or take fewer folds.",
    });
  }
}

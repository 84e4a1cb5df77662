/** The two questions that are asked of a run, each with its fit: where it will end, and whether that is in the upper half. */
import { AnalysisError } from "../errors.ts";
import type { Random } from "../random.ts";
import { designOf, type Design } from "./design.ts";
import { stratifiedFolds } from "./folds.ts";
import { linearScore, sigmoid, type LinearModel } from "./linearModel.ts";
import { logisticOf } from "./logistic.ts";
import { ridgeOf } from "./ridge.ts";

export interface FitOptions {
  /** Penalty on standardised features; `auto` picks it by an inner cross-validation on the training runs. @defaultValue "auto" */
  readonly lambda?: number | "auto";
}

/** What to learn: an answer per run, a family of fits, and how bad one answer of a fit is. */
interface Question {
  readonly features: readonly Float64Array[];
  readonly answers: Float64Array;
  readonly fit: (design: Design, answers: Float64Array) => (lambda: number) => LinearModel;
  readonly loss: (score: number, answer: number) => number;
}

/** Ridge regression on the targets. */
export function fitTarget(
  features: readonly Float64Array[],
  targets: Float64Array,
  { lambda = "auto", random }: FitOptions & { readonly random: Random },
): LinearModel {
  const loss = (score: number, target: number): number => (score - target) ** 2;
  return answer({ features, answers: targets, fit: ridgeOf, loss }, lambda, random);
}

/**
 * Logistic regression on which side of `threshold` the targets lie.
 * @throws {AnalysisError} `PREDICT_TOO_FEW` when all lie on one side.
 */
export function fitSide(
  features: readonly Float64Array[],
  targets: Float64Array,
  options: FitOptions & { readonly random: Random; readonly threshold: number },
): LinearModel {
  const { lambda = "auto", random, threshold } = options;
  const answers = targets.map((target) => Number(target > threshold));
  const loss = (score: number, label: number): number =>
    -Math.log(Math.max(Number.MIN_VALUE, sigmoid(label === 1 ? score : -score)));
  return answer({ features, answers, fit: logisticOf, loss }, lambda, random);
}

/**
 * Where to cut the targets in two classes: at their median, moved to the nearest gap between two different targets, so that
 * both classes have runs.
 * @throws {AnalysisError} `PREDICT_TOO_FEW` when all targets are equal.
 */
export function medianSplit(targets: Float64Array): number {
  const sorted = targets.toSorted();
  let best = -1;
  for (let below = 1; below < sorted.length; below++) {
    if (sorted[below - 1] === sorted[below]) continue;
    const offCentre = Math.abs(below - sorted.length / 2);
    if (best === -1 || offCentre < Math.abs(best - sorted.length / 2)) best = below;
  }
  if (best === -1) {
    throw new AnalysisError("PREDICT_TOO_FEW", "all runs end at the same value", {
      hint: "There is nothing to tell apart; add runs that end elsewhere.",
    });
  }
  const middle = sorted[best - 1]! / 2 + sorted[best]! / 2;
  // Halving may round up to the upper value, which then must not fall below its own threshold.
  return middle < sorted[best]! ? middle : sorted[best - 1]!;
}

function answer(question: Question, lambda: number | "auto", random: Random): LinearModel {
  const { features, answers, fit } = question;
  const chosen = lambda === "auto" ? chooseLambda(question, random) : lambda;
  return fit(designOf(features), answers)(chosen);
}

/** On standardised features, where the rows' own weight is their number. */
const lambdas = [0.01, 0.1, 1, 10, 100, 1000];
const innerFolds = 5;

/** The penalty of least loss on runs that were left out; of equal ones the larger. 1 when there are too few runs to tell. */
function chooseLambda({ features, answers, fit, loss }: Question, random: Random): number {
  // One fewer than the rarest answer has runs, so that no fold can hold all of them.
  const folds = Math.min(innerFolds, rarest(answers) - 1);
  if (folds < 2 || features[0]?.length === 0) return 1;
  const foldOf = stratifiedFolds(answers, folds, random);
  const losses = lambdas.map(() => 0);
  for (let fold = 0; fold < folds; fold++) {
    const training = features.filter((_, run) => foldOf[run] !== fold);
    const trainingAnswers = answers.filter((_, run) => foldOf[run] !== fold);
    const fitAt = fit(designOf(training), trainingAnswers);
    lambdas.forEach((lambda, i) => {
      const model = fitAt(lambda);
      features.forEach((row, run) => {
        if (foldOf[run] === fold) losses[i]! += loss(linearScore(model, row), answers[run]!);
      });
    });
  }
  return lambdas[losses.lastIndexOf(Math.min(...losses))]!;
}

/** How many runs have the rarer of two answers; of more than two answers, how many runs there are. */
function rarest(answers: Float64Array): number {
  const counts = new Map<number, number>();
  for (const own of answers) counts.set(own, (counts.get(own) ?? 0) + 1);
  return counts.size === 2 ? Math.min(...counts.values()) : answers.length;
}

/**
 * Logistic regression for two classes, with an L2 penalty on all but the intercept.
 *
 * Minimises sum log-loss + lambda / 2 |w|² over standardised features by Newton's method (iteratively reweighted least squares);
 * a step that does not lower the objective is halved. Domain: both classes present, lambda >= 0; with lambda 0 the classes must
 * not be separable, else no finite weights are best.
 * Cost: a dozen factorisations of min(rows, features)³ / 3.
 * Source: Green 1984, doi 10.1111/j.2517-6161.1984.tb01288.x; lambda is 1 / C of scikit-learn's LogisticRegression.
 */
import { AnalysisError } from "../errors.ts";
import { solvePositive } from "../numeric/cholesky.ts";
import { addScaled, dot } from "../numeric/vector.ts";
import { designOf, type Design, type DesignOptions } from "./design.ts";
import { sigmoid, type LinearModel } from "./linearModel.ts";
import { gramOf } from "./ridge.ts";

export interface LogisticOptions extends DesignOptions {
  /** @defaultValue 1 */
  readonly lambda?: number;
}

/**
 * @param labels 0 or 1 per row.
 * @throws {AnalysisError} `PREDICT_TOO_FEW` for a class without a row, `ANALYSIS_UNDEFINED` for separable classes without a
 *   penalty, `ANALYSIS_NOT_CONVERGED`.
 */
export function fitLogistic(
  features: readonly Float64Array[],
  labels: Float64Array,
  { lambda = 1, ...options }: LogisticOptions = {},
): LinearModel {
  return logisticOf(designOf(features, options), labels)(lambda);
}

/** The fit for any lambda. Throws what `fitLogistic` does. */
export function logisticOf(design: Design, labels: Float64Array): (lambda: number) => LinearModel {
  const ones = labels.reduce((sum, label) => sum + label, 0);
  if (ones === 0 || ones === labels.length) {
    throw new AnalysisError("PREDICT_TOO_FEW", "every run is of the same class", {
      hint: "Add runs that end elsewhere.",
    });
  }
  // The intercept is one more column, of ones, that the penalty leaves out.
  const width = design.width + 1;
  const rows = design.rows.map((row) => Float64Array.of(1, ...row));
  return (lambda) => {
    const penalised = { rows, labels, lambda };
    const start = new Float64Array(width);
    start[0] = Math.log(ones / (labels.length - ones));
    const weights = minimise(penalised, start);
    return design.toModel(weights.slice(1), weights[0]!, lambda);
  };
}

interface PenalisedLoss {
  readonly rows: readonly Float64Array[];
  readonly labels: Float64Array;
  readonly lambda: number;
}

const maxSteps = 100;
/** Half the squared Newton decrement: how far above the minimum the objective still is. */
const tolerance = 1e-12;
/** A mean loss so small without a penalty means that weights grow for ever. */
const separableLoss = 1e-6;

function minimise(loss: PenalisedLoss, start: Float64Array): Float64Array {
  let weights: Float64Array = start.slice();
  let value = objective(loss, weights);
  for (let step = 0; step < maxSteps; step++) {
    const { direction, decrement } = newtonStep(loss, weights);
    if (loss.lambda === 0 && value < separableLoss * loss.rows.length) throw undefinedFit();
    if (decrement / 2 <= tolerance * Math.max(1, value)) {
      // The last step is free, and squares the error.
      addScaled(weights, 1, direction);
      return weights;
    }
    const next = descend(loss, { weights, value, direction });
    if (next === null) return weights;
    ({ weights, value } = next);
  }
  throw new AnalysisError("ANALYSIS_NOT_CONVERGED", `no minimum after ${maxSteps} Newton steps`, {
    hint: "Give a larger lambda.",
  });
}

/** Null when rounding hides every descent: the weights are as good as they get. */
function descend(
  loss: PenalisedLoss,
  from: { weights: Float64Array; value: number; direction: Float64Array },
): { weights: Float64Array; value: number } | null {
  for (let factor = 1; factor > 1e-8; factor /= 2) {
    const weights = from.weights.slice();
    addScaled(weights, factor, from.direction);
    const value = objective(loss, weights);
    if (value < from.value) return { weights, value };
  }
  return null;
}

function newtonStep(
  { rows, labels, lambda }: PenalisedLoss,
  weights: Float64Array,
): { direction: Float64Array; decrement: number } {
  const width = weights.length;
  const downhill = new Float64Array(width);
  const curvature = new Float64Array(rows.length);
  rows.forEach((row, run) => {
    const probability = sigmoid(dot(row, weights));
    addScaled(downhill, labels[run]! - probability, row);
    curvature[run] = probability * (1 - probability);
  });
  const hessian = gramOf({ rows, width }, curvature);
  for (let i = 1; i < width; i++) {
    downhill[i]! -= lambda * weights[i]!;
    hessian[i * width + i]! += lambda;
  }
  const direction = solvePositive(hessian, downhill);
  if (direction === null) throw undefinedFit();
  return { direction, decrement: dot(direction, downhill) };
}

function objective({ rows, labels, lambda }: PenalisedLoss, weights: Float64Array): number {
  const penalty = (lambda / 2) * (dot(weights, weights) - weights[0]! ** 2);
  return rows.reduce((sum, row, run) => {
    const score = dot(row, weights) * (labels[run] === 1 ? -1 : 1);
    // log(1 + e^score) without overflow.
    return sum + Math.max(score, 0) + Math.log1p(Math.exp(-Math.abs(score)));
  }, penalty);
}

function undefinedFit(): AnalysisError {
  return new AnalysisError(
    "ANALYSIS_UNDEFINED",
    "the classes can be separated, or the features depend on each other linearly",
    { hint: "Give a lambda above 0." },
  );
}

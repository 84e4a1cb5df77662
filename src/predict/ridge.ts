/**
 * Ridge regression: least squares with an L2 penalty on all but the intercept.
 *
 * Minimises sum (y - b - z·w)² + lambda |w|² over standardised features z. Domain: at least two rows, lambda >= 0. With lambda 0
 * it is ordinary least squares, defined while the features are linearly independent; with more features than rows it is then the
 * interpolating solution of least norm.
 * Cost: min(rows, features)³ / 3 by Cholesky's factorisation.
 * Source: Hoerl and Kennard 1970, doi 10.1080/00401706.1970.10488634; lambda is the alpha of scikit-learn's Ridge.
 */
import { AnalysisError } from "../errors.ts";
import { solvePositive } from "../numeric/cholesky.ts";
import { addScaled } from "../numeric/vector.ts";
import { designOf, type Design, type DesignOptions } from "./design.ts";
import type { LinearModel } from "./linearModel.ts";

export interface RidgeOptions extends DesignOptions {
  /** @defaultValue 1 */
  readonly lambda?: number;
}

/** @throws {AnalysisError} `ANALYSIS_UNDEFINED` for dependent features without a penalty. */
export function fitRidge(
  features: readonly Float64Array[],
  targets: Float64Array,
  { lambda = 1, ...options }: RidgeOptions = {},
): LinearModel {
  return ridgeOf(designOf(features, options), targets)(lambda);
}

/** The fit for any lambda; what does not depend on it is computed once. */
export function ridgeOf(design: Design, targets: Float64Array): (lambda: number) => LinearModel {
  const mean = targets.reduce((sum, target) => sum + target, 0) / targets.length;
  const gram = gramOf(design);
  const moment = new Float64Array(design.width);
  design.rows.forEach((row, run) => addScaled(moment, targets[run]! - mean, row));
  return (lambda) => {
    const weights = solvePositive(withDiagonal(gram, design.width, lambda), moment);
    if (weights === null) {
      throw new AnalysisError("ANALYSIS_UNDEFINED", "the features depend on each other linearly", {
        hint: "Give a lambda above 0.",
      });
    }
    return design.toModel(weights, mean, lambda);
  };
}

/** Zᵀ diag(weights) Z, lower half; `weights` default to 1. */
export function gramOf(
  { rows, width }: Pick<Design, "rows" | "width">,
  weights?: Float64Array,
): Float64Array {
  const gram = new Float64Array(width * width);
  rows.forEach((row, run) => {
    const weight = weights?.[run] ?? 1;
    for (let i = 0; i < width; i++) {
      const factor = weight * row[i]!;
      for (let j = 0; j <= i; j++) gram[i * width + j]! += factor * row[j]!;
    }
  });
  return gram;
}

/** A copy of `matrix` with `amount` added to its diagonal. */
function withDiagonal(matrix: Float64Array, width: number, amount: number): Float64Array {
  const copy = matrix.slice();
  for (let i = 0; i < width; i++) copy[i * width + i]! += amount;
  return copy;
}

/** A linear predictor in the units of its features, so that it can be saved and applied without knowing how it was fitted. */
export interface LinearModel {
  readonly intercept: number;
  /** One per feature. */
  readonly coefficients: readonly number[];
  /** The penalty it was fitted with. */
  readonly lambda: number;
}

/** intercept + coefficients · features */
export function linearScore({ intercept, coefficients }: LinearModel, row: Float64Array): number {
  return coefficients.reduce(
    (sum, coefficient, feature) => sum + coefficient * row[feature]!,
    intercept,
  );
}

/** Probability of class 1 under a logistic model's score. */
export function sigmoid(score: number): number {
  return score >= 0 ? 1 / (1 + Math.exp(-score)) : Math.exp(score) / (1 + Math.exp(score));
}

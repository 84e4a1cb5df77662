/**
 * Features made ready for a penalised fit: centred, divided by their standard deviation, and turned into the space that the
 * rows span when there are more features than rows. An L2 penalty does not notice that turn (the best weights lie in that
 * space), and the fit then costs rows³ instead of features³.
 */
import { addScaled, dot, norm } from "../numeric/vector.ts";
import type { LinearModel } from "./linearModel.ts";

export interface Design {
  /** One row per run, each of `width` numbers. */
  readonly rows: readonly Float64Array[];
  readonly width: number;
  /** Weights on the design's columns, as a model of the raw features. */
  readonly toModel: (weights: Float64Array, intercept: number, lambda: number) => LinearModel;
}

export interface DesignOptions {
  /** Divide each feature by its standard deviation (ddof 0). Constant features only lose their mean. @defaultValue true */
  readonly standardise?: boolean;
}

/** Cost: O(runs · features), and O(runs² · features) when there are more features than runs. */
export function designOf(
  features: readonly Float64Array[],
  { standardise = true }: DesignOptions = {},
): Design {
  const count = features.length;
  const width = features[0]?.length ?? 0;
  const means = new Float64Array(width);
  for (const row of features) addScaled(means, 1 / count, row);
  const centred = features.map((row) => row.map((value, feature) => value - means[feature]!));
  const scales = Float64Array.from({ length: width }, (_, feature) =>
    standardise ? scaleOf(centred, feature, means[feature]!) : 1,
  );
  const scaled = centred.map((row) => row.map((value, feature) => value / scales[feature]!));
  const basis = width > count ? rowSpace(scaled) : null;

  return {
    rows: basis === null ? scaled : scaled.map((row) => coordinates(row, basis)),
    width: basis?.length ?? width,
    toModel(weights, intercept, lambda) {
      const full = basis === null ? weights : combination(weights, basis, width);
      const coefficients = Array.from(full, (weight, feature) => weight / scales[feature]!);
      const shift = coefficients.reduce((sum, c, feature) => sum + c * means[feature]!, 0);
      return { intercept: intercept - shift, coefficients, lambda };
    },
  };
}

/** A spread below this share of the mean is rounding. */
const rounding = 1e-12;

function scaleOf(centred: readonly Float64Array[], feature: number, mean: number): number {
  const squares = centred.reduce((sum, row) => sum + row[feature]! ** 2, 0);
  const deviation = Math.sqrt(squares / centred.length);
  return deviation > rounding * Math.abs(mean) ? deviation : 1;
}

/** Orthonormal vectors that span the rows (Gram-Schmidt, each row projected twice). */
function rowSpace(rows: readonly Float64Array[]): Float64Array[] {
  const basis: Float64Array[] = [];
  for (const row of rows) {
    const rest = row.slice();
    for (const vector of [...basis, ...basis]) addScaled(rest, -dot(rest, vector), vector);
    const length = norm(rest);
    if (length > 1e-10 * norm(row)) basis.push(rest.map((entry) => entry / length));
  }
  return basis;
}

function coordinates(row: Float64Array, basis: readonly Float64Array[]): Float64Array {
  return Float64Array.from(basis, (vector) => dot(row, vector));
}

function combination(
  weights: Float64Array,
  basis: readonly Float64Array[],
  width: number,
): Float64Array {
  const sum = new Float64Array(width);
  basis.forEach((vector, i) => addScaled(sum, weights[i]!, vector));
  return sum;
}

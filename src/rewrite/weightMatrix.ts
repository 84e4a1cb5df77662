import { ShapeError } from "../errors.ts";
import { checkFinite } from "../graph/checkFinite.ts";
import type { FloatArray } from "../tensor/dtype.ts";

/** The weights of one layer as a matrix: a row per receiving neuron, a column per sending neuron (and tap). Row-major. */
export interface WeightMatrix<T extends FloatArray = FloatArray> {
  /** [rows, columns] */
  readonly weights: T;
  readonly rows: number;
  readonly columns: number;
}

/**
 * @throws {ShapeError} `SHAPE_MISMATCH` unless there is at least one row and column and the weights fill them.
 * @throws {WeightGraphError} `WEIGHTS_NOT_FINITE`
 */
export function checkMatrix(
  { weights, rows, columns }: WeightMatrix,
  path: readonly (string | number)[] = [],
): void {
  const isCount = (size: number): boolean => Number.isSafeInteger(size) && size > 0;
  if (!isCount(rows) || !isCount(columns) || weights.length !== rows * columns) {
    throw new ShapeError(
      "SHAPE_MISMATCH",
      `${weights.length} weights do not fill a matrix of ${rows} x ${columns}`,
      { path },
    );
  }
  checkFinite(weights, path);
}

/**
 * The matrix of plain rows, in float64.
 * @throws {ShapeError} `SHAPE_MISMATCH` for no rows, no columns, or rows of unequal length; {WeightGraphError}
 *   `WEIGHTS_NOT_FINITE`.
 */
export function matrixOf(
  rows: readonly (readonly number[])[],
  path: readonly (string | number)[] = [],
): WeightMatrix<Float64Array> {
  const columns = rows[0]?.length ?? 0;
  const uneven = rows.findIndex((row) => row.length !== columns);
  if (uneven !== -1) {
    throw new ShapeError(
      "SHAPE_MISMATCH",
      `row ${uneven} has ${rows[uneven]!.length} weights, row 0 has ${columns}`,
      { path: [...path, uneven] },
    );
  }
  const matrix = { weights: Float64Array.from(rows.flat()), rows: rows.length, columns };
  checkMatrix(matrix, path);
  return matrix;
}

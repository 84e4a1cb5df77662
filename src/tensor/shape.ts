import { ShapeError } from "../errors.ts";

/** Row-major dimensions, outermost first. */
export type Shape = readonly number[];

/**
 * Number of elements of `shape`.
 * @throws {ShapeError} `SHAPE_MISMATCH` for a negative or fractional dimension or a product past 2^53.
 */
export function elementCount(shape: Shape): number {
  let count = 1;
  let hasZero = false;
  for (const dimension of shape) {
    if (!Number.isSafeInteger(dimension) || dimension < 0) {
      throw new ShapeError("SHAPE_MISMATCH", `dimension ${dimension} is not a whole number >= 0`);
    }
    if (dimension === 0) hasZero = true;
    else count *= dimension;
    if (!Number.isSafeInteger(count)) {
      throw new ShapeError("SHAPE_MISMATCH", `shape [${shape.join(", ")}] has over 2^53 elements`);
    }
  }
  return hasZero ? 0 : count;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dimension, axis) => dimension === b[axis]);
}

import { FormatError } from "../errors.ts";
import { elementCount, type Shape } from "../tensor/shape.ts";

/**
 * Elements of a shape that a file announces; `path` leads to the tensor.
 * @throws {FormatError} `FORMAT_MALFORMED` for a negative or fractional dimension or a product past 2^53.
 */
export function checkedCount(shape: Shape, path: readonly (string | number)[]): number {
  try {
    return elementCount(shape);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new FormatError("FORMAT_MALFORMED", message, { path: [...path, "shape"], cause });
  }
}

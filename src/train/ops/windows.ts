import { requireShape } from "../ir.ts";
import type { Shape } from "../../tensor/shape.ts";

/** A window that slides over an image, [vertical, horizontal] each. */
export interface Window {
  readonly size: Shape;
  readonly stride: Shape;
  readonly padding: Shape;
}

/**
 * How many places the window has: floor((size + 2 padding - window) / stride) + 1 per axis.
 * @throws {ShapeError} `SHAPE_MISMATCH` if it has none, or a stride is below 1 or a padding below 0.
 */
export function outputSize(what: string, image: Shape, { size, stride, padding }: Window): Shape {
  const places = image.map(
    (extent, axis) => Math.floor((extent + 2 * padding[axis]! - size[axis]!) / stride[axis]!) + 1,
  );
  const sound =
    size.every((extent) => Number.isInteger(extent) && extent >= 1) &&
    stride.every((step) => Number.isInteger(step) && step >= 1) &&
    padding.every((margin) => Number.isInteger(margin) && margin >= 0) &&
    places.every((count) => count >= 1);
  requireShape(sound, `${what} needs a window that fits its image`, image, size);
  return places;
}

import type { FloatArray } from "./dtype.ts";
import { elementCount, type Shape } from "./shape.ts";

/**
 * Reorders axes: axis `k` of the result is axis `order[k]` of `values`. Returns `values` itself when nothing moves.
 * Cost: one pass over the elements. Accumulates nothing, so every float keeps its bits.
 */
export function permute<T extends FloatArray>(
  values: T,
  shape: Shape,
  order: readonly number[],
): T {
  if (keepsOrder(shape, order)) return values;
  const strides = stridesOf(shape);
  const size = order.map((axis) => shape[axis]!);
  const step = order.map((axis) => strides[axis]!);
  const result = new (values.constructor as new (length: number) => T)(elementCount(shape));
  const last = size.length - 1;
  const index = new Array<number>(size.length).fill(0);
  const inner = size[last]!;
  const innerStep = step[last]!;
  let base = 0;
  for (let out = 0; out < result.length; out += inner) {
    for (let i = 0, from = base; i < inner; i++, from += innerStep) result[out + i] = values[from]!;
    for (let axis = last - 1; axis >= 0; axis--) {
      base += step[axis]!;
      if (++index[axis]! < size[axis]!) break;
      base -= step[axis]! * size[axis]!;
      index[axis] = 0;
    }
  }
  return result;
}

/** The order that undoes `order`. */
export function inversePermutation(order: readonly number[]): number[] {
  const inverse = new Array<number>(order.length);
  order.forEach((axis, position) => (inverse[axis] = position));
  return inverse;
}

function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  return strides;
}

/** True when the axes longer than 1 stand in their own order. */
function keepsOrder(shape: Shape, order: readonly number[]): boolean {
  const moved = order.filter((axis) => shape[axis] !== 1);
  return moved.every((axis, i) => i === 0 || moved[i - 1]! < axis);
}

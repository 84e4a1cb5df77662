/** Views on a storage: elements in row-major order out of whatever order they lie in, and back. */
import type { FloatArray } from "../../tensor/dtype.ts";

export interface View {
  readonly shape: readonly number[];
  /** In elements. */
  readonly strides: readonly number[];
}

/** Elements from the first to the last, inclusive of the gaps between them; 0 for an empty view. */
export function reachOf({ shape, strides }: View): number {
  if (shape.includes(0)) return 0;
  return shape.reduce((sum, length, axis) => sum + (length - 1) * strides[axis]!, 1);
}

export function isRowMajor({ shape, strides }: View): boolean {
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== stride) return false;
    stride *= shape[axis]!;
  }
  return true;
}

/** True where two places of the view are one element of the storage. */
export function repeats({ shape, strides }: View): boolean {
  const axes = shape.flatMap((length, axis) =>
    length > 1 ? [{ length, stride: strides[axis]! }] : [],
  );
  let reach = 1;
  for (const { length, stride } of axes.sort((a, b) => a.stride - b.stride)) {
    if (stride < reach) return true;
    reach += (length - 1) * stride;
  }
  return false;
}

/** Calls `visit` with the place of each element in row-major order; the first lies at 0. */
export function walkView(
  { shape, strides }: View,
  visit: (place: number, index: number) => void,
): void {
  const count = shape.reduce((product, length) => product * length, 1);
  const index = new Array<number>(shape.length).fill(0);
  let place = 0;
  for (let i = 0; i < count; i++) {
    visit(place, i);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      place += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      place -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
}

/** Elements in row-major order out of a storage with other strides (a transposed matrix, channels last). */
export function gather(values: FloatArray, view: View): FloatArray {
  const count = view.shape.reduce((product, length) => product * length, 1);
  const result = new (values.constructor as new (length: number) => FloatArray)(count);
  walkView(view, (place, index) => {
    result[index] = values[place]!;
  });
  return result;
}

/** Puts elements of `size` bytes, in row-major order, where the view has them in `storage`. */
export function scatter(storage: Uint8Array, elements: Uint8Array, view: View, size: number): void {
  walkView(view, (place, index) => {
    const from = index * size;
    for (let i = 0; i < size; i++) storage[place * size + i] = elements[from + i]!;
  });
}

/** Bytes of each element the other way round. */
export function swapBytes(bytes: Uint8Array, size: number): Uint8Array {
  const swapped = new Uint8Array(bytes.byteLength);
  for (let at = 0; at + size <= bytes.byteLength; at += size) {
    for (let i = 0; i < size; i++) swapped[at + i] = bytes[at + size - 1 - i]!;
  }
  return swapped;
}

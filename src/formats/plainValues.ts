import type { ByteSource } from "../bytes/source.ts";
import type { StoredTensor } from "../model/model.ts";
import { decodeSpan } from "../tensor/decode.ts";
import type { DType } from "../tensor/dtype.ts";
import { elementCount, type Shape } from "../tensor/shape.ts";

/**
 * How to read a tensor whose little-endian elements lie one after the other from `offset` of `source`: whole, or elements
 * [start, end) alone. That the span lies inside the source is checked when it is read.
 */
export function plainValues(
  source: ByteSource,
  offset: number,
  { dtype, shape }: { readonly dtype: DType; readonly shape: Shape },
): Required<Pick<StoredTensor, "read" | "readSpan">> {
  const count = elementCount(shape);
  const readSpan = (
    start: number,
    end: number,
    room?: Float32Array,
  ): Promise<Float32Array | Float64Array> => {
    const bytes =
      room === undefined || dtype !== "float32"
        ? undefined
        : new Uint8Array(room.buffer, room.byteOffset, room.byteLength);
    const slice = (from: number, to: number): Promise<Uint8Array> =>
      source.slice(offset + from, offset + to, bytes);
    return decodeSpan(slice, dtype, [start, end]);
  };
  return { read: () => readSpan(0, count), readSpan };
}

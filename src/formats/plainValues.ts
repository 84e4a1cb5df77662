import type { ByteSource } from "../bytes/source.ts";
import type { StoredTensor } from "../model/model.ts";
import { decodeTensor } from "../tensor/decode.ts";
import { byteLengthOf, dtypes, type DType } from "../tensor/dtype.ts";
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
  const readSpan = async (start: number, end: number): Promise<Float32Array | Float64Array> => {
    // Elements smaller than a byte are read from the last byte border on.
    const first = start - (start % elementsPerWholeBytes(dtype));
    const bytes = await source.slice(
      offset + byteLengthOf(dtype, first),
      offset + byteLengthOf(dtype, end),
    );
    const values = decodeTensor(bytes, dtype, end - first);
    return first === start ? values : values.subarray(start - first);
  };
  return { read: () => readSpan(0, count), readSpan };
}

function elementsPerWholeBytes(dtype: DType): number {
  let count = 1;
  while (!Number.isInteger(count * dtypes[dtype])) count *= 2;
  return count;
}

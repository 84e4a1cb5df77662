/** The values of an array as they lie in its bytes: either byte order, rows or columns first. */
import { decodeSpan, decodeTensor } from "../../tensor/decode.ts";
import { dtypes, isComplex, type DType, type FloatArray } from "../../tensor/dtype.ts";
import { encodeTensor } from "../../tensor/encode.ts";
import { permute } from "../../tensor/permute.ts";
import { elementCount } from "../../tensor/shape.ts";
import type { StoredTensor } from "../../model/model.ts";
import type { NpyBytes, NpyHeader } from "./npy.ts";

type Values = Pick<StoredTensor, "read" | "readSpan" | "encode">;

/**
 * How the values are read and written. `whole` gives the array's bytes from its signature on; `part` spans of them, where that
 * costs no more than the span.
 */
export function storedArray(
  header: NpyHeader,
  { whole, part }: { whole: () => Promise<Uint8Array>; part: NpyBytes["slice"] | null },
): Values {
  const { dtype, shape, offset, byteLength, isBigEndian } = header;
  const size = isComplex(dtype) ? dtypes[dtype] / 2 : dtypes[dtype];
  const ordered = (bytes: Uint8Array): Uint8Array => (isBigEndian ? turned(bytes, size) : bytes);
  // Column-major is row-major with the axes turned round.
  const isTurned = header.isColumnMajor && shape.length > 1;
  const axes = [...shape.keys()].reverse();
  const decode = (bytes: Uint8Array): FloatArray =>
    decodeTensor(ordered(bytes), dtype, elementCount(shape));
  return {
    async read() {
      const values = decode((await whole()).subarray(offset, offset + byteLength));
      return isTurned ? permute(values, shape.toReversed(), axes) : values;
    },
    encode(values) {
      return ordered(encodeTensor(isTurned ? permute(values, shape, axes) : values, dtype));
    },
    ...(part !== null && !isTurned && { readSpan: spanReader(dtype, part, { offset, ordered }) }),
  };
}

function spanReader(
  dtype: DType,
  part: NpyBytes["slice"],
  { offset, ordered }: { offset: number; ordered: (bytes: Uint8Array) => Uint8Array },
): (start: number, end: number) => Promise<FloatArray> {
  const slice = async (from: number, to: number): Promise<Uint8Array> =>
    ordered(await part(offset + from, offset + to));
  return (start, end) => decodeSpan(slice, dtype, [start, end]);
}

/** The bytes of each group of `size`, last to first. */
function turned(bytes: Uint8Array, size: number): Uint8Array {
  const result = new Uint8Array(bytes.byteLength);
  for (let at = 0; at < bytes.byteLength; at += size) {
    for (let i = 0; i < size; i++) result[at + i] = bytes[at + size - 1 - i]!;
  }
  return result;
}

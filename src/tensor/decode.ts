import { FormatError } from "../errors.ts";
import { bitsOf, byteLengthOf, byteSpanOf, type DType, type FloatArray } from "./dtype.ts";
import { decodeBfloat16, decodeHalves } from "./half.ts";
import { isSmallFloat, smallFloatTable } from "./smallFloat.ts";

/**
 * Little-endian stored elements to numbers, widened without loss: float32 and every 16-bit or smaller type to Float32Array,
 * float64 and 32- and 64-bit integers to Float64Array (64-bit integers past 2^53 are rounded). NaNs keep their payloads.
 * A view on `bytes` when they are float32 or float64 and aligned, else a copy.
 * @throws {FormatError} `FORMAT_TRUNCATED` if `bytes` are too few, `FORMAT_UNSUPPORTED` for complex numbers and unknown types.
 */
export function decodeTensor(bytes: Uint8Array, dtype: DType, count: number): FloatArray {
  const needed = byteLengthOf(dtype, count);
  if (bytes.byteLength < needed) {
    throw new FormatError(
      "FORMAT_TRUNCATED",
      `${count} values of ${dtype} need ${needed} bytes, ${bytes.byteLength} are there`,
    );
  }
  const own = bytes.subarray(0, needed);
  switch (dtype) {
    case "float32":
      return elements(Float32Array, own);
    case "float64":
      return elements(Float64Array, own);
    case "float16":
      return decodeHalves(elements(Uint16Array, own));
    case "bfloat16":
      return decodeBfloat16(elements(Uint16Array, own));
    case "int64":
      return decodeWide(elements(Uint32Array, own), true);
    case "uint64":
      return decodeWide(elements(Uint32Array, own), false);
    case "int32":
      return new Float64Array(elements(Int32Array, own));
    case "uint32":
      return new Float64Array(elements(Uint32Array, own));
    case "int16":
      return new Float32Array(elements(Int16Array, own));
    case "uint16":
      return new Float32Array(elements(Uint16Array, own));
    case "int8":
      return new Float32Array(elements(Int8Array, own));
    case "uint8":
    case "bool":
      return new Float32Array(own);
    case "complex64":
    case "complex128":
    case "unknown":
      throw new FormatError(
        "FORMAT_UNSUPPORTED",
        `values of type ${dtype} are not read as weights`,
        {
          hint: "The tensor is listed with its type and shape; its values are no real numbers.",
        },
      );
    default:
      return decodeByTable(own, patternTable(dtype), { bits: bitsOf(dtype), count });
  }
}

/**
 * Elements [start, end) of a tensor of which `slice` gives bytes [from, to).
 * @throws {FormatError} as `decodeTensor` and `slice`
 */
export async function decodeSpan(
  slice: (from: number, to: number) => Promise<Uint8Array>,
  dtype: DType,
  [start, end]: readonly [start: number, end: number],
): Promise<FloatArray> {
  const { from, to, skip } = byteSpanOf(dtype, start, end);
  const values = decodeTensor(await slice(from, to), dtype, end - start + skip);
  return skip === 0 ? values : values.subarray(skip);
}

type ElementArray<T> = new (buffer: ArrayBufferLike, byteOffset?: number, length?: number) => T;

/** A view on `bytes` where they are aligned, else a copy. */
function elements<T>(Elements: ElementArray<T> & { BYTES_PER_ELEMENT: number }, bytes: Uint8Array) {
  const size = Elements.BYTES_PER_ELEMENT;
  return bytes.byteOffset % size === 0
    ? new Elements(bytes.buffer, bytes.byteOffset, bytes.byteLength / size)
    : new Elements(new Uint8Array(bytes).buffer); // a Buffer's slice would be a view
}

function decodeWide(halves: Uint32Array, isSigned: boolean): Float64Array {
  const values = new Float64Array(halves.length / 2);
  for (let i = 0; i < values.length; i++) {
    const high = halves[2 * i + 1]!;
    values[i] = (isSigned ? high | 0 : high) * 2 ** 32 + halves[2 * i]!;
  }
  return values;
}

function patternTable(
  dtype: Parameters<typeof smallFloatTable>[0] | "int4" | "uint4" | "int2" | "uint2",
): Float32Array {
  if (isSmallFloat(dtype)) return smallFloatTable(dtype);
  const count = 2 ** bitsOf(dtype);
  return Float32Array.from({ length: count }, (_, code) =>
    dtype.startsWith("u") || code < count / 2 ? code : code - count,
  );
}

/** Patterns of `bits` each, the first in the lowest bits; copied as bits, since NaNs carry their pattern. */
function decodeByTable(
  bytes: Uint8Array,
  table: Float32Array,
  { bits, count }: { bits: number; count: number },
): Float32Array {
  const meanings = new Uint32Array(table.buffer);
  const values = new Float32Array(count);
  const patterns = new Uint32Array(values.buffer);
  const mask = 2 ** bits - 1;
  if (bits === 8) {
    for (let i = 0; i < count; i++) patterns[i] = meanings[bytes[i]!]!;
    return values;
  }
  for (let i = 0; i < count; i++) {
    const bit = i * bits;
    const at = Math.floor(bit / 8);
    const pair = bytes[at]! | ((bytes[at + 1] ?? 0) << 8);
    patterns[i] = meanings[(pair >>> (bit % 8)) & mask]!;
  }
  return values;
}

/**
 * Element types of stored tensors, under the names that safetensors, NumPy and ONNX users share, with the bytes that one takes.
 * Elements smaller than a byte are packed without gaps, the first in the lowest bits.
 */
export const dtypes = {
  float64: 8,
  float32: 4,
  float16: 2,
  bfloat16: 2,
  /** E4M3FN: without infinities. */
  float8_e4m3: 1,
  float8_e5m2: 1,
  float8_e4m3fnuz: 1,
  float8_e5m2fnuz: 1,
  /** An exponent alone: the shared scale of an MX block. */
  float8_e8m0: 1,
  float6_e2m3: 0.75,
  float6_e3m2: 0.75,
  float4_e2m1: 0.5,
  int64: 8,
  int32: 4,
  int16: 2,
  int8: 1,
  uint64: 8,
  uint32: 4,
  uint16: 2,
  uint8: 1,
  int4: 0.5,
  uint4: 0.5,
  int2: 0.25,
  uint2: 0.25,
  bool: 1,
  complex64: 8,
  complex128: 16,
  /** A type that the file numbers and nobody here knows: named and counted, never read; its size is not known. */
  unknown: 0,
} as const;

export type DType = keyof typeof dtypes;

/** What weights are computed on: the stored values, widened without loss (float16 becomes float32, int64 float64, and so on). */
export type FloatArray = Float32Array | Float64Array;

/** Bytes that `count` elements take; parts of a byte are rounded up. */
export function byteLengthOf(dtype: DType, count: number): number {
  return Math.ceil(dtypes[dtype] * count);
}

/** Bits of one element. */
export function bitsOf(dtype: DType): number {
  return dtypes[dtype] * 8;
}

/** Where elements [start, end) stand: bytes [from, to) of the tensor, of which the first `skip` elements are others'. */
export function byteSpanOf(
  dtype: DType,
  start: number,
  end: number,
): { readonly from: number; readonly to: number; readonly skip: number } {
  const skip = start % elementsTogether(dtype);
  const from = dtypes[dtype] * (start - skip);
  return { from, to: from + byteLengthOf(dtype, end - start + skip), skip };
}

/** The fewest elements that fill whole bytes. */
function elementsTogether(dtype: DType): number {
  const size = dtypes[dtype];
  if (size >= 1) return 1;
  return size === 0.5 ? 2 : 4;
}

export function isFloat(dtype: DType): boolean {
  return dtype.startsWith("float") || dtype === "bfloat16";
}

export function isComplex(dtype: DType): boolean {
  return dtype === "complex64" || dtype === "complex128";
}

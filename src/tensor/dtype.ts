/** Element types of stored tensors, under the names that safetensors, NumPy and ONNX users share. */
export const dtypes = {
  float64: 8,
  float32: 4,
  float16: 2,
  bfloat16: 2,
  float8_e4m3: 1,
  float8_e5m2: 1,
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
  bool: 1,
  complex64: 8,
  complex128: 16,
} as const;

export type DType = keyof typeof dtypes;

/** What weights are computed on: the stored values, widened without loss (float16 becomes float32, int64 float64, and so on). */
export type FloatArray = Float32Array | Float64Array;

/** Bytes that `count` elements take; half bytes are rounded up. */
export function byteLengthOf(dtype: DType, count: number): number {
  return Math.ceil(dtypes[dtype] * count);
}

export function isFloat(dtype: DType): boolean {
  return dtype.startsWith("float") || dtype === "bfloat16";
}

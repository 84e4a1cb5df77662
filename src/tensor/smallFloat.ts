/**
 * Floats of eight bits and fewer, by tables of every pattern.
 * Sources: OCP 8-bit Floating Point Specification 1.0 (E4M3, E5M2); OCP Microscaling Formats 1.0 (E8M0, E3M2, E2M3, E2M1);
 * https://onnx.ai/onnx/technical/float8.html (FNUZ: one zero, NaN in place of the other, the bias one larger).
 */
import { FormatError } from "../errors.ts";
import type { DType, FloatArray } from "./dtype.ts";

interface SmallFloat {
  readonly exponentBits: number;
  readonly fractionBits: number;
  readonly bias: number;
  /** What the patterns at the end of the range mean. */
  readonly special: "ieee" | "finite" | "negative zero is NaN" | "none";
}

export type SmallFloatType =
  | "float8_e4m3"
  | "float8_e5m2"
  | "float8_e4m3fnuz"
  | "float8_e5m2fnuz"
  | "float8_e8m0"
  | "float6_e2m3"
  | "float6_e3m2"
  | "float4_e2m1";

/** All but E8M0, which has neither sign nor fraction. */
const kinds: Readonly<Record<Exclude<SmallFloatType, "float8_e8m0">, SmallFloat>> = {
  float8_e4m3: { exponentBits: 4, fractionBits: 3, bias: 7, special: "finite" },
  float8_e5m2: { exponentBits: 5, fractionBits: 2, bias: 15, special: "ieee" },
  float8_e4m3fnuz: { exponentBits: 4, fractionBits: 3, bias: 8, special: "negative zero is NaN" },
  float8_e5m2fnuz: { exponentBits: 5, fractionBits: 2, bias: 16, special: "negative zero is NaN" },
  float6_e2m3: { exponentBits: 2, fractionBits: 3, bias: 1, special: "none" },
  float6_e3m2: { exponentBits: 3, fractionBits: 2, bias: 3, special: "none" },
  float4_e2m1: { exponentBits: 2, fractionBits: 1, bias: 1, special: "none" },
};

export function isSmallFloat(dtype: DType): dtype is SmallFloatType {
  return dtype === "float8_e8m0" || Object.hasOwn(kinds, dtype);
}

const tables = new Map<SmallFloatType, Float32Array>();

/**
 * The number that each pattern means. A NaN carries its pattern in its lowest bits, so that it finds back to it.
 * Not to be changed.
 */
export function smallFloatTable(dtype: SmallFloatType): Float32Array {
  const known = tables.get(dtype);
  if (known !== undefined) return known;
  const table = dtype === "float8_e8m0" ? exponentTable() : signedTable(kinds[dtype]);
  const bits = new Uint32Array(table.buffer);
  table.forEach((value, code) => {
    if (Number.isNaN(value)) bits[code] = 0x7fc00000 | code;
  });
  tables.set(dtype, table);
  return table;
}

/** 2^-127 to 2^127; 2^-127 is subnormal in float32, and exact. */
function exponentTable(): Float32Array {
  return Float32Array.from({ length: 256 }, (_, code) => (code === 255 ? NaN : 2 ** (code - 127)));
}

function signedTable(kind: SmallFloat): Float32Array {
  const { exponentBits, fractionBits } = kind;
  const half = 2 ** (exponentBits + fractionBits);
  return Float32Array.from({ length: 2 * half }, (_, code) => {
    if (code === half && kind.special === "negative zero is NaN") return NaN;
    const magnitude = magnitudeOf(code % half, kind);
    return code < half ? magnitude : -magnitude;
  });
}

function magnitudeOf(code: number, { exponentBits, fractionBits, bias, special }: SmallFloat) {
  const steps = 2 ** fractionBits;
  const exponent = Math.floor(code / steps);
  const fraction = code % steps;
  if (exponent === 2 ** exponentBits - 1) {
    if (special === "ieee") return fraction === 0 ? Infinity : NaN;
    if (special === "finite" && fraction === steps - 1) return NaN;
  }
  const share = fraction / steps;
  return exponent === 0 ? share * 2 ** (1 - bias) : (1 + share) * 2 ** (exponent - bias);
}

/**
 * The patterns nearest to `values`, ties to the even pattern. Numbers past the largest become the largest. An infinity stays one in
 * E5M2, is NaN in the other types that have it, and NaN stays NaN.
 * @throws {FormatError} `FORMAT_UNSUPPORTED` for NaN and infinities in types without NaN, for zero and less in E8M0.
 */
export function smallFloatCodes(values: FloatArray, dtype: SmallFloatType): Uint8Array {
  const table = smallFloatTable(dtype);
  const signBit = dtype === "float8_e8m0" ? 0 : table.length / 2;
  const positive = signBit === 0 ? table : table.subarray(0, signBit);
  const largest = positive.findLastIndex((value) => Number.isFinite(value));
  const nan = table.findLastIndex((value) => Number.isNaN(value));
  const hasInfinity = dtype === "float8_e5m2";
  const hasNegativeZero = Object.is(table[signBit], -0);
  const patterns =
    values instanceof Float32Array
      ? new Uint32Array(values.buffer, values.byteOffset, values.length)
      : null;
  const codes = new Uint8Array(values.length);
  for (let i = 0; i < codes.length; i++) {
    const value = values[i]!;
    const isNegative = value < 0 || (Object.is(value, -0) && hasNegativeZero);
    if (Number.isFinite(value) && (signBit > 0 || value > 0)) {
      const code = nearest(positive, Math.abs(value), largest);
      const isSigned = isNegative && (code > 0 || hasNegativeZero);
      codes[i] = isSigned ? code + signBit : code;
    } else if (hasInfinity && !Number.isNaN(value)) {
      codes[i] = largest + 1 + (isNegative ? signBit : 0);
    } else if (nan >= 0 && !Number.isFinite(value) && (signBit > 0 || !(value < 0))) {
      const own = patterns === null ? 0 : patterns[i]! & 0xff;
      codes[i] = Number.isNaN(value) && Number.isNaN(table[own]) ? own : nan;
    } else {
      throw new FormatError("FORMAT_UNSUPPORTED", `${dtype} holds no ${value}`);
    }
  }
  return codes;
}

/** The index of the nearest of the ascending `steps[0 .. largest]`; of two as near the even one. */
function nearest(steps: Float32Array, value: number, largest: number): number {
  let low = 0;
  let high = largest;
  if (value >= steps[high]!) return high;
  if (value <= steps[low]!) return low;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (steps[middle]! <= value) low = middle;
    else high = middle;
  }
  const below = value - steps[low]!;
  const above = steps[high]! - value;
  if (below === above) return low % 2 === 0 ? low : high;
  return below < above ? low : high;
}

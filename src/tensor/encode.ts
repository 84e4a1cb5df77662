import { FormatError } from "../errors.ts";
import { bitsOf, byteLengthOf, isComplex, type DType, type FloatArray } from "./dtype.ts";
import { encodeBfloat16, encodeHalves } from "./half.ts";
import { isSmallFloat, smallFloatCodes } from "./smallFloat.ts";

/**
 * The inverse of `decodeTensor`: numbers to little-endian bytes, rounded to nearest, ties to even. Floats of 16 bits and more
 * overflow to infinity; smaller ones as `smallFloatCodes` says: to their largest number.
 * @throws {FormatError} `FORMAT_UNSUPPORTED` for numbers that the type cannot hold (past an integer's range, past 2^53 in 64 bits,
 *   NaN where there is none) and for complex types.
 */
export function encodeTensor(values: FloatArray, dtype: DType): Uint8Array {
  if (isComplex(dtype) || dtype === "unknown") {
    throw new FormatError("FORMAT_UNSUPPORTED", `weights of type ${dtype} are not written`);
  }
  if (dtype === "float32") return bytesOf(asFloats(values, Float32Array));
  if (dtype === "float64") return bytesOf(asFloats(values, Float64Array));
  if (dtype === "float16") return bytesOf(encodeHalves(values));
  if (dtype === "bfloat16") return bytesOf(encodeBfloat16(values));
  if (isSmallFloat(dtype)) return pack(smallFloatCodes(values, dtype), dtype);
  const whole = wholeNumbers(values, dtype);
  switch (dtype) {
    case "int64":
    case "uint64":
      return bytesOf(BigInt64Array.from(whole, BigInt));
    case "int32":
      return bytesOf(Int32Array.from(whole));
    case "uint32":
      return bytesOf(Uint32Array.from(whole));
    case "int16":
    case "uint16":
      return bytesOf(Int16Array.from(whole));
    default:
      return pack(
        Uint8Array.from(whole, (value) => value & (2 ** bitsOf(dtype) - 1)),
        dtype,
      );
  }
}

/** The least and the largest whole number of an integer type; of 64 bits, those that a number holds exactly. */
export function integerRange(dtype: DType): readonly [number, number] {
  if (dtype === "bool") return [0, 1];
  const bits = Math.min(bitsOf(dtype), 54);
  if (dtype.startsWith("u")) return [0, bits === 54 ? Number.MAX_SAFE_INTEGER : 2 ** bits - 1];
  if (bits === 54) return [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];
  return [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
}

function wholeNumbers(values: FloatArray, dtype: DType): Float64Array {
  const [least, largest] = integerRange(dtype);
  return Float64Array.from(values, (value) => {
    const whole = roundToEven(value);
    if (whole >= least && whole <= largest) return whole;
    throw new FormatError("FORMAT_UNSUPPORTED", `${dtype} holds no ${value}`, {
      hint: `It holds whole numbers from ${least} to ${largest}.`,
    });
  });
}

/** To the nearest whole number, ties to even. */
export function roundToEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return rest < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}

/** A copy: the caller's array stays its own. */
function asFloats(
  values: FloatArray,
  Floats: typeof Float32Array | typeof Float64Array,
): Float32Array | Float64Array {
  return values instanceof Floats ? values.slice() : new Floats(values);
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** A pattern each in a byte to patterns without gaps, the first in the lowest bits. */
function pack(codes: Uint8Array, dtype: DType): Uint8Array {
  const bits = bitsOf(dtype);
  if (bits === 8) return codes;
  const bytes = new Uint8Array(byteLengthOf(dtype, codes.length));
  codes.forEach((code, i) => {
    const bit = i * bits;
    const at = Math.floor(bit / 8);
    const pair = code << (bit % 8);
    bytes[at]! |= pair & 0xff;
    if (pair > 0xff) bytes[at + 1]! |= pair >>> 8;
  });
  return bytes;
}

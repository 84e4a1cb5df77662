import { FormatError } from "../errors.ts";
import { byteLengthOf, type DType, type FloatArray } from "./dtype.ts";
import { bfloat16ToNumber, halfToNumber, numberToBfloat16, numberToHalf } from "./half.ts";

/**
 * Little-endian stored elements to numbers, widened without loss: float32 and every 16-bit or smaller type to Float32Array,
 * float64 and 32- and 64-bit integers to Float64Array (64-bit integers past 2^53 are rounded).
 * A view on `bytes` when they are float32 or float64 and aligned, else a copy.
 * @throws {FormatError} `FORMAT_TRUNCATED` if `bytes` are too few, `FORMAT_UNSUPPORTED` for complex numbers.
 */
export function decodeTensor(bytes: Uint8Array, dtype: DType, count: number): FloatArray {
  const needed = byteLengthOf(dtype, count);
  if (bytes.byteLength < needed) {
    throw new FormatError(
      "FORMAT_TRUNCATED",
      `${count} values of ${dtype} need ${needed} bytes, ${bytes.byteLength} are there`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, needed);
  if (dtype === "float32" || dtype === "float64") {
    const Floats = dtype === "float32" ? Float32Array : Float64Array;
    const aligned = bytes.byteOffset % Floats.BYTES_PER_ELEMENT === 0;
    return aligned
      ? new Floats(bytes.buffer as ArrayBuffer, bytes.byteOffset, count)
      : new Floats(new Uint8Array(bytes.subarray(0, needed)).buffer); // a Buffer's slice would be a view
  }
  const wide = dtype === "int64" || dtype === "uint64" || dtype === "int32" || dtype === "uint32";
  const values = wide ? new Float64Array(count) : new Float32Array(count);
  const read = elementReader(view, dtype);
  for (let i = 0; i < count; i++) values[i] = read(i);
  return values;
}

/**
 * The inverse of `decodeTensor` for floating types: numbers to little-endian bytes, rounded to nearest even.
 * @throws {FormatError} `FORMAT_UNSUPPORTED` for types that are not written.
 */
export function encodeTensor(values: FloatArray, dtype: DType): Uint8Array {
  const bytes = new Uint8Array(byteLengthOf(dtype, values.length));
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    switch (dtype) {
      case "float64":
        view.setFloat64(i * 8, value, true);
        break;
      case "float32":
        view.setFloat32(i * 4, value, true);
        break;
      case "float16":
        view.setUint16(i * 2, numberToHalf(value), true);
        break;
      case "bfloat16":
        view.setUint16(i * 2, numberToBfloat16(value), true);
        break;
      default:
        throw new FormatError("FORMAT_UNSUPPORTED", `weights of type ${dtype} are not written`, {
          hint: "Only float64, float32, float16 and bfloat16 weights can be written back.",
        });
    }
  }
  return bytes;
}

function elementReader(view: DataView, dtype: DType): (index: number) => number {
  switch (dtype) {
    case "float16":
      return (i) => halfToNumber(view.getUint16(i * 2, true));
    case "bfloat16":
      return (i) => bfloat16ToNumber(view.getUint16(i * 2, true));
    case "float8_e4m3":
      return (i) => float8ToNumber(view.getUint8(i), 4, true);
    case "float8_e5m2":
      return (i) => float8ToNumber(view.getUint8(i), 5, false);
    case "int64":
      return (i) => Number(view.getBigInt64(i * 8, true));
    case "uint64":
      return (i) => Number(view.getBigUint64(i * 8, true));
    case "int32":
      return (i) => view.getInt32(i * 4, true);
    case "uint32":
      return (i) => view.getUint32(i * 4, true);
    case "int16":
      return (i) => view.getInt16(i * 2, true);
    case "uint16":
      return (i) => view.getUint16(i * 2, true);
    case "int8":
      return (i) => view.getInt8(i);
    case "uint8":
    case "bool":
      return (i) => view.getUint8(i);
    case "int4":
      return (i) => (((view.getUint8(i >> 1) >>> (4 * (i & 1))) & 15) ^ 8) - 8;
    case "uint4":
      return (i) => (view.getUint8(i >> 1) >>> (4 * (i & 1))) & 15;
    case "float32":
    case "float64":
    case "complex64":
    case "complex128":
      throw new FormatError(
        "FORMAT_UNSUPPORTED",
        `elements of type ${dtype} are not read as weights`,
      );
  }
}

/** OCP 8-bit floats: E4M3 keeps its top exponent for numbers (NaN is all ones), E5M2 follows IEEE 754. */
function float8ToNumber(bits: number, exponentBits: 4 | 5, finite: boolean): number {
  const fractionBits = 7 - exponentBits;
  const bias = 2 ** (exponentBits - 1) - 1;
  const sign = bits & 0x80 ? -1 : 1;
  const exponent = (bits & 0x7f) >>> fractionBits;
  const fraction = bits & (2 ** fractionBits - 1);
  const top = 2 ** exponentBits - 1;
  if (exponent === top && finite && fraction === 2 ** fractionBits - 1) return NaN;
  if (exponent === top && !finite) return fraction === 0 ? sign * Infinity : NaN;
  const share = fraction / 2 ** fractionBits;
  return exponent === 0
    ? sign * share * 2 ** (1 - bias)
    : sign * (1 + share) * 2 ** (exponent - bias);
}

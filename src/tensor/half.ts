/** 16-bit floats, decoded and encoded by hand: Node 20 has no Float16Array. Source: IEEE 754-2019, section 3.6. */
import type { FloatArray } from "./dtype.ts";

/** binary16 bits to a number. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** A number to binary16 bits, rounding to nearest, ties to even. */
export function numberToHalf(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (magnitude >= 65520) return sign | 0x7c00;
  if (magnitude < 2 ** -14) return sign | roundToEven(magnitude * 2 ** 24);
  let exponent = Math.floor(Math.log2(magnitude));
  if (2 ** exponent > magnitude) exponent -= 1;
  else if (2 ** (exponent + 1) <= magnitude) exponent += 1;
  const fraction = roundToEven((magnitude / 2 ** exponent - 1) * 1024);
  return sign | (((exponent + 15) << 10) + fraction);
}

/** bfloat16 bits to a number. */
export function bfloat16ToNumber(bits: number): number {
  bitsView.setUint32(0, bits << 16);
  return bitsView.getFloat32(0);
}

/** A number to bfloat16 bits, rounding to nearest, ties to even. */
export function numberToBfloat16(value: number): number {
  if (Number.isNaN(value)) return 0x7fc0;
  bitsView.setFloat32(0, value);
  let bits = bitsView.getUint32(0);
  const single = bitsView.getFloat32(0);
  if (single !== value) {
    // Rounded to odd, so that the second rounding sees which side of a tie the number was on.
    if (Math.abs(single) > Math.abs(value)) bits--;
    bits |= 1;
  }
  return roundToBfloat16(bits);
}

function roundToBfloat16(bits: number): number {
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

let halves: Uint32Array | null = null;

/** binary16 patterns to float32, bit by bit: a NaN keeps its sign and payload. */
export function decodeHalves(patterns: Uint16Array): Float32Array {
  const values = new Float32Array(patterns.length);
  const bits = new Uint32Array(values.buffer);
  const table = (halves ??= halfTable());
  for (let i = 0; i < patterns.length; i++) bits[i] = table[patterns[i]!]!;
  return values;
}

/** The float32 pattern of each binary16 pattern. */
function halfTable(): Uint32Array {
  const table = new Float32Array(65536).map((_, bits) => halfToNumber(bits));
  const patterns = new Uint32Array(table.buffer);
  table.forEach((value, bits) => {
    if (Number.isNaN(value)) {
      patterns[bits] = ((bits & 0x8000) << 16) | 0x7f800000 | ((bits & 0x3ff) << 13);
    }
  });
  return patterns;
}

/** bfloat16 patterns to float32, bit by bit. */
export function decodeBfloat16(patterns: Uint16Array): Float32Array {
  const values = new Float32Array(patterns.length);
  const bits = new Uint32Array(values.buffer);
  for (let i = 0; i < patterns.length; i++) bits[i] = patterns[i]! << 16;
  return values;
}

/** Rounded to nearest, ties to even; the NaNs of `decodeHalves` find back to their patterns. */
export function encodeHalves(values: FloatArray): Uint16Array {
  const patterns = new Uint16Array(values.length);
  const bits = singleBits(values);
  for (let i = 0; i < patterns.length; i++) {
    const value = values[i]!;
    const isNaNWithPayload = bits !== null && Number.isNaN(value);
    patterns[i] = isNaNWithPayload ? halfNaN(bits[i]!) : numberToHalf(value);
  }
  return patterns;
}

function halfNaN(bits: number): number {
  const payload = (bits >>> 13) & 0x3ff;
  return ((bits >>> 16) & 0x8000) | 0x7c00 | (payload === 0 ? 0x200 : payload);
}

/** Rounded to nearest, ties to even; the NaNs of `decodeBfloat16` find back to their patterns. */
export function encodeBfloat16(values: FloatArray): Uint16Array {
  const patterns = new Uint16Array(values.length);
  const bits = singleBits(values);
  for (let i = 0; i < patterns.length; i++) {
    const value = values[i]!;
    if (bits === null) patterns[i] = numberToBfloat16(value);
    else if (!Number.isNaN(value)) patterns[i] = roundToBfloat16(bits[i]!);
    else patterns[i] = (bits[i]! >>> 16) & 0x7f ? bits[i]! >>> 16 : 0x7fc0;
  }
  return patterns;
}

function singleBits(values: FloatArray): Uint32Array | null {
  if (!(values instanceof Float32Array)) return null;
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}

const bitsView = new DataView(new ArrayBuffer(4));

function roundToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest < 0.5) return floor;
  if (rest > 0.5) return floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

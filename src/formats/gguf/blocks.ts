/**
 * Blocks of 32 elements with one scale, of 16-bit halves unless said. In each, element j shares a byte with element j + 16: the
 * lower bits are the first's.
 * Source: the block structures of ggml (ggml-common.h); MXFP4 of OCP Microscaling Formats 1.0.
 */
import { halfToNumber } from "../../tensor/half.ts";

/** Writes the elements of the block that begins at `bytes[at]` to `values` from `to` on. */
export type Dequantise = (bytes: Uint8Array, at: number, values: Float32Array, to: number) => void;

export function halfAt(bytes: Uint8Array, at: number): number {
  return halfToNumber(bytes[at]! | (bytes[at + 1]! << 8));
}

/** scale · (q − 8) */
export const q4Zero: Dequantise = (bytes, at, values, to) => {
  const scale = halfAt(bytes, at);
  for (let j = 0; j < 16; j++) {
    const pair = bytes[at + 2 + j]!;
    values[to + j] = scale * ((pair & 15) - 8);
    values[to + j + 16] = scale * ((pair >>> 4) - 8);
  }
};

/** scale · q + least */
export const q4One: Dequantise = (bytes, at, values, to) => {
  const scale = halfAt(bytes, at);
  const least = halfAt(bytes, at + 2);
  for (let j = 0; j < 16; j++) {
    const pair = bytes[at + 4 + j]!;
    values[to + j] = scale * (pair & 15) + least;
    values[to + j + 16] = scale * (pair >>> 4) + least;
  }
};

/** scale · (q − 16); the fifth bits stand before the rest, bit j of element j. */
export const q5Zero: Dequantise = (bytes, at, values, to) => {
  const scale = halfAt(bytes, at);
  for (let j = 0; j < 32; j++) values[to + j] = scale * (fiveBits(bytes, at + 2, j) - 16);
};

/** scale · q + least */
export const q5One: Dequantise = (bytes, at, values, to) => {
  const scale = halfAt(bytes, at);
  const least = halfAt(bytes, at + 2);
  for (let j = 0; j < 32; j++) values[to + j] = scale * fiveBits(bytes, at + 4, j) + least;
};

function fiveBits(bytes: Uint8Array, at: number, j: number): number {
  const fifth = (bytes[at + (j >> 3)]! >>> (j & 7)) & 1;
  return nibble(bytes, at + 4, j) | (fifth << 4);
}

/** Element j of 32 in 16 bytes. */
function nibble(bytes: Uint8Array, at: number, j: number): number {
  const pair = bytes[at + (j & 15)]!;
  return j < 16 ? pair & 15 : pair >>> 4;
}

/** scale · q, q signed */
export const q8Zero: Dequantise = (bytes, at, values, to) => {
  const scale = halfAt(bytes, at);
  for (let j = 0; j < 32; j++) values[to + j] = scale * ((bytes[at + 2 + j]! << 24) >> 24);
};

/** Sixteen levels that are closer together around zero; of IQ4_NL and IQ4_XS. */
export const unevenLevels: readonly number[] = [
  -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113,
];

/** scale · level */
export const iq4Uneven: Dequantise = (bytes, at, values, to) => {
  const scale = halfAt(bytes, at);
  for (let j = 0; j < 32; j++) values[to + j] = scale * unevenLevels[nibble(bytes, at + 2, j)]!;
};

const fourBitFloats: readonly number[] = [0, 0.5, 1, 1.5, 2, 3, 4, 6];

/** 2^(e − 127) · E2M1: the scale is an exponent alone. */
export const mxfp4: Dequantise = (bytes, at, values, to) => {
  const scale = 2 ** (bytes[at]! - 127);
  for (let j = 0; j < 32; j++) {
    const code = nibble(bytes, at + 1, j);
    const magnitude = fourBitFloats[code & 7]!;
    values[to + j] = scale * (code < 8 ? magnitude : 0 - magnitude);
  }
};

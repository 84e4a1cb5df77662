/**
 * Values to blocks of 32: the scale that takes the block's largest value to the end of the range, rounded to 16 bits, then the
 * nearest step. `least` types keep the block's smallest value beside it.
 */
import { FormatError } from "../../errors.ts";
import { halfToNumber, numberToHalf } from "../../tensor/half.ts";

/** Writes the block of `values` from `from` on to `bytes[at]`. @throws {FormatError} `FORMAT_UNSUPPORTED` for NaN and infinity */
export type Quantise = (
  values: ArrayLike<number>,
  from: number,
  bytes: Uint8Array,
  at: number,
) => void;

export const quantiseQ8Zero: Quantise = (values, from, bytes, at) => {
  const scale = putHalf(bytes, at, Math.abs(extreme(values, from)) / 127);
  for (let j = 0; j < 32; j++)
    bytes[at + 2 + j] = step(ratio(values[from + j]!, scale), -127, 127) & 255;
};

export const quantiseQ4Zero: Quantise = (values, from, bytes, at) => {
  const scale = putHalf(bytes, at, extreme(values, from) / -8);
  putNibbles(bytes, at + 2, (j) => step(ratio(values[from + j]!, scale) + 8, 0, 15));
};

export const quantiseQ4One: Quantise = (values, from, bytes, at) => {
  const { scale, least } = putRange(values, from, { bytes, at, steps: 15 });
  putNibbles(bytes, at + 4, (j) => step(ratio(values[from + j]! - least, scale), 0, 15));
};

export const quantiseQ5Zero: Quantise = (values, from, bytes, at) => {
  const scale = putHalf(bytes, at, extreme(values, from) / -16);
  putFives(bytes, at + 2, (j) => step(ratio(values[from + j]!, scale) + 16, 0, 31));
};

export const quantiseQ5One: Quantise = (values, from, bytes, at) => {
  const { scale, least } = putRange(values, from, { bytes, at, steps: 31 });
  putFives(bytes, at + 4, (j) => step(ratio(values[from + j]! - least, scale), 0, 31));
};

/** The value of the largest size, with its sign. */
function extreme(values: ArrayLike<number>, from: number): number {
  let found = 0;
  for (let j = 0; j < 32; j++) {
    const value = values[from + j]!;
    if (Math.abs(value) > Math.abs(found) || Number.isNaN(value)) found = value;
    if (Number.isNaN(found)) break;
  }
  return found;
}

function putRange(
  values: ArrayLike<number>,
  from: number,
  { bytes, at, steps }: { bytes: Uint8Array; at: number; steps: number },
): { scale: number; least: number } {
  let low = Infinity;
  let high = -Infinity;
  for (let j = 0; j < 32; j++) {
    low = Math.min(low, values[from + j]!);
    high = Math.max(high, values[from + j]!);
  }
  const least = putHalf(bytes, at + 2, low);
  return { scale: putHalf(bytes, at, (high - least) / steps), least };
}

/** The number as it is stored. */
function putHalf(bytes: Uint8Array, at: number, value: number): number {
  const bits = numberToHalf(value);
  const stored = halfToNumber(bits);
  if (!Number.isFinite(stored)) {
    throw new FormatError("FORMAT_UNSUPPORTED", `a block's scale of ${value} has no 16-bit form`, {
      hint: "Quantised blocks hold finite values up to some millions: convert the tensor to float32.",
    });
  }
  bytes[at] = bits & 255;
  bytes[at + 1] = bits >>> 8;
  return stored;
}

function step(value: number, least: number, most: number): number {
  return Math.min(Math.max(Math.round(value), least), most);
}

/** A block of zeros has no scale. */
function ratio(value: number, scale: number): number {
  return scale === 0 ? 0 : value / scale;
}

function putNibbles(bytes: Uint8Array, at: number, codeOf: (j: number) => number): void {
  for (let j = 0; j < 16; j++) bytes[at + j] = codeOf(j) | (codeOf(j + 16) << 4);
}

function putFives(bytes: Uint8Array, at: number, codeOf: (j: number) => number): void {
  bytes.fill(0, at, at + 4);
  for (let j = 0; j < 32; j++) bytes[at + (j >> 3)]! |= (codeOf(j) >>> 4) << (j & 7);
  putNibbles(bytes, at + 4, (j) => codeOf(j) & 15);
}

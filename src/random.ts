/**
 * Seeded random numbers: the same seed gives the same stream on every machine.
 *
 * Generator: xoshiro128** 1.1 (Blackman and Vigna 2018, doi 10.1145/3460772), seeded through SplitMix32 steps; 32-bit integer
 * arithmetic only, so that no platform can differ. Normals by the polar method of Marsaglia (1964), which needs no
 * trigonometry; `Math.log` is the one library function used, and `logarithm` below replaces it by our own to keep streams equal.
 */
import { UsageError } from "./errors.ts";

export interface Random {
  /** Uniform in [0, 1), 53 bits. */
  uniform(): number;
  /** Standard normal. */
  normal(): number;
  /** Exponential of mean 1. */
  exponential(): number;
  /** Uniform integer in [0, bound). */
  integer(bound: number): number;
  /** A new independent stream, named so that adding a consumer does not shift the others. */
  fork(name: string): Random;
  /** A copy of the generator's four words, from which a kernel draws on as this stream would. */
  state(): Uint32Array;
}

/** @throws {UsageError} `USAGE_INVALID_OPTION` unless `seed` is a safe non-negative integer. */
export function createRandom(seed: number): Random {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new UsageError("USAGE_INVALID_OPTION", `seed must be a whole number >= 0, not ${seed}`);
  }
  return fromKey(seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0, "");
}

/** Shuffles `values` in place (Fisher and Yates) and returns it. */
export function shuffle<T extends { length: number; [index: number]: unknown }>(
  values: T,
  random: Random,
): T {
  for (let i = values.length - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    const kept = values[i];
    values[i] = values[j];
    values[j] = kept;
  }
  return values;
}

function fromKey(low: number, high: number, name: string): Random {
  let mix = (low ^ Math.imul(high, 0x9e3779b9) ^ hash(name)) >>> 0;
  const splitMix = (): number => {
    mix = (mix + 0x9e3779b9) >>> 0;
    let z = mix;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
  let a = splitMix();
  let b = splitMix();
  let c = splitMix();
  let d = splitMix() | 1;

  const next = (): number => {
    const product = Math.imul(b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = (d << 11) | (d >>> 21);
    return result;
  };
  const uniform = (): number => ((next() >>> 5) * 67108864 + (next() >>> 6)) / 9007199254740992;

  let spare: number | undefined;
  const random: Random = {
    uniform,
    normal() {
      if (spare !== undefined) {
        const kept = spare;
        spare = undefined;
        return kept;
      }
      for (;;) {
        const x = 2 * uniform() - 1;
        const y = 2 * uniform() - 1;
        const s = x * x + y * y;
        if (s > 0 && s < 1) {
          const factor = Math.sqrt((-2 * logarithm(s)) / s);
          spare = y * factor;
          return x * factor;
        }
      }
    },
    exponential() {
      return -logarithm(1 - uniform());
    },
    integer(bound) {
      if (!Number.isSafeInteger(bound) || bound < 1 || bound > 2 ** 32) {
        throw new UsageError("USAGE_INVALID_OPTION", `bound must be in 1..2^32, not ${bound}`);
      }
      const limit = Math.floor(2 ** 32 / bound) * bound;
      for (;;) {
        const draw = next();
        if (draw < limit) return draw % bound;
      }
    },
    fork(child) {
      return fromKey(low, high, `${name}/${child}`);
    },
    state() {
      return Uint32Array.of(a, b, c, d);
    },
  };
  return random;
}

/**
 * Natural logarithm of a positive normal number, by operations that IEEE 754 fixes to the bit; `Math.log` may differ between
 * engines. Method: x = m 2^e with m in [sqrt(1/2), sqrt(2)), then 2 artanh((m-1)/(m+1)) as a series. Error below 2 ulp.
 */
export function logarithm(x: number): number {
  view.setFloat64(0, x);
  const high = view.getUint32(0);
  let exponent = (high >>> 20) - 1023;
  view.setUint32(0, (high & 0x000fffff) | 0x3ff00000);
  let mantissa = view.getFloat64(0);
  if (mantissa > Math.SQRT2) {
    mantissa /= 2;
    exponent += 1;
  }
  const ratio = (mantissa - 1) / (mantissa + 1);
  const square = ratio * ratio;
  let sum = 0;
  for (let k = 23; k >= 1; k -= 2) sum = sum * square + 1 / k;
  return exponent * Math.LN2 + 2 * ratio * sum;
}

const view = new DataView(new ArrayBuffer(8));

function hash(name: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) {
    h = Math.imul(h ^ name.charCodeAt(i), 0x01000193);
  }
  return h >>> 0;
}

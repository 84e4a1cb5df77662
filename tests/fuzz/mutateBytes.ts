/** Damage that knows no format: cuts, flips, splices, lengths that lie. */
import type { Random } from "../../src/index.ts";

type Mutation = (bytes: Uint8Array, random: Random) => Uint8Array;

/** One to four mutations, one upon the other. */
export function mutateBytes(bytes: Uint8Array, random: Random): Uint8Array {
  let damaged: Uint8Array = bytes.slice();
  for (let rounds = 1 + random.integer(4); rounds > 0 && damaged.length > 0; rounds--) {
    damaged = pick(mutations, random)(damaged, random);
  }
  return damaged;
}

export function pick<T>(values: readonly T[], random: Random): T {
  return values[random.integer(values.length)]!;
}

/** Values that readers meet at the edges of their integer types. */
const edges: readonly bigint[] = [
  0n,
  1n,
  2n,
  0x7fn,
  0xffn,
  0x7fffn,
  0xffffn,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_ffffn,
  1n << 53n,
  1n << 60n,
  1n << 62n,
  (1n << 63n) - 1n,
  (1n << 64n) - 1n,
];

const mutations: readonly Mutation[] = [
  function cut(bytes, random) {
    return bytes.slice(0, random.integer(bytes.length));
  },
  function flip(bytes, random) {
    for (let count = 1 + random.integer(8); count > 0; count--) {
      bytes[random.integer(bytes.length)]! ^= 1 << random.integer(8);
    }
    return bytes;
  },
  function writeLength(bytes, random) {
    const value = pick([...edges, BigInt(bytes.length), BigInt(bytes.length + 1)], random);
    const at = random.integer(bytes.length);
    const width = Math.min(pick([1, 2, 4, 8], random), bytes.length - at);
    for (let i = 0; i < width; i++) bytes[at + i] = Number((value >> BigInt(8 * i)) & 0xffn);
    return bytes;
  },
  function insertVarint(bytes, random) {
    const varint: number[] = [];
    let left = pick(edges, random);
    for (; left > 0x7fn; left >>= 7n) varint.push(Number(left & 0x7fn) | 0x80);
    return spliced(bytes, random.integer(bytes.length), [...varint, Number(left)]);
  },
  function copySpan(bytes, random) {
    const [start, end] = spanOf(bytes, random);
    return spliced(bytes, random.integer(bytes.length), [...bytes.subarray(start, end)]);
  },
  function moveSpan(bytes, random) {
    const [start, end] = spanOf(bytes, random);
    bytes.copyWithin(random.integer(bytes.length), start, end);
    return bytes;
  },
  function removeSpan(bytes, random) {
    const [start, end] = spanOf(bytes, random);
    return Uint8Array.from([...bytes.subarray(0, start), ...bytes.subarray(end)]);
  },
  function fillSpan(bytes, random) {
    const [start, end] = spanOf(bytes, random);
    return bytes.fill(pick([0, 0x20, 0x7f, 0x80, 0xff], random), start, end);
  },
  function insertNoise(bytes, random) {
    const noise = Array.from({ length: 1 + random.integer(32) }, () => random.integer(256));
    return spliced(bytes, random.integer(bytes.length), noise);
  },
];

function spanOf(bytes: Uint8Array, random: Random): [number, number] {
  const start = random.integer(bytes.length);
  const longest = Math.min(pick([4, 16, 256], random), bytes.length - start);
  return [start, start + 1 + random.integer(longest)];
}

function spliced(bytes: Uint8Array, at: number, inserted: readonly number[]): Uint8Array {
  return Uint8Array.from([...bytes.subarray(0, at), ...inserted, ...bytes.subarray(at)]);
}

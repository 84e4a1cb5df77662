/**
 * New numbers into a packed field of varints without moving a byte behind it: numbers that are kept keep their bytes, others are
 * written as short as they go, and what is left over is filled with the empty groups that a varint may end in.
 * Source: https://protobuf.dev/programming-guides/encoding (a varint has up to ten groups of seven bits).
 */
import { FormatError } from "../../errors.ts";
import type { DType, FloatArray } from "../../tensor/dtype.ts";
import { encodeTensor } from "../../tensor/encode.ts";

const longest = 10;

/** @throws {FormatError} `FORMAT_UNSUPPORTED` where the numbers take more bytes than there are */
export function patchedVarints(
  old: Uint8Array,
  values: FloatArray,
  { dtype, size, name }: { dtype: DType; size: number; name: string },
): Uint8Array {
  const numbers = numbersOf(encodeTensor(values, dtype), size, dtype);
  const parts: { bytes: Uint8Array; isNew: boolean }[] = [];
  let at = 0;
  for (const number of numbers) {
    const start = at;
    while (at < old.byteLength && old[at]! >= 0x80) at++;
    at++;
    const bytes = old.subarray(start, at);
    const isNew = BigInt.asUintN(8 * size, valueOf(bytes)) !== BigInt.asUintN(8 * size, number);
    parts.push({ bytes: isNew ? varint(number) : bytes, isNew });
  }
  let rest = old.byteLength - parts.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
  for (const part of parts) {
    if (!part.isNew || rest <= 0) continue;
    const more = Math.min(rest, longest - part.bytes.byteLength);
    part.bytes = stretched(part.bytes, more);
    rest -= more;
  }
  if (rest !== 0) {
    throw new FormatError(
      "FORMAT_UNSUPPORTED",
      "the new values do not fit the bytes of the old ones",
      {
        path: [name],
        hint: "They are stored number by number, in as many bytes as each takes; write a new file instead.",
      },
    );
  }
  const patched = new Uint8Array(old.byteLength);
  let end = 0;
  for (const { bytes } of parts) {
    patched.set(bytes, end);
    end += bytes.byteLength;
  }
  return patched;
}

/** Signed types as protobuf has them, sign and all; patterns of floats and packed parts of a byte as they are. */
function numbersOf(bytes: Uint8Array, size: number, dtype: DType): bigint[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isSigned = /^int(8|16|32|64)$/.test(dtype);
  return Array.from({ length: bytes.byteLength / size }, (_, i) => {
    let value = 0n;
    for (let byte = size - 1; byte >= 0; byte--) {
      value = (value << 8n) | BigInt(view.getUint8(i * size + byte));
    }
    return isSigned ? BigInt.asIntN(8 * size, value) : value;
  });
}

function valueOf(bytes: Uint8Array): bigint {
  return bytes.reduceRight((sum, byte) => (sum << 7n) | BigInt(byte & 0x7f), 0n);
}

function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

/** The same number in `more` bytes more. */
function stretched(bytes: Uint8Array, more: number): Uint8Array {
  if (more === 0) return bytes;
  const longer = new Uint8Array(bytes.byteLength + more).fill(0x80);
  longer.set(bytes);
  longer[bytes.byteLength - 1]! |= 0x80;
  longer[longer.byteLength - 1] = 0;
  return longer;
}

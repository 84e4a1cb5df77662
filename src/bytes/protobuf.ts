/**
 * A bounded scan over protobuf's wire format: finds where each field lies without decoding what it does not need, so that a file
 * of many gigabytes is read through a window of 64 KiB.
 * Source: https://protobuf.dev/programming-guides/encoding (varints, tags, length-delimited records).
 */
import { FormatError } from "../errors.ts";
import type { ByteSource } from "./source.ts";

/** Bytes of [start, end) of a source. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** One field on the wire. Its payload is [start, end); a varint's value is in `low` and `high`. */
export interface ProtobufField extends Span {
  readonly number: number;
  /** 0 varint, 1 eight bytes, 2 length-delimited, 5 four bytes. */
  readonly wire: number;
  /** Unsigned 32-bit halves of a varint, else 0. */
  readonly low: number;
  readonly high: number;
}

type ErrorPath = readonly (string | number)[];

export interface ProtobufScan {
  /**
   * Calls `visit` for each field of the message in `span`, in order, waiting where it returns a promise.
   * @throws {FormatError} `FORMAT_TRUNCATED` where the file ends too early, `FORMAT_MALFORMED` for what is no protobuf.
   */
  fields(
    span: Span,
    path: ErrorPath,
    visit: (field: ProtobufField) => void | Promise<void>,
  ): Promise<void>;
  bytes(span: Span): Promise<Uint8Array>;
  /** UTF-8; bytes that are none become U+FFFD. */
  text(span: Span): Promise<string>;
}

const windowLength = 65536;
/** A tag and a length, ten bytes each at most. */
const headerLength = 20;
const decoder = new TextDecoder();

/** A scan over `source`; one at a time, since its calls share a window. */
export function protobufScan(source: ByteSource): ProtobufScan {
  let window: Uint8Array = new Uint8Array(0);
  let windowStart = 0;
  const holds = (start: number, end: number): boolean =>
    start >= windowStart && end <= windowStart + window.byteLength;
  const load = async (start: number): Promise<void> => {
    window = await source.slice(start, Math.min(start + windowLength, source.byteLength));
    windowStart = start;
  };
  const bytes = async ({ start, end }: Span): Promise<Uint8Array> => {
    if (end - start > windowLength) return source.slice(start, end);
    if (!holds(start, end)) await load(start);
    return window.subarray(start - windowStart, end - windowStart);
  };
  return {
    bytes,
    async text(span) {
      return decoder.decode(await bytes(span));
    },
    async fields(span, path, visit) {
      let at = span.start;
      while (at < span.end) {
        if (!holds(at, Math.min(at + headerLength, source.byteLength))) await load(at);
        const limit = Math.min(span.end, windowStart + window.byteLength) - windowStart;
        const field = readField(window, at - windowStart, limit, windowStart);
        if (field === null || field.end > span.end) {
          throw overrun(field?.end ?? span.end + 1, source, path);
        }
        if (field.number === 0 || field.wire === 3 || field.wire === 4 || field.wire > 5) {
          throw new FormatError(
            "FORMAT_MALFORMED",
            `byte ${at} starts no field: number ${field.number}, wire type ${field.wire}`,
            { path, hint: "The file is damaged, or not of this format." },
          );
        }
        at = field.end;
        const pending = visit(field);
        if (pending !== undefined) await pending;
      }
    },
  };
}

/** A varint's value as a signed 64-bit integer; past 2^53 it is rounded, so test for safe integers where it counts. */
export function signedValue({ low, high }: { low: number; high: number }): number {
  return (high | 0) * 2 ** 32 + low;
}

/**
 * The varints of a packed field, signed.
 * @throws {FormatError} `FORMAT_MALFORMED` if the last one is cut.
 */
export function packedVarints(bytes: Uint8Array, path: ErrorPath): number[] {
  const values: number[] = [];
  for (let at = 0; at < bytes.byteLength;) {
    const varint = readVarint(bytes, at, bytes.byteLength);
    if (varint === null) {
      throw new FormatError("FORMAT_MALFORMED", "the last number of the list is cut", { path });
    }
    values.push(signedValue(varint));
    at = varint.next;
  }
  return values;
}

/** Calls `visit` with the halves of each whole varint in `bytes`. How many bytes these take: the rest is a cut one. */
export function eachVarint(bytes: Uint8Array, visit: (low: number, high: number) => void): number {
  let at = 0;
  while (at < bytes.byteLength) {
    const byte = bytes[at]!;
    if (byte < 0x80) {
      visit(byte, 0);
      at++;
      continue;
    }
    const varint = readVarint(bytes, at, bytes.byteLength);
    if (varint === null) break;
    visit(varint.low, varint.high);
    at = varint.next;
  }
  return at;
}

function readField(
  bytes: Uint8Array,
  at: number,
  limit: number,
  base: number,
): ProtobufField | null {
  const tag = readVarint(bytes, at, limit);
  if (tag === null) return null;
  const number = tag.high === 0 ? tag.low >>> 3 : 0;
  const wire = tag.low & 7;
  const start = base + tag.next;
  if (wire === 1 || wire === 5) {
    return { number, wire, start, end: start + (wire === 1 ? 8 : 4), low: 0, high: 0 };
  }
  if (wire !== 0 && wire !== 2) return { number, wire, start, end: start, low: 0, high: 0 };
  const varint = readVarint(bytes, tag.next, limit);
  if (varint === null) return null;
  const { low, high } = varint;
  const after = base + varint.next;
  if (wire === 0) return { number, wire, start, end: after, low, high };
  return { number, wire, start: after, end: after + high * 2 ** 32 + low, low: 0, high: 0 };
}

function readVarint(
  bytes: Uint8Array,
  start: number,
  limit: number,
): { low: number; high: number; next: number } | null {
  let low = 0;
  let high = 0;
  for (let i = 0; i < 10; i++) {
    if (start + i >= limit) return null;
    const byte = bytes[start + i]!;
    const bits = byte & 0x7f;
    if (i < 4) low |= bits << (7 * i);
    else if (i === 4) {
      low |= bits << 28;
      high = bits >>> 4;
    } else high |= bits << (7 * i - 32);
    if (byte < 0x80) return { low: low >>> 0, high: high >>> 0, next: start + i + 1 };
  }
  return null;
}

function overrun(end: number, source: ByteSource, path: ErrorPath): FormatError {
  return end > source.byteLength
    ? new FormatError(
        "FORMAT_TRUNCATED",
        `data are announced up to byte ${end}, the file has ${source.byteLength}`,
        { path, hint: "The file is cut short or damaged: fetch it again." },
      )
    : new FormatError("FORMAT_MALFORMED", `a field runs over the end of its message`, {
        path,
        hint: "The file is damaged.",
      });
}

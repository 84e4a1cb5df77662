/** The key-value pairs of a GGUF file: numbers, text and lists of them. */
import { FormatError } from "../../errors.ts";
import type { Cursor } from "./cursor.ts";

export type GgufValue = number | boolean | string | GgufList;

/** A list; of a long one (a vocabulary) only the length is kept. */
type GgufList = readonly GgufValue[] | { readonly length: number };

export interface GgufReading {
  readonly cursor: Cursor;
  /** 1 to 3; the first counts in 32 bits. */
  readonly version: number;
  readonly path: readonly (string | number)[];
}

const maxKeyLength = 65535;
/** Longer texts are cut, longer lists are counted. */
const keptText = 65536;
const keptItems = 64;
const maxNesting = 8;
const stringType = 8;
const listType = 9;

const sizes: Readonly<Record<number, number>> = {
  0: 1,
  1: 1,
  2: 2,
  3: 2,
  4: 4,
  5: 4,
  6: 4,
  7: 1,
  10: 8,
  11: 8,
  12: 8,
};

/**
 * The pairs in order.
 * @throws {FormatError} `FORMAT_TRUNCATED`, `FORMAT_MALFORMED` for an unknown type or a key that stands twice, `FORMAT_LIMIT`
 */
export async function readKeyValues(
  reading: GgufReading,
  count: number,
): Promise<ReadonlyMap<string, GgufValue>> {
  const pairs = new Map<string, GgufValue>();
  for (let i = 0; i < count; i++) {
    const key = await readText(reading, maxKeyLength);
    const inner = { ...reading, path: [...reading.path, key] };
    if (pairs.has(key)) throw malformed("the key stands twice", inner.path);
    pairs.set(key, await valueOf(inner, await readNumber(reading, 4), 0));
  }
  return pairs;
}

/** A count or length: 64 bits, in version 1 32. */
export async function readLength({ cursor, version, path }: GgufReading): Promise<number> {
  const width = version === 1 ? 4 : 8;
  const pending = cursor.need(width);
  if (pending !== undefined) await pending;
  const view = cursor.take(width);
  const length = width === 4 ? view.getUint32(0, true) : Number(view.getBigUint64(0, true));
  if (Number.isSafeInteger(length)) return length;
  throw malformed(`a length of ${length}`, path);
}

/** An unsigned number of 4 bytes. */
export async function readNumber({ cursor }: GgufReading, width: 4): Promise<number> {
  const pending = cursor.need(width);
  if (pending !== undefined) await pending;
  return cursor.take(width).getUint32(0, true);
}

/** UTF-8; bytes that are none become U+FFFD. @throws {FormatError} `FORMAT_LIMIT` past `most` bytes */
export async function readText(reading: GgufReading, most: number): Promise<string> {
  const { cursor, path } = reading;
  const length = await readLength(reading);
  if (length > most) {
    throw new FormatError("FORMAT_LIMIT", `a name of ${length} bytes`, { path });
  }
  return textOf(cursor, length, length);
}

async function textOf(cursor: Cursor, length: number, kept: number): Promise<string> {
  const pending = cursor.need(kept);
  if (pending !== undefined) await pending;
  const text = new TextDecoder().decode(cursor.take(kept));
  cursor.skip(length - kept);
  return kept < length ? `${text}…` : text;
}

async function valueOf(reading: GgufReading, type: number, depth: number): Promise<GgufValue> {
  const { cursor, path } = reading;
  if (type === stringType) {
    const length = await readLength(reading);
    if (length > cursor.left) cursor.skip(length); // says so
    return textOf(cursor, length, Math.min(length, keptText));
  }
  if (type === listType) return listOf(reading, depth);
  const size = sizes[type];
  if (size === undefined) throw malformed(`a value of type ${type}`, path);
  const pending = cursor.need(size);
  if (pending !== undefined) await pending;
  return numberOf(cursor.take(size), type);
}

async function listOf(reading: GgufReading, depth: number): Promise<GgufList> {
  const { cursor, path } = reading;
  if (depth >= maxNesting) throw malformed(`lists nested over ${maxNesting} deep`, path);
  const type = await readNumber(reading, 4);
  const length = await readLength(reading);
  const size = sizes[type];
  if (size !== undefined && length > keptItems) {
    cursor.skip(length * size);
    return { length };
  }
  // Text and lists take at least their own length.
  const least = size ?? (reading.version === 1 ? 4 : 8);
  if (length * least > cursor.left) cursor.skip(length * least);
  const items: GgufValue[] = [];
  for (let i = 0; i < length; i++) {
    if (length > keptItems && type === stringType) cursor.skip(await readLength(reading));
    else {
      const value = await valueOf(reading, type, depth + 1);
      if (i < keptItems) items.push(value);
    }
  }
  return length > keptItems ? { length } : items;
}

function numberOf(view: DataView, type: number): number | boolean {
  switch (type) {
    case 0:
      return view.getUint8(0);
    case 1:
      return view.getInt8(0);
    case 2:
      return view.getUint16(0, true);
    case 3:
      return view.getInt16(0, true);
    case 4:
      return view.getUint32(0, true);
    case 5:
      return view.getInt32(0, true);
    case 6:
      return view.getFloat32(0, true);
    case 7:
      return view.getUint8(0) !== 0;
    case 10:
      return Number(view.getBigUint64(0, true));
    case 11:
      return Number(view.getBigInt64(0, true));
    default:
      return view.getFloat64(0, true);
  }
}

function malformed(what: string, path: readonly (string | number)[]): FormatError {
  return new FormatError("FORMAT_MALFORMED", `${what} is not allowed`, {
    path,
    hint: "The file is damaged.",
  });
}

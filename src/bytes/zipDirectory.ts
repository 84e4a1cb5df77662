/**
 * The central directory of a zip archive, with the place of each of its fields, so that an archive can be changed without being
 * written anew. One reading only is accepted of what could be read in two ways.
 * Source: PKWARE APPNOTE 6.3.10, sections 4.3 to 4.5.
 */
import { FormatError } from "../errors.ts";
import type { ByteSource } from "./source.ts";
import { endOfZip } from "./zipEnd.ts";

/** A record of the directory: what it announces of an entry. */
export interface ZipRecord {
  readonly name: string;
  /** As stored. */
  readonly nameBytes: Uint8Array;
  readonly flags: number;
  /** 0 stored, 8 deflated. */
  readonly method: number;
  readonly crc: number;
  readonly packedLength: number;
  readonly byteLength: number;
  /** Where the local header begins. */
  readonly offset: number;
  /** Where the local header of the entry behind it begins, or the directory: nothing of this entry reaches further. */
  readonly limit: number;
  /** Places in the directory's bytes. */
  readonly fields: ZipFields;
}

/** Where the numbers of a record stand: in 4 bytes at a fixed place, or in 8 bytes in the record's zip64 field. */
interface ZipFields {
  readonly crc: number;
  readonly packedLength: ZipField;
  readonly byteLength: ZipField;
  readonly offset: ZipField;
}

export interface ZipField {
  readonly at: number;
  readonly width: 4 | 8;
}

export interface ZipDirectory {
  /** In the archive's own order, folders included. */
  readonly records: readonly ZipRecord[];
  readonly start: number;
  readonly bytes: Uint8Array;
}

const maxEntries = 2 ** 16;
const maxDirectoryLength = 2 ** 26;
const recordLength = 46;
/** Deflate cannot pack tighter than this. */
const maxExpansion = 1032;
/** Of a number that stands in the zip64 field instead. */
export const inZip64 = 0xffffffff;

/**
 * Reads the end of the archive alone.
 * @throws {FormatError} `FORMAT_MALFORMED`, `FORMAT_TRUNCATED`, `FORMAT_LIMIT`, `FORMAT_UNSUPPORTED` for archives in several parts
 */
export async function readZipDirectory(source: ByteSource): Promise<ZipDirectory> {
  const { count, start, byteLength } = await endOfZip(source);
  if (count > maxEntries || byteLength > maxDirectoryLength) {
    throw new FormatError("FORMAT_LIMIT", `a directory of ${count} entries is announced`, {
      path: [source.name],
      hint: `At most ${maxEntries} are read.`,
    });
  }
  const bytes = await source.slice(start, start + byteLength);
  const records: Omit<ZipRecord, "limit">[] = [];
  let at = 0;
  while (records.length < count) {
    const { next, ...record } = recordAt(bytes, at, source.name);
    records.push(record);
    at = next;
  }
  if (at !== bytes.byteLength) {
    throw damaged("the directory goes on after its last entry", [source.name]);
  }
  return { records: limited(records, start, source.name), start, bytes };
}

function recordAt(
  bytes: Uint8Array,
  at: number,
  archive: string,
): Omit<ZipRecord, "limit"> & { readonly next: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (at + recordLength > bytes.byteLength || view.getUint32(at, true) !== 0x02014b50) {
    throw damaged("the directory holds fewer entries than announced", [archive]);
  }
  const flags = view.getUint16(at + 8, true);
  const nameEnd = at + recordLength + view.getUint16(at + 28, true);
  const extraEnd = nameEnd + view.getUint16(at + 30, true);
  const next = extraEnd + view.getUint16(at + 32, true);
  if (next > bytes.byteLength) throw damaged("an entry runs over the directory's end", [archive]);
  const nameBytes = bytes.subarray(at + recordLength, nameEnd);
  const name = nameOf(nameBytes);
  const path = [archive, name];
  const place = fieldReader(bytes, { start: nameEnd, end: extraEnd }, path);
  const byteLength = place(at + 24);
  const packedLength = place(at + 20);
  const offset = place(at + 42);
  const fields = { crc: at + 16, packedLength, byteLength, offset };
  const record = {
    name,
    nameBytes,
    flags,
    method: view.getUint16(at + 10, true),
    crc: view.getUint32(at + 16, true),
    packedLength: zipNumber(bytes, packedLength, path),
    byteLength: zipNumber(bytes, byteLength, path),
    offset: zipNumber(bytes, offset, path),
    fields,
  };
  checkSizes(record, path);
  return { ...record, next };
}

/** Each call gives the place of the next number: a masked one stands in the zip64 field, which keeps their order. */
export function fieldReader(
  bytes: Uint8Array,
  extra: { readonly start: number; readonly end: number },
  path: readonly string[],
): (at: number) => ZipField {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const zip64 = extraField(view, extra, 1);
  let at = zip64?.start ?? 0;
  return (plain) => {
    if (view.getUint32(plain, true) !== inZip64) return { at: plain, width: 4 };
    if (zip64 === null || at + 8 > zip64.end) throw damaged("a 64-bit size is missing", path);
    at += 8;
    return { at: at - 8, width: 8 };
  };
}

function extraField(
  view: DataView,
  { start, end }: { readonly start: number; readonly end: number },
  id: number,
): { start: number; end: number } | null {
  for (let at = start; at + 4 <= end;) {
    const own = { start: at + 4, end: at + 4 + view.getUint16(at + 2, true) };
    if (own.end > end) return null;
    if (view.getUint16(at, true) === id) return own;
    at = own.end;
  }
  return null;
}

/** @throws {FormatError} `FORMAT_MALFORMED` past 2^53 */
export function zipNumber(
  bytes: Uint8Array,
  { at, width }: ZipField,
  path: readonly string[],
): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (width === 4) return view.getUint32(at, true);
  const value = view.getBigUint64(at, true);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw damaged(`a size of ${value} bytes`, path);
  return Number(value);
}

type Sizes = Pick<ZipRecord, "method" | "flags" | "packedLength" | "byteLength">;

function checkSizes(
  { method, flags, packedLength, byteLength }: Sizes,
  path: readonly string[],
): void {
  const isEncrypted = (flags & 1) === 1;
  if (method === 0 && packedLength !== byteLength && !isEncrypted) {
    throw damaged("a stored entry has two sizes", path);
  }
  if (method === 8 && byteLength > packedLength * maxExpansion + 64) {
    throw new FormatError(
      "FORMAT_LIMIT",
      `${byteLength} bytes are announced to be packed into ${packedLength}`,
      { path, hint: "Deflate cannot pack that tight: the file is damaged or hostile." },
    );
  }
}

/** Entries must lie one behind the other in [0, directory), none in another, no two of one name. */
function limited(
  records: readonly Omit<ZipRecord, "limit">[],
  directory: number,
  archive: string,
): ZipRecord[] {
  const names = new Set<string>();
  const byPlace = [...records.keys()].sort((a, b) => records[a]!.offset - records[b]!.offset);
  const placed = new Array<ZipRecord>(records.length);
  for (const [rank, index] of byPlace.entries()) {
    const record = records[index]!;
    const next = byPlace[rank + 1];
    const limit = next === undefined ? directory : records[next]!.offset;
    const path = [archive, record.name];
    if (record.offset + 30 + record.nameBytes.byteLength + record.packedLength > limit) {
      throw damaged("the entry reaches into what follows it", path);
    }
    if (names.has(record.name)) throw damaged("two entries have this name", path);
    names.add(record.name);
    placed[index] = { ...record, limit };
  }
  return placed;
}

/** UTF-8 whatever the flag says, since most writers forget it; else a character a byte. */
function nameOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return new TextDecoder("latin1").decode(bytes);
  }
}

export function damaged(what: string, path: readonly string[]): FormatError {
  return new FormatError("FORMAT_MALFORMED", `not a sound zip archive: ${what}`, {
    path,
    hint: "The file is cut short or damaged: fetch it again.",
  });
}

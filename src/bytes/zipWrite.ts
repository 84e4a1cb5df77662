/**
 * New zip archives of stored entries. Equal content gives equal bytes: every entry is of the first moment that zip knows.
 * Source: PKWARE APPNOTE 6.3.10, sections 4.3 to 4.5.
 */
import { FormatError, UsageError } from "../errors.ts";
import { crc32 } from "./crc32.ts";
import type { Piece } from "./pieces.ts";
import { hasUnsafeName } from "./zipName.ts";

export interface NewZipEntry {
  readonly name: string;
  readonly byteLength: number;
  make(): Promise<Uint8Array>;
}

/** Sizes from here on need the 64-bit fields. */
const wide = 0xffffffff;
const utf8Flag = 0x800;
/** 1 January 1980. */
const firstDay = 0x21;

interface Placed extends NewZipEntry {
  readonly nameBytes: Uint8Array;
  readonly offset: number;
  /** Made with the entry; the directory behind it needs it again. */
  crc: number | null;
}

/**
 * Made entry by entry, as they are asked for. Memory: the largest entry.
 * @throws {UsageError} `USAGE_INVALID_OPTION` for a name that stands twice; {FormatError} `FORMAT_UNSUPPORTED` for one that would
 *   lead out of a folder
 */
export function zipPieces(entries: readonly NewZipEntry[]): readonly Piece[] {
  const placed = places(entries);
  const pieces = placed.map((entry): Piece => {
    const header = localHeader(entry, 0).byteLength;
    return {
      kind: "made",
      byteLength: header + entry.byteLength,
      async make() {
        const bytes = await entry.make();
        entry.crc = crc32(bytes);
        return joined([localHeader(entry, entry.crc), bytes]);
      },
    };
  });
  const last = placed.at(-1);
  const start =
    last === undefined ? 0 : last.offset + localHeader(last, 0).byteLength + last.byteLength;
  const make = async (): Promise<Uint8Array> => {
    for (const entry of placed) entry.crc ??= crc32(await entry.make());
    return directory(placed, start);
  };
  return [...pieces, { kind: "made", byteLength: directory(placed, start).byteLength, make }];
}

function places(entries: readonly NewZipEntry[]): Placed[] {
  const names = new Set<string>();
  let offset = 0;
  return entries.map((entry) => {
    const { name, byteLength } = entry;
    if (names.has(name)) {
      throw new UsageError("USAGE_INVALID_OPTION", `the name ${name} is taken`, { path: [name] });
    }
    names.add(name);
    const nameBytes = new TextEncoder().encode(name);
    if (hasUnsafeName(name) || nameBytes.byteLength > 0xffff) {
      throw new FormatError("FORMAT_UNSUPPORTED", "an archive is not given such a name", {
        path: [name],
        hint: "Unpacked, it could be written outside its folder: rename the tensor.",
      });
    }
    const placed = { ...entry, nameBytes, offset, crc: null };
    offset += localHeader(placed, 0).byteLength + byteLength;
    return placed;
  });
}

/** What the local header and the directory say alike: from "version needed" to the length of the name. */
function shared({ byteLength, nameBytes }: Placed, crc: number, needsWide: boolean): Uint8Array {
  const size = byteLength >= wide ? wide : byteLength;
  const isPlain = nameBytes.every((byte) => byte < 0x80);
  return numbers([
    [2, needsWide ? 45 : 20],
    [2, isPlain ? 0 : utf8Flag],
    [2, 0],
    [2, 0],
    [2, firstDay],
    [4, crc],
    [4, size],
    [4, size],
    [2, nameBytes.byteLength],
  ]);
}

function localHeader(entry: Placed, crc: number): Uint8Array {
  const { byteLength, nameBytes } = entry;
  const extra = wideField(byteLength >= wide ? [byteLength, byteLength] : []);
  return joined([
    numbers([[4, 0x04034b50]]),
    shared(entry, crc, byteLength >= wide),
    numbers([[2, extra.byteLength]]),
    nameBytes,
    extra,
  ]);
}

function directory(entries: readonly Placed[], start: number): Uint8Array {
  const records = joined(entries.map(directoryRecord));
  const end = start + records.byteLength;
  const needsWide = entries.length >= 0xffff || end >= wide;
  const count = Math.min(entries.length, 0xffff);
  const wideEnd = needsWide
    ? numbers([
        [4, 0x06064b50],
        [8, 44],
        [2, 45],
        [2, 45],
        [4, 0],
        [4, 0],
        [8, entries.length],
        [8, entries.length],
        [8, records.byteLength],
        [8, start],
        [4, 0x07064b50],
        [4, 0],
        [8, end],
        [4, 1],
      ])
    : new Uint8Array();
  const plainEnd = numbers([
    [4, 0x06054b50],
    [4, 0],
    [2, count],
    [2, count],
    [4, Math.min(records.byteLength, wide)],
    [4, Math.min(start, wide)],
    [2, 0],
  ]);
  return joined([records, wideEnd, plainEnd]);
}

function directoryRecord(entry: Placed): Uint8Array {
  const { byteLength, offset, nameBytes, crc } = entry;
  const wides = [
    ...(byteLength >= wide ? [byteLength, byteLength] : []),
    ...(offset >= wide ? [offset] : []),
  ];
  const extra = wideField(wides);
  return joined([
    numbers([
      [4, 0x02014b50],
      [2, wides.length > 0 ? 45 : 20],
    ]),
    shared(entry, crc ?? 0, wides.length > 0),
    numbers([
      [2, extra.byteLength],
      [2, 0],
      [2, 0],
      [2, 0],
      [4, 0],
      [4, Math.min(offset, wide)],
    ]),
    nameBytes,
    extra,
  ]);
}

function wideField(values: readonly number[]): Uint8Array {
  if (values.length === 0) return new Uint8Array();
  return numbers([[2, 1], [2, 8 * values.length], ...values.map((value) => [8, value] as const)]);
}

/** Little-endian, each as [bytes, value]. */
function numbers(fields: readonly (readonly [width: 2 | 4 | 8, value: number])[]): Uint8Array {
  const bytes = new Uint8Array(fields.reduce((sum, [width]) => sum + width, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [width, value] of fields) {
    if (width === 8) view.setBigUint64(at, BigInt(value), true);
    else if (width === 4) view.setUint32(at, value, true);
    else view.setUint16(at, value, true);
    at += width;
  }
  return bytes;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return bytes;
}

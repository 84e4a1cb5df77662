/**
 * Zip archives: zip64, deflate, and only the parts that are asked for. An archive is believed where its directory, the entries'
 * own headers and the length of the file agree.
 */
import { FormatError, isWeightGraphError } from "../errors.ts";
import { crc32 } from "./crc32.ts";
import { inflate } from "./deflate.ts";
import { checkSpan, type ByteSource } from "./source.ts";
import { damaged, readZipDirectory, type ZipRecord } from "./zipDirectory.ts";
import { windowSource } from "./windowSource.ts";
import { readZipLocal } from "./zipLocal.ts";
import { hasUnsafeName } from "./zipName.ts";

export interface ZipEntry {
  /** A name, whatever it says: nothing is ever unpacked to a path. */
  readonly name: string;
  /** True for a name that would lead out of a folder: absolute, a drive, `..`, a backslash, a control character. */
  readonly hasUnsafeName: boolean;
  /** Unpacked. */
  readonly byteLength: number;
  /** True where the bytes lie in the archive as they are. */
  readonly isStored: boolean;
  /** Where the bytes of a stored entry begin in the archive; null for a packed one. @throws as `read` */
  dataOffset(): Promise<number | null>;
  /**
   * The whole entry, its checksum compared.
   * @throws {FormatError} `FORMAT_MALFORMED`, `FORMAT_TRUNCATED`, `FORMAT_LIMIT` for a bomb or what one array cannot hold,
   *   `FORMAT_UNSUPPORTED` for an encrypted entry or a packing that is neither stored nor deflated
   */
  read(): Promise<Uint8Array>;
  /** Bytes of [start, end). A packed entry is unpacked up to `end`, but kept no more of than this. @throws as `read` */
  slice(start: number, end: number): Promise<Uint8Array>;
  /** The bytes in order, a part at a time, never more than `byteLength`. @throws as `read` */
  chunks(): AsyncIterable<Uint8Array>;
}

export interface ZipOptions {
  /** Compare checksums when whole entries are read; some writers can be told to leave them out. @defaultValue true */
  readonly checksums?: boolean;
}

export const zipSignature: readonly number[] = [0x50, 0x4b, 0x03, 0x04];

const maxEntryLength = 2 ** 32 - 1;
const chunkLength = 2 ** 20;
/** Nothing but a constant packs so tight: past this much of it, it is a bomb. */
const maxRatio = 100;
const harmlessLength = 2 ** 27;

/**
 * The files of an archive, in its own order. Reads the directory at its end alone; an entry's own header is read and compared
 * when something of the entry is asked for.
 * @throws {FormatError} `FORMAT_MALFORMED`, `FORMAT_TRUNCATED`, `FORMAT_LIMIT`, `FORMAT_UNSUPPORTED`
 */
export async function openZip(source: ByteSource, options: ZipOptions = {}): Promise<ZipEntry[]> {
  const { records } = await readZipDirectory(source);
  const near = windowSource(source);
  return records
    .filter(({ name, byteLength }) => !(name.endsWith("/") && byteLength === 0))
    .map((record) => zipEntry(near, record, options));
}

/** One entry, of a directory that was read. */
export function zipEntry(
  source: ByteSource,
  record: ZipRecord,
  { checksums = true }: ZipOptions = {},
): ZipEntry {
  const { name, byteLength, packedLength, method, crc } = record;
  const path = [source.name, name];
  const isStored = method === 0;
  let place: Promise<number> | undefined;
  const dataStart = (): Promise<number> =>
    (place ??= readZipLocal(source, record).then((local) => local.dataStart));
  const entry: ZipEntry = {
    name,
    hasUnsafeName: hasUnsafeName(name),
    byteLength,
    isStored,
    async dataOffset() {
      checkMethod(record, path);
      const start = await dataStart();
      return isStored ? start : null;
    },
    async read() {
      if (byteLength > maxEntryLength) {
        throw new FormatError("FORMAT_LIMIT", `an entry of ${byteLength} bytes is announced`, {
          path,
        });
      }
      const bytes = await entry.slice(0, byteLength);
      if (checksums && crc32(bytes) !== crc) throw damaged("the checksum is wrong", path);
      return bytes;
    },
    async slice(start, end) {
      checkSpan(name, byteLength, start, end);
      const offset = await entry.dataOffset();
      if (offset !== null) return source.slice(offset + start, offset + end);
      checkExpansion(record, path);
      const wanted = new Uint8Array(end - start);
      let at = 0;
      for await (const chunk of entry.chunks()) {
        if (at + chunk.byteLength > start) {
          const from = Math.max(start - at, 0);
          const part = chunk.subarray(from, Math.max(from, Math.min(chunk.byteLength, end - at)));
          wanted.set(part, Math.max(at - start, 0));
        }
        at += chunk.byteLength;
        // To its very end a stream is followed, so that it is seen to have one.
        if (at >= end && end < byteLength) break;
      }
      return wanted;
    },
    async *chunks() {
      checkMethod(record, path);
      const offset = await dataStart();
      const packed = spanChunks(source, offset, offset + packedLength);
      if (isStored) yield* packed;
      else {
        checkExpansion(record, path);
        yield* inflated(packed, byteLength, path);
      }
    },
  };
  return entry;
}

/** Exactly `byteLength` bytes, or an error as soon as there are more. */
async function* inflated(
  packed: AsyncIterable<Uint8Array>,
  byteLength: number,
  path: readonly string[],
): AsyncGenerator<Uint8Array, void, undefined> {
  let at = 0;
  try {
    for await (const chunk of inflate(packed)) {
      at += chunk.byteLength;
      if (at > byteLength) throw damaged(`more than ${byteLength} bytes come out`, path);
      yield chunk;
    }
  } catch (cause) {
    if (isWeightGraphError(cause)) throw cause;
    throw new FormatError("FORMAT_MALFORMED", "the entry cannot be unpacked", { path, cause });
  }
  if (at < byteLength) throw damaged(`${byteLength} bytes are announced, ${at} come out`, path);
}

/** Bytes of [start, end), a MiB at a time. */
async function* spanChunks(
  source: ByteSource,
  start: number,
  end: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = start; at < end; at += chunkLength) {
    yield await source.slice(at, Math.min(at + chunkLength, end));
  }
}

function checkMethod({ flags, method }: ZipRecord, path: readonly string[]): void {
  const isEncrypted = (flags & 0x41) !== 0;
  if (!isEncrypted && (method === 0 || method === 8)) return;
  throw new FormatError(
    "FORMAT_UNSUPPORTED",
    isEncrypted ? "the entry is encrypted" : `the entry is packed by method ${method}`,
    { path, hint: "Entries that are stored or deflated are read: pack the archive anew." },
  );
}

function checkExpansion({ byteLength, packedLength }: ZipRecord, path: readonly string[]): void {
  if (byteLength <= Math.max(harmlessLength, packedLength * maxRatio)) return;
  throw new FormatError(
    "FORMAT_LIMIT",
    `${packedLength} bytes are announced to unpack to ${byteLength}`,
    { path, hint: `At most ${maxRatio} times as many are taken; store such an array unpacked.` },
  );
}

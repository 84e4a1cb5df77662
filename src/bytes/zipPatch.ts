/**
 * New bytes for entries of a zip archive. What does not have to change does not: a stored entry is edited where it lies, a
 * deflated one is packed anew and what follows it moves; names, times, flags, extra fields and comments stay.
 */
import { FormatError, UsageError } from "../errors.ts";
import { crc32 } from "./crc32.ts";
import { deflate } from "./deflate.ts";
import { editedPieces, piecesLength, type ByteEdit, type Piece } from "./pieces.ts";
import { checkSpan, spanSource, type ByteSource } from "./source.ts";
import { zipEntry } from "./zip.ts";
import { inZip64, readZipDirectory, type ZipField, type ZipRecord } from "./zipDirectory.ts";
import { readZipLocal, type ZipLocal } from "./zipLocal.ts";

/** By place in the unpacked entry, or all of it. Of edits that overlap, the later one wins. */
export type ZipChange = { readonly edits: readonly ByteEdit[] } | { readonly content: Uint8Array };

/** An entry as it will be. */
interface NewEntry {
  readonly record: ZipRecord;
  readonly local: ZipLocal;
  readonly data: readonly Piece[];
  readonly crc: number;
  readonly packedLength: number;
  readonly byteLength: number;
}

type Path = readonly string[];

/**
 * The archive with `changes` by entry name. A change that changes nothing leaves every byte as it was. Reads each changed entry
 * once, for its checksum. Memory: the packed bytes of deflated entries that change.
 * @throws {FormatError} `FORMAT_MALFORMED`, `FORMAT_TRUNCATED` for an edit outside its entry, `FORMAT_UNSUPPORTED` for encrypted
 *   entries and for sizes past 4 GiB in an archive made for less; {UsageError} `USAGE_INVALID_OPTION` for a name that no entry has
 */
export async function patchZip(
  source: ByteSource,
  changes: ReadonlyMap<string, ZipChange>,
): Promise<readonly Piece[]> {
  const directory = await readZipDirectory(source);
  checkNames(directory.records, changes, source.name);
  const bytes = directory.bytes.slice();
  const pieces: Piece[] = [];
  let copied = 0;
  let shift = 0;
  for (const record of [...directory.records].sort((a, b) => a.offset - b.offset)) {
    const path = [source.name, record.name];
    setField(bytes, record.fields.offset, record.offset + shift, path);
    const change = changes.get(record.name);
    const entry = change === undefined ? null : await changedEntry(source, record, change);
    if (entry === null) continue;
    pieces.push({ kind: "copy", source, start: copied, end: record.offset });
    pieces.push(...entryPieces(entry, path));
    setNumbers(bytes, record.fields, entry, path);
    const { dataStart, descriptor } = entry.local;
    copied = dataStart + record.packedLength + (descriptor?.bytes.byteLength ?? 0);
    shift += entry.packedLength - record.packedLength;
  }
  if (pieces.length === 0) return [{ kind: "copy", source, start: 0, end: source.byteLength }];
  pieces.push({ kind: "copy", source, start: copied, end: directory.start }, piece(bytes));
  const tail = await source.slice(directory.start + bytes.byteLength, source.byteLength);
  pieces.push(piece(shifted(tail, { directory: directory.start, shift }, [source.name])));
  return pieces.filter((one) => piecesLength([one]) > 0);
}

/** Null where the change changes nothing. */
async function changedEntry(
  source: ByteSource,
  record: ZipRecord,
  change: ZipChange,
): Promise<NewEntry | null> {
  const old = zipEntry(source, record);
  const inPlace = await old.dataOffset(); // refuses what cannot be packed
  const local = await readZipLocal(source, record);
  const plain = plainBytes(record, change, () => old.chunks());
  const state = { crc: 0, differs: plain.byteLength !== record.byteLength };
  const seen = watched(plain.chunks(state), state);
  const packed = inPlace === null ? await collected(deflate(seen)) : null;
  if (packed === null) await drained(seen); // for the checksum alone
  if (!state.differs) return null;
  const data = packed?.map(piece) ?? plain.storedPieces(source, local.dataStart);
  const { byteLength } = plain;
  return { record, local, data, crc: state.crc, packedLength: piecesLength(data), byteLength };
}

interface State {
  crc: number;
  differs: boolean;
}

interface PlainBytes {
  readonly byteLength: number;
  chunks(state: State): AsyncIterable<Uint8Array>;
  storedPieces(source: ByteSource, dataStart: number): readonly Piece[];
}

function plainBytes(
  { name, byteLength }: ZipRecord,
  change: ZipChange,
  old: () => AsyncIterable<Uint8Array>,
): PlainBytes {
  if ("content" in change && change.content.byteLength !== byteLength) {
    const { content } = change;
    return {
      byteLength: content.byteLength,
      async *chunks() {
        yield content;
      },
      storedPieces: () => [piece(content)],
    };
  }
  const edits = "content" in change ? [{ offset: 0, bytes: change.content }] : change.edits;
  for (const { offset, bytes } of edits) {
    checkSpan(name, byteLength, offset, offset + bytes.byteLength);
  }
  return {
    byteLength,
    chunks: (state) => edited(old(), edits, state),
    storedPieces: (source, dataStart) =>
      editedPieces(spanSource(source, dataStart, dataStart + byteLength), edits),
  };
}

/** `chunks` with the edits in them; `state` learns whether any byte differs. */
async function* edited(
  chunks: AsyncIterable<Uint8Array>,
  edits: readonly ByteEdit[],
  state: State,
): AsyncGenerator<Uint8Array, void, undefined> {
  let at = 0;
  for await (const chunk of chunks) {
    const end = at + chunk.byteLength;
    const touched = edits.filter(
      (edit) => edit.offset < end && edit.offset + edit.bytes.byteLength > at,
    );
    const fresh = touched.length === 0 ? chunk : chunk.slice();
    for (const { offset, bytes } of touched) {
      fresh.set(bytes.subarray(Math.max(at - offset, 0), end - offset), Math.max(offset - at, 0));
    }
    if (fresh !== chunk) state.differs ||= fresh.some((byte, i) => byte !== chunk[i]);
    yield fresh;
    at = end;
  }
}

async function* watched(
  chunks: AsyncIterable<Uint8Array>,
  state: State,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of chunks) {
    state.crc = crc32(chunk, state.crc);
    yield chunk;
  }
}

async function collected(chunks: AsyncIterable<Uint8Array>): Promise<readonly Uint8Array[]> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return all;
}

async function drained(chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const iterator = chunks[Symbol.asyncIterator]();
  while ((await iterator.next()).done !== true);
}

/** Header, bytes, descriptor. */
function entryPieces(entry: NewEntry, path: Path): readonly Piece[] {
  const { header: oldHeader, inHeader, descriptor } = entry.local;
  const header = oldHeader.slice();
  setNumbers(header, inHeader, entry, path);
  if (descriptor === null) return [piece(header), ...entry.data];
  const behind = descriptor.bytes.slice();
  setNumbers(behind, descriptor, entry, path);
  return [piece(header), ...entry.data, piece(behind)];
}

function setNumbers(
  bytes: Uint8Array,
  fields: ZipLocal["inHeader"],
  { crc, packedLength, byteLength }: NewEntry,
  path: Path,
): void {
  if (fields.crc !== null) viewOf(bytes).setUint32(fields.crc, crc, true);
  setField(bytes, fields.packedLength, packedLength, path);
  setField(bytes, fields.byteLength, byteLength, path);
}

function setField(bytes: Uint8Array, field: ZipField | null, value: number, path: Path): void {
  if (field === null) return;
  if (field.width === 8) viewOf(bytes).setBigUint64(field.at, BigInt(value), true);
  else if (value < inZip64) viewOf(bytes).setUint32(field.at, value, true);
  else {
    throw new FormatError("FORMAT_UNSUPPORTED", "the archive would grow past 4 GiB", {
      path,
      hint: "It was written without 64-bit sizes: write it anew with them.",
    });
  }
}

/** What follows the directory, with the directory `shift` bytes further on. */
function shifted(
  tail: Uint8Array,
  { directory, shift }: { readonly directory: number; readonly shift: number },
  path: Path,
): Uint8Array {
  const bytes = tail.slice();
  const view = viewOf(bytes);
  let at = 0;
  if (view.getUint32(0, true) === 0x06064b50) {
    setField(bytes, { at: 48, width: 8 }, directory + shift, path);
    const locator = 12 + Number(view.getBigUint64(4, true));
    const zip64End = Number(view.getBigUint64(locator + 8, true));
    setField(bytes, { at: locator + 8, width: 8 }, zip64End + shift, path);
    at = locator + 20;
  }
  const isMasked = view.getUint32(at + 16, true) === inZip64;
  if (!isMasked) setField(bytes, { at: at + 16, width: 4 }, directory + shift, path);
  return bytes;
}

function checkNames(
  records: readonly ZipRecord[],
  changes: ReadonlyMap<string, ZipChange>,
  archive: string,
): void {
  const names = new Set(records.map(({ name }) => name));
  for (const name of changes.keys()) {
    if (names.has(name)) continue;
    throw new UsageError("USAGE_INVALID_OPTION", `the archive holds no entry ${name}`, {
      path: [archive, name],
    });
  }
}

function piece(bytes: Uint8Array): Piece {
  return { kind: "bytes", bytes };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

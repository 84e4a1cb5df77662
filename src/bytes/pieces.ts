/**
 * A file to be written, as a sequence of pieces: spans of files that exist and new bytes. It is streamed, never held whole, so
 * that a copy of a file larger than memory with one tensor changed costs no more than that tensor.
 */
import { FormatError } from "../errors.ts";
import { checkSpan, type ByteSource } from "./source.ts";

export type Piece =
  | {
      readonly kind: "copy";
      readonly source: ByteSource;
      readonly start: number;
      readonly end: number;
    }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  /** Bytes that are made when their turn comes: an encoded tensor. */
  | { readonly kind: "made"; readonly byteLength: number; make(): Promise<Uint8Array> };

/** New bytes for [offset, offset + bytes.byteLength) of a file. */
export interface ByteEdit {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** Spans are copied in parts of this many bytes. */
const chunkLength = 2 ** 22;

export function piecesLength(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, piece) => sum + lengthOf(piece), 0);
}

function lengthOf(piece: Piece): number {
  if (piece.kind === "copy") return piece.end - piece.start;
  return piece.kind === "bytes" ? piece.bytes.byteLength : piece.byteLength;
}

/** The bytes in order, a few MiB at a time. @throws {FormatError} `FORMAT_TRUNCATED` for a span outside its source. */
export async function* pieceChunks(
  pieces: readonly Piece[],
  { signal }: { readonly signal?: AbortSignal } = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  for (const piece of pieces) {
    signal?.throwIfAborted();
    if (piece.kind === "bytes") yield piece.bytes;
    else if (piece.kind === "made") yield await madeBytes(piece);
    else {
      for (let at = piece.start; at < piece.end; at += chunkLength) {
        signal?.throwIfAborted();
        yield await piece.source.slice(at, Math.min(at + chunkLength, piece.end));
      }
    }
  }
}

async function madeBytes(piece: Piece & { kind: "made" }): Promise<Uint8Array> {
  const bytes = await piece.make();
  if (bytes.byteLength === piece.byteLength) return bytes;
  throw new FormatError(
    "FORMAT_MALFORMED",
    `${piece.byteLength} bytes were announced, ${bytes.byteLength} were made`,
  );
}

/** All bytes at once, for small files and tests. */
export async function joinPieces(pieces: readonly Piece[]): Promise<Uint8Array> {
  const joined = new Uint8Array(piecesLength(pieces));
  let at = 0;
  for await (const chunk of pieceChunks(pieces)) {
    joined.set(chunk, at);
    at += chunk.byteLength;
  }
  return joined;
}

/**
 * A copy of `source` with `edits` in place. Of edits that overlap, the later one wins.
 * @throws {FormatError} `FORMAT_TRUNCATED` for an edit outside the file.
 */
export function editedPieces(source: ByteSource, edits: readonly ByteEdit[]): readonly Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  const ordered = disjoint(edits);
  for (const { offset, bytes } of ordered) {
    checkSpan(source.name, source.byteLength, offset, offset + bytes.byteLength);
    if (offset > at) pieces.push({ kind: "copy", source, start: at, end: offset });
    pieces.push({ kind: "bytes", bytes });
    at = offset + bytes.byteLength;
  }
  if (at < source.byteLength) {
    pieces.push({ kind: "copy", source, start: at, end: source.byteLength });
  }
  return pieces;
}

/** In order of place, none overlapping: tensors that share bytes are edited one into the other. */
function disjoint(edits: readonly ByteEdit[]): readonly ByteEdit[] {
  const merged: { offset: number; end: number; edits: ByteEdit[] }[] = [];
  const byPlace = [...edits].sort((a, b) => a.offset - b.offset);
  for (const edit of byPlace) {
    const last = merged.at(-1);
    const end = edit.offset + edit.bytes.byteLength;
    if (last !== undefined && edit.offset < last.end) {
      last.end = Math.max(last.end, end);
      last.edits.push(edit);
    } else merged.push({ offset: edit.offset, end, edits: [edit] });
  }
  const rank = new Map(edits.map((edit, index) => [edit, index]));
  return merged.map(({ offset, end, edits: own }): ByteEdit => {
    if (own.length === 1) return own[0]!;
    const bytes = new Uint8Array(end - offset);
    for (const edit of own.sort((a, b) => rank.get(a)! - rank.get(b)!)) {
      bytes.set(edit.bytes, edit.offset - offset);
    }
    return { offset, bytes };
  });
}

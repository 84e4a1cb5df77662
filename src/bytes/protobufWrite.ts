/** Protobuf messages as pieces: a field of gigabytes is announced by its length and made when it is written. */
import { piecesLength, type Piece } from "./pieces.ts";

/** A part of a message: one field or more. */
export type Fields = readonly Piece[];

const encoder = new TextEncoder();

/** A whole number >= 0, or a negative one in ten bytes. */
export function varintField(number: number, value: number): Fields {
  return [bytesPiece([...varint(number * 8), ...varint(value)])];
}

export function textField(number: number, text: string): Fields {
  const bytes = encoder.encode(text);
  return [
    bytesPiece(varint(number * 8 + 2)),
    bytesPiece(varint(bytes.byteLength)),
    { kind: "bytes", bytes },
  ];
}

/** Bytes, or a message inside the message. */
export function lengthField(number: number, content: Fields): Fields {
  const start = [...varint(number * 8 + 2), ...varint(piecesLength(content))];
  return [bytesPiece(start), ...content];
}

/** Small neighbours joined: a message of many short fields would be a piece for each. */
export function joined(fields: Fields): Fields {
  const pieces: Piece[] = [];
  let small: Uint8Array[] = [];
  const flush = (): void => {
    if (small.length === 0) return;
    const bytes = new Uint8Array(small.reduce((sum, own) => sum + own.byteLength, 0));
    let at = 0;
    for (const own of small) {
      bytes.set(own, at);
      at += own.byteLength;
    }
    pieces.push({ kind: "bytes", bytes });
    small = [];
  };
  for (const piece of fields) {
    if (piece.kind === "bytes") small.push(piece.bytes);
    else {
      flush();
      pieces.push(piece);
    }
  }
  flush();
  return pieces;
}

function bytesPiece(bytes: readonly number[]): Piece {
  return { kind: "bytes", bytes: Uint8Array.from(bytes) };
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return bytes;
}

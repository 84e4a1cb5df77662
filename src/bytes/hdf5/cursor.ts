/** Little-endian fields of one block of an HDF5 file, read in order and never past its end. */
import { FormatError } from "../../errors.ts";

export type Path = readonly (string | number)[];

/** What the superblock says of the whole file. */
export interface Widths {
  /** Bytes of an address. */
  readonly offsets: number;
  /** Bytes of a length. */
  readonly lengths: number;
}

export class Cursor {
  readonly bytes: Uint8Array;
  /** Address of the first byte. */
  readonly start: number;
  readonly path: Path;
  readonly widths: Widths;
  at = 0;

  constructor(bytes: Uint8Array, start: number, { path, widths }: { path: Path; widths: Widths }) {
    this.bytes = bytes;
    this.start = start;
    this.path = path;
    this.widths = widths;
  }

  get left(): number {
    return this.bytes.byteLength - this.at;
  }

  /** Address of the next byte. */
  get address(): number {
    return this.start + this.at;
  }

  /** A view, no copy. */
  take(length: number): Uint8Array {
    if (length < 0 || length > this.left) {
      throw this.malformed(`a field of ${length} bytes reaches past its block`);
    }
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  skip(length: number): void {
    this.take(length);
  }

  /** A cursor of its own on the next bytes. */
  part(length: number): Cursor {
    const start = this.address;
    return new Cursor(this.take(length), start, this);
  }

  u8(): number {
    return this.take(1)[0]!;
  }

  u16(): number {
    return this.uint(2);
  }

  u32(): number {
    return this.uint(4);
  }

  /** @throws {FormatError} `FORMAT_LIMIT` past 2^53 */
  uint(width: number): number {
    const value = this.wide(width);
    if (value !== null) return value;
    throw new FormatError("FORMAT_LIMIT", `a number of ${width} bytes is out of range`, {
      path: this.path,
    });
  }

  length(): number {
    return this.uint(this.widths.lengths);
  }

  /** Null for "no limit" (all bits set). */
  lengthOrNone(): number | null {
    return this.wide(this.widths.lengths);
  }

  /** Null where nothing was put (all bits set), or where no file reaches. */
  offset(): number | null {
    return this.wide(this.widths.offsets);
  }

  /** Zero-terminated, and with that padded to a multiple of `padding`. */
  text(padding = 1): string {
    const end = this.bytes.indexOf(0, this.at);
    if (end === -1) throw this.malformed("a name does not end");
    const taken = end + 1 - this.at;
    const bytes = this.take(taken);
    this.skip(Math.min(this.left, Math.ceil(taken / padding) * padding - taken));
    return decodeText(bytes.subarray(0, taken - 1));
  }

  signature(expected: string): void {
    const found = String.fromCharCode(...this.take(expected.length));
    if (found !== expected) throw this.malformed(`${expected} is expected at byte ${this.start}`);
  }

  malformed(message: string): FormatError {
    return malformed(message, this.path);
  }

  private wide(width: number): number | null {
    const bytes = this.take(width);
    let value = 0;
    for (let i = width - 1; i >= 0; i--) value = value * 256 + bytes[i]!;
    return Number.isSafeInteger(value) ? value : null;
  }
}

export function malformed(message: string, path: Path): FormatError {
  return new FormatError("FORMAT_MALFORMED", message, {
    path,
    hint: "The file is damaged: fetch or write it again.",
  });
}

export function decodeText(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Bytes that a number up to `limit` takes. */
export function bytesFor(limit: number): number {
  return Math.floor(Math.log2(Math.max(1, limit)) / 8) + 1;
}

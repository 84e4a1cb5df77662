/** Reads the arguments of pickle opcodes, binary and textual. Every length is checked against what is left. */
import { FormatError } from "../errors.ts";

export type PicklePath = readonly (string | number)[];

export interface PickleCursor {
  readonly at: number;
  uint8(): number;
  uint16(): number;
  uint32(): number;
  int32(): number;
  float64(): number;
  uint64(): number;
  bytes(length: number): Uint8Array;
  /** UTF-8. */
  text(length: number): string;
  /** Text where the bytes are UTF-8, else the bytes: Python 2 has one type for both. */
  textOrBytes(length: number): string | Uint8Array;
  /** Up to the next line feed, which is passed over; UTF-8. */
  line(): string;
  /** The same, a character for each byte. */
  latin1Line(): string;
}

const lenient = new TextDecoder("utf-8", { ignoreBOM: true });
const chunkLength = 2 ** 12;
const strict = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

export function pickleCursor(bytes: Uint8Array, start: number, path: PicklePath): PickleCursor {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = start;
  const take = (length: number): number => {
    if (!Number.isSafeInteger(length) || length < 0 || at + length > bytes.byteLength) {
      throw new FormatError("FORMAT_TRUNCATED", "the pickle ends inside a value", { path });
    }
    at += length;
    return at - length;
  };
  const span = (length: number): Uint8Array => bytes.subarray(take(length), at);
  const untilLineFeed = (): Uint8Array => {
    const end = bytes.indexOf(10, at);
    if (end === -1) take(bytes.byteLength + 1 - at);
    const line = span(end - at);
    take(1);
    return line;
  };
  return {
    get at() {
      return at;
    },
    uint8: () => view.getUint8(take(1)),
    uint16: () => view.getUint16(take(2), true),
    uint32: () => view.getUint32(take(4), true),
    int32: () => view.getInt32(take(4), true),
    float64: () => view.getFloat64(take(8)),
    uint64: () => Number(view.getBigUint64(take(8), true)),
    bytes: span,
    text: (length) => lenient.decode(span(length)),
    textOrBytes: (length) => textOrBytes(span(length)),
    line: () => lenient.decode(untilLineFeed()),
    latin1Line: () => latin1(untilLineFeed()),
  };
}

/** Not what browsers call latin1, which is windows-1252. */
function latin1(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += chunkLength) {
    text += String.fromCharCode(...bytes.subarray(at, at + chunkLength));
  }
  return text;
}

function textOrBytes(bytes: Uint8Array): string | Uint8Array {
  try {
    return strict.decode(bytes);
  } catch {
    return bytes;
  }
}

/** No number in a model file is longer; Python's own may be, and take quadratic time to read. */
const maxIntegerLength = 512;

/** Two's complement, little-endian. */
export function integerOf(bytes: Uint8Array, path: PicklePath): number | bigint {
  if (bytes.length > maxIntegerLength) throw tooLong(path);
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
  return narrowed(BigInt.asIntN(bytes.length * 8, value));
}

/** Decimal, as protocol 0 writes it: `12`, `-3L`, and `00` and `01` for the truth values. */
export function integerOfLine(line: string, path: PicklePath): number | bigint | boolean {
  if (line === "00" || line === "01") return line === "01";
  const digits = /^\s*([+-]?)0*(\d+)L?\s*$/.exec(line);
  if (digits === null) throw new FormatError("FORMAT_MALFORMED", "a number is expected", { path });
  const [, sign, text] = digits;
  if (text!.length > maxIntegerLength) throw tooLong(path);
  const value = BigInt(text!);
  return narrowed(sign === "-" ? -value : value);
}

export function floatOfLine(line: string, path: PicklePath): number {
  const special: Readonly<Record<string, number>> = { inf: Infinity, "-inf": -Infinity, nan: NaN };
  const value = Object.hasOwn(special, line) ? special[line]! : Number(line || "x");
  if (Number.isNaN(value) && line !== "nan") {
    throw new FormatError("FORMAT_MALFORMED", "a number is expected", { path });
  }
  return value;
}

/** A quoted Python 2 string with its escapes, as protocol 0 writes it. */
export function quotedOfLine(line: string, path: PicklePath): string | Uint8Array {
  const quote = line[0];
  const isQuoted = line.length >= 2 && (quote === "'" || quote === '"') && line.at(-1) === quote;
  if (!isQuoted) throw new FormatError("FORMAT_MALFORMED", "a quoted string is expected", { path });
  const plain = line
    .slice(1, -1)
    .replace(/\\(x[0-9a-f]{2}|[0-7]{1,3}|.)/gis, (_, escape: string) => {
      if (/^x../is.test(escape)) return String.fromCharCode(parseInt(escape.slice(1), 16));
      if (/^[0-7]/.test(escape)) return String.fromCharCode(parseInt(escape, 8) & 255);
      return escapes[escape] ?? `\\${escape}`;
    });
  return textOrBytes(Uint8Array.from(plain, (character) => character.charCodeAt(0)));
}

const escapes: Readonly<Record<string, string>> = {
  "\\": "\\",
  "'": "'",
  '"': '"',
  n: "\n",
  r: "\r",
  t: "\t",
  a: "\u0007",
  b: "\b",
  f: "\f",
  v: "\v",
};

/** Text whose line feeds and wide characters are `\uXXXX` or `\UXXXXXXXX`. */
export function unicodeOfLine(line: string): string {
  return line.replace(
    /\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})/g,
    (all, short: string | undefined, long: string | undefined) => {
      const code = parseInt(short ?? long ?? "", 16);
      return code <= 0x10ffff ? String.fromCodePoint(code) : all;
    },
  );
}

function narrowed(value: bigint): number | bigint {
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}

function tooLong(path: PicklePath): FormatError {
  return new FormatError("FORMAT_LIMIT", `a number of over ${maxIntegerLength} digits`, { path });
}

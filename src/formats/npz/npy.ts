import { FormatError } from "../../errors.ts";
import { byteLengthOf, type DType } from "../../tensor/dtype.ts";
import type { Shape } from "../../tensor/shape.ts";
import { checkedCount } from "../checkedCount.ts";
import { numpyTypes } from "../numpyTypes.ts";
import { parsePythonLiteral, type PythonLiteral } from "./pythonLiteral.ts";

export interface NpyHeader {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly isColumnMajor: boolean;
  readonly isBigEndian: boolean;
  /** Of the values. */
  readonly offset: number;
  readonly byteLength: number;
  /** Two bytes without a meaning of their own, taken for bfloat16: NumPy knows no such type and writes it so. */
  readonly isVoid: boolean;
}

type Path = readonly (string | number)[];

export const npySignature: readonly number[] = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** A longer dictionary is no array of numbers. */
const maxHeaderLength = 2 ** 20;
/** Enough for what numbers need. */
const usualHeaderLength = 4096;

const dtypeOfCode: ReadonlyMap<string, DType> = new Map([...numpyTypes, ["V2", "bfloat16"]]);

const maxDimensions = 64;
const kinds: Readonly<Record<string, string>> = {
  O: "Python objects (a pickle, which is never read)",
  S: "byte strings",
  a: "byte strings",
  U: "text",
  M: "dates and times",
  m: "time spans",
  V: "raw bytes",
  f: "floats of an unusual width",
  c: "complex numbers of an unusual width",
};

/** An array as `NpyHeader` lies in bytes that `slice` gives; `byteLength` is their number. */
export interface NpyBytes {
  readonly byteLength: number;
  slice(start: number, end: number): Promise<Uint8Array>;
}

/**
 * Reads the header of an .npy array of format 1 to 3: a signature, a length, a Python dictionary of three keys. It is parsed as
 * data, never evaluated.
 * @throws {FormatError} `FORMAT_TRUNCATED`, `FORMAT_MALFORMED`, `FORMAT_LIMIT`, `FORMAT_UNSUPPORTED` for what is no number
 */
export async function readNpyHeader(bytes: NpyBytes, path: Path): Promise<NpyHeader> {
  const total = bytes.byteLength;
  const head = await bytes.slice(0, Math.min(usualHeaderLength, total));
  if (!npySignature.every((byte, i) => i >= head.byteLength || byte === head[i])) {
    throw new FormatError("FORMAT_MALFORMED", "it does not begin as a NumPy array", { path });
  }
  const { start, length, version } = headerSpan(head, path);
  const offset = start + length;
  if (offset > total) {
    throw new FormatError("FORMAT_TRUNCATED", `a header of ${length} bytes is announced`, { path });
  }
  const text = offset <= head.byteLength ? head.subarray(0, offset) : await bytes.slice(0, offset);
  const encoding = version === 3 ? "utf-8" : "latin1";
  const header = parsePythonLiteral(new TextDecoder(encoding).decode(text.subarray(start)), path);
  return headerOf(header, { offset, total }, path);
}

function headerSpan(
  head: Uint8Array,
  path: Path,
): { start: number; length: number; version: number } {
  const version = head[6] ?? 0;
  const start = version === 1 ? 10 : 12;
  if (head.byteLength < start) {
    throw new FormatError("FORMAT_TRUNCATED", "the array ends in its header", { path });
  }
  if (version < 1 || version > 3) {
    throw new FormatError("FORMAT_UNSUPPORTED", `format ${version} of .npy is not known`, {
      path,
      hint: "Formats 1 to 3 are read.",
    });
  }
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > maxHeaderLength) {
    throw new FormatError("FORMAT_LIMIT", `a header of ${length} bytes is announced`, { path });
  }
  return { start, length, version };
}

function headerOf(
  header: PythonLiteral,
  { offset, total }: { readonly offset: number; readonly total: number },
  path: Path,
): NpyHeader {
  const field = (name: string): PythonLiteral | undefined =>
    header instanceof Map ? (header.get(name) as PythonLiteral | undefined) : undefined;
  const isColumnMajor = field("fortran_order");
  const shape = field("shape");
  if (typeof isColumnMajor !== "boolean" || !isShape(shape)) {
    throw new FormatError("FORMAT_MALFORMED", "the header names no order or no shape", { path });
  }
  const descr = field("descr");
  const code = typeof descr === "string" ? /^([<>|=]?)([A-Za-z])(\d*)/.exec(descr) : null;
  const dtype = code === null ? undefined : dtypeOfCode.get(`${code[2]}${code[3]}`);
  if (code === null || dtype === undefined || code[0] !== descr) throw unsupported(descr, path);
  const byteLength = byteLengthOf(dtype, checkedCount(shape, path));
  if (offset + byteLength > total) {
    throw new FormatError(
      "FORMAT_TRUNCATED",
      `the values take ${byteLength} bytes, ${total - offset} are there`,
      { path },
    );
  }
  const isBigEndian = code[1] === ">";
  const isVoid = code[2] === "V";
  return { dtype, shape, isColumnMajor, isBigEndian, offset, byteLength, isVoid };
}

function isShape(value: PythonLiteral | undefined): value is readonly number[] {
  if (!Array.isArray(value) || value.length > maxDimensions) return false;
  return value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function unsupported(descr: PythonLiteral | undefined, path: Path): FormatError {
  if (typeof descr !== "string" && !Array.isArray(descr)) {
    return new FormatError("FORMAT_MALFORMED", "the header names no element type", { path });
  }
  const letter = typeof descr === "string" ? (/[A-Za-z]/.exec(descr)?.[0] ?? "") : "";
  const kind = typeof descr === "string" ? (kinds[letter] ?? "elements") : "records";
  const name = typeof descr === "string" ? ` (${descr})` : "";
  return new FormatError("FORMAT_UNSUPPORTED", `${kind}${name} are not read`, {
    path,
    hint: "Arrays of plain numbers are read: save the weights as such.",
  });
}

/** What an element is: the numbers that are read, texts, and the rest by name. Datatype messages of versions 1 to 3. */
import { Cursor } from "./cursor.ts";

export interface Hdf5Type {
  /**
   * `float32`, `float16`, `bfloat16`, `float8_e4m3`, `int64`, `uint8`, `bool`, `complex64`, …; `opaque` for bytes of no type;
   * null for what holds no numbers.
   */
  readonly name: string | null;
  readonly byteLength: number;
  readonly isBigEndian: boolean;
  /** Axes of one element, behind those of the array. */
  readonly shape: readonly number[];
  /** Texts: of a fixed length, or in a heap. */
  readonly text: "fixed" | "heap" | null;
  /** In words, for messages: `compound`, `reference`, … */
  readonly title: string;
}

const titles: readonly string[] = [
  "integer",
  "float",
  "time",
  "text",
  "bit field",
  "opaque",
  "compound",
  "reference",
  "enumeration",
  "variable-length",
  "array",
];

const maxDepth = 8;

/** @throws {FormatError} `FORMAT_MALFORMED` */
export function parseDatatype(cursor: Cursor, depth = 0): Hdf5Type {
  const head = cursor.u8();
  const version = head >> 4;
  const bits = cursor.uint(3);
  const byteLength = cursor.u32();
  if (depth > maxDepth) throw cursor.malformed("types are nested too deep");
  const type: Hdf5Type = {
    name: null,
    byteLength,
    isBigEndian: (bits & 1) === 1,
    shape: [],
    text: null,
    title: titles[head & 15] ?? "unknown",
  };
  const inner = { version, bits, depth: depth + 1 };
  switch (head & 15) {
    case 0:
    case 4:
      return { ...type, name: integerName(cursor, type, (bits & 8) !== 0 && (head & 15) === 0) };
    case 1:
      return { ...type, name: (bits & 0x40) === 0 ? floatName(cursor, byteLength) : null };
    case 3:
      return { ...type, text: "fixed" };
    case 5:
      cursor.skip(Math.min(bits & 255, cursor.left));
      return { ...type, name: "opaque" };
    case 6:
      return compound(cursor, type, inner);
    case 8:
      return enumeration(cursor, type, inner);
    case 9: {
      parseDatatype(cursor, inner.depth);
      return { ...type, text: (bits & 15) === 1 ? "heap" : null };
    }
    case 10:
      return arrayType(cursor, type, inner);
    default:
      return type;
  }
}

interface Inner {
  readonly version: number;
  readonly bits: number;
  readonly depth: number;
}

function integerName(cursor: Cursor, { byteLength }: Hdf5Type, isSigned: boolean): string | null {
  const bitOffset = cursor.u16();
  const precision = cursor.u16();
  const isPlain = bitOffset === 0 && precision === byteLength * 8;
  const isKnown = [1, 2, 4, 8].includes(byteLength);
  return isPlain && isKnown ? `${isSigned ? "int" : "uint"}${byteLength * 8}` : null;
}

/** By widths of exponent and mantissa, sign on top. */
const floats: ReadonlyMap<string, string> = new Map([
  ["8 11 52 1023", "float64"],
  ["4 8 23 127", "float32"],
  ["2 5 10 15", "float16"],
  ["2 8 7 127", "bfloat16"],
  ["1 4 3 7", "float8_e4m3"],
  ["1 5 2 15", "float8_e5m2"],
]);

function floatName(cursor: Cursor, byteLength: number): string | null {
  cursor.skip(4);
  const exponentAt = cursor.u8();
  const exponent = cursor.u8();
  const mantissaAt = cursor.u8();
  const mantissa = cursor.u8();
  const bias = cursor.u32();
  if (mantissaAt !== 0 || exponentAt !== mantissa) return null;
  return floats.get(`${byteLength} ${exponent} ${mantissa} ${bias}`) ?? null;
}

/** Two floats called `r` and `i` are a complex number. */
function compound(cursor: Cursor, type: Hdf5Type, { version, bits, depth }: Inner): Hdf5Type {
  const members: { name: string; offset: number; type: Hdf5Type }[] = [];
  const offsetWidth = Math.max(1, Math.ceil(Math.log2(type.byteLength + 1) / 8));
  for (let i = 0; i < (bits & 0xffff); i++) {
    const name = cursor.text(version < 3 ? 8 : 1);
    const offset = cursor.uint(version < 3 ? 4 : offsetWidth);
    if (version === 1) cursor.skip(28);
    members.push({ name, offset, type: parseDatatype(cursor, depth) });
  }
  const [real, imaginary, ...others] = members;
  const isComplex =
    others.length === 0 &&
    real?.name === "r" &&
    imaginary?.name === "i" &&
    real.offset === 0 &&
    imaginary.offset === real.type.byteLength &&
    type.byteLength === 2 * real.type.byteLength &&
    real.type.name === imaginary.type.name &&
    real.type.isBigEndian === imaginary.type.isBigEndian;
  if (!isComplex || !/^float(32|64)$/.test(real.type.name ?? "")) return type;
  const name = `complex${type.byteLength * 8}`;
  return { ...type, name, isBigEndian: real.type.isBigEndian };
}

/** FALSE and TRUE, as NumPy's truth values are stored; others are the integers that they stand for. */
function enumeration(cursor: Cursor, type: Hdf5Type, { version, bits, depth }: Inner): Hdf5Type {
  const base = parseDatatype(cursor, depth);
  const names: string[] = [];
  for (let i = 0; i < (bits & 0xffff); i++) names.push(cursor.text(version < 3 ? 8 : 1));
  const isTruth = base.byteLength === 1 && names.join() === "FALSE,TRUE";
  return { ...base, title: type.title, name: isTruth ? "bool" : base.name };
}

function arrayType(cursor: Cursor, type: Hdf5Type, { version, depth }: Inner): Hdf5Type {
  const rank = cursor.u8();
  if (version < 3) cursor.skip(3);
  const shape: number[] = [];
  for (let i = 0; i < rank; i++) shape.push(cursor.u32());
  if (version < 3) cursor.skip(4 * rank);
  const base = parseDatatype(cursor, depth);
  const count = shape.reduce((product, size) => product * size, 1);
  if (count * base.byteLength !== type.byteLength) {
    throw cursor.malformed("an array type does not fill its bytes");
  }
  return { ...base, shape: [...shape, ...base.shape], text: null };
}

export interface Dataspace {
  readonly shape: readonly number[];
  /** What axes may grow to; null for no limit. */
  readonly maxShape: readonly (number | null)[];
}

/** Null for a dataspace without elements (not even one). @throws {FormatError} `FORMAT_MALFORMED`, `FORMAT_LIMIT` */
export function parseDataspace(cursor: Cursor): Dataspace | null {
  const version = cursor.u8();
  const rank = cursor.u8();
  const flags = cursor.u8();
  const kind = cursor.u8();
  if (version === 1) cursor.skip(4);
  else if (version !== 2) throw cursor.malformed("a dataspace of this version is not read");
  else if (kind === 2) return null;
  if (rank > 32) throw cursor.malformed(`an array of ${rank} axes is announced`);
  const shape: number[] = [];
  for (let i = 0; i < rank; i++) shape.push(cursor.length());
  const maxShape: (number | null)[] = [];
  for (let i = 0; i < rank; i++) maxShape.push(flags & 1 ? cursor.lengthOrNone() : shape[i]!);
  return { shape, maxShape };
}

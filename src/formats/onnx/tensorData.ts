/** Where a tensor's values lie, each length checked before anything is allocated for it, and how they are read. */
import { eachVarint, protobufScan, type Span } from "../../bytes/protobuf.ts";
import type { ByteSource } from "../../bytes/source.ts";
import { FormatError } from "../../errors.ts";
import { decodeTensor } from "../../tensor/decode.ts";
import { byteLengthOf, dtypes, type DType } from "../../tensor/dtype.ts";
import { elementCount } from "../../tensor/shape.ts";
import { plainValues } from "../plainValues.ts";
import type { ErrorPath, TensorRecord } from "./schema.ts";
import { patchedVarints } from "./typedPatch.ts";

/** Where values lie and how to get them. */
type Stored = Pick<TensorRecord, "location" | "read" | "readSpan" | "encode">;
/** A typed field of a TensorProto: its only packed span, if there is just one, and how many bytes it has in all. */
export interface TypedField {
  readonly field: number;
  packed: Span | null;
  chunks: number;
  byteLength: number;
}

type Described = Pick<TensorRecord, "name" | "dtype" | "shape">;

export function storedAt(
  source: ByteSource,
  file: string | null,
  offset: number,
  { dtype, shape }: Described,
): Stored {
  const byteLength = byteLengthOf(dtype, elementCount(shape));
  return {
    location: { file, offset, byteLength },
    ...plainValues(source, offset, { dtype, shape }),
  };
}

interface ExternalPlace {
  readonly sibling: ByteSource;
  readonly location: string;
  readonly offset: number;
  /** Announced, else what is left of the file. */
  readonly length: number | null;
}

/**
 * Where `external_data` says that values are. The key `checksum` is passed over: it is of the whole data file.
 * @throws {FormatError} `FORMAT_MALFORMED`, `FILE_NOT_FOUND`, `FILE_OUTSIDE_FOLDER`
 */
async function externalPlace(
  source: ByteSource,
  entries: ReadonlyMap<string, string>,
  path: ErrorPath,
): Promise<ExternalPlace> {
  const location = entries.get("location");
  if (location === undefined) {
    throw new FormatError("FORMAT_MALFORMED", "external data without a location", { path });
  }
  const number = (key: string): number | null => {
    const text = entries.get(key);
    if (text === undefined) return null;
    const value = /^\s*\d+\s*$/.test(text) ? Number(text) : NaN;
    if (Number.isSafeInteger(value)) return value;
    throw new FormatError("FORMAT_MALFORMED", `${JSON.stringify(text)} is no ${key}`, {
      path: [...path, key],
    });
  };
  const offset = number("offset") ?? 0;
  return { location, offset, length: number("length"), sibling: await source.sibling(location) };
}

/** How many bytes external data have at most. */
export async function externalLength(
  source: ByteSource,
  entries: ReadonlyMap<string, string>,
  path: ErrorPath,
): Promise<number> {
  const { sibling, offset, length } = await externalPlace(source, entries, path);
  return Math.min(length ?? Infinity, Math.max(0, sibling.byteLength - offset));
}

export async function externalData(
  source: ByteSource,
  entries: ReadonlyMap<string, string>,
  { needed, path }: { needed: number; path: ErrorPath },
  record: Described,
): Promise<Stored> {
  const own = [...path, "external_data"];
  const { location, offset, length, sibling } = await externalPlace(source, entries, own);
  checkLength(length ?? needed, needed, [...own, "length"]);
  if (offset + needed > sibling.byteLength) {
    throw new FormatError(
      "FORMAT_TRUNCATED",
      `the tensor lies at ${offset} to ${offset + needed} of ${location}, which has ${sibling.byteLength} bytes`,
      { path: own, hint: "Fetch the data file again." },
    );
  }
  return storedAt(sibling, location, offset, record);
}

/** Which field holds a type's values when they are not in `raw_data`. Complex numbers stand as pairs. */
function typedFieldOf(dtype: DType): number {
  if (dtype === "float32" || dtype === "complex64") return 4;
  if (dtype === "float64" || dtype === "complex128") return 10;
  if (dtype === "int64") return 7;
  return dtype === "uint32" || dtype === "uint64" ? 11 : 5;
}

export function typedData(
  source: ByteSource,
  typed: TypedField | null,
  { span, path, needed, count }: { span: Span; path: ErrorPath; needed: number; count: number },
  record: Described,
): Stored {
  const { dtype } = record;
  const field = typedFieldOf(dtype);
  const isFixed = field === 4 || field === 10;
  // A varint takes a byte at least; it holds one number, or one byte of elements that are smaller.
  const least = isFixed ? needed : needed / varintSize(dtype);
  if (typed === null || typed.field !== field || typed.byteLength < least) {
    throw new FormatError(
      "FORMAT_TRUNCATED",
      `${count} values of ${dtype} are announced, ` +
        (typed === null ? "none are there" : `${typed.byteLength} bytes are there`),
      { path, hint: "The file is cut short or damaged: fetch it again." },
    );
  }
  if (isFixed && typed.packed !== null && typed.chunks === 1) {
    checkLength(typed.byteLength, needed, path);
    return storedAt(source, null, typed.packed.start, record);
  }
  const { packed, chunks } = typed;
  const size = varintSize(dtype);
  return {
    ...(packed !== null &&
      chunks === 1 && {
        location: { file: null, offset: packed.start, byteLength: packed.end - packed.start },
        encode: async (values) =>
          patchedVarints(await source.slice(packed.start, packed.end), values, {
            ...record,
            size,
          }),
      }),
    async read() {
      const bytes = await collectTyped(source, span, { field, dtype, path, needed });
      return decodeTensor(bytes, dtype, count);
    },
  };
}

/** Packed fields are decoded in parts of this many bytes. */
const partLength = 2 ** 20;

/** Gathers a typed field, packed or not, as `needed` bytes of little-endian elements of `dtype`. */
async function collectTyped(
  source: ByteSource,
  span: Span,
  { field, dtype, path, needed }: { field: number; dtype: DType; path: ErrorPath; needed: number },
): Promise<Uint8Array> {
  const isFixed = field === 4 || field === 10;
  const bytes = new Uint8Array(needed);
  const view = new DataView(bytes.buffer);
  const size = isFixed ? 1 : varintSize(dtype);
  let filled = 0;
  const put = (low: number, high: number): void => {
    if (filled + size > needed) checkLength(filled + size, needed, path);
    if (size === 1) view.setUint8(filled, low & 0xff);
    else if (size === 2) view.setUint16(filled, low & 0xffff, true);
    else view.setUint32(filled, low, true);
    if (size === 8) view.setUint32(filled + 4, high, true);
    filled += size;
  };
  const putAll = async ({ start, end }: Span): Promise<void> => {
    for (let at = start; at < end;) {
      const part = await source.slice(at, Math.min(at + partLength, end));
      const used = isFixed ? part.byteLength : eachVarint(part, put);
      if (isFixed) {
        if (filled + used > needed) checkLength(filled + used, needed, path);
        bytes.set(part, filled);
        filled += used;
      } else if (used === 0) {
        throw new FormatError("FORMAT_MALFORMED", "the last number of the list is cut", { path });
      }
      at += used;
    }
  };
  await protobufScan(source).fields(span, path, (found) => {
    if (found.number !== field) return;
    if (found.wire === 0) return put(found.low, found.high);
    return putAll(found);
  });
  checkLength(filled, needed, path);
  return bytes;
}

/** Bytes that a varint stands for: the bits of a half float, one byte of packed nibbles, else the number itself. */
function varintSize(dtype: DType): number {
  return Math.ceil(dtypes[dtype]);
}

export function checkLength(byteLength: number, needed: number, path: ErrorPath): void {
  if (byteLength === needed) return;
  throw byteLength < needed
    ? new FormatError("FORMAT_TRUNCATED", `${needed} bytes are needed, ${byteLength} are there`, {
        path,
        hint: "The file is cut short or damaged: fetch it again.",
      })
    : new FormatError("FORMAT_MALFORMED", `${needed} bytes are needed, ${byteLength} are there`, {
        path,
      });
}

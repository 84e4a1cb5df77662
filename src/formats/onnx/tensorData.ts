/** Where a tensor's values lie, each length checked before anything is allocated for it, and how they are read. */
import { packedVarints, protobufScan, signedValue, type Span } from "../../bytes/protobuf.ts";
import type { ByteSource } from "../../bytes/source.ts";
import { FormatError } from "../../errors.ts";
import { decodeTensor } from "../../tensor/decode.ts";
import { byteLengthOf, dtypes, type DType } from "../../tensor/dtype.ts";
import { elementCount } from "../../tensor/shape.ts";
import { plainValues } from "../plainValues.ts";
import type { ErrorPath, TensorRecord } from "./schema.ts";

/** Where values lie and how to get them. */
type Stored = Pick<TensorRecord, "location" | "read" | "readSpan">;
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

export async function externalData(
  source: ByteSource,
  entries: ReadonlyMap<string, string>,
  { needed, path }: { needed: number; path: ErrorPath },
  record: Described,
): Promise<Stored> {
  const location = entries.get("location");
  if (location === undefined) {
    throw new FormatError("FORMAT_MALFORMED", "external data without a location", {
      path: [...path, "external_data"],
    });
  }
  const number = (key: string, otherwise: number): number => {
    const text = entries.get(key);
    if (text === undefined) return otherwise;
    const value = /^\s*\d+\s*$/.test(text) ? Number(text) : NaN;
    if (Number.isSafeInteger(value)) return value;
    throw new FormatError("FORMAT_MALFORMED", `${JSON.stringify(text)} is no ${key}`, {
      path: [...path, "external_data", key],
    });
  };
  const offset = number("offset", 0);
  checkLength(number("length", needed), needed, [...path, "external_data", "length"]);
  const sibling = await source.sibling(location);
  if (offset + needed > sibling.byteLength) {
    throw new FormatError(
      "FORMAT_TRUNCATED",
      `the tensor lies at ${offset} to ${offset + needed} of ${location}, which has ${sibling.byteLength} bytes`,
      { path: [...path, "external_data"], hint: "Fetch the data file again." },
    );
  }
  return storedAt(sibling, location, offset, record);
}

/** Which field holds a type's values when they are not in `raw_data`. */
function typedFieldOf(dtype: DType): number {
  if (dtype === "float32") return 4;
  if (dtype === "float64") return 10;
  if (dtype === "int64") return 7;
  return dtype === "uint32" || dtype === "uint64" ? 11 : 5;
}

export function typedData(
  source: ByteSource,
  typed: TypedField | null,
  { span, path, needed, count }: { span: Span; path: ErrorPath; needed: number; count: number },
  record: Described,
): Stored {
  const field = typedFieldOf(record.dtype);
  const fixed = record.dtype === "float32" || record.dtype === "float64";
  // A varint takes a byte at least; halves and nibbles are stored one, respectively two, to a varint.
  const least = fixed ? needed : Math.ceil(count * Math.min(1, dtypes[record.dtype]));
  if (typed === null || typed.field !== field || typed.byteLength < least) {
    throw new FormatError(
      "FORMAT_TRUNCATED",
      `${count} values of ${record.dtype} are announced, ` +
        (typed === null ? "none are there" : `${typed.byteLength} bytes are there`),
      { path, hint: "The file is cut short or damaged: fetch it again." },
    );
  }
  if (fixed && typed.packed !== null && typed.chunks === 1) {
    checkLength(typed.byteLength, needed, path);
    return storedAt(source, null, typed.packed.start, record);
  }
  return {
    async read() {
      const { dtype } = record;
      return decodeTensor(
        await collectTyped(source, span, { field, dtype, path, needed }),
        dtype,
        count,
      );
    },
  };
}

/** Gathers a typed field, packed or not, as `needed` bytes of little-endian elements of `dtype`. */
async function collectTyped(
  source: ByteSource,
  span: Span,
  { field, dtype, path, needed }: { field: number; dtype: DType; path: ErrorPath; needed: number },
): Promise<Uint8Array> {
  const scan = protobufScan(source);
  const bytes = new Uint8Array(needed);
  let filled = 0;
  const put = (part: Uint8Array): void => {
    if (filled + part.byteLength > needed) checkLength(filled + part.byteLength, needed, path);
    bytes.set(part, filled);
    filled += part.byteLength;
  };
  await scan.fields(span, path, (found) => {
    if (found.number !== field) return;
    if (found.wire === 0) return put(integerBytes([signedValue(found)], dtype));
    const isFixed = field === 4 || field === 10;
    return scan
      .bytes(found)
      .then((part) => put(isFixed ? part : integerBytes(packedVarints(part, path), dtype)));
  });
  checkLength(filled, needed, path);
  return bytes;
}

/** Integers as elements of `dtype`: bits of a half float, one byte for two nibbles, else the number itself. */
function integerBytes(values: readonly number[], dtype: DType): Uint8Array {
  const size = Math.ceil(dtypes[dtype]);
  const bytes = new Uint8Array(values.length * size);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    if (size === 1) view.setUint8(i, value & 0xff);
    else if (size === 2) view.setUint16(2 * i, value & 0xffff, true);
    else if (size === 4) view.setUint32(4 * i, value >>> 0, true);
    else view.setBigInt64(8 * i, BigInt(value), true);
  });
  return bytes;
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

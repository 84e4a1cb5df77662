/** TensorProto: where a tensor's values lie, checked against the file, and how to read them when they are wanted. */
import type { ByteSource } from "../../bytes/source.ts";
import {
  packedVarints,
  protobufScan,
  signedValue,
  type ProtobufField,
  type ProtobufScan,
  type Span,
} from "../../bytes/protobuf.ts";
import { FormatError } from "../../errors.ts";
import { decodeTensor } from "../../tensor/decode.ts";
import { byteLengthOf, dtypes, type DType } from "../../tensor/dtype.ts";
import { elementCount } from "../../tensor/shape.ts";
import type { ErrorPath, TensorRecord } from "./schema.ts";

/** TensorProto.DataType. Types without an entry hold no numbers that are read as weights. */
const dtypeOfCode: Readonly<Record<number, DType>> = {
  1: "float32",
  2: "uint8",
  3: "int8",
  4: "uint16",
  5: "int16",
  6: "int32",
  7: "int64",
  9: "bool",
  10: "float16",
  11: "float64",
  12: "uint32",
  13: "uint64",
  14: "complex64",
  15: "complex128",
  16: "bfloat16",
  17: "float8_e4m3",
  19: "float8_e5m2",
  21: "uint4",
  22: "int4",
};
const stringType = 8;

/** The element type that a number stands for, or null where it is not read. */
export function knownType(code: number): DType | null {
  return dtypeOfCode[code] ?? null;
}

/** @throws {FormatError} `FORMAT_UNSUPPORTED` for element types that are not read, `FORMAT_MALFORMED` for none. */
function dtypeOf(code: number, path: ErrorPath): DType {
  const dtype = knownType(code);
  if (dtype !== null) return dtype;
  throw code === 0
    ? new FormatError("FORMAT_MALFORMED", "the tensor has no element type", { path })
    : new FormatError("FORMAT_UNSUPPORTED", `element type ${code} is not read`, { path });
}

/** What a TensorProto says, before it is believed. */
interface RawTensor {
  name: string;
  code: number;
  dims: number[];
  raw: Span | null;
  /** The typed field that is used, its only packed span if there is just one, and how many bytes it has in all. */
  typed: { field: number; packed: Span | null; chunks: number; byteLength: number } | null;
  external: Map<string, string> | null;
  segmented: boolean;
}

/**
 * Reads a TensorProto's structure; its values stay in the file. Null for a tensor of strings.
 * Every length is checked here, so that `read` cannot ask for more than the file holds.
 * @throws {FormatError} `FORMAT_*`, `FILE_*` for external data.
 */
export async function readTensorProto(
  source: ByteSource,
  scan: ProtobufScan,
  { span, path, name }: { span: Span; path: ErrorPath; name?: string },
): Promise<TensorRecord | null> {
  const raw = await scanTensor(scan, span, path);
  if (raw.code === stringType) return null;
  const dtype = dtypeOf(raw.code, [...path, "data_type"]);
  const count = countOf(raw.dims, [...path, "dims"]);
  if (raw.segmented) {
    throw new FormatError("FORMAT_UNSUPPORTED", "a tensor in segments is not read", { path });
  }
  const record = { name: name ?? raw.name, dtype, shape: raw.dims };
  const needed = byteLengthOf(dtype, count);
  if (raw.external !== null) {
    return { ...record, ...(await externalData(source, raw.external, { needed, path }, record)) };
  }
  if (raw.raw !== null && raw.raw.end - raw.raw.start > 0) {
    checkLength(raw.raw.end - raw.raw.start, needed, [...path, "raw_data"]);
    return { ...record, ...storedAt(source, null, raw.raw.start, record) };
  }
  if (count === 0) return { ...record, read: async () => new Float32Array(0) };
  return { ...record, ...typedData(source, raw, { span, path, needed, count }, record) };
}

type Stored = Pick<TensorRecord, "location" | "read">;
type Described = Pick<TensorRecord, "name" | "dtype" | "shape">;

function storedAt(
  source: ByteSource,
  file: string | null,
  offset: number,
  { dtype, shape }: Described,
): Stored {
  const count = elementCount(shape);
  const byteLength = byteLengthOf(dtype, count);
  return {
    location: { file, offset, byteLength },
    read: async () => decodeTensor(await source.slice(offset, offset + byteLength), dtype, count),
  };
}

async function externalData(
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

function typedData(
  source: ByteSource,
  { typed }: RawTensor,
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

async function scanTensor(scan: ProtobufScan, span: Span, path: ErrorPath): Promise<RawTensor> {
  const tensor: RawTensor = {
    name: "",
    code: 0,
    dims: [],
    raw: null,
    typed: null,
    external: null,
    segmented: false,
  };
  let isExternal = false;
  const entries = new Map<string, string>();
  await scan.fields(span, path, (field) => {
    switch (field.number) {
      case 1:
        if (field.wire === 2) return readDims(scan, field, { path, dims: tensor.dims });
        tensor.dims.push(signedValue(field));
        return;
      case 2:
        tensor.code = signedValue(field);
        return;
      case 3:
        tensor.segmented = true;
        return;
      case 4:
      case 5:
      case 7:
      case 10:
      case 11:
        countTyped(tensor, field);
        return;
      case 8:
        return scan.text(field).then((text) => void (tensor.name = text));
      case 9:
        tensor.raw = field;
        return;
      case 13:
        return readEntry(scan, field, [...path, "external_data"]).then(
          ([key, value]) => void entries.set(key, value),
        );
      case 14:
        isExternal = signedValue(field) === 1;
        return;
    }
  });
  if (isExternal) tensor.external = entries;
  return tensor;
}

function countTyped(tensor: RawTensor, field: ProtobufField): void {
  tensor.typed ??= { field: field.number, packed: null, chunks: 0, byteLength: 0 };
  if (tensor.typed.field !== field.number) return;
  tensor.typed.chunks++;
  tensor.typed.byteLength += field.end - field.start;
  if (field.wire === 2) tensor.typed.packed = field;
}

async function readDims(
  scan: ProtobufScan,
  span: Span,
  { path, dims }: { path: ErrorPath; dims: number[] },
): Promise<void> {
  if (span.end - span.start > 640) {
    throw new FormatError("FORMAT_LIMIT", "a tensor of over 64 dimensions is not read", { path });
  }
  dims.push(...packedVarints(await scan.bytes(span), path));
}

/** StringStringEntryProto: key, value. */
export async function readEntry(
  scan: ProtobufScan,
  span: Span,
  path: ErrorPath,
): Promise<[string, string]> {
  let key = "";
  let value = "";
  await scan.fields(span, path, async (field) => {
    if (field.number === 1) key = await scan.text(field);
    else if (field.number === 2) value = await scan.text(field);
  });
  return [key, value];
}

/** @throws {FormatError} `FORMAT_MALFORMED` for dimensions that no file can have. */
export function countOf(dims: readonly number[], path: ErrorPath): number {
  const wrong = dims.find((size) => !Number.isSafeInteger(size) || size < 0);
  if (wrong !== undefined || dims.length > 64) {
    throw new FormatError("FORMAT_MALFORMED", `${wrong ?? dims.length} is no dimension`, { path });
  }
  const product = dims.reduce((a, b) => a * b, 1);
  if (!Number.isSafeInteger(product)) {
    throw new FormatError("FORMAT_MALFORMED", `shape [${dims.join(", ")}] fits no file`, { path });
  }
  return product;
}

function checkLength(byteLength: number, needed: number, path: ErrorPath): void {
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

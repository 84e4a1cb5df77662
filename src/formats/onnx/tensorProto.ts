/** TensorProto: what a tensor is called, its type and shape, and where its values are. */
import type { ByteSource } from "../../bytes/source.ts";
import {
  packedVarints,
  signedValue,
  type ProtobufField,
  type ProtobufScan,
  type Span,
} from "../../bytes/protobuf.ts";
import { FormatError } from "../../errors.ts";
import { byteLengthOf, isComplex, type DType } from "../../tensor/dtype.ts";
import type { ErrorPath, TensorRecord } from "./schema.ts";
import {
  checkLength,
  externalData,
  externalLength,
  storedAt,
  typedData,
  type TypedField,
} from "./tensorData.ts";

/** TensorProto.DataType, of onnx.proto for IR 14. */
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
  18: "float8_e4m3fnuz",
  19: "float8_e5m2",
  20: "float8_e5m2fnuz",
  21: "uint4",
  22: "int4",
  23: "float4_e2m1",
  24: "float8_e8m0",
  25: "uint2",
  26: "int2",
};
const stringType = 8;

/** The element type that a number stands for, or null where it is none that can be read as numbers. */
export function knownType(code: number): DType | null {
  const dtype = dtypeOfCode[code];
  return dtype === undefined || isComplex(dtype) ? null : dtype;
}

/** The number of an element type, or null where ONNX has none. */
export function codeOf(dtype: DType): number | null {
  const entry = Object.entries(dtypeOfCode).find(([, own]) => own === dtype);
  return entry === undefined ? null : Number(entry[0]);
}

/** What a TensorProto says, before it is believed. */
interface RawTensor {
  name: string;
  code: number;
  dims: number[];
  raw: Span | null;
  typed: TypedField | null;
  external: Map<string, string>;
  isExternal: boolean;
  segmented: boolean;
  /** Bytes of values inside the message. */
  payload: number;
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
  if (raw.code === 0) {
    throw new FormatError("FORMAT_MALFORMED", "the tensor has no element type", {
      path: [...path, "data_type"],
    });
  }
  const dtype = dtypeOfCode[raw.code] ?? "unknown";
  const count = countOf(raw.dims, [...path, "dims"]);
  const record = { name: name ?? raw.name, dtype, shape: raw.dims };
  if (dtype === "unknown" || raw.segmented) {
    const byteLength = raw.isExternal
      ? await externalLength(source, raw.external, [...path, "external_data"])
      : raw.payload;
    const reason = raw.segmented ? "segments" : `element type ${raw.code}`;
    return unreadable(record, { count, path, byteLength }, reason);
  }
  const isUnreal = isComplex(dtype) && { unreadable: dtype };
  return { ...record, ...isUnreal, ...(await placeOf(source, raw, { span, path, count }, record)) };
}

async function placeOf(
  source: ByteSource,
  raw: RawTensor,
  { span, path, count }: { span: Span; path: ErrorPath; count: number },
  record: Pick<TensorRecord, "name" | "dtype" | "shape">,
): Promise<Pick<TensorRecord, "location" | "read" | "readSpan" | "encode">> {
  const needed = byteLengthOf(record.dtype, count);
  const isInside = raw.raw !== null || raw.typed !== null;
  if (raw.isExternal || (raw.external.size > 0 && !isInside)) {
    return externalData(source, raw.external, { needed, path }, record);
  }
  if (raw.raw !== null && raw.raw.end - raw.raw.start > 0) {
    checkLength(raw.raw.end - raw.raw.start, needed, [...path, "raw_data"]);
    return storedAt(source, null, raw.raw.start, record);
  }
  if (count === 0) return { read: async () => new Float32Array(0) };
  return typedData(source, raw.typed, { span, path, needed, count }, record);
}

/**
 * A tensor that is named and counted alone. No element takes less than a bit, so that a shape cannot be made up.
 * @throws {FormatError} `FORMAT_TRUNCATED`
 */
function unreadable(
  record: Pick<TensorRecord, "name" | "dtype" | "shape">,
  { count, path, byteLength }: { count: number; path: ErrorPath; byteLength: number },
  reason: string,
): TensorRecord {
  if (count > 8 * byteLength) {
    throw new FormatError(
      "FORMAT_TRUNCATED",
      `${count} values are announced, ${byteLength} bytes are there`,
      { path, hint: "The file is cut short or damaged: fetch it again." },
    );
  }
  const read = async (): Promise<never> => {
    throw new FormatError("FORMAT_UNSUPPORTED", `a tensor of ${reason} is not read`, { path });
  };
  return { ...record, unreadable: reason, read };
}

async function scanTensor(scan: ProtobufScan, span: Span, path: ErrorPath): Promise<RawTensor> {
  const tensor: RawTensor = {
    name: "",
    code: 0,
    dims: [],
    raw: null,
    typed: null,
    external: new Map(),
    isExternal: false,
    segmented: false,
    payload: 0,
  };
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
      case 6:
        tensor.payload += field.end - field.start;
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
        tensor.payload += field.end - field.start;
        return;
      case 13:
        return readEntry(scan, field, [...path, "external_data"]).then(
          ([key, value]) => void tensor.external.set(key, value),
        );
      case 14:
        tensor.isExternal = signedValue(field) === 1;
        return;
    }
  });
  return tensor;
}

function countTyped(tensor: RawTensor, field: ProtobufField): void {
  tensor.payload += field.end - field.start;
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

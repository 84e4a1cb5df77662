import { joinPieces, piecesLength, type Piece } from "../../bytes/pieces.ts";
import { FormatError, ShapeError, UsageError } from "../../errors.ts";
import type { Model, StoredTensor } from "../../model/model.ts";
import { encodeTensor } from "../../tensor/encode.ts";
import {
  byteLengthOf,
  isComplex,
  isFloat,
  type DType,
  type FloatArray,
} from "../../tensor/dtype.ts";
import { elementCount, type Shape } from "../../tensor/shape.ts";
import { encodedPieces } from "../encodedPieces.ts";
import { dtypeOfTag } from "./header.ts";

export interface SafetensorsTensor {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
  /** Values to be encoded (floating types only), or little-endian bytes to be kept as they are. */
  readonly data: FloatArray | Uint8Array;
}

export interface SafetensorsContent {
  readonly tensors: Iterable<SafetensorsTensor>;
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * A safetensors file. Equal content in equal order gives equal bytes: compact JSON, tensors as given, the header padded with
 * spaces so that the data start at a multiple of 8.
 * @throws {UsageError} `USAGE_INVALID_OPTION` for a name that stands twice; {ShapeError} `SHAPE_MISMATCH`;
 * {FormatError} `FORMAT_UNSUPPORTED` for an element type that is not written.
 */
export function writeSafetensors({ tensors, metadata }: SafetensorsContent): Uint8Array {
  const parts = Array.from(tensors, (tensor) => ({ ...tensor, bytes: bytesOf(tensor) }));
  const { start, byteLength } = headerOf(
    parts.map((part) => ({ ...part, byteLength: part.bytes.byteLength })),
    metadata,
  );
  const file = new Uint8Array(start.byteLength + byteLength);
  file.set(start);
  let at = start.byteLength;
  for (const { bytes } of parts) {
    file.set(bytes, at);
    at += bytes.byteLength;
  }
  return file;
}

/**
 * The tensors of a model under their own names, as pieces that are made while they are written. Quantised weights become float32.
 * Left out: elements of types that are not written, and the integer constants of a file that declares a graph (shapes, indices).
 * A `__metadata__` that was read is kept unless another is given.
 * @throws {UsageError} `USAGE_INVALID_OPTION` for a name that stands twice; {FormatError} of the reader, while writing.
 */
export function modelSafetensors(
  model: Model,
  metadata?: Readonly<Record<string, string>>,
): readonly Piece[] {
  const tensors = model.tensors.flatMap((tensor) => {
    const dtype = writtenType(tensor, model);
    if (dtype === null) return [];
    const pieces = encodedPieces(tensor, dtype);
    return [{ ...tensor, dtype, pieces, byteLength: piecesLength(pieces) }];
  });
  const kept = metadata ?? (model.metadata["__metadata__"] as typeof metadata);
  const { start } = headerOf(tensors, kept);
  return [{ kind: "bytes", bytes: start }, ...tensors.flatMap(({ pieces }) => pieces)];
}

/** `modelSafetensors`, at once. */
export function writeModelSafetensors(
  model: Model,
  metadata?: Readonly<Record<string, string>>,
): Promise<Uint8Array> {
  return joinPieces(modelSafetensors(model, metadata));
}

/** Null for what is left out. */
function writtenType({ dtype, quantisation }: StoredTensor, model: Model): DType | null {
  if (quantisation !== undefined) return "float32";
  if (isFloat(dtype)) return hasTag(dtype) ? dtype : "float32";
  return hasTag(dtype) && model.topology.certainty === "inferred" && !isComplex(dtype)
    ? dtype
    : null;
}

function hasTag(dtype: DType): boolean {
  return [...dtypeOfTag.values()].includes(dtype);
}

interface Described {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
  readonly byteLength: number;
}

/** What stands before the data, and how many bytes the data take. */
function headerOf(
  tensors: readonly Described[],
  metadata: Readonly<Record<string, string>> | undefined,
): { start: Uint8Array; byteLength: number } {
  const names = new Set(["__metadata__"]);
  const lines: string[] = [];
  if (metadata !== undefined) lines.push(`"__metadata__":${JSON.stringify(metadata)}`);
  let end = 0;
  for (const tensor of tensors) {
    const { name, shape, byteLength } = tensor;
    if (names.has(name)) {
      throw new UsageError("USAGE_INVALID_OPTION", `the name ${name} is taken`, { path: [name] });
    }
    names.add(name);
    const begin = end;
    end += byteLength;
    // Text by text, since an object would sort names that look like numbers.
    const entry = JSON.stringify({ dtype: tagOf(tensor), shape, data_offsets: [begin, end] });
    lines.push(`${JSON.stringify(name)}:${entry}`);
  }
  const json = new TextEncoder().encode(`{${lines.join(",")}}`);
  const headerLength = Math.ceil(json.byteLength / 8) * 8;
  const start = new Uint8Array(8 + headerLength).fill(0x20);
  new DataView(start.buffer).setBigUint64(0, BigInt(headerLength), true);
  start.set(json, 8);
  return { start, byteLength: end };
}

function bytesOf({ name, dtype, shape, data }: SafetensorsTensor): Uint8Array {
  const count = elementCount(shape);
  const isRaw = data instanceof Uint8Array;
  if (data.length !== (isRaw ? byteLengthOf(dtype, count) : count)) {
    const unit = isRaw ? "bytes" : "values";
    throw new ShapeError(
      "SHAPE_MISMATCH",
      `${data.length} ${unit} do not fill ${dtype} [${shape.join(", ")}]`,
      { path: [name] },
    );
  }
  return isRaw ? data : encodeTensor(data, dtype);
}

function tagOf({ name, dtype }: Described): string {
  for (const [tag, own] of dtypeOfTag) if (own === dtype) return tag;
  throw new FormatError("FORMAT_UNSUPPORTED", `safetensors has no element type ${dtype}`, {
    path: [name],
  });
}

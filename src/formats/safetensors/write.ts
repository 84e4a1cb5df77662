import { FormatError, ShapeError, UsageError } from "../../errors.ts";
import type { Model } from "../../model/model.ts";
import { encodeTensor } from "../../tensor/encode.ts";
import { byteLengthOf, isFloat, type DType, type FloatArray } from "../../tensor/dtype.ts";
import { elementCount, type Shape } from "../../tensor/shape.ts";
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
  const names = new Set(["__metadata__"]);
  const lines: string[] = [];
  const chunks: Uint8Array[] = [];
  if (metadata !== undefined) lines.push(`"__metadata__":${JSON.stringify(metadata)}`);
  let end = 0;
  for (const tensor of tensors) {
    if (names.has(tensor.name)) {
      throw new UsageError("USAGE_INVALID_OPTION", `the name ${tensor.name} is taken`, {
        path: [tensor.name],
      });
    }
    names.add(tensor.name);
    const bytes = bytesOf(tensor);
    const begin = end;
    end += bytes.byteLength;
    // Text by text, since an object would sort names that look like numbers.
    lines.push(
      `${JSON.stringify(tensor.name)}:${JSON.stringify({
        dtype: tagOf(tensor),
        shape: tensor.shape,
        data_offsets: [begin, end],
      })}`,
    );
    chunks.push(bytes);
  }
  const json = new TextEncoder().encode(`{${lines.join(",")}}`);
  const headerLength = Math.ceil(json.byteLength / 8) * 8;
  const file = new Uint8Array(8 + headerLength + end).fill(0x20, 8, 8 + headerLength);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerLength), true);
  file.set(json, 8);
  let at = 8 + headerLength;
  for (const chunk of chunks) {
    file.set(chunk, at);
    at += chunk.byteLength;
  }
  return file;
}

/**
 * Every floating tensor of a model under its own name; quantised weights as float32. Integer constants have no place among
 * weights and are left out. A `__metadata__` that was read is kept unless another is given.
 * @throws {UsageError} `USAGE_INVALID_OPTION` for a name that stands twice; {FormatError} of the reader.
 */
export async function writeModelSafetensors(
  model: Model,
  metadata?: Readonly<Record<string, string>>,
): Promise<Uint8Array> {
  const tensors: SafetensorsTensor[] = [];
  for (const tensor of model.tensors) {
    const kept = isFloat(tensor.dtype) && tensor.quantisation === undefined;
    if (!kept && tensor.quantisation === undefined) continue;
    const { name, shape } = tensor;
    tensors.push({
      name,
      shape,
      dtype: kept ? tensor.dtype : "float32",
      data: await tensor.read(),
    });
  }
  const kept = metadata ?? (model.metadata["__metadata__"] as typeof metadata);
  return writeSafetensors({ tensors, ...(kept === undefined ? {} : { metadata: kept }) });
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

function tagOf({ name, dtype }: SafetensorsTensor): string {
  for (const [tag, own] of dtypeOfTag) if (own === dtype) return tag;
  throw new FormatError("FORMAT_UNSUPPORTED", `safetensors has no element type ${dtype}`, {
    path: [name],
  });
}

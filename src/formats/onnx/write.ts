/** New weights into a copy of an ONNX file, in place: what is not touched keeps every byte. */
import type { ByteSource } from "../../bytes/source.ts";
import { FormatError, ShapeError, UsageError } from "../../errors.ts";
import type { Model, StoredTensor, TensorLocation } from "../../model/model.ts";
import { encodeTensor } from "../../tensor/decode.ts";
import { isFloat, type FloatArray } from "../../tensor/dtype.ts";
import { elementCount } from "../../tensor/shape.ts";
import { readOnnx } from "./read.ts";

/** One file of the copy. */
export interface PatchedFile {
  /** Relative path of a data file beside the model, or null for the model itself. */
  readonly file: string | null;
  readonly byteLength: number;
  /** The content in order, a few megabytes at a time, so that no large file is held whole. */
  chunks(): AsyncIterable<Uint8Array>;
}

interface Patch {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

const chunkLength = 4 * 2 ** 20;

/**
 * A copy of the model with new values in the named tensors, in stored order, rounded to each tensor's own type. The model comes
 * first, then the data files that the changes touch; a data file that is not among them is as it was.
 * Memory: the new values once more, encoded, and one chunk.
 * @throws {UsageError} `USAGE_INVALID_OPTION` for a name that no tensor, or more than one, has; {ShapeError} `SHAPE_MISMATCH`
 *   for a wrong count; {FormatError} `FORMAT_UNSUPPORTED` for tensors that are quantised, of integers, computed by other nodes,
 *   or stored number by number; and those of the reader.
 */
export async function patchOnnx(
  source: ByteSource,
  changes: ReadonlyMap<string, FloatArray>,
): Promise<PatchedFile[]> {
  const model = await readOnnx(source);
  const patches = new Map<string | null, Patch[]>([[null, []]]);
  for (const [name, values] of changes) {
    const tensor = tensorOf(model, name);
    const location = patchable(model, tensor, values);
    const own = patches.get(location.file) ?? [];
    patches.set(location.file, own);
    own.push({ offset: location.offset, bytes: encodeTensor(values, tensor.dtype) });
  }
  const files: PatchedFile[] = [];
  for (const [file, own] of patches) {
    files.push(patched(file, file === null ? source : await source.sibling(file), own));
  }
  return files;
}

/** The tensor called `name`, as a layer reads it or as it is stored. */
function tensorOf(model: Model, name: string): StoredTensor {
  const inLayers = model.layers.map((layer) => layer.tensor).filter((own) => own.name === name);
  const found = inLayers.length > 0 ? inLayers : model.tensors.filter((own) => own.name === name);
  const [tensor] = found;
  const place = (own: StoredTensor): string => `${own.location?.file} ${own.location?.offset}`;
  if (tensor !== undefined && found.every((own) => place(own) === place(tensor))) return tensor;
  throw new UsageError(
    "USAGE_INVALID_OPTION",
    tensor ? `several tensors are called ${name}` : `the file holds no tensor ${name}`,
    { path: [model.name, name] },
  );
}

function patchable(model: Model, tensor: StoredTensor, values: FloatArray): TensorLocation {
  const { name, dtype, shape, location, quantisation } = tensor;
  const path = [model.name, name];
  const refuse = (reason: string): FormatError =>
    new FormatError("FORMAT_UNSUPPORTED", `${name} cannot be written back: ${reason}`, {
      path,
      hint: "Write the model as safetensors instead.",
    });
  if (quantisation !== undefined) throw refuse(`its weights are quantised, ${quantisation}`);
  if (!isFloat(dtype)) throw refuse(`it is of type ${dtype}`);
  if (location === undefined) throw refuse("its bytes do not stand in the file in one piece");
  if (values.length !== elementCount(shape)) {
    throw new ShapeError(
      "SHAPE_MISMATCH",
      `${values.length} values do not fill [${shape.join(", ")}]`,
      { path },
    );
  }
  return location;
}

function patched(file: string | null, source: ByteSource, patches: readonly Patch[]): PatchedFile {
  return {
    file,
    byteLength: source.byteLength,
    async *chunks() {
      for (let start = 0; start < source.byteLength; start += chunkLength) {
        const end = Math.min(start + chunkLength, source.byteLength);
        const chunk = new Uint8Array(await source.slice(start, end));
        for (const { offset, bytes } of patches) {
          const from = Math.max(offset, start);
          const to = Math.min(offset + bytes.byteLength, end);
          if (from < to) chunk.set(bytes.subarray(from - offset, to - offset), from - start);
        }
        yield chunk;
      }
    },
  };
}

/** The whole of a patched file in one array, for files that fit. */
export async function patchedBytes(file: PatchedFile): Promise<Uint8Array> {
  const whole = new Uint8Array(file.byteLength);
  let at = 0;
  for await (const chunk of file.chunks()) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}

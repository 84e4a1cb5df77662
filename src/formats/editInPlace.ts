/**
 * New weights into a copy of a model's files by the place of their bytes. It needs no knowledge of the format, since every reader
 * that can say where a tensor's bytes lie does so (`StoredTensor.location`).
 */
import { editedPieces, type ByteEdit } from "../bytes/pieces.ts";
import type { ByteSource } from "../bytes/source.ts";
import { FormatError, ShapeError, UsageError } from "../errors.ts";
import type { Model, StoredTensor } from "../model/model.ts";
import { encodeTensor } from "../tensor/encode.ts";
import type { FloatArray } from "../tensor/dtype.ts";
import { elementCount } from "../tensor/shape.ts";
import type { PatchedFile, TensorChanges } from "./format.ts";

/**
 * The model file, and beside it each data file that a changed tensor lies in. Memory: the encoded changes.
 * @throws {UsageError} `USAGE_INVALID_OPTION` for a name that no tensor has, or several; {ShapeError} `SHAPE_MISMATCH` for a wrong count;
 *   {FormatError} `FORMAT_UNSUPPORTED` for a tensor whose bytes have no place or whose type is not written.
 */
export async function editInPlace(
  source: ByteSource,
  model: Model,
  changes: TensorChanges,
): Promise<readonly PatchedFile[]> {
  const edits = new Map<string | null, ByteEdit[]>([[null, []]]);
  for (const [name, values] of changes) {
    const { file, ...edit } = await editOf(model, tensorOf(model, name), values);
    const own = edits.get(file) ?? [];
    own.push(edit);
    edits.set(file, own);
  }
  return Promise.all(
    Array.from(edits, async ([file, own]) => ({
      file,
      pieces: editedPieces(file === null ? source : await source.sibling(file), own),
    })),
  );
}

/** The tensor called `name`, as a layer reads it (one direction of a recurrent unit, say), else as it is stored. */
export function tensorOf(model: Model, name: string): StoredTensor {
  const inLayers = model.layers.map((layer) => layer.tensor).filter((own) => own.name === name);
  const found = inLayers.length > 0 ? inLayers : model.tensors.filter((own) => own.name === name);
  const [tensor] = found;
  const place = ({ location }: StoredTensor): string => `${location?.file} ${location?.offset}`;
  if (tensor !== undefined && found.every((own) => place(own) === place(tensor))) return tensor;
  throw new UsageError(
    "USAGE_INVALID_OPTION",
    tensor ? `several tensors are called ${name}` : `the model holds no tensor ${name}`,
    { path: [model.name, name] },
  );
}

async function editOf(
  model: Model,
  tensor: StoredTensor,
  values: FloatArray,
): Promise<{ file: string | null; offset: number; bytes: Uint8Array }> {
  const path = [model.name, tensor.name];
  const { location } = tensor;
  if (location === undefined) throw notInPlace(path);
  const bytes = await storedBytes(tensor, values, path);
  if (bytes.byteLength !== location.byteLength) {
    throw new ShapeError(
      "SHAPE_MISMATCH",
      `${bytes.byteLength} bytes have no place in ${location.byteLength}`,
      { path },
    );
  }
  return { file: location.file, offset: location.offset, bytes };
}

/**
 * New values as the bytes that the file stores for this tensor.
 * @throws {ShapeError} `SHAPE_MISMATCH`; {FormatError} `FORMAT_UNSUPPORTED` for a quantised tensor that cannot be encoded.
 */
export async function storedBytes(
  tensor: StoredTensor,
  values: FloatArray,
  path: readonly string[],
): Promise<Uint8Array> {
  const { shape, dtype, quantisation } = tensor;
  if (values.length !== elementCount(shape)) {
    throw new ShapeError(
      "SHAPE_MISMATCH",
      `${values.length} values do not fill [${shape.join(", ")}]`,
      { path },
    );
  }
  if (tensor.encode !== undefined) return tensor.encode(values);
  if (quantisation !== undefined) throw notInPlace(path);
  return encodeTensor(values, dtype);
}

function notInPlace(path: readonly string[]): FormatError {
  return new FormatError("FORMAT_UNSUPPORTED", "this tensor cannot be changed in place", {
    path,
    hint: "It is packed, quantised or computed; write the whole model as safetensors instead.",
  });
}

/**
 * New weights into a copy of a model file, in place: only the bytes of the named tensors change. It needs no knowledge of the
 * format, since every reader that can say where a tensor's bytes lie does so (`StoredTensor.location`).
 */
import type { ByteSource } from "../bytes/source.ts";
import { FormatError, ShapeError, UsageError } from "../errors.ts";
import type { Model, StoredTensor } from "../model/model.ts";
import { decodeTensor, encodeTensor } from "../tensor/decode.ts";
import type { FloatArray } from "../tensor/dtype.ts";
import { elementCount } from "../tensor/shape.ts";

/** A file of the model after the change. */
export interface PatchedFile {
  /** Path relative to the model file, or null for the model file itself. */
  readonly file: string | null;
  readonly bytes: Uint8Array;
}

/**
 * `changes`: new values by tensor name, in stored order; they are rounded to the tensor's own type.
 * Returns the model file, and beside it each data file that a changed tensor lies in. Files without a change are not returned,
 * except for the model file. Memory: a copy of each returned file.
 * @throws {UsageError} `USAGE_INVALID_OPTION` for a name that no tensor has, or several; {ShapeError} `SHAPE_MISMATCH` for a wrong count;
 *   {FormatError} `FORMAT_UNSUPPORTED` for a tensor whose bytes have no place or whose type is not written.
 */
export async function patchModel(
  source: ByteSource,
  model: Model,
  changes: ReadonlyMap<string, FloatArray>,
): Promise<PatchedFile[]> {
  const files = new Map<string | null, Uint8Array>([[null, await copyOf(source)]]);
  for (const [name, values] of changes) {
    const { file, offset, bytes } = patchOf(model, tensorOf(model, name), values);
    let target = files.get(file);
    if (target === undefined) {
      target = await copyOf(await source.sibling(file ?? ""));
      files.set(file, target);
    }
    target.set(bytes, offset);
  }
  return Array.from(files, ([file, bytes]) => ({ file, bytes }));
}

/**
 * That a model which was written and read back holds `values`, each rounded to its tensor's own type, bit by bit.
 * @throws {FormatError} `FORMAT_MALFORMED` if it does not; {UsageError} `USAGE_INVALID_OPTION` as `patchModel`.
 */
export async function checkTensors(
  written: Model,
  values: ReadonlyMap<string, FloatArray>,
): Promise<void> {
  for (const [name, wanted] of values) {
    const tensor = tensorOf(written, name);
    const found = await tensor.read();
    const rounded = decodeTensor(encodeTensor(wanted, tensor.dtype), tensor.dtype, wanted.length);
    const same =
      found.length === wanted.length && found.every((value, i) => Object.is(value, rounded[i]));
    if (!same) {
      throw new FormatError("FORMAT_MALFORMED", "the tensor does not read back as it was written", {
        path: [written.name, name],
        hint: "The output is not to be trusted: please report this.",
      });
    }
  }
}

/** The tensor called `name`, as a layer reads it (one direction of a recurrent unit, say), else as it is stored. */
function tensorOf(model: Model, name: string): StoredTensor {
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

function patchOf(
  model: Model,
  { name, shape, dtype, location, quantisation }: StoredTensor,
  values: FloatArray,
): { file: string | null; offset: number; bytes: Uint8Array } {
  const path = [model.name, name];
  if (location === undefined || quantisation !== undefined) {
    throw new FormatError("FORMAT_UNSUPPORTED", "this tensor cannot be changed in place", {
      path,
      hint: "It is packed, quantised or computed; write the whole model as safetensors instead.",
    });
  }
  if (values.length !== elementCount(shape)) {
    throw new ShapeError(
      "SHAPE_MISMATCH",
      `${values.length} values do not fill [${shape.join(", ")}]`,
      { path },
    );
  }
  const bytes = encodeTensor(values, dtype);
  if (bytes.byteLength !== location.byteLength) {
    throw new ShapeError(
      "SHAPE_MISMATCH",
      `${bytes.byteLength} bytes have no place in ${location.byteLength}`,
      { path },
    );
  }
  return { file: location.file, offset: location.offset, bytes };
}

/** A copy of our own: a source may hand out a view on its memory. */
async function copyOf(source: ByteSource): Promise<Uint8Array> {
  return new Uint8Array(await source.slice(0, source.byteLength));
}

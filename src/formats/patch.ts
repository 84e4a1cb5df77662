/** New weights into a copy of a model's files: what changes is decided by the format, by default the tensors' own bytes alone. */
import type { ByteSource } from "../bytes/source.ts";
import { FormatError } from "../errors.ts";
import type { Model } from "../model/model.ts";
import { detectFormat } from "./detect.ts";
import { editInPlace, storedBytes, tensorOf } from "./editInPlace.ts";
import type { PatchedFile, TensorChanges } from "./format.ts";

/**
 * Returns the model file, and beside it each data file that a changed tensor lies in. Files without a change are not returned,
 * except for the model file. Memory: the encoded changes, where the format allows.
 * @throws {UsageError} `USAGE_INVALID_OPTION` for a name that no tensor has, or several; {ShapeError} `SHAPE_MISMATCH` for a wrong count;
 *   {FormatError} `FORMAT_UNSUPPORTED` for a tensor whose bytes have no place or whose type is not written.
 */
export async function patchModel(
  source: ByteSource,
  model: Model,
  changes: TensorChanges,
): Promise<readonly PatchedFile[]> {
  const format = await detectFormat(source);
  return format.patch?.(source, model, changes) ?? editInPlace(source, model, changes);
}

/**
 * That a model which was written and read back holds `values`, each rounded as its tensor stores them, bit by bit.
 * @throws {FormatError} `FORMAT_MALFORMED` if it does not; {UsageError} `USAGE_INVALID_OPTION` as `patchModel`.
 */
export async function checkTensors(written: Model, values: TensorChanges): Promise<void> {
  for (const [name, wanted] of values) {
    const tensor = tensorOf(written, name);
    const path = [written.name, name];
    const stored = await storedBytes(tensor, await tensor.read(), path);
    const asked = await storedBytes(tensor, wanted, path);
    if (stored.some((byte, i) => byte !== asked[i])) {
      throw new FormatError("FORMAT_MALFORMED", "the tensor does not read back as it was written", {
        path,
        hint: "The output is not to be trusted: please report this.",
      });
    }
  }
}

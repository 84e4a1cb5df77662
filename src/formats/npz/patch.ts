import { editedPieces, type ByteEdit } from "../../bytes/pieces.ts";
import type { ByteSource } from "../../bytes/source.ts";
import { patchZip, type ZipChange } from "../../bytes/zipPatch.ts";
import type { Model } from "../../model/model.ts";
import { storedBytes, tensorOf } from "../editInPlace.ts";
import type { PatchedFile, TensorChanges } from "../format.ts";
import { storedArrays, type StoredArray } from "./arrays.ts";

/**
 * A copy of the file with new values, each array in its own byte order and axis order. In an archive the checksums follow; packed
 * arrays are packed anew.
 * @throws {FormatError} as `patchZip`; {ShapeError} `SHAPE_MISMATCH`; {UsageError} `USAGE_INVALID_OPTION`
 */
export async function patchNumpy(
  source: ByteSource,
  model: Model,
  changes: TensorChanges,
): Promise<readonly PatchedFile[]> {
  const { arrays, isArchive } = await storedArrays(source);
  const byName = new Map(arrays.map((array) => [array.name, array]));
  const edits = new Map<StoredArray, ByteEdit>();
  for (const [name, values] of changes) {
    const tensor = tensorOf(model, name);
    const array = byName.get(tensor.name)!;
    const bytes = await storedBytes(tensor, values, [model.name, name]);
    edits.set(array, { offset: array.header.offset, bytes });
  }
  if (!isArchive) return [{ file: null, pieces: editedPieces(source, [...edits.values()]) }];
  const entries = new Map<string, ZipChange>();
  for (const [{ entry }, edit] of edits) entries.set(entry!.name, { edits: [edit] });
  return [{ file: null, pieces: await patchZip(source, entries) }];
}

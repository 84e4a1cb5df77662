import { openHdf5, patchHdf5, type Hdf5Array, type Hdf5Patch } from "../../bytes/hdf5.ts";
import type { ByteEdit, Piece } from "../../bytes/pieces.ts";
import { editedPieces } from "../../bytes/pieces.ts";
import type { ByteSource } from "../../bytes/source.ts";
import { patchZip } from "../../bytes/zipPatch.ts";
import { FormatError } from "../../errors.ts";
import type { Model } from "../../model/model.ts";
import { byteLengthOf } from "../../tensor/dtype.ts";
import { storedBytes, tensorOf } from "../editInPlace.ts";
import type { PatchedFile, TensorChanges } from "../format.ts";
import { archiveWeights, weightsName } from "./archive.ts";
import { storedWeights } from "./storedWeights.ts";

/**
 * New values into a copy of an HDF5 file. An array that lies in one piece changes in its own bytes alone; packed chunks are packed
 * anew, which may move them to the end of the file.
 */
export async function patchKerasHdf5(
  source: ByteSource,
  model: Model,
  changes: TensorChanges,
): Promise<readonly PatchedFile[]> {
  const { edits, tail } = await patchOf(source, model, changes);
  const pieces: Piece[] = [...editedPieces(source, edits)];
  if (tail.byteLength > 0) pieces.push({ kind: "bytes", bytes: tail });
  return [{ file: null, pieces }];
}

/** The same for the HDF5 file inside a `.keras` archive. */
export async function patchKerasArchive(
  source: ByteSource,
  model: Model,
  changes: TensorChanges,
): Promise<readonly PatchedFile[]> {
  const inner = await archiveWeights(source);
  const { edits, tail } = await patchOf(inner, model, changes);
  const change = tail.byteLength === 0 ? { edits } : { content: await grown(inner, edits, tail) };
  const isSame = edits.length === 0 && tail.byteLength === 0;
  const entries = new Map(isSame ? [] : [[weightsName, change] as const]);
  return [{ file: null, pieces: await patchZip(source, entries) }];
}

async function patchOf(
  source: ByteSource,
  model: Model,
  changes: TensorChanges,
): Promise<Hdf5Patch> {
  const file = await openHdf5(source);
  const { weights } = await storedWeights(file);
  const arrays = new Map(weights.map(({ name, array }) => [name, array]));
  const bytes = new Map<Hdf5Array, Uint8Array>();
  for (const [name, values] of changes) {
    const tensor = tensorOf(model, name);
    const array = arrays.get(tensor.name);
    const path = [model.name, name];
    if (array === undefined) {
      throw new FormatError("FORMAT_MALFORMED", "the file no longer holds this array", { path });
    }
    const fresh = (await storedBytes(tensor, values, path)).slice();
    const old = await array.read(0, values.length);
    const before = await tensor.read();
    const size = byteLengthOf(tensor.dtype, 1);
    // What is asked to be as it was keeps its bytes: some have several for one value (NaN).
    for (let i = 0; i < values.length; i++) {
      if (!Object.is(before[i], values[i])) continue;
      fresh.set(old.subarray(i * size, (i + 1) * size), i * size);
    }
    bytes.set(array, fresh);
  }
  return patchHdf5(file, bytes);
}

async function grown(
  source: ByteSource,
  edits: readonly ByteEdit[],
  tail: Uint8Array,
): Promise<Uint8Array> {
  const all = new Uint8Array(source.byteLength + tail.byteLength);
  all.set(await source.slice(0, source.byteLength));
  for (const { offset, bytes } of edits) all.set(bytes, offset);
  all.set(tail, source.byteLength);
  return all;
}

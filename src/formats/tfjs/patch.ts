import { editedPieces, type ByteEdit } from "../../bytes/pieces.ts";
import type { ByteSource } from "../../bytes/source.ts";
import { FormatError } from "../../errors.ts";
import type { Model } from "../../model/model.ts";
import { storedBytes, tensorOf } from "../editInPlace.ts";
import type { PatchedFile, TensorChanges } from "../format.ts";
import { openManifest } from "./manifestOf.ts";
import { runEdits, type Shard } from "./shards.ts";

/**
 * The model file as it is, and each shard that a changed tensor lies in with that tensor's bytes replaced; a tensor that runs over
 * a border is parted. Memory: the encoded changes.
 * @throws {FormatError} `FORMAT_UNSUPPORTED` for values that a quantised tensor cannot hold, types that are not written, and
 *   weights that stand in the JSON as text; {ShapeError} `SHAPE_MISMATCH`; {UsageError} `USAGE_INVALID_OPTION`
 */
export async function patchTfjs(
  source: ByteSource,
  model: Model,
  changes: TensorChanges,
): Promise<readonly PatchedFile[]> {
  const { places } = (await openManifest(source)).manifest;
  const edits = new Map<Shard, ByteEdit[]>();
  for (const [name, values] of changes) {
    const path = [model.name, name];
    const tensor = tensorOf(model, name);
    const place = places.get(name);
    if (place === undefined) throw notPatched(path);
    const bytes = await storedBytes(tensor, values, path);
    for (const { shard, edit } of runEdits(place.run, place.offset, bytes)) {
      if (shard.path === null) throw notPatched(path);
      edits.set(shard, [...(edits.get(shard) ?? []), edit]);
    }
  }
  return [
    { file: null, pieces: editedPieces(source, []) },
    ...Array.from(edits, ([shard, own]) => ({
      file: shard.path,
      pieces: editedPieces(shard.source, own),
    })),
  ];
}

function notPatched(path: readonly string[]): FormatError {
  return new FormatError("FORMAT_UNSUPPORTED", "this tensor cannot be changed in place", {
    path,
    hint: "Its bytes lie in no shard; write the whole model anew instead.",
  });
}

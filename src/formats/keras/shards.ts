/** Weights of Keras 3 in several files: `NAME.weights.json` says which shard holds which group. */
import { openHdf5 } from "../../bytes/hdf5.ts";
import { editedPieces } from "../../bytes/pieces.ts";
import type { ByteSource } from "../../bytes/source.ts";
import { FormatError } from "../../errors.ts";
import { naturalOrder } from "../../model/naturalOrder.ts";
import type { Model } from "../../model/model.ts";
import type { PatchedFile, TensorChanges } from "../format.ts";
import { isJsonObject, parseStrictJson } from "../strictJson.ts";
import { kerasModel } from "./kerasModel.ts";
import { patchKerasHdf5 } from "./patch.ts";
import { storedWeights, type KerasWeight, type StoredWeights } from "./storedWeights.ts";

const maxIndexLength = 2 ** 26;
const maxShards = 10_000;

/** Whether JSON is such an index: it maps groups to HDF5 files. */
export async function isShardIndex(head: Uint8Array, source: ByteSource): Promise<boolean> {
  const text = new TextDecoder("latin1").decode(head);
  if (!text.trimStart().startsWith("{") || !text.includes('"weight_map"')) return false;
  if (source.byteLength > maxIndexLength) return false;
  return /"[^"\\]+\.h5"/.test(
    new TextDecoder("latin1").decode(await source.slice(0, source.byteLength)),
  );
}

/** @throws {FormatError} as `readKerasHdf5`; `FILE_NOT_FOUND`, `FILE_OUTSIDE_FOLDER` for a shard */
export async function readKerasShards(source: ByteSource): Promise<Model> {
  const byShard = await openShards(source);
  const weights: KerasWeight[] = [];
  const missing: string[] = [];
  const layerNames = new Map<string, string>();
  for (const [shard, stored] of byShard) {
    weights.push(...stored.weights.map((weight) => ({ ...weight, file: shard })));
    missing.push(...stored.missing);
    for (const [group, name] of stored.layerNames) layerNames.set(group, name);
  }
  weights.sort((a, b) => naturalOrder(a.name, b.name));
  const own = { format: "keras-h5", name: source.name, config: null, version: null, place: true };
  return kerasModel({ layout: "numbered", weights, missing, layerNames }, own);
}

/** The shards that a change lies in, patched as files of their own; the index stays as it is. */
export async function patchKerasShards(
  source: ByteSource,
  model: Model,
  changes: TensorChanges,
): Promise<readonly PatchedFile[]> {
  const files: PatchedFile[] = [{ file: null, pieces: editedPieces(source, []) }];
  const left = new Map(changes);
  for (const [shard, { weights }] of await openShards(source)) {
    const names = weights.map(({ name }) => name).filter((name) => left.has(name));
    if (names.length === 0) continue;
    const own = new Map(names.map((name) => [name, left.get(name)!]));
    for (const name of names) left.delete(name);
    const [patched] = await patchKerasHdf5(await source.sibling(shard), model, own);
    files.push({ file: shard, pieces: patched!.pieces });
  }
  const [unknown] = left.keys();
  if (unknown === undefined) return files;
  throw new FormatError("FORMAT_MALFORMED", "no shard holds this array", {
    path: [source.name, unknown],
  });
}

async function openShards(source: ByteSource): Promise<ReadonlyMap<string, StoredWeights>> {
  const path = [source.name, "weight_map"];
  if (source.byteLength > maxIndexLength) {
    throw new FormatError("FORMAT_LIMIT", "the index is too long", { path: [source.name] });
  }
  const json = parseStrictJson(await source.slice(0, source.byteLength), { path: [source.name] });
  const map = isJsonObject(json) ? json["weight_map"] : null;
  if (!isJsonObject(map))
    throw new FormatError("FORMAT_MALFORMED", "the index maps no groups", { path });
  const shards = new Set<unknown>(Object.values(map).flat());
  if (shards.size > maxShards)
    throw new FormatError("FORMAT_LIMIT", "the index names too many files", { path });
  const opened = new Map<string, StoredWeights>();
  for (const shard of shards) {
    if (typeof shard !== "string")
      throw new FormatError("FORMAT_MALFORMED", "a shard has no name", { path });
    opened.set(shard, await storedWeights(await openHdf5(await source.sibling(shard))));
  }
  return opened;
}

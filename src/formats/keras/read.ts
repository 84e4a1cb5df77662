import { hdf5Start, openHdf5 } from "../../bytes/hdf5.ts";
import type { ByteSource } from "../../bytes/source.ts";
import { startsWith } from "../../bytes/startsWith.ts";
import { openZip, zipSignature } from "../../bytes/zip.ts";
import { FormatError } from "../../errors.ts";
import type { Model } from "../../model/model.ts";
import type { Format } from "../format.ts";
import { archiveConfig, archiveWeights, weightsName } from "./archive.ts";
import { kerasModel } from "./kerasModel.ts";
import { patchKerasArchive, patchKerasHdf5 } from "./patch.ts";
import { isShardIndex, patchKerasShards, readKerasShards } from "./shards.ts";
import { storedWeights } from "./storedWeights.ts";

/**
 * Reads an HDF5 file: a full Keras model (with its configuration and so its topology; the optimiser's state is left out), weights
 * alone, whose layers are chained by shape, or arrays of anyone's.
 * @throws {FormatError} `FORMAT_MALFORMED`, `FORMAT_TRUNCATED`, `FORMAT_LIMIT`, `FORMAT_UNSUPPORTED`, `FORMAT_NO_WEIGHTS`
 */
export async function readKerasHdf5(source: ByteSource): Promise<Model> {
  const file = await openHdf5(source);
  const config = (await file.texts("/", "model_config"))?.[0] ?? null;
  const version =
    (await file.texts("/", "keras_version")) ??
    (await file.texts("/model_weights", "keras_version"));
  const stored = await storedWeights(file);
  const own = { format: "keras-h5", name: source.name, config, version: version?.[0] ?? null };
  return kerasModel(stored, { ...own, place: true });
}

/**
 * Reads a `.keras` archive of Keras 3: `config.json`, and `model.weights.h5`, in its place where it is not packed.
 * @throws {FormatError} as `readKerasHdf5`
 */
export async function readKerasArchive(source: ByteSource): Promise<Model> {
  const { config, version } = await archiveConfig(source);
  const stored = await storedWeights(await openHdf5(await archiveWeights(source)));
  const own = { format: "keras-v3", name: source.name, config, version };
  return kerasModel(stored, { ...own, place: false });
}

export const kerasHdf5: Format = {
  id: "keras-h5",
  title: "Keras HDF5",
  recognises: async (head, source) => (await hdf5Start(source, head)) !== null,
  read: readKerasHdf5,
  patch: patchKerasHdf5,
};

export const kerasShards: Format = {
  id: "keras-h5",
  title: "Keras shards",
  recognises: isShardIndex,
  read: readKerasShards,
  patch: patchKerasShards,
};

export const kerasArchive: Format = {
  id: "keras-v3",
  title: "Keras 3 archive",
  async recognises(head, source) {
    if (!startsWith(head, zipSignature)) return false;
    try {
      return (await openZip(source)).some(({ name }) => name === weightsName);
    } catch (cause) {
      if (cause instanceof FormatError) return false;
      throw cause;
    }
  },
  read: readKerasArchive,
  patch: patchKerasArchive,
};

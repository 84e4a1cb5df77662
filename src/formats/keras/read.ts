import { hdf5Signature, withHdf5, type Hdf5 } from "../../bytes/hdf5.ts";
import { memorySource, type ByteSource } from "../../bytes/source.ts";
import { startsWith } from "../../bytes/startsWith.ts";
import { openZip, zipSignature } from "../../bytes/zip.ts";
import { FormatError } from "../../errors.ts";
import { chainLayers } from "../../model/chainLayers.ts";
import type { Model, StoredTensor } from "../../model/model.ts";
import { dtypes, type DType, type FloatArray } from "../../tensor/dtype.ts";
import type { Format } from "../format.ts";
import { parseKerasConfig } from "../kerasConfig.ts";
import { kerasKernel, kerasRole } from "../kerasKernels.ts";
import { traceKeras } from "../kerasTopology.ts";
import { parseStrictJson } from "../strictJson.ts";
import { storedWeights, type KerasGroup } from "./storedWeights.ts";

/**
 * Reads a Keras HDF5 file: a full model (with its configuration and so its topology; the optimiser's state is left out) or
 * weights alone, whose layers are chained by shape. The file is copied into the HDF5 library's memory.
 * @throws {FormatError} `FORMAT_MALFORMED`, `FORMAT_TRUNCATED`, `FORMAT_LIMIT`, `FORMAT_UNSUPPORTED` for HDF5 that is not of Keras
 */
export async function readKerasHdf5(source: ByteSource): Promise<Model> {
  const config = await withHdf5(source, (file) => file.texts("/", "model_config")?.[0] ?? null);
  return { ...(await readWeights(source, config)), format: "keras-h5" };
}

/**
 * Reads a `.keras` archive of Keras 3: `config.json` and, unpacked into memory, `model.weights.h5`.
 * @throws {FormatError} as `readKerasHdf5`
 */
export async function readKerasArchive(source: ByteSource): Promise<Model> {
  const entries = await openZip(source);
  const read = async (name: string): Promise<Uint8Array> => {
    const entry = entries.find((one) => one.name === name);
    if (entry !== undefined) return entry.read();
    throw new FormatError("FORMAT_MALFORMED", `the archive holds no ${name}`, {
      path: [source.name],
    });
  };
  const config = new TextDecoder().decode(await read("config.json"));
  const weights = memorySource(await read(weightsName), source.name);
  return { ...(await readWeights(weights, config)), format: "keras-v3" };
}

const weightsName = "model.weights.h5";

async function readWeights(
  source: ByteSource,
  config: string | null,
): Promise<Omit<Model, "format">> {
  const { groups, version } = await withHdf5(source, (file) => ({
    groups: storedWeights(file),
    version: file.texts("/", "keras_version") ?? file.texts("/model_weights", "keras_version"),
  }));
  if (groups.length === 0) {
    throw new FormatError(
      "FORMAT_UNSUPPORTED",
      "the HDF5 file holds no weights as Keras stores them",
      {
        path: [source.name],
        hint: "HDF5 is read where Keras wrote it: model.save or model.save_weights.",
      },
    );
  }
  const byGroup = new Map(groups.map((group) => [group.layer, tensorsOf(group, source)]));
  return {
    name: source.name,
    producer: version?.[0] === undefined ? null : `keras ${version[0]}`,
    tensors: [...byGroup.values()].flat(),
    metadata: {},
    ...topologyOf(config, byGroup, source),
  };
}

function tensorsOf({ weights }: KerasGroup, source: ByteSource): StoredTensor[] {
  return weights.map(({ name, path, shape, type }) => {
    const dtype = storedType(type, [source.name, path]);
    return {
      name,
      dtype,
      shape,
      role: kerasRole(name, shape, dtype),
      read: () => withHdf5(source, (file) => floatsOf(file, path)),
    };
  });
}

function storedType(type: string | null, path: readonly string[]): DType {
  if (type !== null && type in dtypes) return type as DType;
  throw new FormatError("FORMAT_UNSUPPORTED", "arrays of this type are not read as weights", {
    path,
  });
}

function floatsOf(file: Hdf5, path: string): FloatArray {
  const values = file.read(path);
  if (values instanceof Float32Array || values instanceof Float64Array) return values;
  return Float64Array.from(values as ArrayLike<number | bigint>, Number);
}

function topologyOf(
  config: string | null,
  byGroup: ReadonlyMap<string, readonly StoredTensor[]>,
  source: ByteSource,
): Pick<Model, "layers" | "topology" | "warnings"> {
  if (config === null) {
    const weights = [...byGroup.values()].flat().filter(({ role }) => role === "weight");
    const { layers, topology, warnings } = chainLayers(
      weights.map((tensor) => kerasKernel(tensor, null)),
    );
    return { layers, topology, warnings };
  }
  const path = [source.name, "model_config"];
  const json = parseStrictJson(new TextEncoder().encode(config), { path });
  return traceKeras(parseKerasConfig(json, path), (layer, parents) => {
    const [outermost = layer] = parents;
    const stored = byGroup.get(outermost) ?? [];
    if (parents.length === 0) return stored;
    return stored.filter(({ name }) => name.split("/").slice(0, -1).includes(layer));
  });
}

export const kerasHdf5: Format = {
  id: "keras-h5",
  title: "Keras HDF5",
  recognises: (head) => startsWith(head, hdf5Signature),
  read: readKerasHdf5,
};

export const kerasArchive: Format = {
  id: "keras-v3",
  title: "Keras 3 archive",
  async recognises(head, source) {
    if (!startsWith(head, zipSignature)) return false;
    try {
      return (await openZip(source)).some(({ name }) => name === weightsName);
    } catch {
      return false;
    }
  },
  read: readKerasArchive,
};

import type { ByteSource } from "../../bytes/source.ts";
import { FormatError } from "../../errors.ts";
import { chainLayers } from "../../model/chainLayers.ts";
import type { Model, StoredTensor } from "../../model/model.ts";
import type { Format } from "../format.ts";
import { kerasKernel, kerasRole } from "../kerasKernels.ts";
import { isJsonObject, parseStrictJson } from "../strictJson.ts";
import { readGraphModel } from "./graphModel.ts";
import { readLayersModel, type ReadTopology } from "./layersModel.ts";
import { checkManifest } from "./schema.ts";
import { manifestTensors, type ManifestTensor } from "./weights.ts";

const maxJsonLength = 256 * 2 ** 20;

/**
 * Reads a TensorFlow.js model: a layers-model, a graph-model, or a bare list of weight groups. Opens the shards beside it;
 * weights are read when asked for.
 * @throws {FormatError} `FORMAT_MALFORMED`, `FORMAT_UNSUPPORTED`, `FORMAT_TRUNCATED`, `FORMAT_LIMIT`, `FILE_NOT_FOUND`,
 * `FILE_OUTSIDE_FOLDER`
 */
export async function readTfjs(source: ByteSource): Promise<Model> {
  if (source.byteLength > maxJsonLength) {
    throw new FormatError("FORMAT_LIMIT", `${source.byteLength} bytes of JSON are not parsed`, {
      path: [source.name],
      hint: "Weights belong into shards beside the JSON.",
    });
  }
  const json = parseStrictJson(await source.slice(0, source.byteLength), { path: [source.name] });
  const isBare = Array.isArray(json);
  const file: Readonly<Record<string, unknown>> = isJsonObject(json) ? json : {};
  const path = isBare ? [source.name] : [source.name, "weightsManifest"];
  const groups = checkManifest(isBare ? json : file["weightsManifest"], path);
  const tensors = await manifestTensors(source, groups, path);
  const { modelTopology } = file;
  const isGraph = isJsonObject(modelTopology) && "node" in modelTopology;
  const kind = isBare || modelTopology == null ? "manifest" : isGraph ? "graph" : "layers";
  return {
    name: source.name,
    format: `tfjs-${kind}`,
    producer: textOf(file["generatedBy"]) ?? textOf(file["convertedBy"]),
    metadata: metadataOf(file),
    ...(await topologies[kind](tensors, modelTopology, [source.name])),
  };
}

const topologies = {
  manifest: readBareManifest,
  graph: readGraphModel,
  layers: readLayersModel,
};

/** Without a topology, names say what kind of kernel a tensor is, and layers are chained by shape. */
function readBareManifest(tensors: readonly ManifestTensor[]): ReadTopology {
  const placed = tensors.map((tensor): StoredTensor => ({
    ...tensor,
    role: kerasRole(tensor.name, tensor.shape, tensor.dtype),
  }));
  const weights = placed.filter(({ role }) => role === "weight");
  const { layers, topology, warnings } = chainLayers(
    weights.map((tensor) => kerasKernel(tensor, null)),
  );
  return { tensors: placed, layers, topology, warnings };
}

function textOf(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

function metadataOf(file: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const kept = ["format", "generatedBy", "convertedBy", "signature", "userDefinedMetadata"];
  return Object.fromEntries(kept.flatMap((key) => (key in file ? [[key, file[key]]] : [])));
}

export const tfjs: Format = {
  id: "tfjs",
  title: "TensorFlow.js",
  recognises: looksLikeTfjs,
  read: readTfjs,
};

/** JSON that speaks of a topology or a manifest, in its first bytes or, where they say nothing, at its top level. */
async function looksLikeTfjs(head: Uint8Array, source: ByteSource): Promise<boolean> {
  const text = new TextDecoder("latin1").decode(head);
  const [first] = text.trimStart();
  if (first !== "{" && first !== "[") return false;
  const keys =
    first === "{" ? /"(?:modelTopology|weightsManifest)"\s*:/ : /"(?:paths|weights)"\s*:\s*\[/;
  if (keys.test(text)) return true;
  if (head.byteLength >= source.byteLength || source.byteLength > maxJsonLength) return false;
  try {
    const path = [source.name];
    const json = parseStrictJson(await source.slice(0, source.byteLength), { path });
    return isJsonObject(json) && ("modelTopology" in json || "weightsManifest" in json);
  } catch {
    return false;
  }
}

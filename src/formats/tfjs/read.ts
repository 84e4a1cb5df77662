import type { ByteSource } from "../../bytes/source.ts";
import { chainLayers } from "../../model/chainLayers.ts";
import type { Model, ModelWarning, StoredTensor } from "../../model/model.ts";
import type { Format } from "../format.ts";
import { kerasKernel } from "../kerasKernels.ts";
import { isJsonObject, parseStrictJson } from "../strictJson.ts";
import { readGraphModel } from "./graphModel.ts";
import { manifestRole, readLayersModel, type ReadTopology } from "./layersModel.ts";
import { maxJsonLength, openManifest, type Json } from "./manifestOf.ts";
import { patchTfjs } from "./patch.ts";
import type { Manifest } from "./weights.ts";

/**
 * Reads a TensorFlow.js model: a layers-model, a graph-model, or a bare list of weight groups. Opens the shards beside it;
 * weights are read when asked for.
 * @throws {FormatError} `FORMAT_MALFORMED`, `FORMAT_UNSUPPORTED`, `FORMAT_TRUNCATED`, `FORMAT_LIMIT`, `FORMAT_LFS_POINTER`,
 * `FILE_NOT_FOUND`, `FILE_OUTSIDE_FOLDER`
 */
export async function readTfjs(source: ByteSource): Promise<Model> {
  const { file, manifest } = await openManifest(source);
  const topology = topologyOf(file, source.name);
  const isGraph = isJsonObject(topology) && "node" in topology;
  const kind = topology === null ? "manifest" : isGraph ? "graph" : "layers";
  const { state } = manifest;
  const weights = { ...manifest, tensors: manifest.tensors.filter(({ name }) => !state.has(name)) };
  const read = await topologies[kind](weights, topology, [source.name, "modelTopology"]);
  const byName = new Map(read.tensors.map((tensor) => [tensor.name, tensor]));
  const tensors = manifest.tensors.map(
    (tensor): StoredTensor => byName.get(tensor.name) ?? { ...tensor, role: "constant" },
  );
  return {
    name: source.name,
    format: `tfjs-${kind}`,
    producer: textOf(file["generatedBy"]) ?? textOf(file["convertedBy"]),
    metadata: metadataOf(file, manifest),
    layers: read.layers,
    topology: read.topology,
    ...(read.geometry && { geometry: read.geometry }),
    tensors,
    warnings: [...read.warnings, ...manifestWarnings(manifest)],
  };
}

const topologies = {
  manifest: readBareManifest,
  graph: readGraphModel,
  layers: readLayersModel,
};

/** `modelTopology`, as an object or as text of one; the file itself where it is a Keras configuration with a manifest. */
function topologyOf(file: Json, name: string): unknown {
  const { modelTopology } = file;
  if (typeof modelTopology === "string") {
    const path = [name, "modelTopology"];
    return parseStrictJson(new TextEncoder().encode(modelTopology), { path });
  }
  if (modelTopology != null) return modelTopology;
  return "class_name" in file && "config" in file ? file : null;
}

/** Without a topology, names say what kind of kernel a tensor is, and layers are chained by shape. */
function readBareManifest({ tensors, integers }: Manifest): ReadTopology {
  const placed = tensors.map((tensor): StoredTensor => ({
    ...tensor,
    role: manifestRole(tensor, integers),
  }));
  const weights = placed.filter(({ role }) => role === "weight");
  const { layers, topology, warnings } = chainLayers(
    weights.map((tensor) => kerasKernel(tensor, null)),
  );
  return { tensors: placed, layers, topology, warnings };
}

function manifestWarnings({ texts, state }: Manifest): ModelWarning[] {
  const warnings: ModelWarning[] = [];
  if (texts.length > 0) {
    const message = `${texts.length} tensors hold text, no weights, and are left out: ${listed(texts)}`;
    warnings.push({ code: "TENSOR_TEXT", message });
  }
  if (state.size > 0) {
    const message = `${state.size} tensors are the state of an optimiser, no weights: ${listed([...state])}`;
    warnings.push({ code: "OPTIMIZER_STATE", message });
  }
  return warnings;
}

function listed(names: readonly string[]): string {
  return names.slice(0, 8).join(", ") + (names.length > 8 ? ", …" : "");
}

function textOf(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

/** What the file says beside weights and topology; initialisers are graphs, so that their presence alone is told. */
function metadataOf(file: Json, { texts }: Manifest): Record<string, unknown> {
  const kept = [
    "format",
    "generatedBy",
    "convertedBy",
    "signature",
    "userDefinedMetadata",
    "trainingConfig",
    "initializerSignature",
  ];
  return {
    ...Object.fromEntries(kept.flatMap((key) => (key in file ? [[key, file[key]]] : []))),
    ...("modelInitializer" in file || "initializer" in file ? { hasInitializer: true } : {}),
    ...(texts.length > 0 ? { textTensors: texts } : {}),
  };
}

export const tfjs: Format = {
  id: "tfjs",
  title: "TensorFlow.js",
  recognises: looksLikeTfjs,
  read: readTfjs,
  patch: patchTfjs,
};

const modelKeys = /"(?:modelTopology|weightsManifest|weightSpecs)"\s*:/;
const windowLength = 2 ** 20;

/** JSON that speaks of a topology or a manifest: in its first bytes, most often, else somewhere. */
async function looksLikeTfjs(head: Uint8Array, source: ByteSource): Promise<boolean> {
  const decoder = new TextDecoder("latin1");
  const text = decoder.decode(head);
  const [first] = text.trimStart();
  if (first === "[") return /"(?:paths|weights)"\s*:\s*\[/.test(text);
  if (first !== "{" || source.byteLength > maxJsonLength) return false;
  if (modelKeys.test(text)) return true;
  for (let at = head.byteLength; at < source.byteLength; at += windowLength) {
    // From a little before, where a key may begin.
    const end = Math.min(at + windowLength, source.byteLength);
    const bytes = await source.slice(Math.max(0, at - 64), end);
    if (modelKeys.test(decoder.decode(bytes))) return true;
  }
  return false;
}

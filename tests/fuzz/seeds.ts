/** What is damaged: one small sound file or more of every format that is read. */
import onnxProto from "onnx-proto";
import { existsSync, readFileSync } from "node:fs";
import { openZip } from "../../src/bytes/zip.ts";
import { memorySource, writeSafetensors, type Random } from "../../src/index.ts";
import { keras3File, kerasFile } from "../helpers/hdf5.ts";
import { floatArray, zipBytes } from "../helpers/numpy.ts";
import { onnxMixture, onnxMixtureData, onnxSmallTypes } from "../helpers/onnxMixture.ts";
import { checkpointPickle, legacyFile, type PickledTensor } from "../helpers/pickle.ts";
import { safetensorsBytes } from "../helpers/safetensors.ts";
import { sharedPath } from "../helpers/shared.ts";
import { integers, manifestOf, type TfjsTensor } from "../helpers/tfjs.ts";
import { ggufSeeds, npzSeed, rawSeed, shardedSeed } from "./containerSeeds.ts";
import {
  attentionGraph,
  attentionTensors,
  lstmGraphs,
  lstmTensors,
} from "../helpers/tfjsGraphs.ts";
import { mutateBytes, pick } from "./mutateBytes.ts";
import { mutateJson, mutateTree } from "./mutateTree.ts";

export interface Seed {
  readonly name: string;
  /** Files by name; the first is the model. */
  readonly files: Readonly<Record<string, Uint8Array>>;
  /** Damage below the container: the bytes of a file that parses further than `mutateBytes` leaves it. */
  readonly restructure?: (random: Random) => Uint8Array | Promise<Uint8Array>;
}

/** Seeds by format. Small real files join them where they lie beside the checkout. */
export async function fuzzSeeds(): Promise<Readonly<Record<string, readonly Seed[]>>> {
  return {
    onnx: [
      onnxSeed("mixture", onnxMixture, onnxMixtureData),
      onnxSeed("small types", onnxSmallTypes),
      ...realOnnx.flatMap((name) => {
        const path = sharedPath(`onnx/${name}.onnx`);
        return existsSync(path) ? [onnxSeed(name, new Uint8Array(readFileSync(path)))] : [];
      }),
    ],
    safetensors: [safetensorsSeed(), shardedSeed()],
    "tfjs-layers": [tfjsSeed("layers", { modelTopology: { model_config: kerasLayers } })],
    "tfjs-graph": [
      tfjsSeed("graph", { modelTopology: tensorflowGraph }),
      tfjsSeed("framed loop", { modelTopology: lstmGraphs.framed }, lstmTensors),
      tfjsSeed("functional loop", { modelTopology: lstmGraphs.functional }, lstmTensors),
      tfjsSeed("attention", { modelTopology: attentionGraph }, attentionTensors),
    ],
    "tfjs-manifest": [
      tfjsSeed("manifest", null),
      tfjsSeed("text and state", null, [...kernels, words, ...state]),
      tfjsSeed("one JSON", {
        weightSpecs: [{ name: "fc/kernel", shape: [2, 1], dtype: "float32" }],
        weightData: "AACAPwAAAEA=",
      }),
    ],
    "keras-h5": await kerasSeeds(),
    "keras-v3": [
      await zipSeed("net.keras", {
        "config.json": new TextEncoder().encode(JSON.stringify(kerasLayers)),
        "model.weights.h5": await keras3File([
          ["conv2d", [[1, 1, 1, 2]]],
          ["dense", [[4, 1], [1]]],
        ]),
      }),
    ],
    npy: [{ name: "array", files: { "a.npy": floatArray([3, 2]) } }],
    npz: [
      await zipSeed("net.npz", { "a.npy": floatArray([2, 3]), "b.npy": floatArray([2, 2], true) }),
      await npzSeed("kinds.npz", 0),
      await npzSeed("packed.npz", 6),
    ],
    raw: [rawSeed()],
    gguf: ggufSeeds(),
    pytorch: [
      await zipSeed("net.pt", {
        "net/data.pkl": checkpointPickle(pickled),
        "net/data/0": new Uint8Array(storages[0].buffer),
        "net/data/1": new Uint8Array(storages[1].buffer),
      }),
      { name: "legacy", files: { "net.pth": legacyFile(pickled, storages) } },
      ...torchFiles.map(torchSeed),
    ],
  };
}

/** Of fixtures/tiny/pytorch: every layout, kind of object and protocol. */
const torchFiles = [
  "module.pt",
  "recurrent.pt",
  "views.pt",
  "quantised.pt",
  "sparse.pt",
  "packed.pt",
  "frozen.pt",
  "script.pt",
  "legacy.pth",
  "tensors.pkl",
  "arrays0.pkl",
  "arrays2.pkl",
  "arrays5.pkl",
];

/** Of an archive, its entries are damaged too: the pickle most often. */
function torchSeed(name: string): Seed {
  const path = new URL(`../../fixtures/tiny/pytorch/${name}`, import.meta.url);
  const content = new Uint8Array(readFileSync(path));
  const files = { [name]: content };
  if (content[0] !== 0x50) return { name, files };
  return {
    name,
    files,
    async restructure(random) {
      const entries: Record<string, Uint8Array> = {};
      for (const entry of await openZip(memorySource(content))) {
        entries[entry.name] = await entry.read();
      }
      const pickles = Object.keys(entries).filter((own) => own.endsWith(".pkl"));
      const damaged = pick(random.uniform() < 0.8 ? pickles : Object.keys(entries), random);
      return zipBytes({ ...entries, [damaged]: mutateBytes(entries[damaged]!, random) });
    },
  };
}

const realOnnx = ["tiny/test_Conv2d_groups", "tiny/test_ConvTranspose2d", "tiny/test_Embedding"];
const { ModelProto } = onnxProto.onnx;

function onnxSeed(
  name: string,
  content: Uint8Array,
  beside: Readonly<Record<string, Uint8Array>> = {},
): Seed {
  const message = ModelProto.toObject(ModelProto.decode(content), {
    longs: Number,
    enums: Number,
    bytes: Array,
  });
  return {
    name,
    files: { "net.onnx": content, ...beside },
    restructure(random) {
      const tree = mutateTree(message, random) as Record<string, unknown>;
      return new Uint8Array(ModelProto.encode(ModelProto.fromObject(tree)).finish());
    },
  };
}

function safetensorsSeed(): Seed {
  const content = writeSafetensors({
    tensors: [
      {
        name: "0.weight",
        dtype: "float32",
        shape: [2, 3],
        data: Float32Array.of(1, 2, 3, 4, 5, 6),
      },
      { name: "0.bias", dtype: "float16", shape: [2], data: Float32Array.of(1, 2) },
      { name: "2.weight", dtype: "float64", shape: [1, 2], data: Float64Array.of(1, 2) },
    ],
    metadata: { format: "pt" },
  });
  const length = Number(new DataView(content.buffer).getBigUint64(0, true));
  const header: unknown = JSON.parse(new TextDecoder().decode(content.subarray(8, 8 + length)));
  return {
    name: "state dict",
    files: { "net.safetensors": content },
    restructure: (random) =>
      safetensorsBytes(mutateJson(header, random), content.byteLength - 8 - length),
  };
}

const kernels: readonly TfjsTensor[] = [
  { name: "conv/kernel", shape: [1, 1, 1, 2] },
  {
    name: "fc/kernel",
    shape: [4, 1],
    bytes: Uint8Array.of(1, 2, 3, 4),
    quantization: { dtype: "uint8", scale: 0.5, min: -1 },
  },
  integers("axes", [0, 2, 3, 1]),
];
const kerasLayers = {
  class_name: "Functional",
  config: {
    layers: [
      { class_name: "InputLayer", name: "in", config: { batch_input_shape: [null, 2, 1, 1] } },
      {
        class_name: "Conv2D",
        name: "conv",
        config: { filters: 2 },
        inbound_nodes: [[["in", 0, 0]]],
      },
      { class_name: "Flatten", name: "flat", config: {}, inbound_nodes: [[["conv", 0, 0]]] },
      { class_name: "Dense", name: "fc", config: { units: 1 }, inbound_nodes: [[["flat", 0, 0]]] },
    ],
    input_layers: [["in", 0, 0]],
    output_layers: [["fc", 0, 0]],
  },
};
const tensorflowGraph = {
  node: [
    ...kernels.map(({ name }) => ({ name, op: "Const" })),
    {
      name: "x",
      op: "Placeholder",
      attr: { shape: { shape: { dim: [{ size: "-1" }, { size: "1" }, { size: "2" }] } } },
    },
    { name: "turned", op: "Transpose", input: ["x", "axes"] },
    { name: "c", op: "Conv2D", input: ["turned", "conv/kernel"] },
    { name: "flat", op: "Reshape", input: ["c", "axes"] },
    { name: "out", op: "MatMul", input: ["flat", "fc/kernel"] },
    { name: "sum", op: "AddV2", input: ["out", "out"] },
  ],
};

/** Text elements, each behind its length. */
const words: TfjsTensor = {
  name: "words",
  shape: [2],
  dtype: "string",
  bytes: Uint8Array.of(1, 0, 0, 0, 97, 2, 0, 0, 0, 98, 99),
};
const state: readonly TfjsTensor[] = [
  { name: "fc/kernel/m", shape: [4, 1], group: "optimizer" },
  { name: "half", shape: [2], bytes: new Uint8Array(4), quantization: { dtype: "float16" } },
];

/** Two shards, the border in the middle of them. */
function tfjsSeed(
  name: string,
  model: object | null,
  tensors: readonly TfjsTensor[] = kernels,
): Seed {
  const { json: groups, shard } = manifestOf(tensors);
  const half = Math.floor(shard.length / 2);
  const weightsManifest = groups.map((group) => ({ ...group, paths: ["weights.bin", "more.bin"] }));
  const manifest = model !== null && "weightSpecs" in model ? {} : { weightsManifest };
  const json = model === null ? weightsManifest : { ...model, ...manifest };
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
  return {
    name,
    files: {
      "model.json": encode(JSON.stringify(json)),
      "weights.bin": shard.slice(0, half),
      "more.bin": shard.slice(half),
    },
    restructure: (random) => encode(mutateJson(json, random)),
  };
}

async function kerasSeeds(): Promise<Seed[]> {
  const weights = [
    { name: "conv", weights: { "conv/kernel:0": [1, 1, 1, 2], "conv/bias:0": [2] } },
    { name: "fc", weights: { "fc/kernel:0": [4, 1] } },
  ];
  const model = await kerasFile(weights, kerasLayers);
  return [
    {
      name: "model",
      files: { "net.h5": model },
      restructure: (random) => kerasFile(weights, mutateTree(kerasLayers, random) as object),
    },
    { name: "weights", files: { "net.h5": await kerasFile(weights) } },
    { name: "keras 3", files: { "net.h5": await keras3File([["dense", [[3, 2], [2]]]]) } },
    ...["types", "layouts", "layouts-latest", "links", "links-latest", "outside"].map((name) => ({
      name,
      files: {
        "net.h5": new Uint8Array(
          readFileSync(new URL(`../../fixtures/tiny/keras/${name}.h5`, import.meta.url)),
        ),
      },
    })),
  ];
}

const pickled: readonly PickledTensor[] = [
  { name: "0.weight", shape: [2, 3], strides: [3, 1], key: "0" },
  { name: "turned", shape: [3, 2], strides: [1, 3], key: "0" },
  { name: "0.bias", shape: [2], strides: [1], key: "1" },
];
const storages = { "0": Float32Array.of(1, 2, 3, 4, 5, 6), "1": Float32Array.of(7, 8) };

async function zipSeed(name: string, entries: Readonly<Record<string, Uint8Array>>): Promise<Seed> {
  return {
    name,
    files: { [name]: await zipBytes(entries) },
    restructure(random) {
      const damaged = pick(Object.keys(entries), random);
      return zipBytes({ ...entries, [damaged]: mutateBytes(entries[damaged]!, random) });
    },
  };
}

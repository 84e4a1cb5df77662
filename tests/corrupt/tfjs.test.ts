import { describe, test } from "vitest";
import { memorySource, type ByteSource } from "../../src/index.ts";
import { expectCutsRefused, expectFlipsRefused } from "../helpers/corruption.ts";
import { lstmGraphs, lstmTensors } from "../helpers/tfjsGraphs.ts";
import { integers, manifestOf, type TfjsTensor } from "../helpers/tfjs.ts";

const tensors: readonly TfjsTensor[] = [
  { name: "conv/kernel", shape: [1, 1, 1, 2] },
  {
    name: "fc/kernel",
    shape: [4, 1],
    bytes: Uint8Array.of(1, 2, 3, 4),
    quantization: { dtype: "uint8", scale: 0.5, min: -1 },
  },
  integers("axes", [0, 2, 3, 1]),
];
const layers = {
  class_name: "Sequential",
  config: [
    { class_name: "Conv2D", config: { name: "conv" } },
    { class_name: "Flatten", config: { name: "flat" } },
    { class_name: "Dense", config: { name: "fc" } },
  ],
};
const graph = {
  node: [
    ...tensors.map(({ name }) => ({ name, op: "Const" })),
    {
      name: "x",
      op: "Placeholder",
      attr: { shape: { shape: { dim: [{ size: "-1" }, { size: "1" }] } } },
    },
    { name: "turned", op: "Transpose", input: ["x", "axes"] },
    { name: "c", op: "Conv2D", input: ["turned", "conv/kernel"] },
    { name: "flat", op: "Reshape", input: ["c", "axes"] },
    { name: "out", op: "MatMul", input: ["flat", "fc/kernel"] },
  ],
};
const { json: weightsManifest, shard } = manifestOf(tensors);
const encode = (json: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(json));
const withShard = (bytes: Uint8Array): ByteSource =>
  memorySource(bytes, "model.json", { "weights.bin": shard });

describe.each([
  { name: "layers-model", json: { modelTopology: { model_config: layers }, weightsManifest } },
  { name: "graph-model", json: { modelTopology: graph, weightsManifest } },
  { name: "manifest", json: weightsManifest },
])("$name", ({ json }) => {
  test("cut at every byte", () => expectCutsRefused(encode(json), withShard));
  test("2000 rounds of flipped bits", () => expectFlipsRefused(encode(json), withShard));
});

test.each(["framed", "functional"] as const)("2000 rounds of flipped bits in a loop: %s", (way) => {
  const { json, shard: weights } = manifestOf(lstmTensors);
  const model = encode({ modelTopology: lstmGraphs[way], weightsManifest: json });
  return expectFlipsRefused(model, (bytes) =>
    memorySource(bytes, "model.json", { "weights.bin": weights }),
  );
});

test("a shard of text cut at every byte, and its bits flipped", async () => {
  const bytes = Uint8Array.of(1, 0, 0, 0, 97, 0, 0, 0, 0, 3, 0, 0, 0, 98, 99, 100);
  const { json, shard: run } = manifestOf([
    { name: "words", shape: [3], dtype: "string", bytes },
    { name: "fc/kernel", shape: [2, 1] },
  ]);
  const beside = (damaged: Uint8Array): ByteSource =>
    memorySource(encode(json), "model.json", { "weights.bin": damaged });
  await expectCutsRefused(run, beside);
  await expectFlipsRefused(run, beside);
});

test("a shard cut at every byte", () => {
  const model = encode(weightsManifest);
  return expectCutsRefused(shard, (bytes) =>
    memorySource(model, "model.json", { "weights.bin": bytes }),
  );
});

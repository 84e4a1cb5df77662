/** TensorFlow.js loads what was patched, and predicts what the new weights imply. */
import * as tf from "@tensorflow/tfjs";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { createRandom, readModel, type FloatArray } from "../../../src/index.ts";
import { hasSharedData, sharedPath } from "../../helpers/shared.ts";
import {
  handlerOf,
  patchedFiles,
  savedFiles,
  sourceOf,
  type TfjsFiles,
} from "../../helpers/tfjsRuntime.ts";
import { constantNodes, graphNode, placeholderNode, manifestOf } from "../../helpers/tfjs.ts";

beforeAll(async () => {
  await tf.setBackend("cpu");
});

const random = createRandom(7);
const someValues = (count: number, scale = 1): Float32Array =>
  Float32Array.from({ length: count }, () => scale * (random.uniform() - 0.5));

function expectClose(actual: FloatArray, expected: FloatArray, tolerance = 1e-5): void {
  expect(actual.length).toBe(expected.length);
  let scale = 1e-3;
  for (const value of expected) scale = Math.max(scale, Math.abs(value));
  actual.forEach((value, i) =>
    expect(Math.abs(value - expected[i]!)).toBeLessThanOrEqual(tolerance * scale),
  );
}

const predict = (model: { predict(x: tf.Tensor): unknown }, input: tf.Tensor): Float32Array =>
  (model.predict(input) as tf.Tensor).dataSync() as Float32Array;

const { layers } = tf;
const models: readonly { name: string; build: () => tf.LayersModel; input: number[] }[] = [
  {
    name: "dense layers with a batch normalisation",
    build: () =>
      tf.sequential({
        layers: [
          layers.dense({ units: 5, inputShape: [4], activation: "relu" }),
          layers.batchNormalization(),
          layers.dense({ units: 3, activation: "softmax" }),
        ],
      }),
    input: [2, 4],
  },
  {
    name: "convolutions, separable too, flattened",
    build: () =>
      tf.sequential({
        layers: [
          layers.conv2d({ filters: 3, kernelSize: 2, inputShape: [5, 5, 2] }),
          layers.separableConv2d({ filters: 4, kernelSize: 2 }),
          layers.flatten(),
          layers.dense({ units: 2 }),
        ],
      }),
    input: [2, 5, 5, 2],
  },
  {
    name: "an LSTM",
    build: () =>
      tf.sequential({
        layers: [layers.lstm({ units: 3, inputShape: [4, 2] }), layers.dense({ units: 1 })],
      }),
    input: [2, 4, 2],
  },
];

describe.each(models)("$name", ({ build, input }) => {
  const x = (): tf.Tensor => tf.tensor(someValues(input.reduce((a, b) => a * b, 1)), input);

  test("a layers-model with every weight changed predicts as the original with these weights", async () => {
    const original = build();
    // 37 bytes a shard: nearly every tensor runs over a border.
    const files = await savedFiles(original, 37);
    const { tensors } = await readModel(sourceOf(files));
    const changes = new Map(
      tensors.map(({ name, shape }) => {
        const values = someValues(shape.reduce((a, b) => a * b, 1));
        // A variance is not negative.
        return [name, name.includes("variance") ? values.map(Math.abs) : values] as const;
      }),
    );
    const loaded = await tf.loadLayersModel(handlerOf(await patchedFiles(files, changes)));
    const byName = new Map(original.weights.map((weight) => [weight.originalName, weight]));
    for (const [name, values] of changes) {
      const weight = byName.get(name)!;
      weight.write(tf.tensor(values, weight.shape as number[]));
    }
    const inputs = x();
    expectClose(predict(loaded, inputs), predict(original, inputs));
  });

  test.each(["uint8", "uint16", "float16"] as const)("quantised to %s", async (dtype) => {
    const original = build();
    const files = quantised(await savedFiles(original, 1 << 20), dtype);
    const before = await readModel(sourceOf(files));
    const changes = new Map(
      before.layers.map(({ tensor }) => {
        const count = tensor.shape.reduce((a, b) => a * b, 1);
        return [tensor.name, someValues(count, 0.9)] as const;
      }),
    );
    const patched = await patchedFiles(files, changes);
    const after = await readModel(sourceOf(patched));
    const loaded = await tf.loadLayersModel(handlerOf(patched));
    const byName = new Map(original.weights.map((weight) => [weight.originalName, weight]));
    const step = dtype === "uint8" ? 1 / 200 : 1 / 2000;
    for (const tensor of after.tensors) {
      const values = await tensor.read();
      const weight = byName.get(tensor.name)!;
      weight.write(tf.tensor(Float32Array.from(values), weight.shape as number[]));
      changes
        .get(tensor.name)
        ?.forEach((wanted, i) => expect(Math.abs(values[i]! - wanted)).toBeLessThanOrEqual(step));
    }
    const inputs = x();
    expectClose(predict(loaded, inputs), predict(original, inputs));
  });
});

/** The same manifest with every float tensor packed: -1 to 1 in steps of 1 / 100 or finer. */
function quantised({ json, shards }: TfjsFiles, dtype: "uint8" | "uint16" | "float16"): TfjsFiles {
  const [group] = json["weightsManifest"] as tf.io.WeightsManifestConfig;
  const scale = dtype === "uint8" ? 1 / 100 : 1 / 1000;
  const quantization = dtype === "float16" ? { dtype } : { dtype, scale, min: -1.2 };
  const sizes = group!.weights.map(({ shape }) => shape.reduce((a, b) => a * b, 1));
  const bytes = sizes.flatMap((size) => {
    const zero = dtype === "float16" ? 0x3800 : Math.round(1.7 / scale);
    const low = zero & 255;
    return Array.from({ length: size }, () =>
      dtype === "uint8" ? [low] : [low, zero >> 8],
    ).flat();
  });
  const weights = group!.weights.map((weight) => ({ ...weight, quantization }));
  expect(Object.keys(shards)).toHaveLength(1);
  return {
    json: { ...json, weightsManifest: [{ paths: ["q.bin"], weights }] },
    shards: { "q.bin": Uint8Array.from(bytes) },
  };
}

test("a graph-model computes with the new weights (expected: the products written out)", async () => {
  const tensors = [
    { name: "w1", shape: [3, 4] },
    { name: "b1", shape: [4] },
    { name: "w2", shape: [2, 4] },
  ];
  const float = { T: { type: "DT_FLOAT" } };
  const flags = { transpose_a: { b: false }, transpose_b: { b: false } };
  const nodes = [
    ...constantNodes(tensors),
    placeholderNode("x", [-1, 3]),
    graphNode("MatMul", "a", ["x", "w1"], { ...float, ...flags }),
    graphNode("BiasAdd", "b", ["a", "b1"], float),
    graphNode("Relu", "c", ["b"], float),
    graphNode("MatMul", "y", ["c", "w2"], { ...float, ...flags, transpose_b: { b: true } }),
  ];
  const { json: weightsManifest, shard } = manifestOf(tensors);
  const files: TfjsFiles = {
    json: { format: "graph-model", modelTopology: { node: nodes, versions: {} }, weightsManifest },
    shards: { "weights.bin": shard },
  };
  const [w1, w2, x] = [someValues(12), someValues(8), someValues(6)];
  const patched = await patchedFiles(
    files,
    new Map([
      ["w1", w1],
      ["w2", w2],
    ]),
  );
  const model = await tf.loadGraphModel(handlerOf(patched));
  const y = predict(model, tf.tensor2d(x, [2, 3]));
  const hidden = (row: number, unit: number): number =>
    Math.max(
      0,
      [0, 1, 2].reduce((sum, i) => sum + x[row * 3 + i]! * w1[i * 4 + unit]!, unit + 1),
    );
  const expected = [0, 1].flatMap((row) =>
    [0, 1].map((out) =>
      [0, 1, 2, 3].reduce((sum, unit) => sum + hidden(row, unit) * w2[out * 4 + unit]!, 0),
    ),
  );
  expectClose(y, Float64Array.from(expected));
});

function filesAt(path: string): TfjsFiles {
  const json = JSON.parse(readFileSync(path, "utf8")) as TfjsFiles["json"];
  const groups = json["weightsManifest"] as tf.io.WeightsManifestConfig;
  const paths = groups.flatMap((group) => group.paths);
  return {
    json,
    shards: Object.fromEntries(
      paths.map((name) => [name, new Uint8Array(readFileSync(join(dirname(path), name)))]),
    ),
  };
}

const magika = sharedPath("tfjs-graph/magika_v3_3/model.json");
test.skipIf(!hasSharedData)(
  "magika, its last columns in reverse: the same answers in reverse, from the last layer's input on",
  async () => {
    const files = filesAt(magika);
    const read = await readModel(sourceOf(files));
    const kernel = read.layers.at(-1)!.tensor;
    const [into, out] = kernel.shape as [number, number];
    const bias = read.tensors.find(
      ({ role, shape }) => role === "bias" && shape.reduce((a, b) => a * b, 1) === out,
    )!;
    const [weights, offsets] = [await kernel.read(), await bias.read()];
    const reversed = Float32Array.from(
      { length: into * out },
      (_, i) => weights[Math.floor(i / out) * out + (out - 1 - (i % out))]!,
    );
    const patched = await patchedFiles(
      files,
      new Map<string, FloatArray>([
        [kernel.name, reversed],
        [bias.name, offsets.toReversed()],
      ]),
    );
    const { node } = files.json["modelTopology"] as {
      node: { name: string; input?: string[] }[];
    };
    const last = node.find(({ input }) => input?.includes(kernel.name))!;
    const x = tf.tensor2d(someValues(into), [1, into]);
    const answers: Float32Array[] = [];
    for (const own of [files, patched]) {
      const model = await tf.loadGraphModel(handlerOf(own));
      const answer = model.execute({ [last.input![0]!]: x }, last.name) as tf.Tensor;
      answers.push(answer.dataSync() as Float32Array);
    }
    expect(new Set(answers[0]).size).toBeGreaterThan(out / 2);
    expectClose(answers[1]!, answers[0]!.toReversed());
  },
);

/** Models written as TensorFlow.js files: chains that it loads and runs, manifests of anything else. */
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import {
  layeredGraph,
  memorySource,
  nodeStrength,
  piecesLength,
  readModel,
  writeSafetensors,
  writeTfjs,
  type Model,
  type SafetensorsTensor,
} from "../../../src/index.ts";
import { openModel } from "../../../src/node.ts";
import { hasSharedData, sharedPath } from "../../helpers/shared.ts";
import { filesOf, handlerOf, sourceOf } from "../../helpers/tfjsRuntime.ts";

beforeAll(async () => {
  await tf.setBackend("cpu");
});

const tensor = (
  name: string,
  shape: readonly number[],
  dtype: SafetensorsTensor["dtype"] = "float32",
): SafetensorsTensor => {
  const count = shape.reduce((product, size) => product * size, 1);
  const data = Float64Array.from({ length: count }, (_, i) => ((i * 7) % 11) / 8 - 0.5);
  return { name, shape, dtype, data: dtype === "float64" ? data : Float32Array.from(data) };
};
const stateDict = (tensors: readonly SafetensorsTensor[]): Promise<Model> =>
  readModel(memorySource(writeSafetensors({ tensors }), "net.safetensors"));

/** A torch network: two convolutions, a flatten of 2 x 2 places, two dense layers. */
const convolutions = [
  tensor("conv1.weight", [3, 2, 3, 3]),
  tensor("conv1.bias", [3]),
  tensor("conv2.weight", [4, 3, 2, 2], "float16"),
  tensor("fc1.weight", [5, 16]),
  tensor("fc1.bias", [5], "float64"),
  tensor("fc2.weight", [2, 5]),
  tensor("fc2.bias", [2]),
];

async function strengthsOf(model: Model): Promise<readonly (readonly number[])[]> {
  const graph = await layeredGraph(model);
  const { values } = nodeStrength(graph);
  return graph.layers.map(({ offset, size }) => Array.from(values.slice(offset, offset + size)));
}

describe("a chain of layers", () => {
  test("reads back as the same graph", async () => {
    const model = await stateDict(convolutions);
    const written = writeTfjs(model);
    expect(written.kind).toBe("layers");
    expect(written.warnings.map(({ code }) => code)).toEqual(["ACTIVATIONS_UNKNOWN"]);
    const back = await readModel(sourceOf(await filesOf(written.files)));
    expect(back.format).toBe("tfjs-layers");
    expect(back.topology.certainty).toBe("declared");
    expect(back.warnings).toEqual([]);
    expect(await strengthsOf(back)).toEqual(await strengthsOf(model));
    expect(back.tensors.map(({ name, shape }) => `${name} [${shape.join(", ")}]`)).toEqual([
      "layer1_conv1/kernel [3, 3, 2, 3]",
      "layer1_conv1/bias [3]",
      "layer2_conv2/kernel [2, 2, 3, 4]",
      "layer3_fc1/kernel [16, 5]",
      "layer3_fc1/bias [5]",
      "layer4_fc2/kernel [5, 2]",
      "layer4_fc2/bias [2]",
    ]);
  });

  test("TensorFlow.js runs it: the sums are those of the torch layout (oracle)", async () => {
    const model = await stateDict(convolutions.slice(3));
    const { files } = writeTfjs(model);
    const loaded = await tf.loadLayersModel(handlerOf(await filesOf(files)));
    const x = Float32Array.from({ length: 16 }, (_, i) => Math.sin(i));
    const y = (loaded.predict(tf.tensor2d(x, [1, 16])) as tf.Tensor).dataSync();
    const [w1, b1, w2, b2] = convolutions.slice(3).map(({ data }) => data as Float32Array);
    const dense = (input: ArrayLike<number>, weights: Float32Array, bias: Float32Array): number[] =>
      Array.from(bias, (offset, out) =>
        Array.from(input).reduce(
          (sum, value, i) => sum + value * weights[out * input.length + i]!,
          offset,
        ),
      );
    dense(dense(x, w1!, b1!), w2!, b2!).forEach((wanted, i) => expect(y[i]).toBeCloseTo(wanted, 5));
  });

  test("TensorFlow.js runs its convolutions, a flatten between", async () => {
    const { files } = writeTfjs(await stateDict(convolutions));
    const loaded = await tf.loadLayersModel(handlerOf(await filesOf(files)));
    expect(loaded.inputs[0]!.shape).toEqual([null, 2, 2, 2]);
    const y = loaded.predict(tf.ones([1, 2, 2, 2])) as tf.Tensor;
    expect(y.shape).toEqual([1, 2]);
    expect(y.dataSync().every(Number.isFinite)).toBe(true);
  });

  test.each([
    { name: "in one dimension", shapes: { "a.weight": [3, 2, 5], "b.weight": [1, 3, 1] } },
    { name: "in three", shapes: { "a.weight": [3, 2, 2, 2, 2], "b.weight": [4, 3, 1, 1, 1] } },
    { name: "depthwise", shapes: { "a.weight": [3, 2, 2, 2], "b.weight": [6, 1, 3, 3] } },
  ])("convolutions $name", async ({ shapes }) => {
    const model = await stateDict(
      Object.entries<readonly number[]>(shapes).map(([name, shape]) => tensor(name, shape)),
    );
    const written = writeTfjs(model);
    expect(written.kind).toBe("layers");
    const files = await filesOf(written.files);
    const back = await readModel(sourceOf(files));
    expect(await strengthsOf(back)).toEqual(await strengthsOf(model));
    const loaded = await tf.loadLayersModel(handlerOf(files));
    expect(loaded.layers.length).toBeGreaterThanOrEqual(2);
  });
});

describe("what is no chain", () => {
  test.each([
    { name: "a normalisation", more: [tensor("bn.weight", [2]), tensor("bn.running_mean", [2])] },
    { name: "an embedding beside", more: [tensor("embedding.weight", [7, 9])] },
    {
      name: "a recurrent layer",
      more: [tensor("weight_ih_l0", [8, 2]), tensor("weight_hh_l0", [8, 2])],
    },
  ])("$name: the tensors alone, as they are stored", async ({ more }) => {
    const model = await stateDict([...convolutions.slice(5), ...more]);
    const written = writeTfjs(model);
    expect(written.kind).toBe("manifest");
    expect(written.warnings[0]!.code).toBe("TOPOLOGY_NOT_WRITTEN");
    const back = await readModel(sourceOf(await filesOf(written.files)));
    expect(back.format).toBe("tfjs-manifest");
    await expectSameTensors(back, model);
  });

  test("types that TensorFlow.js lacks are widened or told", async () => {
    const model = await stateDict([
      tensor("a.weight", [2, 2], "float16"),
      tensor("b.weight", [3, 2], "bfloat16"),
      tensor("c.weight", [5, 4], "float64"),
      { name: "mask", shape: [3], dtype: "bool", data: Uint8Array.of(1, 0, 1) },
      {
        name: "steps",
        shape: [2],
        dtype: "int64",
        data: Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 127),
      },
      { name: "waves", shape: [1], dtype: "complex64", data: new Uint8Array(8) },
    ]);
    const written = writeTfjs(model);
    expect(written.warnings.map(({ code }) => code)).toEqual([
      "TOPOLOGY_NOT_WRITTEN",
      "TENSOR_NOT_WRITTEN",
      "TENSOR_ROUNDED",
    ]);
    const back = await readModel(sourceOf(await filesOf(written.files)));
    expect(back.tensors.map(({ name, dtype }) => `${name} ${dtype}`)).toEqual([
      "a.weight float16",
      "b.weight float32",
      "c.weight float32",
      "mask bool",
      "steps int32",
    ]);
    const values = await Promise.all(back.tensors.slice(3).map((own) => own.read()));
    expect(values.map((own) => Array.from(own))).toEqual([
      [1, 0, 1],
      [3, 2 ** 31 - 1],
    ]);
  });

  test("shards of 4 MiB, a tensor over several of them", async () => {
    const size = 2 ** 20 + 3;
    const model = await stateDict([
      { name: "mask", shape: [5], dtype: "bool", data: Uint8Array.of(1, 0, 1, 1, 0) },
      {
        name: "w",
        shape: [size, 3],
        dtype: "float32",
        data: Float32Array.from({ length: size * 3 }, (_, i) => i % 251),
      },
      tensor("lone.weight", [2, 2]),
      tensor("twin.weight", [7, 2]),
    ]);
    const written = writeTfjs(model);
    const lengths = written.files.slice(1).map(({ pieces }) => piecesLength(pieces));
    expect(lengths).toEqual([2 ** 22, 2 ** 22, 2 ** 22, 5 + size * 12 + 16 + 56 - 3 * 2 ** 22]);
    await expectSameTensors(await readModel(sourceOf(await filesOf(written.files))), model);
  });
});

async function expectSameTensors(actual: Model, expected: Model): Promise<void> {
  const described = ({ tensors }: Model): string[] =>
    tensors.map(({ name, shape }) => `${name} [${shape.join(", ")}]`);
  expect(described(actual)).toEqual(described(expected));
  for (const [i, own] of actual.tensors.entries()) {
    const [values, wanted] = [await own.read(), await expected.tensors[i]!.read()];
    // Millions of numbers, which a matcher would compare one by one.
    const differs = values.findIndex((value, at) => value !== wanted[at]);
    expect([values.length, differs]).toEqual([wanted.length, -1]);
  }
}

describe.skipIf(!hasSharedData)("real models", () => {
  test.each([
    { file: "checkpoints/mnist_mlp/epoch_006.pt", kind: "layers" },
    { file: "checkpoints/mnist_mlp/final.onnx", kind: "layers" },
    { file: "onnx/version-RFB-320.onnx", kind: "manifest" },
  ])("$file becomes $kind, the same graph or the same tensors", async ({ file, kind }) => {
    const model = await openModel(sharedPath(file));
    const written = writeTfjs(model);
    expect(written.kind).toBe(kind);
    const files = await filesOf(written.files);
    const back = await readModel(sourceOf(files));
    if (kind === "manifest") {
      const names = new Set(back.tensors.map(({ name }) => name));
      expect(model.layers.every(({ tensor: own }) => names.has(own.name))).toBe(true);
      return;
    }
    expect(await strengthsOf(back)).toEqual(await strengthsOf(model));
    const loaded = await tf.loadLayersModel(handlerOf(files));
    expect((loaded.predict(tf.ones([1, 784])) as tf.Tensor).shape).toEqual([1, 10]);
  });
});

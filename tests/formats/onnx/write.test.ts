/** Models as new ONNX files: the same tensors, the same neurons, and a file that onnxruntime runs. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  isWeightGraphError,
  joinPieces,
  memorySource,
  piecesLength,
  readModel,
  readOnnx,
  summariseLayers,
  writeOnnx,
  writeSafetensors,
  type ErrorCode,
  type Model,
  type SafetensorsTensor,
} from "../../../src/index.ts";
import { weightLayout } from "../../../src/tensor/layout.ts";
import { createRandom } from "../../../src/random.ts";
import { memoryModel } from "../../helpers/memoryModel.ts";
import { integers, leNet, node, onnxModel, tensor } from "../../helpers/onnxModel.ts";
import { runOnnx } from "../../helpers/onnxRuntime.ts";
import { tfjsSource } from "../../helpers/tfjs.ts";

async function written(
  model: Model,
): Promise<{ content: Uint8Array; back: Model; codes: string[] }> {
  const { pieces, warnings } = await writeOnnx(model);
  const content = await joinPieces(pieces);
  expect(piecesLength(pieces)).toBe(content.byteLength);
  const back = await readOnnx(memorySource(content, "written.onnx"));
  return { content, back, codes: warnings.map(({ code }) => code) };
}

/** Names, types, shapes and values of `model` stand in `back`, bit by bit. */
async function expectTensors(model: Model, back: Model): Promise<void> {
  const found = new Map(back.tensors.map((own) => [own.name, own]));
  for (const wanted of model.tensors) {
    const own = found.get(wanted.name)!;
    expect([own.dtype, own.shape]).toEqual([wanted.dtype, wanted.shape]);
    expect(await own.read()).toEqual(await wanted.read());
  }
}

/** The same neurons, connected by the same weights. */
async function expectGraph(model: Model, back: Model): Promise<void> {
  const sizes = ({ topology }: Model): number[] => topology.layers.map(({ size }) => size);
  const wires = ({ topology }: Model): number[][][] =>
    topology.wires.map(({ from, to }) => [[...from], [...to]]);
  expect(sizes(back)).toEqual(sizes(model));
  expect(wires(back)).toEqual(wires(model));
  const [wanted, own] = [await summariseLayers(model), await summariseLayers(back)];
  expect(own.map(({ outStrength }) => outStrength)).toEqual(
    wanted.map(({ outStrength }) => outStrength),
  );
}

const random = createRandom(3);
const floats = (name: string, shape: readonly number[]): SafetensorsTensor => ({
  name,
  dtype: "float32",
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
});
const safetensors = (...tensors: SafetensorsTensor[]): Promise<Model> =>
  readModel(memorySource(writeSafetensors({ tensors }), "net.safetensors"));

describe("chains run", () => {
  test("dense layers: onnxruntime computes W3 (W2 (W1 x + b1) + b2) + b3", async () => {
    const model = await readOnnx(memorySource(readFileSync("fixtures/mnist-mlp/final.onnx")));
    const { content, back, codes } = await written(model);
    expect(codes).toEqual(["WRITTEN_LINEAR"]);
    await expectTensors(model, back);
    await expectGraph(model, back);
    const x = Array.from({ length: 784 }, (_, i) => Math.sin(i));
    let carried = Float64Array.from(x);
    const biases = model.tensors.filter(({ role }) => role === "bias");
    for (const [i, { tensor: weight, in: size, out }] of model.layers.entries()) {
      const w = await weight.read();
      const b = await biases[i]!.read();
      carried = Float64Array.from({ length: out }, (_, row) =>
        carried.reduce((sum, value, column) => sum + value * w[row * size + column]!, b[row]!),
      );
    }
    const { values } = await runOnnx(content, { input: { dims: [1, 784], values: x } });
    const scale = Math.max(...carried.map(Math.abs));
    values.forEach((value, i) => expect(Math.abs(value - carried[i]!) / scale).toBeLessThan(1e-5));
  });

  test.each<{ name: string; model: () => Promise<Model>; dims: readonly number[] }>([
    { name: "LeNet as ONNX", model: () => readOnnx(memorySource(leNet())), dims: [1, 3, 5, 5] },
    {
      name: "a checkpoint of convolutions and dense layers",
      dims: [2, 3, 2, 2],
      model: () =>
        safetensors(
          floats("conv1.weight", [4, 3, 3, 3]),
          floats("conv1.bias", [4]),
          floats("conv2.weight", [5, 4, 2, 2]),
          floats("fc.weight", [6, 20]),
          floats("fc.bias", [6]),
        ),
    },
    {
      name: "one axis",
      dims: [1, 2, 7],
      model: () => safetensors(floats("a.weight", [3, 2, 5]), floats("b.weight", [2, 3, 3])),
    },
    {
      name: "half floats",
      dims: [1, 3],
      model: () =>
        safetensors(
          { ...floats("a.weight", [4, 3]), dtype: "float16" },
          { ...floats("b.weight", [2, 4]), dtype: "bfloat16" },
        ),
    },
  ])("$name", async ({ model, dims }) => {
    const own = await model();
    const { content, back } = await written(own);
    await expectTensors(own, back);
    await expectGraph(own, back);
    const count = dims.reduce((a, b) => a * b, 1);
    const values = Array.from({ length: count }, (_, i) => i / count);
    const output = await runOnnx(content, { input: { dims, values } });
    expect(output.dims.slice(0, 2)).toEqual([dims[0], own.layers.at(-1)!.out]);
    expect(output.values.every((value) => Number.isFinite(value))).toBe(true);
  });

  test("Keras layouts are turned by the graph, a flatten by positions too", async () => {
    const layer = (className: string, config: object): object => ({
      class_name: className,
      config,
    });
    const source = tfjsSource(
      {
        model_config: {
          class_name: "Sequential",
          config: {
            name: "s",
            layers: [
              layer("Conv2D", {
                name: "c",
                filters: 3,
                kernel_size: [2, 2],
                strides: [1, 1],
                padding: "same",
                data_format: "channels_last",
                batch_input_shape: [null, 2, 2, 1],
              }),
              layer("DepthwiseConv2D", {
                name: "p",
                kernel_size: [1, 1],
                strides: [1, 1],
                padding: "same",
                depth_multiplier: 1,
                data_format: "channels_last",
              }),
              layer("Flatten", { name: "f" }),
              layer("Dense", { name: "d", units: 2 }),
            ],
          },
        },
      },
      [
        { name: "c/kernel", shape: [2, 2, 1, 3] },
        { name: "c/bias", shape: [3] },
        { name: "p/depthwise_kernel", shape: [1, 1, 3, 1] },
        { name: "d/kernel", shape: [12, 2] },
        { name: "d/bias", shape: [2] },
      ],
    );
    const model = await readModel(source);
    expect(model.warnings).toEqual([]);
    const { content, back, codes } = await written(model);
    expect(codes).toEqual(["WRITTEN_LINEAR"]);
    await expectTensors(model, back);
    await expectGraph(model, back);
    const { dims } = await runOnnx(content, {
      input: { dims: [1, 1, 2, 2], values: [1, 2, 3, 4] },
    });
    expect(dims).toEqual([1, 2]);
  });

  test("sums and concatenations", async () => {
    const model = await readOnnx(
      memorySource(
        onnxModel({
          inputs: { x: ["N", 2] },
          initializers: [
            tensor("a", [2, 3]),
            tensor("b", [3, 3]),
            tensor("c", [2, 4]),
            tensor("d", [7, 2]),
          ],
          nodes: [
            node("MatMul", ["x", "a"], ["l"]),
            node("MatMul", ["l", "b"], ["r"]),
            node("Add", ["l", "r"], ["sum"]),
            node("MatMul", ["x", "c"], ["other"]),
            node("Concat", ["sum", "other"], ["both"], { axis: 1 }),
            node("MatMul", ["both", "d"], ["y"]),
          ],
        }),
      ),
    );
    const { content, back, codes } = await written(model);
    expect(codes).toEqual(["WRITTEN_LINEAR"]);
    await expectGraph(model, back);
    const once = await runOnnx(content, { input: { dims: [1, 2], values: [1, -1] } });
    const wanted = await runOnnx(
      onnxModel({
        inputs: { x: ["N", 2] },
        initializers: [
          tensor("a", [2, 3]),
          tensor("b", [3, 3]),
          tensor("c", [2, 4]),
          tensor("d", [7, 2]),
        ],
        nodes: [
          node("MatMul", ["x", "a"], ["l"]),
          node("MatMul", ["l", "b"], ["r"]),
          node("Add", ["l", "r"], ["sum"]),
          node("MatMul", ["x", "c"], ["other"]),
          node("Concat", ["sum", "other"], ["both"], { axis: 1 }),
          node("MatMul", ["both", "d"], ["y"]),
        ],
      }),
      { x: { dims: [1, 2], values: [1, -1] } },
    );
    once.values.forEach((value, i) => expect(value).toBeCloseTo(wanted.values[i]!, 5));
  });
});

describe("what cannot be said is told", () => {
  test("recurrent units are kept as tensors", async () => {
    const model = await readOnnx(
      memorySource(
        onnxModel({
          inputs: { x: [4, 1, 2] },
          initializers: [tensor("W", [1, 12, 2]), tensor("R", [1, 12, 3]), tensor("out", [3, 2])],
          nodes: [
            node("LSTM", ["x", "W", "R"], ["h"], { hidden_size: 3 }),
            node("Squeeze", ["h", "axis"], ["s"]),
            node("MatMul", ["s", "out"], ["y"]),
          ].toSpliced(1, 0, node("Constant", [], ["axis"], { value: integers("", [1]) })),
        }),
      ),
    );
    const { content, back, codes } = await written(model);
    expect(codes).toEqual(["WRITTEN_LINEAR", "WRITTEN_AS_TENSOR"]);
    await expectTensors(model, back);
    expect(back.layers.map(({ name }) => name)).toEqual(["out"]);
    const { values } = await runOnnx(content, { input: { dims: [1, 3], values: [1, 0, 0] } });
    expect(values.length).toBeGreaterThan(0);
  });

  test("a file without layers keeps its tensors, each an output", async () => {
    const model = await safetensors(
      floats("scale", [3]),
      {
        name: "steps",
        dtype: "int64",
        shape: [2],
        data: new Uint8Array(BigInt64Array.of(-(2n ** 63n), 7n).buffer),
      },
      { name: "flag", dtype: "bool", shape: [], data: Uint8Array.of(1) },
    );
    const { content, back, codes } = await written(model);
    expect(codes).toEqual([]);
    await expectTensors(model, back);
    const { values } = await runOnnx(content, {});
    expect(values).toEqual(await model.tensors[0]!.read());
  });

  test("quantised weights are written as float32, types without a name in ONNX too", async () => {
    const quantised = await readOnnx(
      memorySource(
        onnxModel({
          inputs: { x: ["N", 2] },
          initializers: [
            { name: "q", dims: [2, 2], dataType: 3, rawData: Uint8Array.of(1, 2, 3, 4) },
            tensor("scale", [2], [0.5, 0.25]),
          ],
          nodes: [
            node("DequantizeLinear", ["q", "scale"], ["w"], { axis: 0 }),
            node("MatMul", ["x", "w"], ["y"]),
          ],
        }),
      ),
    );
    const { back } = await written(quantised);
    const own = back.layers[0]!.tensor;
    expect([own.name, own.dtype]).toEqual(["q", "float32"]);
    expect(Array.from(await own.read())).toEqual([0.5, 1, 0.75, 1]);

    const small = memoryModel([]);
    const read = async () => Float32Array.of(0.5, -7.5);
    const shape = [2];
    const { back: other, codes } = await written({
      ...small,
      tensors: [
        { name: "six", dtype: "float6_e2m3", shape, role: "unknown", read },
        {
          name: "four",
          dtype: "int4",
          shape,
          role: "unknown",
          read: async () => Float32Array.of(-8, 7),
        },
        { name: "pairs", dtype: "complex64", shape, role: "constant", read },
      ],
    });
    expect(codes).toEqual(["TENSOR_LEFT_OUT"]);
    expect(other.tensors.map(({ name, dtype }) => [name, dtype])).toEqual([
      ["six", "float32"],
      ["four", "int4"],
    ]);
    expect(other.metadata).toMatchObject({ irVersion: 10, opset: { "": 21 } });
  });

  const layout = weightLayout([1, 1], ["out", "in"]);
  const values = Float32Array.of(1);
  test.each<{ name: string; model: Model; code: ErrorCode }>([
    {
      name: "a name twice",
      code: "USAGE_INVALID_OPTION",
      model: (() => {
        const one = memoryModel([{ name: "a", values, layout }]);
        return { ...one, tensors: [...one.tensors, ...one.tensors] };
      })(),
    },
    {
      name: "no name",
      code: "USAGE_INVALID_OPTION",
      model: memoryModel([{ name: "a", values, layout, stored: { name: "" } }]),
    },
    {
      name: "over 2 GiB",
      code: "FORMAT_LIMIT",
      model: memoryModel([{ name: "a", values, layout, stored: { shape: [2 ** 15, 2 ** 14] } }]),
    },
  ])("$name: $code", async ({ model, code }) => {
    await expect(writeOnnx(model)).rejects.toSatisfy((error) => isWeightGraphError(error, code));
  });
});

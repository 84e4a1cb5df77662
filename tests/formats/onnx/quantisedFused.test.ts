/** Larger operators of com.microsoft on quantised weights, against onnxruntime where it runs them on a CPU. */
import { expect, test } from "vitest";
import { memorySource, readOnnx, type Model } from "../../../src/index.ts";
import {
  bytes,
  microsoftNode,
  onnxModel,
  tensor,
  type OnnxModelParts,
} from "../../helpers/onnxModel.ts";
import { identity, runOnnx } from "../../helpers/onnxRuntime.ts";
import { drawn, microsoft, scales, unsigned } from "./quantisedCases.ts";

const read = (parts: OnnxModelParts): Promise<Model> => readOnnx(memorySource(onnxModel(parts)));

test.each([
  { name: "4 bits by row", bits: 4, blockSize: 0, zero: false },
  { name: "8 bits by row", bits: 8, blockSize: 0, zero: false },
  { name: "4 bits in blocks", bits: 4, blockSize: 16, zero: false },
  { name: "4 bits in blocks, with zero points", bits: 4, blockSize: 16, zero: true },
])("QMoE of $name: one expert is a product of two weights", async ({ bits, blockSize, zero }) => {
  const [size, inner] = [32, 64];
  const pack = 8 / bits;
  const stack = (name: string, out: number, from: number) =>
    unsigned(name, [1, out, from / pack], drawn((out * from) / pack, 256));
  const scaleOf = (name: string, out: number, from: number) =>
    scales(name, blockSize === 0 ? [1, out] : [1, out, from / blockSize]);
  const zeroOf = (name: string, out: number, from: number) => {
    const bytesPerRow = from / blockSize / pack;
    return unsigned(name, [1, out, bytesPerRow], drawn(out * bytesPerRow, 256));
  };
  const parts: OnnxModelParts = {
    ...microsoft,
    inputs: { x: [size, size], router: [size, 1] },
    initializers: [
      stack("w1", inner, size),
      scaleOf("s1", inner, size),
      stack("w2", size, inner),
      scaleOf("s2", size, inner),
      ...(zero ? [zeroOf("z1", inner, size), zeroOf("z2", size, inner)] : []),
    ],
    nodes: [
      microsoftNode(
        "QMoE",
        ["x", "router", "w1", "s1", "", "w2", "s2", "", "", "", "", ...(zero ? ["z1", "z2"] : [])],
        ["y"],
        {
          k: 1,
          activation_type: "identity",
          expert_weight_bits: bits,
          ...(blockSize > 0 && { block_size: blockSize }),
        },
      ),
    ],
  };
  const model = await read(parts);
  expect(model.warnings).toEqual([]);
  expect(model.layers.map(({ name, in: from, out }) => [name, from, out])).toEqual([
    ["w1", size, inner],
    ["w2", inner, size],
  ]);
  const [w1, w2] = await Promise.all(model.layers.map(({ tensor: own }) => own.read()));
  const { values } = await runOnnx(onnxModel(parts), {
    x: identity(size),
    router: { dims: [size, 1], values: Array<number>(size).fill(1) },
  });
  const wanted = Float64Array.from(values, (_, at) => {
    const [column, row] = [Math.floor(at / size), at % size];
    let sum = 0;
    for (let i = 0; i < inner; i++) sum += w2![row * inner + i]! * w1![i * size + column]!;
    return sum;
  });
  const scale = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  values.forEach((value, i) => expect(Math.abs(value - wanted[i]!) / scale).toBeLessThan(1e-5));
});

test("QMoE of floats in four bits: its weights are named, and unexplained", async () => {
  const model = await read({
    ...microsoft,
    inputs: { x: ["N", 4] },
    initializers: [
      unsigned("w1", [1, 4, 2], drawn(8, 256)),
      unsigned("w2", [1, 4, 2], drawn(8, 256)),
    ],
    nodes: [microsoftNode("QMoE", ["x", "x", "w1", "", "", "w2"], ["y"], { quant_type: "fp4" })],
  });
  expect(model.layers).toEqual([]);
  expect(model.tensors.map(({ role }) => role)).toEqual(["unknown", "unknown"]);
  expect(model.warnings.map(({ code }) => code)).toEqual(["OPERATOR_UNKNOWN"]);
});

test("QAttention: the weights of queries, keys and values, by column (hand)", async () => {
  const model = await read({
    ...microsoft,
    inputs: { x: ["N", 3, 2] },
    initializers: [
      bytes("w", [2, 6], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]),
      tensor("b", [6]),
      tensor("xs", [], [1]),
      tensor("ws", [6], [1, 2, 3, 4, 5, 6]),
      unsigned("xz", [], [0]),
      bytes("wz", [6], [0, 0, 0, 0, 0, 1]),
    ],
    nodes: [
      microsoftNode("QAttention", ["x", "w", "b", "xs", "ws", "", "xz", "wz"], ["y"], {
        num_heads: 1,
      }),
    ],
  });
  expect(model.warnings).toEqual([]);
  const [layer] = model.layers;
  expect([layer!.in, layer!.out]).toEqual([2, 6]);
  expect(Array.from(await layer!.tensor.read())).toEqual([
    1, 4, 9, 16, 25, 30, 7, 16, 27, 40, 55, 66,
  ]);
  expect(new Map(model.tensors.map(({ name, role }) => [name, role]))).toEqual(
    new Map([
      ["w", "weight"],
      ["b", "bias"],
      ["xs", "constant"],
      ["ws", "constant"],
      ["xz", "constant"],
      ["wz", "constant"],
    ]),
  );
});

test.each([
  { name: "by direction", dims: [2], steps: [2, 3] },
  { name: "by direction and gate", dims: [2, 4], steps: [1, 2, 3, 4, 5, 6, 7, 8] },
])("DynamicQuantizeLSTM, $name (hand)", async ({ dims, steps }) => {
  const scale = (name: string) => tensor(name, dims, steps);
  const zero = (name: string) =>
    bytes(
      name,
      dims,
      steps.map(() => 0),
    );
  const model = await read({
    ...microsoft,
    inputs: { x: [5, 1, 2] },
    initializers: [
      bytes(
        "w",
        [2, 2, 4],
        Array.from({ length: 16 }, (_, i) => i),
      ),
      bytes(
        "r",
        [2, 1, 4],
        Array.from({ length: 8 }, (_, i) => i),
      ),
      scale("ws"),
      zero("wz"),
      scale("rs"),
      zero("rz"),
    ],
    nodes: [
      microsoftNode(
        "DynamicQuantizeLSTM",
        ["x", "w", "r", "", "", "", "", "", "ws", "wz", "rs", "rz"],
        ["y"],
        { hidden_size: 1, direction: "bidirectional" },
      ),
    ],
  });
  expect(model.warnings).toEqual([]);
  expect(model.layers.map(({ kind }) => kind)).toEqual([
    "recurrent_W",
    "recurrent_R",
    "recurrent_W",
    "recurrent_R",
  ]);
  const at = (direction: number, gate: number): number =>
    dims.length === 1 ? steps[direction]! : steps[direction * 4 + gate]!;
  const wanted = [0, 1].map((direction) =>
    [0, 1, 2, 3].flatMap((gate) =>
      [0, 1].map((from) => (direction * 8 + from * 4 + gate) * at(direction, gate)),
    ),
  );
  const inputs = model.layers.filter(({ kind }) => kind === "recurrent_W");
  expect(
    await Promise.all(inputs.map(async ({ tensor: own }) => Array.from(await own.read()))),
  ).toEqual(wanted);
});

test("an embedding of bytes, normalised", async () => {
  const model = await read({
    ...microsoft,
    inputs: { ids: ["N", 3], segments: ["N", 3] },
    initializers: [
      bytes("words", [4, 2], [1, 2, 3, 4, 5, 6, 7, 8]),
      bytes("places", [3, 2], [1, 2, 3, 4, 5, 6]),
      bytes("kinds", [2, 2], [1, 2, 3, 4]),
      bytes("gamma", [2], [1, 1]),
      bytes("beta", [2], [0, 0]),
      ...["a", "b", "c", "d", "e"].map((name) => tensor(name, [], [0.5])),
      ...["f", "g", "h", "i", "j"].map((name) => bytes(name, [], [1])),
    ],
    nodes: [
      microsoftNode(
        "QEmbedLayerNormalization",
        [
          "ids",
          "segments",
          "words",
          "places",
          "kinds",
          "gamma",
          "beta",
          "",
          ...Array.from("abcdefghij"),
        ],
        ["y"],
      ),
    ],
  });
  expect(model.warnings).toEqual([]);
  expect(model.layers.map(({ name, kind }) => [name, kind])).toEqual([
    ["words", "embedding"],
    ["places", "embedding"],
    ["kinds", "embedding"],
  ]);
  expect(Array.from(await model.layers[2]!.tensor.read())).toEqual([0, 0.5, 1, 1.5]);
});

/**
 * Quantised weights against onnxruntime: of the identity, a product with a weight is the weight. Runtimes that quantise the
 * input first hit 0 and 1 exactly or nearly so, hence the tolerances.
 */
import { describe, expect, test } from "vitest";
import {
  isWeightGraphError,
  joinPieces,
  memorySource,
  patchModel,
  readOnnx,
  type Model,
} from "../../../src/index.ts";
import {
  bytes,
  microsoftNode,
  node,
  onnxModel,
  tensor,
  type OnnxModelParts,
  type Tensor,
} from "../../helpers/onnxModel.ts";
import { identity, runOnnx } from "../../helpers/onnxRuntime.ts";
import {
  around,
  cases,
  drawn,
  inputs,
  microsoft,
  modern,
  scales,
  typed,
  unsigned,
  xScale,
  xZero,
  yScale,
  yZero,
} from "./quantisedCases.ts";

/** The one weight layer of a model as [in, out]. */
async function matrixOf(model: Model): Promise<Float64Array> {
  expect(model.layers).toHaveLength(1);
  expect(model.warnings).toEqual([]);
  const { tensor: weight, layout } = model.layers[0]!;
  const values = Float64Array.from(await weight.read());
  if (layout.roles[0] === "in") return values;
  const [out, size] = weight.shape as [number, number];
  return values.map((_, i) => values[(i % out) * size + Math.floor(i / out)]!);
}

function expectClose(values: Float32Array, wanted: Float64Array, relative = 1e-6): void {
  expect(values.length).toBe(wanted.length);
  const scale = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  values.forEach((value, i) => {
    expect(Math.abs(value - wanted[i]!), `${i}: ${value}, ${wanted[i]}`).toBeLessThanOrEqual(
      relative * scale,
    );
  });
}

describe.each(cases)("$name", ({ parts, size, relative }) => {
  const content = onnxModel(parts);

  test("onnxruntime computes with the weights that are read", async () => {
    const { values } = await runOnnx(content, { x: identity(size) });
    expectClose(values, await matrixOf(await readOnnx(memorySource(content))), relative);
  });

  test("a span is a part of the whole", async () => {
    const { tensor: weight } = (await readOnnx(memorySource(content))).layers[0]!;
    const whole = await weight.read();
    const spanned = weight.readSpan ?? null;
    if (spanned === null) return expect(weight.location).toBeUndefined();
    const steps = [0, 1, 2, 5, Math.floor(whole.length / 2), whole.length];
    for (const start of steps) {
      for (const end of steps.filter((own) => own >= start && own <= whole.length)) {
        expect(Array.from(await spanned(start, end))).toEqual(Array.from(whole.slice(start, end)));
      }
    }
  });

  test("patched with other weights, onnxruntime computes with those", async () => {
    const source = memorySource(content);
    const before = await readOnnx(source);
    const { tensor: weight } = before.layers[0]!;
    if (weight.location === undefined) return;
    const whole = await weight.read();
    const [same] = await patchModel(source, before, new Map([[weight.name, whole]]));
    expect(await joinPieces(same!.pieces)).toEqual(content);
    // The values of one group of steps, moved about in it: the first two elements change places.
    const moved = Float64Array.from(whole);
    [moved[0], moved[1]] = [moved[1]!, moved[0]!];
    const refused = await patchModel(source, before, new Map([[weight.name, moved]])).catch(
      (error: unknown) => error,
    );
    // Columns with scales of their own need not have each other's steps.
    if (!Array.isArray(refused)) {
      return expect(isWeightGraphError(refused, "FORMAT_UNSUPPORTED")).toBe(true);
    }
    const patched = await joinPieces(
      (refused as Awaited<ReturnType<typeof patchModel>>)[0]!.pieces,
    );
    const after = await matrixOf(await readOnnx(memorySource(patched)));
    const { values } = await runOnnx(patched, { x: identity(size) });
    expectClose(values, after, relative);
  });
});

describe("GatherBlockQuantized", () => {
  test.each([
    { name: "uint4, zero points", dataType: 21, bits: 4, zero: 21 },
    { name: "int4", dataType: 22, bits: 4, zero: null },
    { name: "bytes of two, zero points", dataType: 2, bits: 4, zero: 2 },
    { name: "bytes of two", dataType: 2, bits: 4, zero: null },
    { name: "bytes of one", dataType: 2, bits: 8, zero: null },
  ])("$name", async ({ dataType, bits, zero }) => {
    const [rows, width, blockSize] = [3, 32, 16];
    const perByte = 8 / bits;
    const byteWidth = dataType === 2 ? width / perByte : width;
    const zeroWidth = zero === 2 ? 1 : 2;
    const content = onnxModel({
      opset: 21,
      irVersion: 10,
      microsoft: 1,
      inputs: { x: [rows] },
      initializers: [
        typed("w", [rows, byteWidth], dataType, drawn((rows * width) / perByte, 256)),
        scales("s", [rows, 2]),
        ...(zero ? [typed("z", [rows, zeroWidth], zero, drawn(rows, 256))] : []),
      ],
      nodes: [
        node("Cast", ["x"], ["i"], { to: 7 }),
        microsoftNode("GatherBlockQuantized", ["w", "i", "s", ...(zero ? ["z"] : [])], ["y"], {
          block_size: blockSize,
          quantize_axis: 1,
          gather_axis: 0,
          bits,
        }),
      ],
    });
    const model = await readOnnx(memorySource(content));
    expect(model.layers.map(({ kind, in: size, out }) => [kind, size, out])).toEqual([
      ["embedding", rows, width],
    ]);
    const { values } = await runOnnx(content, { x: { dims: [rows], values: [0, 1, 2] } });
    expectClose(values, Float64Array.from(await model.layers[0]!.tensor.read()));
  });
});

describe("convolutions", () => {
  const kernel = bytes("w", [2, 1, 1, 2], [40, -40, 20, 1]);
  const impulse = { dims: [1, 1, 1, 3], values: [0, 1, 0] };
  test.each<{ name: string; parts: OnnxModelParts }>([
    {
      name: "QLinearConv",
      parts: {
        ...modern,
        inputs: { x: [1, 1, 1, 3] },
        initializers: [
          xScale,
          xZero,
          yScale,
          yZero,
          kernel,
          tensor("s", [2], [1 / 128, 2 / 128]),
          bytes("z", [2], [0, 0]),
        ],
        nodes: around([
          ["QLinearConv", ["xq", "x_scale", "x_zero", "w", "s", "z", "y_scale", "y_zero"], ["yq"]],
        ]),
      },
    },
    {
      name: "ConvInteger",
      parts: {
        ...modern,
        inputs: { x: [1, 1, 1, 3] },
        initializers: [kernel, tensor("s", [], [0.5]), bytes("z", [], [2])],
        nodes: [
          node("DynamicQuantizeLinear", ["x"], ["xq", "xs", "xz"]),
          node("ConvInteger", ["xq", "w", "xz", "z"], ["i"]),
          node("Cast", ["i"], ["f"], { to: 1 }),
          node("Mul", ["xs", "s"], ["scale"]),
          node("Mul", ["f", "scale"], ["y"]),
        ],
      },
    },
  ])("$name", async ({ parts }) => {
    const content = onnxModel(parts);
    const model = await readOnnx(memorySource(content));
    const [layer] = model.layers;
    const weight = await layer!.tensor.read();
    // An impulse gives each kernel backwards.
    const { values } = await runOnnx(content, { x: impulse });
    expectClose(values, Float64Array.of(weight[1]!, weight[0]!, weight[3]!, weight[2]!), 0.01);
  });
});

test("MatMulNBits with an index of groups", async () => {
  const w = unsigned("w", [1, 2, 8], drawn(16, 256));
  const content = onnxModel({
    ...microsoft,
    inputs: inputs(32),
    initializers: [
      w,
      tensor("s", [2], [1, 8]),
      {
        name: "g",
        dims: [32],
        dataType: 6,
        int32Data: Array.from({ length: 32 }, (_, i) => i % 2),
      },
    ],
    nodes: [
      microsoftNode("MatMulNBits", ["x", "w", "s", "", "g"], ["y"], {
        K: 32,
        N: 1,
        bits: 4,
        block_size: 16,
      }),
    ],
  });
  const model = await readOnnx(memorySource(content));
  const { values } = await runOnnx(content, { x: identity(32) });
  expectClose(values, await matrixOf(model));
});

test.each<[string, Tensor, Record<string, number>]>([
  [
    "too few bytes",
    unsigned("w", [3, 2, 7], drawn(42, 256)),
    { K: 32, N: 3, bits: 4, block_size: 16 },
  ],
  [
    "bits of another kind",
    unsigned("w", [3, 2, 8], drawn(48, 256)),
    { K: 32, N: 3, bits: 5, block_size: 16 },
  ],
  ["no sizes", unsigned("w", [3, 2, 8], drawn(48, 256)), {}],
])("MatMulNBits with %s: the weight is named, and unexplained", async (_, w, attributes) => {
  const content = onnxModel({
    ...microsoft,
    inputs: inputs(32),
    initializers: [w, scales("s", [6])],
    nodes: [microsoftNode("MatMulNBits", ["x", "w", "s"], ["y"], attributes)],
  });
  const model = await readOnnx(memorySource(content));
  expect(model.layers).toEqual([]);
  expect(model.tensors.map(({ name, role }) => [name, role])).toEqual([
    ["w", "unknown"],
    ["s", "constant"],
  ]);
  expect(model.warnings.map(({ code }) => code)).toEqual(["OPERATOR_UNKNOWN"]);
});

test("operators on activations are those on real numbers", async () => {
  const content = onnxModel({
    ...microsoft,
    inputs: { x: ["N", 2] },
    initializers: [
      xScale,
      xZero,
      tensor("a", [2, 3]),
      tensor("b", [2, 3]),
      tensor("c", [6, 1]),
      tensor("d", [2, 3]),
    ],
    nodes: [
      node("MatMul", ["x", "a"], ["l"]),
      node("MatMul", ["x", "b"], ["r"]),
      node("MatMul", ["x", "d"], ["other"]),
      microsoftNode(
        "QLinearAdd",
        ["l", "x_scale", "x_zero", "r", "x_scale", "x_zero", "x_scale", "x_zero"],
        ["sum"],
      ),
      microsoftNode(
        "QLinearConcat",
        ["x_scale", "x_zero", "sum", "x_scale", "x_zero", "other", "x_scale", "x_zero"],
        ["both"],
        { axis: 1 },
      ),
      node("MatMul", ["both", "c"], ["y"]),
    ],
  });
  const model = await readOnnx(memorySource(content));
  expect(model.warnings).toEqual([]);
  const from = model.topology.wires.at(-1)!.from;
  const [left, right, other] = model.topology.wires.map(({ to }) => to);
  expect(from).toHaveLength(6);
  expect(Array.from(from.slice(0, 3))).toEqual(Array.from(left!));
  expect(Array.from(right!)).toEqual(Array.from(left!));
  expect(Array.from(from.slice(3))).toEqual(Array.from(other!));
});

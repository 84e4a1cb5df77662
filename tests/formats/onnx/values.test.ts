/** What stands in a TensorProto: every element type, every field that can hold it. */
import onnxProto, { type onnx } from "onnx-proto";
import { describe, expect, test } from "vitest";
import {
  coverageOf,
  isWeightGraphError,
  memorySource,
  readOnnx,
  type Model,
} from "../../../src/index.ts";
import { integers, node, onnxModel, tensor, type Tensor } from "../../helpers/onnxModel.ts";

const external = onnxProto.onnx.TensorProto.DataLocation.EXTERNAL;

/** A model whose only weight, [n, 1], is `w`. */
function weightOf(
  w: Tensor,
  count: number,
  beside: Readonly<Record<string, Uint8Array>> = {},
): Promise<Model> {
  const parts = {
    inputs: { x: ["N", count] },
    initializers: [{ name: "w", dims: [count, 1], ...w }],
    nodes: [node("MatMul", ["x", "w"], ["y"])],
  };
  return readOnnx(memorySource(onnxModel(parts), "net.onnx", beside));
}

interface Row {
  readonly dtype: string;
  /** TensorProto.DataType, of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto. */
  readonly code: number;
  /** Little-endian, as `raw_data` and data files have it. */
  readonly bytes: readonly number[];
  readonly typed: Tensor;
  readonly values: readonly number[];
}

/** Bytes and values by hand. */
const rows: readonly Row[] = [
  {
    dtype: "float32",
    code: 1,
    bytes: [0, 0, 0xc0, 0x3f],
    typed: { floatData: [1.5] },
    values: [1.5],
  },
  { dtype: "uint8", code: 2, bytes: [200, 1], typed: { int32Data: [200, 1] }, values: [200, 1] },
  { dtype: "int8", code: 3, bytes: [200, 1], typed: { int32Data: [-56, 1] }, values: [-56, 1] },
  { dtype: "uint16", code: 4, bytes: [1, 200], typed: { int32Data: [51201] }, values: [51201] },
  { dtype: "int16", code: 5, bytes: [1, 200], typed: { int32Data: [-14335] }, values: [-14335] },
  {
    dtype: "int32",
    code: 6,
    bytes: [254, 255, 255, 255],
    typed: { int32Data: [-2] },
    values: [-2],
  },
  {
    dtype: "int64",
    code: 7,
    bytes: [254, ...Array<number>(7).fill(255)],
    typed: { int64Data: [-2] },
    values: [-2],
  },
  { dtype: "bool", code: 9, bytes: [1, 0], typed: { int32Data: [1, 0] }, values: [1, 0] },
  { dtype: "float16", code: 10, bytes: [0, 0xbc], typed: { int32Data: [0xbc00] }, values: [-1] },
  {
    dtype: "float64",
    code: 11,
    bytes: [0, 0, 0, 0, 0, 0, 0xf8, 0xbf],
    typed: { doubleData: [-1.5] },
    values: [-1.5],
  },
  {
    dtype: "uint32",
    code: 12,
    bytes: [255, 255, 255, 255],
    typed: { uint64Data: [4294967295] },
    values: [4294967295],
  },
  {
    dtype: "uint64",
    code: 13,
    bytes: [1, 0, 0, 0, 0, 0, 32, 0],
    typed: { uint64Data: [2 ** 53] },
    values: [2 ** 53],
  },
  {
    dtype: "bfloat16",
    code: 16,
    bytes: [0x40, 0xc0],
    typed: { int32Data: [0xc040] },
    values: [-3],
  },
  {
    dtype: "float8_e4m3",
    code: 17,
    bytes: [0x7e, 0xb8],
    typed: { int32Data: [0x7e, 0xb8] },
    values: [448, -1],
  },
  {
    dtype: "float8_e4m3fnuz",
    code: 18,
    bytes: [0x7f, 0xc0],
    typed: { int32Data: [0x7f, 0xc0] },
    values: [240, -1],
  },
  {
    dtype: "float8_e5m2",
    code: 19,
    bytes: [0x7b, 0xbc],
    typed: { int32Data: [0x7b, 0xbc] },
    values: [57344, -1],
  },
  {
    dtype: "float8_e5m2fnuz",
    code: 20,
    bytes: [0x7f, 0xc0],
    typed: { int32Data: [0x7f, 0xc0] },
    values: [57344, -1],
  },
  {
    dtype: "uint4",
    code: 21,
    bytes: [0x8f, 0x07],
    typed: { int32Data: [0x8f, 7] },
    values: [15, 8, 7],
  },
  {
    dtype: "int4",
    code: 22,
    bytes: [0x8f, 0x07],
    typed: { int32Data: [0x8f, 7] },
    values: [-1, -8, 7],
  },
  {
    dtype: "float4_e2m1",
    code: 23,
    bytes: [0x2f, 0x05],
    typed: { int32Data: [0x2f, 5] },
    values: [-6, 1, 3],
  },
  {
    dtype: "float8_e8m0",
    code: 24,
    bytes: [127, 130],
    typed: { int32Data: [127, 130] },
    values: [1, 8],
  },
  {
    dtype: "uint2",
    code: 25,
    bytes: [0xe4, 0x01],
    typed: { int32Data: [0xe4, 1] },
    values: [0, 1, 2, 3, 1],
  },
  {
    dtype: "int2",
    code: 26,
    bytes: [0xe4, 0x01],
    typed: { int32Data: [0xe4, 1] },
    values: [0, 1, -2, -1, 1],
  },
];

describe.each(rows)("$dtype", ({ dtype, code, bytes, typed, values }) => {
  const count = values.length;
  test.each<[string, Tensor, Record<string, Uint8Array>]>([
    ["raw_data", { dataType: code, rawData: Uint8Array.from(bytes) }, {}],
    ["its typed field", { dataType: code, ...typed }, {}],
    [
      "a data file",
      {
        dataType: code,
        dataLocation: external,
        externalData: [
          { key: "location", value: "w.bin" },
          { key: "offset", value: "1" },
          { key: "length", value: String(bytes.length) },
          { key: "checksum", value: "da39a3ee5e6b4b0d3255bfef95601890afd80709" },
        ],
      },
      { "w.bin": Uint8Array.from([9, ...bytes, 9]) },
    ],
  ])("%s", async (_, w, beside) => {
    const model = await weightOf(w, count, beside);
    const { tensor: weight } = model.layers[0]!;
    expect([weight.name, weight.dtype]).toEqual(["w", dtype]);
    expect(Array.from(await weight.read())).toEqual(values);
    if (weight.readSpan !== undefined) {
      expect(Array.from(await weight.readSpan(count - 1, count))).toEqual(values.slice(-1));
    }
  });

  test("a typed field with one number too few or too many", async () => {
    const [key, numbers] = Object.entries(typed)[0] as [string, number[]];
    const short = { dataType: code, [key]: numbers.slice(1) };
    await expect(
      weightOf(short, count).then((model) => model.layers[0]!.tensor.read()),
    ).rejects.toSatisfy((error) => isWeightGraphError(error, "FORMAT_TRUNCATED"));
    const long = { dataType: code, [key]: [...numbers, 0] };
    await expect(
      weightOf(long, count).then((model) => model.layers[0]!.tensor.read()),
    ).rejects.toSatisfy((error) => isWeightGraphError(error, "FORMAT_MALFORMED"));
  });
});

test("a typed field in more parts than one, across the borders of what is read at once", async () => {
  const count = 300_000;
  const own = Array.from({ length: count }, (_, i) => (i % 255) - 127);
  const model = await weightOf({ dataType: 3, int32Data: own }, count);
  expect(Array.from(await model.layers[0]!.tensor.read())).toEqual(own);
});

describe("tensors that are named and counted alone", () => {
  test.each<{ name: string; w: Tensor; dtype: string; role: string }>([
    {
      name: "complex64",
      w: { dataType: 14, floatData: [1, 2, 3, 4] },
      dtype: "complex64",
      role: "constant",
    },
    {
      name: "complex128",
      w: { dataType: 15, rawData: new Uint8Array(32) },
      dtype: "complex128",
      role: "constant",
    },
    {
      name: "a type of the future",
      w: { dataType: 99, rawData: new Uint8Array(2) },
      dtype: "unknown",
      role: "unknown",
    },
    {
      name: "segments",
      w: { dataType: 1, segment: { begin: 0, end: 4 }, rawData: new Uint8Array(8) },
      dtype: "float32",
      role: "unknown",
    },
  ])("$name", async ({ w, dtype, role }) => {
    const model = await weightOf(w, 2);
    expect(model.layers).toEqual([]);
    const [stored] = model.tensors;
    expect(stored).toMatchObject({ name: "w", dtype, role, shape: [2, 1] });
    expect(model.warnings.map(({ code }) => code)).toContain("TENSOR_UNREADABLE");
    await expect(stored!.read()).rejects.toSatisfy((error) =>
      isWeightGraphError(error, "FORMAT_UNSUPPORTED"),
    );
    const { parameters, constants } = coverageOf(model);
    expect([parameters, constants]).toEqual(role === "constant" ? [0, 2] : [2, 0]);
  });

  test("a data file of a type of the future", async () => {
    const w = {
      dataType: 99,
      dataLocation: external,
      externalData: [{ key: "location", value: "w.bin" }],
    };
    const model = await weightOf(w, 16, { "w.bin": new Uint8Array(2) });
    expect(model.tensors[0]).toMatchObject({ dtype: "unknown", shape: [16, 1] });
    await expect(weightOf(w, 17, { "w.bin": new Uint8Array(2) })).rejects.toSatisfy((error) =>
      isWeightGraphError(error, "FORMAT_TRUNCATED"),
    );
  });

  test("strings are counted", async () => {
    const model = await weightOf(
      { dataType: 8, stringData: [new Uint8Array(3), new Uint8Array(1)] },
      2,
    );
    expect(model.tensors).toEqual([]);
    expect(model.metadata).toMatchObject({ stringTensors: 1 });
  });
});

describe("sparse tensors", () => {
  const sparse = (
    indices: Tensor,
    values: Tensor = tensor("w", [2], [5, 7]),
  ): onnx.ISparseTensorProto => ({ values, indices, dims: [2, 3] });
  const read = (own: onnx.ISparseTensorProto): Promise<Model> =>
    readOnnx(
      memorySource(
        onnxModel({
          inputs: { x: ["N", 2] },
          sparse: [own],
          nodes: [node("MatMul", ["x", "w"], ["y"])],
        }),
      ),
    );
  test.each([
    ["linear indices", integers("", [1, 5])],
    ["a row and a column each", integers("", [0, 1, 1, 2], [2, 2])],
  ])("%s", async (_, indices) => {
    const model = await read(sparse(indices));
    expect(Array.from(await model.layers[0]!.tensor.read())).toEqual([0, 5, 0, 0, 0, 7]);
  });

  test.each([
    ["as many indices as values", integers("", [1])],
    ["pairs", integers("", [0, 1, 1, 1, 2, 1], [2, 3])],
    ["no triples", integers("", [0, 1, 1, 2], [2, 2, 1])],
  ])("malformed without %s", async (_, indices) => {
    await expect(read(sparse(indices))).rejects.toSatisfy((error) =>
      isWeightGraphError(error, "FORMAT_MALFORMED"),
    );
  });

  test("the value of a Constant node", async () => {
    const constant = {
      opType: "Constant",
      output: ["w"],
      attribute: [{ name: "sparse_value", type: 11, sparseTensor: sparse(integers("", [1, 5])) }],
    };
    const parts = { inputs: { x: ["N", 2] }, nodes: [constant, node("MatMul", ["x", "w"], ["y"])] };
    const model = await readOnnx(memorySource(onnxModel(parts)));
    expect(model.tensors.map(({ name, role }) => [name, role])).toEqual([["w", "weight"]]);
    expect(Array.from(await model.layers[0]!.tensor.read())).toEqual([0, 5, 0, 0, 0, 7]);
  });

  test("an index outside is found when it is read", async () => {
    const model = await read(sparse(integers("", [1, 6])));
    await expect(model.layers[0]!.tensor.read()).rejects.toSatisfy((error) =>
      isWeightGraphError(error, "FORMAT_MALFORMED"),
    );
  });
});

describe("ConstantOfShape", () => {
  test.each<[string, Tensor | null, string, number]>([
    ["zeros", null, "float32", 0],
    ["float64", { dims: [1], dataType: 11, doubleData: [0.1] }, "float64", 0.1],
    ["float16", { dims: [1], dataType: 10, int32Data: [0x3800] }, "float16", 0.5],
  ])("%s", async (_, value, dtype, filled) => {
    const parts = {
      inputs: { x: ["N", 2] },
      initializers: [integers("s", [2, 2])],
      nodes: [
        node("ConstantOfShape", ["s"], ["w"], value === null ? {} : { value }),
        node("MatMul", ["x", "w"], ["y"]),
      ],
    };
    const model = await readOnnx(memorySource(onnxModel(parts)));
    const { tensor: weight } = model.layers[0]!;
    expect(weight).toMatchObject({ name: "w", dtype, shape: [2, 2] });
    expect(Array.from(await weight.read())).toEqual(Array(4).fill(filled));
  });
});

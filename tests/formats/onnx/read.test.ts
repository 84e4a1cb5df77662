/** Tensors of ONNX files: every way to store them, and every lie that is refused. */
import onnxProto from "onnx-proto";
import { describe, expect, test } from "vitest";
import {
  isWeightGraphError,
  memorySource,
  readOnnx,
  type ByteSource,
  type ErrorCode,
  type Model,
} from "../../../src/index.ts";
import {
  graph,
  integers,
  node,
  onnxModel,
  tensor,
  type OnnxModelParts,
  type Tensor,
} from "../../helpers/onnxModel.ts";

const { TensorProto } = onnxProto.onnx;
const external = TensorProto.DataLocation.EXTERNAL;
const raw = (values: ArrayLike<number> & { buffer: ArrayBufferLike }): Uint8Array =>
  new Uint8Array(values.buffer as ArrayBuffer);

function read(parts: OnnxModelParts, siblings: Record<string, Uint8Array> = {}): Promise<Model> {
  return readOnnx(memorySource(onnxModel(parts), "net.onnx", siblings));
}

/** A network of one initializer `w` that a MatMul reads. */
const single = (w: Tensor): OnnxModelParts => ({
  inputs: { x: ["N", 2] },
  initializers: [{ ...w, name: "w" }],
  nodes: [node("MatMul", ["x", "w"], ["y"])],
});

describe("element types, typed fields and raw data (hand)", () => {
  const dims = [2, 2];
  test.each<{ name: string; stored: Tensor; values: number[] }>([
    {
      name: "float_data",
      stored: { dataType: 1, floatData: [1.5, -2, 3, 4] },
      values: [1.5, -2, 3, 4],
    },
    {
      name: "double_data",
      stored: { dataType: 11, doubleData: [0.1, 2, 3, 4] },
      values: [0.1, 2, 3, 4],
    },
    {
      name: "float16 in raw_data",
      stored: { dataType: 10, rawData: raw(Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7bff)) },
      values: [1, -2, 2 ** -24, 65504],
    },
    {
      name: "float16 in int32_data",
      stored: { dataType: 10, int32Data: [0x3c00, 0xc000, 0, 0x3800] },
      values: [1, -2, 0, 0.5],
    },
    {
      name: "bfloat16 in int32_data",
      stored: { dataType: 16, int32Data: [0x3f80, 0xc000, 0, 0x4040] },
      values: [1, -2, 0, 3],
    },
    {
      name: "int8 in int32_data",
      stored: { dataType: 3, int32Data: [-128, -1, 0, 127] },
      values: [-128, -1, 0, 127],
    },
    {
      name: "uint8 in int32_data",
      stored: { dataType: 2, int32Data: [255, 1, 0, 127] },
      values: [255, 1, 0, 127],
    },
    {
      name: "int32_data",
      stored: { dataType: 6, int32Data: [-(2 ** 31), -1, 0, 2 ** 31 - 1] },
      values: [-(2 ** 31), -1, 0, 2 ** 31 - 1],
    },
    {
      name: "int64_data",
      stored: { dataType: 7, int64Data: [-5, 2 ** 40, 0, 1] },
      values: [-5, 2 ** 40, 0, 1],
    },
    {
      name: "uint64_data",
      stored: { dataType: 13, uint64Data: [5, 2 ** 40, 0, 1] },
      values: [5, 2 ** 40, 0, 1],
    },
    {
      name: "int4 in raw_data",
      stored: { dataType: 22, rawData: Uint8Array.of(0x21, 0x8f) },
      values: [1, 2, -1, -8],
    },
    {
      name: "uint4 in int32_data",
      stored: { dataType: 21, int32Data: [0x21, 0x8f] },
      values: [1, 2, 15, 8],
    },
  ])("$name", async ({ stored, values }) => {
    const model = await read(single({ ...stored, dims }));
    expect(Array.from(await model.tensors[0]!.read())).toEqual(values);
  });

  test("a typed field that is not packed reads alike, and has no place to be patched", async () => {
    // TensorProto by hand: dims 2, 2; data_type 1; float_data 1 and 2, 3, 4 one by one; name "w".
    const four = [1, 2, 3, 4].flatMap((value) => [0x25, ...raw(Float32Array.of(value))]);
    const proto = [0x08, 2, 0x08, 2, 0x10, 1, ...four, 0x42, 1, 0x77];
    const file = Uint8Array.from([0x08, 8, 0x3a, proto.length + 2, 0x2a, proto.length, ...proto]);
    const model = await readOnnx(memorySource(file));
    expect(Array.from(await model.tensors[0]!.read())).toEqual([1, 2, 3, 4]);
    expect(model.tensors[0]!.location).toBeUndefined();
    expect(model.tensors[0]!.role).toBe("unknown");
  });

  test("a sparse initializer is read dense", async () => {
    const values = { ...tensor("w", [2], [5, 7]), name: "w" };
    const model = await read({
      inputs: { x: ["N", 2] },
      sparse: [{ values, indices: integers("", [0, 5]), dims: [2, 3] }],
      nodes: [node("MatMul", ["x", "w"], ["y"])],
    });
    expect(Array.from(await model.layers[0]!.tensor.read())).toEqual([5, 0, 0, 0, 0, 7]);
  });
});

describe("external data", () => {
  const far = (entries: Record<string, string>): OnnxModelParts =>
    single({
      dims: [2, 2],
      dataType: 1,
      dataLocation: external,
      externalData: Object.entries(entries).map(([key, value]) => ({ key, value })),
    });
  const data = raw(Float32Array.of(9, 1, 2, 3, 4));

  test("is read from its offset, when it is asked for", async () => {
    const model = await read(far({ location: "w.bin", offset: "4", length: "16" }), {
      "w.bin": data,
    });
    expect(Array.from(await model.layers[0]!.tensor.read())).toEqual([1, 2, 3, 4]);
    expect(model.layers[0]!.tensor.location).toEqual({ file: "w.bin", offset: 4, byteLength: 16 });
  });

  test.each<{ name: string; entries: Record<string, string>; code: ErrorCode }>([
    { name: "past the end", entries: { location: "w.bin", offset: "8" }, code: "FORMAT_TRUNCATED" },
    { name: "too short", entries: { location: "w.bin", length: "8" }, code: "FORMAT_TRUNCATED" },
    {
      name: "a length of 2^70",
      entries: { location: "w.bin", length: "1180591620717411303424" },
      code: "FORMAT_MALFORMED",
    },
    {
      name: "a negative offset",
      entries: { location: "w.bin", offset: "-4" },
      code: "FORMAT_MALFORMED",
    },
    { name: "no location", entries: { offset: "0" }, code: "FORMAT_MALFORMED" },
    { name: "a missing file", entries: { location: "v.bin" }, code: "FILE_NOT_FOUND" },
  ])("$name: $code", async ({ entries, code }) => {
    await expect(read(far(entries), { "w.bin": data })).rejects.toSatisfy((error) =>
      isWeightGraphError(error, code),
    );
  });
});

describe("what is refused, and where it says so", () => {
  const broken = (w: Tensor): ByteSource => memorySource(onnxModel(single(w)), "net.onnx");
  const floats = new Uint8Array(16);
  test.each<{ name: string; w: Tensor; code: ErrorCode; path: (string | number)[] }>([
    {
      name: "a negative dimension",
      w: { dims: [2, -2], dataType: 1, rawData: floats },
      code: "FORMAT_MALFORMED",
      path: ["net.onnx", "graph", "initializer", 0, "dims"],
    },
    {
      name: "a dimension of 2^62",
      w: { dims: [2, 2 ** 62], dataType: 1, rawData: floats },
      code: "FORMAT_MALFORMED",
      path: ["net.onnx", "graph", "initializer", 0, "dims"],
    },
    {
      name: "2^40 elements of 16 bytes",
      w: { dims: [2 ** 20, 2 ** 20], dataType: 1, rawData: floats },
      code: "FORMAT_TRUNCATED",
      path: ["net.onnx", "graph", "initializer", 0, "raw_data"],
    },
    {
      name: "too much data",
      w: { dims: [2, 1], dataType: 1, rawData: floats },
      code: "FORMAT_MALFORMED",
      path: ["net.onnx", "graph", "initializer", 0, "raw_data"],
    },
    {
      name: "too few numbers",
      w: { dims: [2, 2], dataType: 1, floatData: [1, 2] },
      code: "FORMAT_TRUNCATED",
      path: ["net.onnx", "graph", "initializer", 0],
    },
    {
      name: "no data",
      w: { dims: [2, 2], dataType: 1 },
      code: "FORMAT_TRUNCATED",
      path: ["net.onnx", "graph", "initializer", 0],
    },
    {
      name: "no element type",
      w: { dims: [2, 2], rawData: floats },
      code: "FORMAT_MALFORMED",
      path: ["net.onnx", "graph", "initializer", 0, "data_type"],
    },
    {
      name: "an element type of the future with more elements than bits",
      w: { dims: [2, 65], dataType: 77, rawData: floats },
      code: "FORMAT_TRUNCATED",
      path: ["net.onnx", "graph", "initializer", 0],
    },
  ])("$name: $code", async ({ w, code, path }) => {
    const error: unknown = await readOnnx(broken(w)).then(
      () => null,
      (own: unknown) => own,
    );
    expect(isWeightGraphError(error, code) && error.path).toEqual(path);
  });

  test("a constant that folding would have to make up without bound", async () => {
    const parts = {
      inputs: { x: [1] },
      initializers: [integers("s", [2 ** 20, 2 ** 20])],
      nodes: [node("ConstantOfShape", ["s"], ["w"])],
    };
    await expect(read(parts)).rejects.toSatisfy((error) =>
      isWeightGraphError(error, "FORMAT_LIMIT"),
    );
  });

  test("functions that call themselves", async () => {
    const own = node("Again", ["a"], ["b"]);
    const functions = [
      {
        name: "Again",
        domain: "mine",
        input: ["a"],
        output: ["b"],
        node: [{ ...own, domain: "mine" }],
      },
    ];
    const parts = {
      inputs: { x: [1] },
      functions,
      nodes: [{ ...node("Again", ["x"], ["y"]), domain: "mine" }],
    };
    await expect(read(parts)).rejects.toSatisfy((error) =>
      isWeightGraphError(error, "FORMAT_LIMIT"),
    );
  });

  test("functions that double their work with each call", async () => {
    const functions = Array.from({ length: 50 }, (_, i) => ({
      name: `f${i}`,
      domain: "mine",
      input: ["a"],
      output: ["c"],
      node: [
        { ...node(`f${i + 1}`, ["a"], ["b"]), domain: "mine" },
        { ...node(`f${i + 1}`, ["b"], ["c"]), domain: "mine" },
      ],
    }));
    const parts = {
      inputs: { x: [1] },
      functions,
      nodes: [{ ...node("f0", ["x"], ["y"]), domain: "mine" }],
    };
    await expect(read(parts)).rejects.toSatisfy((error) =>
      isWeightGraphError(error, "FORMAT_LIMIT"),
    );
  }, 20_000);

  test("a constant squared over and over is left alone, in the open", async () => {
    const squares = Array.from({ length: 60 }, (_, i) =>
      node("Mul", [`w${i}`, `w${i}`], [`w${i + 1}`]),
    );
    const model = await read({
      inputs: { x: [1, 2] },
      initializers: [tensor("w0", [2, 2])],
      nodes: [...squares, node("MatMul", ["x", "w60"], ["y"])],
    });
    expect(model.layers).toEqual([]);
    expect(model.tensors.map(({ role }) => role)).not.toContain("weight");
  });

  test("graphs nested without end", async () => {
    let inner = graph({ nodes: [node("Relu", ["x"], ["y"])] });
    for (let depth = 0; depth < 40; depth++) {
      inner = graph({ nodes: [node("If", ["x"], ["y"], { then_branch: { graph: inner } })] });
    }
    const parts = { nodes: [node("If", ["x"], ["y"], { then_branch: { graph: inner } })] };
    await expect(read(parts)).rejects.toSatisfy((error) =>
      isWeightGraphError(error, "FORMAT_LIMIT"),
    );
  });
});

/** New weights into ONNX files: which bytes change, and what is refused. */
import { readFileSync } from "node:fs";
import onnxProto from "onnx-proto";
import { describe, expect, test } from "vitest";
import {
  isWeightGraphError,
  joinPieces,
  memorySource,
  patchModel,
  readOnnx,
  type ErrorCode,
  type FloatArray,
} from "../../../src/index.ts";
import { fileSource } from "../../../src/node.ts";
import { halfToNumber, numberToHalf } from "../../../src/tensor/half.ts";
import { bytes, leNet, node, onnxModel, tensor } from "../../helpers/onnxModel.ts";
import { hasSharedData, sharedPath } from "../../helpers/shared.ts";

const external = onnxProto.onnx.TensorProto.DataLocation.EXTERNAL;
const halves = new Uint8Array(Uint16Array.of(15360, 16384, 48128, 0).buffer);

/** Every way to store a tensor, each read by one dense layer. */
const model = onnxModel({
  inputs: { x: ["N", 2] },
  initializers: [
    tensor("raw", [2, 2], [1, 2, 3, 4]),
    { name: "packed", dims: [2, 2], dataType: 1, floatData: [5, 6, 7, 8] },
    { name: "double", dims: [2, 2], dataType: 11, doubleData: [9, 10, 11, 12] },
    { name: "half", dims: [2, 2], dataType: 10, rawData: halves },
    { name: "listed", dims: [2, 2], dataType: 10, int32Data: [15360, 16384, 48128, 0] },
    bytes("q", [2, 2], [1, 2, 3, 4]),
    tensor("scale", [2], [0.5, 0.25]),
    {
      name: "far",
      dims: [2, 2],
      dataType: 1,
      dataLocation: external,
      externalData: [
        { key: "location", value: "data/far.bin" },
        { key: "offset", value: "4" },
      ],
    },
  ],
  nodes: [
    node("MatMul", ["x", "raw"], ["a"]),
    node("MatMul", ["a", "packed"], ["b"]),
    node("MatMul", ["b", "double"], ["c"]),
    node("MatMul", ["c", "half"], ["d"]),
    node("MatMul", ["d", "listed"], ["e"]),
    node("DequantizeLinear", ["q", "scale"], ["w"], { axis: 0 }),
    node("MatMul", ["e", "w"], ["f"]),
    node("Transpose", ["raw"], ["turned"]),
    node("MatMul", ["f", "turned"], ["g"]),
    node("MatMul", ["g", "far"], ["h"]),
  ],
});
const far = new Uint8Array(Float32Array.of(-1, 1, 2, 3, 4, -2).buffer);
const source = memorySource(model, "net.onnx", { "data/far.bin": far });

/** Positions where two arrays differ. */
function differences(a: Uint8Array, b: Uint8Array): number[] {
  expect(a.length).toBe(b.length);
  return Array.from(a.keys()).filter((i) => a[i] !== b[i]);
}

async function whole(
  changes: ReadonlyMap<string, FloatArray>,
): Promise<(readonly [string | null, Uint8Array])[]> {
  const files = await patchModel(source, await readOnnx(source), changes);
  return Promise.all(
    files.map(async ({ file, pieces }) => [file, await joinPieces(pieces)] as const),
  );
}

test.each(["raw", "packed", "double", "half"])(
  "%s: its bytes change, and no others",
  async (name) => {
    const values = Float64Array.of(0.1, -2, 65_519, 1e-9);
    const [[, patched]] = (await whole(new Map([[name, values]]))) as [[null, Uint8Array]];
    const before = await readOnnx(source);
    const { offset, byteLength } = before.tensors.find((own) => own.name === name)!.location!;
    for (const at of differences(model, patched)) {
      expect(at >= offset && at < offset + byteLength, `byte ${at}`).toBe(true);
    }
    const after = await readOnnx(memorySource(patched, "net.onnx", { "data/far.bin": far }));
    const stored = { raw: Math.fround, packed: Math.fround, double: Number }[name];
    const round = stored ?? ((value: number) => halfToNumber(numberToHalf(value)));
    const read = await after.tensors.find((own) => own.name === name)!.read();
    expect(Array.from(read)).toEqual(Array.from(values, (value) => round(value)));
  },
);

test.each<{ name: string; values: readonly number[] }>([
  { name: "in another order", values: [0, -1, 1, 2] },
  { name: "with fewer bytes", values: [0, 0, 0, 1] },
  { name: "one of them", values: [1, 2, -1, 2 ** -24] },
])("numbers that are listed one by one, $name", async ({ values }) => {
  const changes = new Map([["listed", Float32Array.from(values)]]);
  const [[, patched]] = (await whole(changes)) as [[null, Uint8Array]];
  const { offset, byteLength } = (await readOnnx(source)).tensors.find(
    (own) => own.name === "listed",
  )!.location!;
  for (const at of differences(model, patched)) {
    expect(at >= offset && at < offset + byteLength, `byte ${at}`).toBe(true);
  }
  // Reference: onnx-proto 8.0.1, which knows nothing of this.
  const decoded = onnxProto.onnx.ModelProto.decode(patched).graph!.initializer!;
  const listed = decoded.find((own) => own.name === "listed")!;
  expect(listed.int32Data!.map(halfToNumber)).toEqual(values);
});

test("its own values change no byte", async () => {
  const before = await readOnnx(source);
  const changes = new Map<string, FloatArray>();
  for (const name of ["raw", "packed", "double", "half", "listed", "far"]) {
    changes.set(name, await before.tensors.find((own) => own.name === name)!.read());
  }
  expect(await whole(changes)).toEqual([
    [null, model],
    ["data/far.bin", far],
  ]);
});

test("external data: the model stays, the data file changes in its span", async () => {
  const files = await whole(new Map([["far", Float32Array.of(7, 7, 7, 7)]]));
  expect(files.map(([file]) => file)).toEqual([null, "data/far.bin"]);
  expect(files[0]![1]).toEqual(model);
  expect(Array.from(new Float32Array(files[1]![1].buffer))).toEqual([-1, 7, 7, 7, 7, -2]);
});

test.each<{ name: string; values: FloatArray; code: ErrorCode }>([
  { name: "q", values: new Float32Array(4).fill(100), code: "FORMAT_UNSUPPORTED" },
  { name: "listed", values: new Float32Array(4).fill(-1), code: "FORMAT_UNSUPPORTED" },
  { name: "fold(raw)", values: new Float32Array(4), code: "FORMAT_UNSUPPORTED" },
  { name: "raw", values: new Float32Array(3), code: "SHAPE_MISMATCH" },
  { name: "nobody", values: new Float32Array(4), code: "USAGE_INVALID_OPTION" },
])("$name is refused with $code", async ({ name, values, code }) => {
  await expect(whole(new Map([[name, values]]))).rejects.toSatisfy((error) =>
    isWeightGraphError(error, code),
  );
});

test("one direction of a recurrent unit", async () => {
  const both = onnxModel({
    inputs: { x: [1, 1, 1] },
    initializers: [tensor("W", [2, 1, 1], [1, 2]), tensor("R", [2, 1, 1], [3, 4])],
    nodes: [node("RNN", ["x", "W", "R"], ["y"], { hidden_size: 1, direction: "bidirectional" })],
  });
  const unit = memorySource(both);
  const before = await readOnnx(unit);
  expect(before.layers.map((layer) => [layer.name, layer.tensor.name])).toEqual([
    ["W", "W[0]"],
    ["R", "R[0]"],
    ["W", "W[1]"],
    ["R", "R[1]"],
  ]);
  const [file] = await patchModel(unit, before, new Map([["R[1]", Float32Array.of(9)]]));
  const after = await readOnnx(memorySource(await joinPieces(file!.pieces)));
  const values = await Promise.all(
    after.layers.map(async (layer) => (await layer.tensor.read())[0]),
  );
  expect(values).toEqual([1, 3, 2, 9]);
});

test("no changes, no difference", async () => {
  const whole = memorySource(leNet());
  const [file] = await patchModel(whole, await readOnnx(whole), new Map());
  expect(await joinPieces(file!.pieces)).toEqual(leNet());
});

describe.skipIf(!hasSharedData)("real files", () => {
  test.each(["onnx/rfb320_simplified_fp16.onnx", "onnx/hello_deepa_ext/hello_deepa_ext.onnx"])(
    "%s: the identity changes no byte",
    async (path) => {
      const file = await fileSource(sharedPath(path));
      const before = await readOnnx(file);
      const changes = new Map<string, FloatArray>();
      for (const { tensor: own } of before.layers) changes.set(own.name, await own.read());
      for (const copy of await patchModel(file, before, changes)) {
        const name = copy.file === null ? path : `onnx/hello_deepa_ext/${copy.file}`;
        const original = new Uint8Array(readFileSync(sharedPath(name)));
        expect(differences(original, await joinPieces(copy.pieces))).toEqual([]);
      }
    },
  );
});

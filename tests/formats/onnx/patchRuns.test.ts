/** A patched file at work: onnxruntime computes with the new weights, and with the old ones everywhere else. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import onnxProto from "onnx-proto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { joinPieces, memorySource, patchModel, readOnnx, type Model } from "../../../src/index.ts";
import { halfToNumber, numberToHalf } from "../../../src/tensor/half.ts";
import { node, onnxModel, tensor, type OnnxModelParts } from "../../helpers/onnxModel.ts";
import { identity, runOnnx } from "../../helpers/onnxRuntime.ts";

const external = onnxProto.onnx.TensorProto.DataLocation.EXTERNAL;
const old = [1, 2, 3, 4, 5, 6];
const fresh = [0.1, -2, 300, 1e-3, 7, -0];
const fp16 = (values: readonly number[]): Uint8Array =>
  new Uint8Array(Uint16Array.from(values, numberToHalf).buffer);

const product = (weight: string): OnnxModelParts => ({
  opset: 17,
  inputs: { x: ["N", 2] },
  nodes: [node("MatMul", ["x", weight], ["y"])],
});
/** A half float weight behind a Cast, or as a chain of Constant nodes: every way in which values are stored for a file alone. */
const cases: readonly {
  name: string;
  parts: OnnxModelParts;
  weight: string;
  round?: (value: number) => number;
}[] = [
  {
    name: "an initializer in raw_data",
    weight: "w",
    parts: { ...product("w"), initializers: [tensor("w", [2, 3], old)] },
  },
  {
    name: "an initializer in float_data",
    weight: "w",
    parts: {
      ...product("w"),
      initializers: [{ name: "w", dims: [2, 3], dataType: 1, floatData: [...old] }],
    },
  },
  {
    name: "a Constant node",
    weight: "w",
    parts: {
      ...product("w"),
      nodes: [
        node("Constant", [], ["w"], { value: tensor("inner", [2, 3], old) }),
        ...product("w").nodes,
      ],
    },
  },
  {
    name: "float64",
    weight: "w",
    parts: {
      ...product("w"),
      initializers: [{ name: "w", dims: [2, 3], dataType: 11, doubleData: [...old] }],
      nodes: [
        node("Cast", ["x"], ["wide"], { to: 11 }),
        node("MatMul", ["wide", "w"], ["p"]),
        node("Cast", ["p"], ["y"], { to: 1 }),
      ],
    },
  },
  {
    name: "float16",
    weight: "w",
    round: (value) => halfToNumber(numberToHalf(value)),
    parts: {
      ...product("w"),
      initializers: [{ name: "w", dims: [2, 3], dataType: 10, rawData: fp16(old) }],
      nodes: [
        node("Cast", ["x"], ["narrow"], { to: 10 }),
        node("MatMul", ["narrow", "w"], ["p"]),
        node("Cast", ["p"], ["y"], { to: 1 }),
      ],
    },
  },
];

test.each(cases)("$name", async ({ parts, weight, round = Math.fround }) => {
  const content = onnxModel(parts);
  expect([...(await runOnnx(content, { x: identity(2) })).values]).toEqual(old);
  const source = memorySource(content);
  const changes = new Map([[weight, Float64Array.from(fresh)]]);
  const [file] = await patchModel(source, await readOnnx(source), changes);
  const patched = await joinPieces(file!.pieces);
  const { values } = await runOnnx(patched, { x: identity(2) });
  expect([...values].map((value) => value + 0)).toEqual(
    fresh.map((value) => Math.fround(round(value)) + 0),
  );
});

describe("external data", () => {
  let folder = "";
  beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "weightgraph-"))));
  afterAll(() => rmSync(folder, { recursive: true }));

  test("two tensors in two files: one changes", async () => {
    const far = (name: string, location: string, offset: number) => ({
      name,
      dims: [2, 2],
      dataType: 1,
      dataLocation: external,
      externalData: [
        { key: "location", value: location },
        { key: "offset", value: String(offset) },
        { key: "length", value: "16" },
      ],
    });
    const content = onnxModel({
      ...product("a"),
      initializers: [far("a", "a.bin", 16), far("b", "b.bin", 0)],
      nodes: [node("MatMul", ["x", "a"], ["h"]), node("MatMul", ["h", "b"], ["y"])],
    });
    const a = new Uint8Array(Float32Array.of(9, 9, 9, 9, 1, 2, 3, 4).buffer);
    const b = new Uint8Array(Float32Array.of(1, 0, 0, 2).buffer);
    const source = memorySource(content, "net.onnx", { "a.bin": a, "b.bin": b });
    const changes = new Map([["a", Float32Array.of(5, 6, 7, 8)]]);
    for (const [file, bytes] of [
      ["net.onnx", content],
      ["a.bin", a],
      ["b.bin", b],
    ] as const) {
      writeFileSync(join(folder, file), bytes);
    }
    const run = async () => [
      ...(await runOnnx(join(folder, "net.onnx"), { x: identity(2) })).values,
    ];
    expect(await run()).toEqual([1, 4, 3, 8]);
    for (const { file, pieces } of await patchModel(source, await readOnnx(source), changes)) {
      writeFileSync(join(folder, file ?? "net.onnx"), await joinPieces(pieces));
    }
    expect(await run()).toEqual([5, 12, 7, 16]);
  });
});

test("a trained network, one layer set to zero: its biases go through the rest", async () => {
  const content = new Uint8Array(readFileSync("fixtures/mnist-mlp/final.onnx"));
  const source = memorySource(content);
  const model: Model = await readOnnx(source);
  const { tensor: weight } = model.layers[0]!;
  const changes = new Map([[weight.name, new Float32Array(weight.shape[0]! * weight.shape[1]!)]]);
  const [file] = await patchModel(source, model, changes);
  const patched = await joinPieces(file!.pieces);
  const decoded = onnxProto.onnx.ModelProto.decode(content);
  const inputName = decoded.graph!.input![0]!.name!;
  const dims = [1, 784];
  const run = (bytes: Uint8Array, seed: number) =>
    runOnnx(bytes, {
      [inputName]: { dims, values: Array.from({ length: 784 }, (_, i) => Math.sin(i * seed)) },
    });
  const [one, other] = [await run(patched, 1), await run(patched, 2)];
  expect(one.values).toEqual(other.values);
  expect((await run(content, 1)).values).not.toEqual((await run(content, 2)).values);
});

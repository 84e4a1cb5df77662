import { describe, expect, test } from "vitest";
import { isWeightGraphError, memorySource, readModel } from "../../../src/index.ts";
import { jsonSource, manifestOf } from "../../helpers/tfjs.ts";

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const weight = (name: string, shape: readonly number[], extra: object = {}): object => ({
  name,
  shape,
  dtype: "float32",
  ...extra,
});

test("shards of a group are one run of bytes, groups follow each other", async () => {
  const run = new Uint8Array(Float32Array.of(1, 2, 3, 4, 5).buffer);
  const source = jsonSource(
    [
      { paths: ["a", "b"], weights: [weight("x/w", [1, 2]), weight("y/w", [2, 1])] },
      { paths: ["c"], weights: [weight("z/w", [1, 1])] },
    ],
    { a: run.slice(0, 10), b: run.slice(10, 16), c: run.slice(16) },
  );
  const model = await readModel(source);
  expect(model.format).toBe("tfjs-manifest");
  const values = await Promise.all(model.tensors.map((tensor) => tensor.read()));
  expect(values.map((own) => Array.from(own))).toEqual([[1, 2], [3, 4], [5]]);
  expect(model.tensors.map(({ location }) => location)).toEqual([
    { file: "a", offset: 0, byteLength: 8 },
    undefined,
    { file: "c", offset: 0, byteLength: 4 },
  ]);
});

test.each([
  { dtype: "uint8", stored: bytes(0, 255), values: [-1, 126.5] },
  { dtype: "uint16", stored: bytes(0, 0, 1, 1), values: [-1, 127.5] },
])("$dtype: value x scale + min (hand)", async ({ dtype, stored, values }) => {
  const quantization = { dtype, scale: 0.5, min: -1 };
  const { json, shard } = manifestOf([{ name: "a/w", shape: [1, 2], bytes: stored, quantization }]);
  const [tensor] = (await readModel(jsonSource(json, { "weights.bin": shard }))).tensors;
  expect(await tensor!.read()).toEqual(Float64Array.from(values));
  expect([tensor!.dtype, tensor!.quantisation]).toEqual([dtype, "x 0.5 + -1"]);
});

test("float16 is no quantisation", async () => {
  const half = {
    name: "a/w",
    shape: [1, 2],
    bytes: bytes(0, 0x38, 0, 0xc0),
    quantization: { dtype: "float16" },
  };
  const { json, shard } = manifestOf([half]);
  const [tensor] = (await readModel(jsonSource(json, { "weights.bin": shard }))).tensors;
  expect(Array.from(await tensor!.read())).toEqual([0.5, -2]);
  expect([tensor!.dtype, tensor!.quantisation]).toEqual(["float16", undefined]);
});

const shards = { "weights.bin": new Uint8Array(8) };
const one = { paths: ["weights.bin"], weights: [weight("w", [2, 1])] };
describe("what a manifest may not be", () => {
  test.each([
    {
      name: "a shard short",
      json: [{ ...one, weights: [weight("w", [3, 1])] }],
      code: "FORMAT_TRUNCATED",
    },
    {
      name: "bytes left",
      json: [{ ...one, weights: [weight("w", [1, 1])] }],
      code: "FORMAT_MALFORMED",
    },
    { name: "a shard missing", json: [{ ...one, paths: ["gone.bin"] }], code: "FILE_NOT_FOUND" },
    {
      name: "a negative size",
      json: [{ ...one, weights: [weight("w", [-2, -1])] }],
      code: "FORMAT_MALFORMED",
    },
    {
      name: "too many elements",
      json: [{ ...one, weights: [weight("w", [2 ** 50, 2 ** 50])] }],
      code: "FORMAT_MALFORMED",
    },
    {
      name: "a name twice",
      json: [{ ...one, weights: [weight("w", [1, 1]), weight("w", [1, 1])] }],
      code: "FORMAT_MALFORMED",
    },
    {
      name: "text tensors",
      json: [{ ...one, weights: [weight("w", [2], { dtype: "string" })] }],
      code: "FORMAT_UNSUPPORTED",
    },
    {
      name: "no scale",
      json: [{ ...one, weights: [weight("w", [8], { quantization: { dtype: "uint8" } })] }],
      code: "FORMAT_MALFORMED",
    },
    { name: "no list of weights", json: { weightsManifest: 3 }, code: "FORMAT_MALFORMED" },
    { name: "no manifest", json: { modelTopology: {} }, code: "FORMAT_MALFORMED" },
    {
      name: "no layers",
      json: { modelTopology: { class_name: "Mine", config: {} }, weightsManifest: [one] },
      code: "FORMAT_UNSUPPORTED",
    },
    {
      name: "a node without an operator",
      json: { modelTopology: { node: [{ name: "a" }] }, weightsManifest: [one] },
      code: "FORMAT_MALFORMED",
    },
    {
      name: "layers that wait for each other",
      json: {
        modelTopology: {
          class_name: "Model",
          config: {
            layers: ["a", "b"].map((name, i, names) => ({
              class_name: "Activation",
              name,
              config: {},
              inbound_nodes: [[[names[1 - i], 0, 0, {}]]],
            })),
          },
        },
        weightsManifest: [one],
      },
      code: "FORMAT_MALFORMED",
    },
    {
      name: "two layers of one name",
      json: {
        modelTopology: {
          class_name: "Sequential",
          config: [1, 2].map(() => ({ class_name: "Dense", config: { name: "d" } })),
        },
        weightsManifest: [one],
      },
      code: "FORMAT_MALFORMED",
    },
  ] as const)("$name", async ({ json, code }) => {
    const error: unknown = await readModel(jsonSource(json, shards)).catch((e) => e);
    expect(isWeightGraphError(error, code), String(error)).toBe(true);
  });

  test("JSON cut short is a damaged model, other JSON is no model", async () => {
    const text = (value: string): Uint8Array => new TextEncoder().encode(value);
    const cut: unknown = await readModel(memorySource(text('{"modelTopology": {'))).catch((e) => e);
    expect(isWeightGraphError(cut, "FORMAT_MALFORMED")).toBe(true);
    const other: unknown = await readModel(memorySource(text('{"log": []}'))).catch((e) => e);
    expect(isWeightGraphError(other, "FORMAT_UNKNOWN")).toBe(true);
  });
});

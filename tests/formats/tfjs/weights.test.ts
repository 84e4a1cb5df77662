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
/** Elements of a text tensor: each its length and its UTF-8 bytes. */
function texts(...values: readonly string[]): Uint8Array {
  const encoder = new TextEncoder();
  return Uint8Array.from(
    values.flatMap((value) => {
      const own = encoder.encode(value);
      return [...new Uint8Array(Uint32Array.of(own.length).buffer), ...own];
    }),
  );
}

test("text tensors are stepped over, wherever the shards are cut, and named", async () => {
  const words = texts("", "naïve", "x".repeat(70_000), "y");
  const run = Uint8Array.from([
    ...new Uint8Array(Float32Array.of(1, 2).buffer),
    ...words,
    ...new Uint8Array(Float32Array.of(3, 4).buffer),
  ]);
  const weights = [
    weight("a/w", [1, 2]),
    weight("words", [2, 2], { dtype: "string" }),
    weight("b/w", [2, 1]),
  ];
  for (const cut of [9, 14, 20, 40_000, run.length - 9, run.length - 2]) {
    const files = { a: run.slice(0, cut), b: run.slice(cut) };
    const model = await readModel(jsonSource([{ paths: ["a", "b"], weights }], files));
    const values = await Promise.all(model.tensors.map((tensor) => tensor.read()));
    expect(values.map((own) => Array.from(own))).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(model.warnings.find(({ code }) => code === "TENSOR_TEXT")?.message).toContain("words");
    expect(model.metadata["textTensors"]).toEqual(["words"]);
  }
});

test("the state of an optimiser is no weight, whole numbers are constants", async () => {
  const step = { dtype: "uint8", scale: 2, min: 1, original_dtype: "int32" };
  const weights = [
    weight("fc/kernel", [2, 1]),
    weight("iter", [], { dtype: "int32", group: "optimizer" }),
    weight("fc/kernel/m", [2, 1], { group: "optimizer" }),
    weight("ids", [2, 1], { dtype: "int32", quantization: step }),
    weight("waves", [1], { dtype: "complex64" }),
  ];
  const shard = new Uint8Array(8 + 4 + 8 + 2 + 8);
  shard.set([3, 4], 20);
  const model = await readModel(jsonSource([{ paths: ["w"], weights }], { w: shard }));
  expect(model.tensors.map(({ name, role }) => `${name} ${role}`)).toEqual([
    "fc/kernel weight",
    "iter constant",
    "fc/kernel/m constant",
    "ids constant",
    "waves unknown",
  ]);
  expect(Array.from(await model.tensors[3]!.read())).toEqual([7, 9]);
  expect(model.layers.map(({ name }) => name)).toEqual(["fc/kernel"]);
  expect(model.warnings.map(({ code }) => code)).toEqual(["TOPOLOGY_INFERRED", "OPTIMIZER_STATE"]);
});

test("a span of a tensor is read without the rest, over a shard's end too", async () => {
  const run = new Uint8Array(Float32Array.of(1, 2, 3, 4, 5).buffer);
  const files = { a: run.slice(0, 10), b: run.slice(10) };
  const groups = [{ paths: ["a", "b"], weights: [weight("w", [5, 1])] }];
  const [tensor] = (await readModel(jsonSource(groups, files))).tensors;
  expect(Array.from(await tensor!.readSpan!(1, 4))).toEqual([2, 3, 4]);
  expect(Array.from(await tensor!.readSpan!(2, 2))).toEqual([]);
  const error: unknown = await tensor!.readSpan!(3, 6).catch((e) => e);
  expect(isWeightGraphError(error, "FORMAT_TRUNCATED")).toBe(true);
});

test("weights that stand in the JSON, a topology that is text", async () => {
  const kernel = new Uint8Array(Float32Array.of(1, 2).buffer);
  const config = {
    class_name: "Sequential",
    config: [{ class_name: "Dense", config: { name: "fc" } }],
  };
  const json = {
    modelTopology: JSON.stringify({ model_config: JSON.stringify(config) }),
    weightSpecs: [{ name: "fc/kernel", shape: [2, 1] }],
    weightData: Buffer.from(kernel).toString("base64"),
  };
  const model = await readModel(jsonSource(json, {}));
  expect(model.format).toBe("tfjs-layers");
  expect(Array.from(await model.layers[0]!.tensor.read())).toEqual([1, 2]);
});

test("a shard that is a git-lfs pointer is said to be one", async () => {
  const pointer = new TextEncoder().encode(
    "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 400\n",
  );
  const json = [{ ...one, weights: [weight("w", [100, 1])] }];
  const error: unknown = await readModel(jsonSource(json, { "weights.bin": pointer })).catch(
    (e) => e,
  );
  expect(isWeightGraphError(error, "FORMAT_LFS_POINTER"), String(error)).toBe(true);
});

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
      name: "a type of its own",
      json: [{ ...one, weights: [weight("w", [2], { dtype: "posit8" })] }],
      code: "FORMAT_UNSUPPORTED",
    },
    {
      name: "texts that run over the end",
      json: [{ ...one, weights: [weight("w", [2 ** 40], { dtype: "string" })] }],
      code: "FORMAT_TRUNCATED",
    },
    {
      name: "a shard named twice",
      json: [{ ...one, paths: ["weights.bin", "weights.bin"], weights: [weight("w", [4, 1])] }],
      code: "FORMAT_MALFORMED",
    },
    {
      name: "a group without weights",
      json: [{ paths: ["weights.bin"] }],
      code: "FORMAT_MALFORMED",
    },
    {
      name: "weights in the JSON that are no base64",
      json: { weightSpecs: one.weights, weightData: "@@@" },
      code: "FORMAT_MALFORMED",
    },
    {
      name: "a topology that is no JSON text",
      json: { modelTopology: "{", weightsManifest: [one] },
      code: "FORMAT_MALFORMED",
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

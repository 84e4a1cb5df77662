import { describe, expect, test } from "vitest";
import {
  isWeightGraphError,
  memorySource,
  readModel,
  writeSafetensors,
} from "../../../src/index.ts";
import { safetensorsBytes } from "../../helpers/safetensors.ts";

const f32 = (shape: readonly number[], begin: number, end: number): object => ({
  dtype: "F32",
  shape,
  data_offsets: [begin, end],
});

describe("what a safetensors file may not be", () => {
  test("a header over the format's limit, even in a file that could hold it", async () => {
    const begin = safetensorsBytes("{", 0, 200_000_000n);
    const source = {
      ...memorySource(begin),
      byteLength: 300_000_000,
      slice: (start: number, end: number) => Promise.resolve(begin.slice(start, end)),
    };
    await expect(readModel(source)).rejects.toMatchObject({ code: "FORMAT_LIMIT" });
  });

  test.each([
    { name: "cut in the header", bytes: safetensorsBytes("{", 0, 99n), code: "FORMAT_TRUNCATED" },
    { name: "a huge header", bytes: safetensorsBytes("{", 0, 2n ** 63n), code: "FORMAT_TRUNCATED" },
    {
      name: "cut in the data",
      bytes: safetensorsBytes({ a: f32([2], 0, 8) }, 7),
      code: "FORMAT_TRUNCATED",
    },
    {
      name: "trailing bytes",
      bytes: safetensorsBytes({ a: f32([2], 0, 8) }, 9),
      code: "FORMAT_MALFORMED",
    },
    {
      name: "a hole",
      bytes: safetensorsBytes({ a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12),
      code: "FORMAT_MALFORMED",
    },
    {
      name: "an overlap",
      bytes: safetensorsBytes({ a: f32([2], 0, 8), b: f32([1], 4, 8) }, 8),
      code: "FORMAT_MALFORMED",
    },
    {
      name: "begin after end",
      bytes: safetensorsBytes({ a: f32([1], 4, 0) }, 4),
      code: "FORMAT_MALFORMED",
    },
    {
      name: "a span that is not the shape's",
      bytes: safetensorsBytes({ a: f32([3], 0, 8) }, 8),
      code: "FORMAT_MALFORMED",
    },
    {
      name: "a negative dimension",
      bytes: safetensorsBytes({ a: f32([-2, -1], 0, 8) }, 8),
      code: "FORMAT_MALFORMED",
    },
    {
      name: "a shape past 2^53",
      bytes: safetensorsBytes({ a: f32([2 ** 40, 2 ** 40], 0, 8) }, 8),
      code: "FORMAT_MALFORMED",
    },
    {
      name: "the same name twice",
      bytes: safetensorsBytes(
        `{"a":${JSON.stringify(f32([1], 0, 4))},"\\u0061":${JSON.stringify(f32([1], 4, 8))}}`,
        8,
      ),
      code: "FORMAT_MALFORMED",
    },
    {
      name: "an unknown type",
      bytes: safetensorsBytes({ a: { dtype: "Q3", shape: [1], data_offsets: [0, 4] } }, 4),
      code: "FORMAT_UNSUPPORTED",
    },
    {
      name: "half a byte",
      bytes: safetensorsBytes({ a: { dtype: "F4", shape: [3], data_offsets: [0, 2] } }, 2),
      code: "FORMAT_MALFORMED",
    },
    {
      name: "metadata that is no text",
      bytes: safetensorsBytes({ __metadata__: { epoch: 1 } }, 0),
      code: "FORMAT_MALFORMED",
    },
    { name: "a list", bytes: safetensorsBytes("{]", 0), code: "FORMAT_MALFORMED" },
    { name: "a bare tensor", bytes: safetensorsBytes({ a: 1 }, 0), code: "FORMAT_MALFORMED" },
    {
      name: "offsets missing",
      bytes: safetensorsBytes({ a: { dtype: "F32", shape: [] } }, 0),
      code: "FORMAT_MALFORMED",
    },
    { name: "type missing", bytes: safetensorsBytes({ a: {} }, 0), code: "FORMAT_MALFORMED" },
  ] as const)("$name", async ({ bytes, code }) => {
    const error: unknown = await readModel(memorySource(bytes, "bad.safetensors")).catch((e) => e);
    expect(isWeightGraphError(error, code), String(error)).toBe(true);
  });

  test("a header that is not UTF-8", async () => {
    const bytes = safetensorsBytes('{"a":1}', 0);
    bytes[10] = 0xff;
    const error: unknown = await readModel(memorySource(bytes)).catch((e) => e);
    expect(isWeightGraphError(error, "FORMAT_MALFORMED")).toBe(true);
  });
});

test("names of object internals are names", async () => {
  const bytes = writeSafetensors({
    tensors: ["__proto__", "constructor", "toString"].map((name) => ({
      name,
      dtype: "float32",
      shape: [1, 2],
      data: Float32Array.of(1, 2),
    })),
    metadata: JSON.parse('{"__proto__":"kept"}') as Record<string, string>,
  });
  const model = await readModel(memorySource(bytes));
  expect(model.layers.map((layer) => layer.name)).toEqual(["__proto__", "constructor", "toString"]);
  expect(Object.entries(model.metadata["__metadata__"] as object)).toEqual([["__proto__", "kept"]]);
});

test("roles: weights by axes, vectors by their neighbours, counters left aside", async () => {
  const vector = { dtype: "float32", shape: [2], data: Float32Array.of(1, 2) } as const;
  const bytes = writeSafetensors({
    tensors: [
      { name: "fc.weight", dtype: "float32", shape: [2, 1], data: Float32Array.of(1, 2) },
      { ...vector, name: "fc.bias" },
      { ...vector, name: "bn.weight" },
      { ...vector, name: "bn.bias" },
      { ...vector, name: "plain.running_mean" },
      { ...vector, name: "plain.bias" },
      { name: "bn.num_batches_tracked", dtype: "int64", shape: [], data: new Uint8Array(8) },
      { name: "q", dtype: "int8", shape: [1, 2], data: Uint8Array.of(1, 255) },
      { name: "empty", dtype: "float32", shape: [0, 5], data: new Float32Array() },
    ],
  });
  const model = await readModel(memorySource(bytes));
  expect(Object.fromEntries(model.tensors.map(({ name, role }) => [name, role]))).toEqual({
    "fc.weight": "weight",
    "fc.bias": "bias",
    "bn.weight": "normalisation",
    "bn.bias": "normalisation",
    "plain.running_mean": "normalisation",
    "plain.bias": "normalisation",
    "bn.num_batches_tracked": "constant",
    q: "weight",
    empty: "constant",
  });
  expect(model.warnings.map((warning) => warning.code)).toEqual([
    "TOPOLOGY_INFERRED",
    "INTEGER_WEIGHTS",
  ]);
  const integers = model.layers.find(({ name }) => name === "q")!;
  expect(Array.from(await integers.tensor.read())).toEqual([1, -1]);
});

/** Bytes and what they mean (hand, from OCP 8-bit floats 1.0, Microscaling formats 1.0 and two's complement). */
test.each<[string, readonly number[], readonly number[]]>([
  ["F8_E4M3", [0x38, 0xfe], [1, -448]],
  ["F8_E5M2", [0x3c, 0xfc], [1, -Infinity]],
  ["F8_E4M3FNUZ", [0x40, 0xff], [1, -240]],
  ["F8_E5M2FNUZ", [0x40, 0xff], [1, -57344]],
  ["F8_E8M0", [127, 130], [1, 8]],
  ["F4", [0x72, 0x9f], [1, 6, -6, -0.5]],
  ["F6_E2M3", [0x08, 0xf2, 0x83], [1, 1, -7.5, -0]],
  ["F6_E3M2", [0x0c, 0xf3, 0x83], [1, 1, -28, -0]],
  ["U16", [0xff, 0xff], [65535]],
  ["U32", [0xff, 0xff, 0xff, 0xff], [4294967295]],
  ["U64", [1, 0, 0, 0, 1, 0, 0, 0], [4294967297]],
  ["BOOL", [1, 0], [1, 0]],
])("elements of type %s", async (dtype, bytes, values) => {
  const header = { a: { dtype, shape: [values.length], data_offsets: [0, bytes.length] } };
  const file = safetensorsBytes(header, bytes.length);
  file.set(bytes, file.byteLength - bytes.length);
  const [tensor] = (await readModel(memorySource(file))).tensors;
  expect(Array.from(await tensor!.read())).toEqual(values);
  expect(Array.from(await tensor!.readSpan!(1, values.length))).toEqual(values.slice(1));
});

test("complex numbers are named, and are no weights", async () => {
  const header = { z: { dtype: "C64", shape: [1, 1], data_offsets: [0, 8] } };
  const model = await readModel(memorySource(safetensorsBytes(header, 8)));
  expect(model.tensors.map(({ dtype, role }) => [dtype, role])).toEqual([
    ["complex64", "constant"],
  ]);
  await expect(model.tensors[0]!.read()).rejects.toMatchObject({ code: "FORMAT_UNSUPPORTED" });
});

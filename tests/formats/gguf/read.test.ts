import { describe, expect, test } from "vitest";
import { isWeightGraphError, memorySource, readModel, type ErrorCode } from "../../../src/index.ts";
import { ggufBytes, joined, number, type GgufSketch } from "../../helpers/gguf.ts";
import { wiresOf } from "../../helpers/topology.ts";

const floats = (count: number): Uint8Array =>
  new Uint8Array(Float32Array.from({ length: count }, (_, i) => i).buffer);

test.each([1, 2, 3])("version %d: dimensions turned round, rows receive", async (version) => {
  const bytes = ggufBytes({
    version,
    pairs: [["general.architecture", 8, "mlp"]],
    tensors: [
      { name: "a.weight", ne: [2, 3], type: 0 },
      { name: "b.weight", ne: [3, 1], type: 0, offset: 32 },
    ],
    data: joined([floats(6), new Uint8Array(8), floats(3)]),
  });
  const model = await readModel(memorySource(bytes, "net.gguf"));
  expect([model.format, model.metadata]).toEqual([
    "gguf",
    { version, keyValues: { "general.architecture": "mlp" } },
  ]);
  expect(wiresOf(model)).toEqual([
    "a.weight: input -> a.weight [out3 in2]",
    "b.weight: a.weight -> b.weight [out1 in3]",
  ]);
  expect([...(await model.tensors[0]!.read())]).toEqual([0, 1, 2, 3, 4, 5]);
});

test("another alignment", async () => {
  const bytes = ggufBytes({
    pairs: [["general.alignment", 4, 8]],
    tensors: [
      { name: "a", ne: [2, 1], type: 0 },
      { name: "b", ne: [2, 1], type: 0, offset: 8 },
    ],
    data: floats(4),
    alignment: 8,
  });
  const model = await readModel(memorySource(bytes));
  expect([...(await model.tensors[1]!.read())]).toEqual([2, 3]);
});

const list = (
  type: number,
  length: bigint | number,
  items: Uint8Array = new Uint8Array(),
): Uint8Array => joined([number(type, 4), number(length, 8), items]);
const w = { name: "w", ne: [2, 1], type: 0 } as const;
const data = floats(2);

test("lists in lists, and every kind of number", async () => {
  const pairs: GgufSketch["pairs"] = [
    [
      "nested",
      9,
      list(
        9,
        2,
        joined([
          list(0, 2, Uint8Array.of(1, 2)),
          list(8, 1, joined([number(1, 8), Uint8Array.of(65)])),
        ]),
      ),
    ],
    ["u8", 0, 255],
    ["i8", 1, -1],
    ["u16", 2, 65535],
    ["i16", 3, -2],
    ["u32", 4, 2 ** 32 - 1],
    ["i32", 5, -3],
    ["u64", 10, 2 ** 40],
    ["i64", 11, -(2 ** 40)],
    ["long", 9, list(4, 100, new Uint8Array(400))],
    ["__proto__", 7, 1],
  ];
  const model = await readModel(memorySource(ggufBytes({ pairs, tensors: [w], data })));
  expect(Object.entries(model.metadata["keyValues"] as object)).toEqual([
    ["nested", [[1, 2], ["A"]]],
    ["u8", 255],
    ["i8", -1],
    ["u16", 65535],
    ["i16", -2],
    ["u32", 2 ** 32 - 1],
    ["i32", -3],
    ["u64", 2 ** 40],
    ["i64", -(2 ** 40)],
    ["long", { length: 100 }],
    ["__proto__", true],
  ]);
});

describe("what a GGUF file may not be", () => {
  const deep = (depth: number): Uint8Array =>
    depth === 0 ? list(0, 0) : list(9, 1, deep(depth - 1));
  const cases: readonly { name: string; sketch: GgufSketch; code: ErrorCode }[] = [
    {
      name: "of version 4",
      sketch: { version: 4, tensors: [w], data },
      code: "FORMAT_UNSUPPORTED",
    },
    {
      name: "big-endian",
      sketch: { version: 0x03000000, tensors: [w], data },
      code: "FORMAT_UNSUPPORTED",
    },
    { name: "without tensors", sketch: {}, code: "FORMAT_NO_WEIGHTS" },
    { name: "of 2^40 tensors", sketch: { tensorCount: 2n ** 40n }, code: "FORMAT_LIMIT" },
    { name: "of 2^40 pairs", sketch: { pairCount: 2n ** 40n }, code: "FORMAT_LIMIT" },
    { name: "of a length past 2^53", sketch: { tensorCount: 2n ** 63n }, code: "FORMAT_MALFORMED" },
    {
      name: "with a text of 2^50 bytes",
      sketch: { pairs: [["a", 8, number(2n ** 50n, 8)]], tensors: [w], data },
      code: "FORMAT_TRUNCATED",
    },
    {
      name: "with a key of 2^20 bytes",
      sketch: { pairs: [["k".repeat(2 ** 20), 0, 1]], tensors: [w], data },
      code: "FORMAT_LIMIT",
    },
    {
      name: "with a list of 2^50 numbers",
      sketch: { pairs: [["a", 9, list(0, 2n ** 50n)]], tensors: [w], data },
      code: "FORMAT_TRUNCATED",
    },
    {
      name: "with a list of 2^50 texts",
      sketch: { pairs: [["a", 9, list(8, 2n ** 50n)]], tensors: [w], data },
      code: "FORMAT_TRUNCATED",
    },
    {
      name: "with lists nested without end",
      sketch: { pairs: [["a", 9, deep(99)]], tensors: [w], data },
      code: "FORMAT_MALFORMED",
    },
    {
      name: "with a value of no type",
      sketch: { pairs: [["a", 77, 1]], tensors: [w], data },
      code: "FORMAT_MALFORMED",
    },
    {
      name: "with a key twice",
      sketch: {
        pairs: [
          ["a", 0, 1],
          ["a", 0, 2],
        ],
        tensors: [w],
        data,
      },
      code: "FORMAT_MALFORMED",
    },
    {
      name: "with an alignment of 3",
      sketch: { pairs: [["general.alignment", 4, 3]], tensors: [w], data },
      code: "FORMAT_MALFORMED",
    },
    {
      name: "with two tensors of one name",
      sketch: { tensors: [w, { ...w, offset: 32 }], data: floats(10) },
      code: "FORMAT_MALFORMED",
    },
    {
      name: "with tensors that overlap",
      sketch: { tensors: [w, { ...w, name: "v" }], data },
      code: "FORMAT_MALFORMED",
    },
    {
      name: "with an offset that is not aligned",
      sketch: { tensors: [{ ...w, offset: 4 }], data: floats(9) },
      code: "FORMAT_MALFORMED",
    },
    {
      name: "with 5 dimensions",
      sketch: { tensors: [{ ...w, ne: [1, 1, 1, 1, 1] }], data },
      code: "FORMAT_MALFORMED",
    },
    {
      name: "with 2^32 dimensions",
      sketch: { tensors: [{ ...w, rank: 2 ** 32 - 1 }], data },
      code: "FORMAT_MALFORMED",
    },
    {
      name: "with a shape past 2^53",
      sketch: { tensors: [{ ...w, ne: [2n ** 40n, 2n ** 40n] }], data },
      code: "FORMAT_MALFORMED",
    },
    {
      name: "with half a block",
      sketch: { tensors: [{ ...w, ne: [16, 2], type: 8 }], data: new Uint8Array(34) },
      code: "FORMAT_MALFORMED",
    },
    {
      name: "cut in its data",
      sketch: { tensors: [w], data: data.slice(1) },
      code: "FORMAT_TRUNCATED",
    },
  ];
  test.each(cases)("$name", async ({ sketch, code }) => {
    const error: unknown = await readModel(memorySource(ggufBytes(sketch))).catch((e) => e);
    expect(isWeightGraphError(error, code), String(error)).toBe(true);
  });

  test("a type that nobody described is counted, the rest is read", async () => {
    const tensors = [w, { name: "new", ne: [2, 2], type: 99, offset: 32 }];
    const model = await readModel(memorySource(ggufBytes({ tensors, data: floats(10) })));
    expect(model.tensors.map(({ name, role }) => [name, role])).toEqual([
      ["w", "weight"],
      ["new", "unknown"],
    ]);
    expect(model.warnings.at(-1)?.message).toContain("number 99");
  });
});

describe("a model in parts", () => {
  const part = (no: number, name: string): Uint8Array =>
    ggufBytes({
      pairs: [
        ["split.no", 2, no],
        ["split.count", 2, 2],
      ],
      tensors: [{ ...w, name }],
      data,
    });
  const [one, two] = ["net-00001-of-00002.gguf", "net-00002-of-00002.gguf"] as const;

  test("is one, opened by its first", async () => {
    const model = await readModel(memorySource(part(0, "a"), one, { [two]: part(1, "b") }));
    expect(model.tensors.map(({ name, location }) => [name, location?.file])).toEqual([
      ["a", null],
      ["b", two],
    ]);
  });

  test("lacks one", async () => {
    await expect(readModel(memorySource(part(0, "a"), one))).rejects.toMatchObject({
      code: "FILE_NOT_FOUND",
    });
  });

  test("holds a name twice", async () => {
    const source = memorySource(part(0, "a"), one, { [two]: part(1, "a") });
    await expect(readModel(source)).rejects.toMatchObject({ code: "FORMAT_MALFORMED" });
  });

  test("opened by another part is that part", async () => {
    const model = await readModel(memorySource(part(1, "b"), two));
    expect(model.warnings.at(-1)?.code).toBe("SHARD_ALONE");
  });
});

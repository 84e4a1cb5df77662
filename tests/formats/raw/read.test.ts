import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  isWeightGraphError,
  joinPieces,
  memorySource,
  patchModel,
  readModel,
  type ByteSource,
  type ErrorCode,
} from "../../../src/index.ts";
import { fileSource } from "../../../src/node.ts";
import { sharedPath } from "../../helpers/shared.ts";
import { wiresOf } from "../../helpers/topology.ts";

const floats = (...values: readonly number[]): Uint8Array =>
  new Uint8Array(Float32Array.from(values).buffer);
const six = floats(1, 2, 3, 4, 5, 6);

function manifest(json: unknown, files: Readonly<Record<string, Uint8Array>>): ByteSource {
  const text = typeof json === "string" ? json : JSON.stringify(json);
  return memorySource(new TextEncoder().encode(text), "manifest.json", files);
}

describe("the same two tensors, told in several ways", () => {
  const both = Uint8Array.of(...six, ...floats(7, 8));
  test.each([
    {
      name: "by name, a file each",
      json: { a: { filename: "a", shape: [3, 2] }, b: { filename: "b", shape: [2] } },
    },
    {
      name: "a list",
      json: [
        { name: "a", shape: [3, 2], dtype: "<f4", file: "a" },
        { name: "b", dims: [2], dtype: "float32", path: "b", byteLength: 8 },
      ],
    },
    {
      name: "offsets in one file that is said once",
      json: {
        file: "both",
        dtype: "F32",
        tensors: [
          { name: "a", shape: [3, 2], offset: 0 },
          { name: "b", shape: [2], offset: 24 },
        ],
      },
    },
    {
      name: "one behind the other",
      json: { weights: { a: { file: "both", shape: [3, 2] }, b: { file: "both", shape: [2] } } },
      code: "OFFSETS_INFERRED",
    },
  ])("$name", async ({ json, code }) => {
    const model = await readModel(manifest(json, { a: six, b: floats(7, 8), both }));
    expect(model.format).toBe("raw");
    const values = await Promise.all(model.tensors.map(async (own) => [...(await own.read())]));
    expect(values).toEqual([
      [1, 2, 3, 4, 5, 6],
      [7, 8],
    ]);
    expect([...(await model.tensors[1]!.readSpan!(1, 2))]).toEqual([8]);
    expect(model.warnings.map((own) => own.code)).toEqual([
      "TOPOLOGY_INFERRED",
      "ORIENTATION_INFERRED",
      ...(code === undefined ? [] : [code]),
    ]);
  });
});

test("a tensor called weights, and one called __proto__", async () => {
  const json = `{"weights": {"file": "w", "shape": [1, 2]}, "__proto__": {"file": "p", "shape": [2, 1]}}`;
  const model = await readModel(manifest(json, { w: floats(1, 2), p: floats(3, 4) }));
  expect(model.tensors.map(({ name }) => name)).toEqual(["weights", "__proto__"]);
});

test("a change is written to its file alone", async () => {
  const json = { a: { file: "both", shape: [2], offset: 4 }, b: { file: "b", shape: [1] } };
  const source = manifest(json, { both: floats(1, 2, 3, 4), b: floats(9) });
  const changes = new Map([["a", Float32Array.of(7, 8)]]);
  const files = await patchModel(source, await readModel(source), changes);
  expect(files.map(({ file }) => file)).toEqual([null, "both"]);
  expect(await joinPieces(files[1]!.pieces)).toEqual(floats(1, 7, 8, 4));
});

describe("what a manifest may not say", () => {
  const one = (entry: object): object => ({ a: { file: "a", shape: [3, 2], ...entry } });
  const cases: readonly { name: string; json: unknown; code: ErrorCode }[] = [
    { name: "a file that is not there", json: one({ file: "x" }), code: "FILE_NOT_FOUND" },
    { name: "a longer tensor", json: one({ shape: [4, 2] }), code: "FORMAT_TRUNCATED" },
    { name: "a shorter tensor", json: one({ shape: [2, 2] }), code: "FORMAT_MALFORMED" },
    { name: "an offset past the end", json: one({ offset: 4 }), code: "FORMAT_TRUNCATED" },
    { name: "a negative offset", json: one({ offset: -4 }), code: "FORMAT_MALFORMED" },
    {
      name: "a shape past 2^53",
      json: one({ shape: [2 ** 40, 2 ** 40] }),
      code: "FORMAT_MALFORMED",
    },
    { name: "a shape that is none", json: one({ shape: "3x2" }), code: "FORMAT_MALFORMED" },
    { name: "another length", json: one({ nbytes: 25 }), code: "FORMAT_MALFORMED" },
    { name: "an unknown type", json: one({ dtype: ">f4" }), code: "FORMAT_UNSUPPORTED" },
    { name: "an empty file", json: one({ file: "empty", shape: [0] }), code: "FORMAT_TRUNCATED" },
    { name: "no name", json: [{ file: "a", shape: [3, 2] }], code: "FORMAT_MALFORMED" },
    {
      name: "a name twice",
      json: [
        { name: "a", file: "a", shape: [6] },
        { name: "a", file: "a", shape: [6] },
      ],
      code: "FORMAT_MALFORMED",
    },
    {
      name: "tensors that overlap",
      json: { ...one({ shape: [4], offset: 0 }), b: { file: "a", shape: [2], offset: 12 } },
      code: "FORMAT_MALFORMED",
    },
    {
      name: "an offset for one of two",
      json: { ...one({ shape: [2], offset: 0 }), b: { file: "a", shape: [2] } },
      code: "FORMAT_MALFORMED",
    },
    {
      name: "an entry without a file",
      json: { ...one({}), b: { shape: [2] } },
      code: "FORMAT_MALFORMED",
    },
  ];
  test.each(cases)("$name", async ({ json, code }) => {
    const source = manifest(json, { a: six, empty: new Uint8Array() });
    const error: unknown = await readModel(source).catch((e) => e);
    expect(isWeightGraphError(error, code), String(error)).toBe(true);
  });

  test("two tensors may be one", async () => {
    const json = { ...one({ offset: 0 }), b: { file: "a", shape: [2, 3], offset: 0 } };
    expect((await readModel(manifest(json, { a: six }))).tensors).toHaveLength(2);
  });

  test("other JSON is not taken for a manifest", async () => {
    for (const json of [{}, [], { a: 1 }, { a: { shape: [1] } }, "{", "[1, 2]"]) {
      await expect(readModel(manifest(json, {}))).rejects.toMatchObject({ code: "FORMAT_UNKNOWN" });
    }
  });
});

const real = sharedPath("raw/ml5_mnist/manifest.json");
test.skipIf(!isThere(real))("a network that deeplearn.js trained", async () => {
  const model = await readModel(await fileSource(real));
  expect(wiresOf(model)).toEqual([
    "hidden1/weights: input -> hidden1/weights [in784 out128]",
    "hidden2/weights: hidden1/weights -> hidden2/weights [in128 out32]",
    "softmax_linear/weights: hidden2/weights -> softmax_linear/weights [in32 out10]",
  ]);
});

function isThere(path: string): boolean {
  try {
    return readFileSync(path).byteLength > 0;
  } catch {
    return false;
  }
}

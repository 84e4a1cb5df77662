/** Blocks of every type against the gguf package (`scripts/ggufFixtures.py`), and against blocks made by hand. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  checkTensors,
  joinPieces,
  memorySource,
  patchModel,
  readModel,
  type Model,
} from "../../../src/index.ts";
import { numberToHalf } from "../../../src/tensor/half.ts";
import { ggufBytes, joined, number } from "../../helpers/gguf.ts";

const fixture = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../../fixtures/tiny/gguf/${name}`, import.meta.url)));
const types = memorySource(fixture("types.gguf"), "types.gguf");
const model = await readModel(types);
const expected = await readModel(memorySource(fixture("values.gguf"), "values.gguf"));

describe.each(expected.tensors.map(({ name }) => name))("%s", (name) => {
  const tensor = model.tensors.find((own) => own.name === name)!;
  const wanted = expected.tensors.find((own) => own.name === name)!;

  test("every value, exactly (reference: gguf 0.19.0)", async () => {
    expect(tensor.quantisation).toBe(`ggml ${name.slice(2)}`);
    expect(tensor.shape).toEqual([1, 256]);
    expect([...(await tensor.read())]).toEqual([...(await wanted.read())]);
  });

  test("spans, wherever they begin in a block", async () => {
    const all = await tensor.read();
    for (const [start, end] of [
      [0, 1],
      [31, 33],
      [100, 256],
      [256, 256],
      [7, 7],
    ] as const) {
      expect([...(await tensor.readSpan!(start, end))]).toEqual([...all.subarray(start, end)]);
    }
  });
});

test.each(["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0"])("%s: back to the same blocks", async (type) => {
  const tensor = model.tensors.find((own) => own.name === `t.${type}`)!;
  const { offset, byteLength } = tensor.location!;
  const stored = await types.slice(offset, offset + byteLength);
  expect(await tensor.encode!(await tensor.read())).toEqual(stored);
});

test("what is plain, and what is not read", async () => {
  const plain = model.tensors.filter(({ name }) => name.startsWith("plain."));
  for (const tensor of plain) {
    const wanted = tensor.dtype === "bfloat16" ? [0.5, 1] : [0, 1, 2, 3, 4, 5];
    expect(tensor.name).toBe(`plain.${tensor.dtype}`);
    expect([...(await tensor.read())]).toEqual(wanted);
    expect([...(await tensor.readSpan!(1, 2))]).toEqual(wanted.slice(1, 2));
  }
  const unread = model.tensors.filter(({ location }) => location === undefined);
  expect(unread.map(({ name, role }) => [name, role])).toEqual([
    ["t.IQ2_XXS", "unknown"],
    ["t.IQ3_S", "unknown"],
  ]);
  await expect(unread[0]!.read()).rejects.toMatchObject({ code: "FORMAT_UNSUPPORTED" });
  expect(model.warnings.find(({ code }) => code === "TENSOR_UNREADABLE")?.message).toContain(
    "t.IQ2_XXS, t.IQ3_S",
  );
});

test("key-value pairs; of a long list its length", () => {
  expect(model.metadata["keyValues"]).toEqual({
    "general.architecture": "llama",
    "general.name": "a block of each type",
    tokens: { length: 70 },
    short: [1, 2, 3],
    pi: 3.25,
    yes: true,
  });
});

/** A row of 32, ramped as half a block each way. */
const ramp = Float32Array.from({ length: 32 }, (_, i) => (i - 16) / 4);

/** Hand: the steps that the type has, from its formula. */
test.each([
  ["Q8_0", 8, 34, 4 / 127 / 2],
  ["Q4_0", 2, 18, 4 / 8 / 2],
  ["Q4_1", 3, 20, 7.75 / 15 / 2],
  ["Q5_0", 6, 22, 0],
  ["Q5_1", 7, 24, 0],
])("new values to the nearest steps of %s", async (_, type, bytes, halfStep) => {
  const data = new Uint8Array(bytes);
  const source = memorySource(ggufBytes({ tensors: [{ name: "w", ne: [32, 1], type }], data }));
  const before = await readModel(source);
  const changes = new Map([["w", ramp]]);
  const [file] = await patchModel(source, before, changes);
  const after = await readModel(memorySource(await joinPieces(file!.pieces)));
  await checkTensors(after, changes);
  const values = await after.tensors[0]!.read();
  for (const [i, value] of values.entries()) {
    expect(Math.abs(value - ramp[i]!)).toBeLessThanOrEqual(halfStep * 1.001 + 1e-3);
  }
});

test("a block that is not changed keeps its bytes, whatever its scale", async () => {
  const block = joined([number(numberToHalf(0.5), 2), new Uint8Array(32).fill(3)]);
  const data = joined([block, block]);
  const source = memorySource(ggufBytes({ tensors: [{ name: "w", ne: [32, 2], type: 8 }], data }));
  const values = Float32Array.from({ length: 64 }, (_, i) => (i < 32 ? 1.5 : -i));
  const [file] = await patchModel(source, await readModel(source), new Map([["w", values]]));
  const bytes = await joinPieces(file!.pieces);
  const start = bytes.byteLength - 68;
  expect(bytes.subarray(0, start + 34)).toEqual(
    (await source.slice(0, source.byteLength)).subarray(0, start + 34),
  );
  expect(bytes.subarray(start + 34)).not.toEqual(block);
});

test.each([
  ["NaN", Number.NaN],
  ["infinity", Infinity],
  ["more than a half holds", 1e9],
])("%s has no place in a block", async (_, value) => {
  const data = new Uint8Array(34);
  const source = memorySource(ggufBytes({ tensors: [{ name: "w", ne: [32, 1], type: 8 }], data }));
  const tensor = (await readModel(source)).tensors[0]!;
  const encode = async (): Promise<unknown> => tensor.encode!(new Float32Array(32).fill(value));
  await expect(encode()).rejects.toMatchObject({ code: "FORMAT_UNSUPPORTED" });
});

test("types of super-blocks are not written", async () => {
  const changes = new Map([["t.Q4_K", new Float32Array(256)]]);
  await expect(patchModel(types, model, changes)).rejects.toMatchObject({
    code: "FORMAT_UNSUPPORTED",
  });
});

test("a plain tensor is changed where it lies", async () => {
  const changes = new Map([["plain.float16", Float32Array.of(6, 5, 4, 3, 2, 1)]]);
  const [file] = await patchModel(types, model, changes);
  const bytes = await joinPieces(file!.pieces);
  const after: Model = await readModel(memorySource(bytes));
  await checkTensors(after, changes);
  const before = fixture("types.gguf");
  const { offset, byteLength } = model.tensors.find(
    ({ name }) => name === "plain.float16",
  )!.location!;
  const differing = [...bytes.keys()].filter((i) => bytes[i] !== before[i]);
  expect(differing.every((i) => i >= offset && i < offset + byteLength)).toBe(true);
  expect(differing.length).toBeGreaterThan(0);
});

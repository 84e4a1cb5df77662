import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  isWeightGraphError,
  joinPieces,
  memorySource,
  patchModel,
  readModel,
  writeModelSafetensors,
  writeSafetensors,
  type SafetensorsTensor,
} from "../../../src/index.ts";

const floats = { float64: Float64Array, float32: Float32Array } as const;

const anyTensors = fc.uniqueArray(
  fc
    .record({
      name: fc.string({ unit: "grapheme" }).filter((name) => name !== "__metadata__"),
      dtype: fc.constantFrom("float64", "float32"),
      shape: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }),
      seed: fc.float({ noNaN: true }),
    })
    .map(({ name, dtype, shape, seed }): SafetensorsTensor => {
      const count = shape.reduce((product, size) => product * size, 1);
      return { name, dtype, shape, data: new floats[dtype](count).map((_, i) => seed + i) };
    }),
  { selector: (tensor) => tensor.name },
);

test("what is written is read, and written again to the same bytes", async () => {
  await fc.assert(
    fc.asyncProperty(anyTensors, async (tensors) => {
      const bytes = writeSafetensors({ tensors });
      const { tensors: back } = await readModel(memorySource(bytes));
      const found = new Map(back.map((tensor) => [tensor.name, tensor]));
      expect(found.size).toBe(tensors.length);
      for (const { name, shape, dtype, data } of tensors) {
        const tensor = found.get(name)!;
        expect([tensor.shape, tensor.dtype]).toEqual([shape, dtype]);
        expect(await tensor.read()).toEqual(data);
      }
      expect(writeSafetensors({ tensors })).toEqual(bytes);
    }),
    { numRuns: 50 },
  );
});

test("the bytes of a small file (hand, from the format's description)", () => {
  const bytes = writeSafetensors({
    tensors: [
      { name: "10", dtype: "float32", shape: [1], data: Float32Array.of(1) },
      { name: "9", dtype: "float16", shape: [1, 2], data: Float32Array.of(0.5, -2) },
    ],
    metadata: { format: "pt" },
  });
  const header =
    '{"__metadata__":{"format":"pt"},"10":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},' +
    '"9":{"dtype":"F16","shape":[1,2],"data_offsets":[4,8]}}';
  const padded = header.padEnd(Math.ceil(header.length / 8) * 8);
  expect(Array.from(bytes.subarray(0, 8))).toEqual([padded.length, 0, 0, 0, 0, 0, 0, 0]);
  expect(new TextDecoder().decode(bytes.subarray(8, 8 + padded.length))).toBe(padded);
  expect(Array.from(bytes.subarray(8 + padded.length))).toEqual([
    0, 0, 0x80, 0x3f, 0x00, 0x38, 0x00, 0xc0,
  ]);
});

test("a patch changes the named spans alone", async () => {
  const bytes = writeSafetensors({
    tensors: [
      { name: "a", dtype: "float32", shape: [1, 2], data: Float32Array.of(1, 2) },
      { name: "b", dtype: "bfloat16", shape: [2, 1], data: Float32Array.of(3, 4) },
      { name: "c", dtype: "float32", shape: [1, 1], data: Float32Array.of(5) },
    ],
  });
  const source = memorySource(bytes);
  const changes = new Map([["b", Float32Array.of(-3, 0.5)]]);
  const [file] = await patchModel(source, await readModel(source), changes);
  const patched = await joinPieces(file!.pieces);
  const model = await readModel(memorySource(patched));
  const { offset, byteLength } = model.tensors[1]!.location!;
  const differing = Array.from(bytes.keys()).filter((at) => bytes[at] !== patched[at]);
  expect(differing.length).toBeGreaterThan(0);
  expect(differing.every((at) => at >= offset && at < offset + byteLength)).toBe(true);
  expect(Array.from(await model.tensors[1]!.read())).toEqual([-3, 0.5]);
  expect(bytes).not.toEqual(patched);
});

test("a model is written with its tensors, counters of a state dict among them", async () => {
  const bytes = writeSafetensors({
    tensors: [
      { name: "w", dtype: "float16", shape: [1, 2], data: Float32Array.of(1, 2) },
      { name: "steps", dtype: "int64", shape: [], data: new Uint8Array(8) },
    ],
  });
  const written = await writeModelSafetensors(await readModel(memorySource(bytes)), { epoch: "3" });
  const model = await readModel(memorySource(written));
  expect(model.tensors.map(({ name, dtype }) => [name, dtype])).toEqual([
    ["w", "float16"],
    ["steps", "int64"],
  ]);
  expect(model.metadata).toEqual({ __metadata__: { epoch: "3" } });
});

const one = { name: "a", dtype: "float32", shape: [1], data: Float32Array.of(1) } as const;
test.each([
  { name: "a name twice", tensors: [one, one], code: "USAGE_INVALID_OPTION" },
  {
    name: "the metadata's name",
    tensors: [{ ...one, name: "__metadata__" }],
    code: "USAGE_INVALID_OPTION",
  },
  { name: "too few values", tensors: [{ ...one, shape: [2] }], code: "SHAPE_MISMATCH" },
  {
    name: "too few bytes",
    tensors: [{ ...one, data: new Uint8Array(3) }],
    code: "SHAPE_MISMATCH",
  },
  {
    name: "values past an integer's range",
    tensors: [{ ...one, dtype: "int8", data: Float32Array.of(128) }],
    code: "FORMAT_UNSUPPORTED",
  },
  {
    name: "a type without a tag",
    tensors: [{ ...one, dtype: "complex128", data: new Uint8Array(16) }],
    code: "FORMAT_UNSUPPORTED",
  },
] as const)("refuses $name", ({ tensors, code }) => {
  let error: unknown;
  try {
    writeSafetensors({ tensors });
  } catch (thrown) {
    error = thrown;
  }
  expect(isWeightGraphError(error, code), String(error)).toBe(true);
});

test("metadata that was read is kept, unless another is given", async () => {
  const tensors = [
    { name: "a", dtype: "float32", shape: [1, 1], data: Float32Array.of(1) },
  ] as const;
  const model = await readModel(
    memorySource(writeSafetensors({ tensors, metadata: { format: "pt" } })),
  );
  const kept = await readModel(memorySource(await writeModelSafetensors(model)));
  expect(kept.metadata).toEqual({ __metadata__: { format: "pt" } });
  const other = await readModel(memorySource(await writeModelSafetensors(model, { a: "b" })));
  expect(other.metadata).toEqual({ __metadata__: { a: "b" } });
});

import { expect, test } from "vitest";
import {
  joinPieces,
  memorySource,
  pieceChunks,
  readModel,
  writeModelNpz,
  writeNpz,
  writeSafetensors,
} from "../../../src/index.ts";
import { unzipped } from "../../helpers/zip.ts";

const tensor = (
  name: string,
  dtype: Parameters<typeof writeNpz>[0][number]["dtype"],
  values: readonly number[],
) => ({ name, dtype, shape: [2, values.length / 2], read: async () => Float64Array.from(values) });

test("what is written is read, by ours and by another zip library", async () => {
  const tensors = [
    tensor("layer/0.weight", "float32", [1, 2, 3, 4]),
    tensor("größe", "float16", [0.5, -1]),
    tensor("wide", "float64", [0.1, 0.2]),
    tensor("whole", "int64", [-3, 9]),
    tensor("brain", "bfloat16", [1.5, 2]),
  ];
  const bytes = await joinPieces(writeNpz(tensors));
  const model = await readModel(memorySource(bytes, "net.npz"));
  expect(model.tensors.map(({ name, dtype }) => [name, dtype])).toEqual([
    ["layer/0.weight", "float32"],
    ["größe", "float16"],
    ["wide", "float64"],
    ["whole", "int64"],
    ["brain", "float32"],
  ]);
  for (const [i, { read }] of tensors.entries()) {
    expect([...(await model.tensors[i]!.read())]).toEqual([...(await read())]);
  }
  expect(Object.keys(await unzipped(bytes))).toEqual(tensors.map(({ name }) => `${name}.npy`));
  expect(await joinPieces(writeNpz(tensors))).toEqual(bytes);
});

/** Hand, from the descriptions of both formats. */
test("the header of an array, at a multiple of 64 bytes", async () => {
  const bytes = await joinPieces(writeNpz([tensor("a", "float32", [1, 2])]));
  const entry = (await unzipped(bytes))["a.npy"]!;
  expect(new TextDecoder("latin1").decode(entry.subarray(0, 128))).toBe(
    `\u0093NUMPY\u0001\u0000v\u0000{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }`.padEnd(
      127,
    ) + "\n",
  );
  expect(entry.byteLength).toBe(128 + 8);
});

test("no tensor, and the directory asked for alone", async () => {
  expect(await unzipped(await joinPieces(writeNpz([])))).toEqual({});
  const pieces = writeNpz([tensor("a", "float32", [1, 2])]);
  const whole = await joinPieces(pieces);
  const parts: number[] = [];
  for await (const chunk of pieceChunks(writeNpz([tensor("a", "float32", [1, 2])]).slice(1))) {
    parts.push(...chunk);
  }
  expect(Uint8Array.from(parts)).toEqual(whole.subarray(whole.byteLength - parts.length));
});

test("a model, its floating tensors", async () => {
  const content = writeSafetensors({
    tensors: [
      { name: "0.weight", dtype: "bfloat16", shape: [1, 2], data: Float32Array.of(1, 2) },
      { name: "steps", dtype: "int64", shape: [], data: new Uint8Array(8) },
    ],
  });
  const model = await readModel(memorySource(content));
  const written = await readModel(memorySource(await joinPieces(writeModelNpz(model))));
  expect(written.tensors.map(({ name, dtype, shape }) => [name, dtype, shape])).toEqual([
    ["0.weight", "float32", [1, 2]],
  ]);
});

test.each([
  ["a name twice", ["a", "a"], "USAGE_INVALID_OPTION"],
  ["a name that climbs", ["../a"], "FORMAT_UNSUPPORTED"],
  ["an absolute name", ["/a"], "FORMAT_UNSUPPORTED"],
])("%s is refused", (_, names, code) => {
  const tensors = names.map((name) => tensor(name, "float32", [1, 2]));
  expect(() => writeNpz(tensors)).toThrow(expect.objectContaining({ code }) as Error);
});

test("values that do not fill the shape are refused", async () => {
  const wrong = { ...tensor("a", "float32", [1, 2]), shape: [3] };
  await expect(joinPieces(writeNpz([wrong]))).rejects.toMatchObject({ code: "SHAPE_MISMATCH" });
});

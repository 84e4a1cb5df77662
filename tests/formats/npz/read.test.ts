import { describe, expect, test } from "vitest";
import { isWeightGraphError, memorySource, readModel, readNumpy } from "../../../src/index.ts";
import { floatArray, npyBytes, zipBytes } from "../../helpers/numpy.ts";
import { wiresOf } from "../../helpers/topology.ts";

test.each([
  {
    name: "rows receive, as in PyTorch",
    arrays: { "a.npy": floatArray([3, 2]), "b.npy": floatArray([1, 3]) },
    wires: ["a: input -> a [out3 in2]", "b: a -> b [out1 in3]"],
  },
  {
    name: "rows send, as in Keras",
    arrays: { "a.npy": floatArray([2, 3]), "b.npy": floatArray([3, 1]), "c.npy": floatArray([3]) },
    wires: ["a: input -> a [in2 out3]", "b: a -> b [in3 out1]"],
  },
])("$name", async ({ arrays, wires }) => {
  const model = await readModel(memorySource(await zipBytes(arrays), "net.npz"));
  expect(model.format).toBe("npz");
  expect(wiresOf(model)).toEqual(wires);
  expect(model.warnings.map(({ code }) => code)).toEqual([
    "TOPOLOGY_INFERRED",
    "ORIENTATION_INFERRED",
  ]);
});

test("one array, row-major or column-major", async () => {
  const rows = await readModel(memorySource(floatArray([2, 3]), "w.npy"));
  expect([rows.format, rows.tensors[0]!.name]).toEqual(["npy", "w"]);
  expect(Array.from(await rows.tensors[0]!.read())).toEqual([1, 2, 3, 4, 5, 6]);
  expect(rows.tensors[0]!.location?.offset).toBe(128);
  const columns = await readModel(memorySource(floatArray([2, 3], true), "w.npy"));
  expect(Array.from(await columns.tensors[0]!.read())).toEqual([1, 3, 5, 2, 4, 6]);
  expect(columns.tensors[0]!.location).toBeUndefined();
});

const header = (descr: string, shape = "(2,)"): string =>
  `{'descr': ${descr}, 'fortran_order': False, 'shape': ${shape}, }`;
const two = Float32Array.of(1, 2);
const versionFour = floatArray([2]).fill(4, 6, 7);
const endlessHeader = floatArray([2]).fill(2, 6, 7).fill(0x7f, 8, 12);

describe("what an array may not be", () => {
  test.each([
    { name: "an object", bytes: npyBytes(header("'|O'"), two), code: "FORMAT_UNSUPPORTED" },
    { name: "text", bytes: npyBytes(header("'>U1'"), two), code: "FORMAT_UNSUPPORTED" },
    { name: "dates", bytes: npyBytes(header("'<M8[ns]'"), two), code: "FORMAT_UNSUPPORTED" },
    { name: "a type of no name", bytes: npyBytes(header("None"), two), code: "FORMAT_MALFORMED" },
    { name: "a call", bytes: npyBytes(header("f('<f4')"), two), code: "FORMAT_MALFORMED" },
    {
      name: "of a negative dimension",
      bytes: npyBytes(header("'<f4'", "(-2, -1)"), two),
      code: "FORMAT_MALFORMED",
    },
    {
      name: "of 65 dimensions",
      bytes: npyBytes(header("'<f4'", `(${"1, ".repeat(65)})`), two),
      code: "FORMAT_MALFORMED",
    },
    {
      name: "nested without end",
      bytes: npyBytes(header("[".repeat(9999)), two),
      code: "FORMAT_MALFORMED",
    },
    { name: "of version 4", bytes: versionFour, code: "FORMAT_UNSUPPORTED" },
    { name: "with a header of 2 GiB", bytes: endlessHeader, code: "FORMAT_LIMIT" },
    {
      name: "a record",
      bytes: npyBytes(header("[('a', '<f4')]"), two),
      code: "FORMAT_UNSUPPORTED",
    },
    { name: "cut", bytes: floatArray([2]).slice(0, -1), code: "FORMAT_TRUNCATED" },
    { name: "cut in the header", bytes: floatArray([2]).slice(0, 40), code: "FORMAT_TRUNCATED" },
    { name: "without a shape", bytes: npyBytes("{'descr': '<f4'}", two), code: "FORMAT_MALFORMED" },
    {
      name: "past 2^53",
      bytes: npyBytes(header("'<f4'", "(9007199254740991, 9)"), two),
      code: "FORMAT_MALFORMED",
    },
  ] as const)("$name", async ({ bytes, code }) => {
    const error: unknown = await readModel(memorySource(bytes)).catch((e) => e);
    expect(isWeightGraphError(error, code), String(error)).toBe(true);
  });

  test("an entry that is no array", async () => {
    const bytes = await zipBytes({ "a.npy": Uint8Array.of(1, 2, 3) });
    const error: unknown = await readModel(memorySource(bytes)).catch((e) => e);
    expect(isWeightGraphError(error, "FORMAT_MALFORMED")).toBe(true);
  });
});

test("raw pairs of bytes are taken for bfloat16, and the model says so", async () => {
  const bytes = npyBytes(header("'|V2'", "(1, 2)"), Uint16Array.of(0x3f80, 0xc000));
  const model = await readModel(memorySource(bytes));
  expect(Array.from(await model.tensors[0]!.read())).toEqual([1, -2]);
  expect(model.warnings.at(-1)).toMatchObject({ code: "VOID_AS_BFLOAT16" });
});

test("an archive whose first entry is no array, and one that holds none", async () => {
  const mixed = await zipBytes({ "README.txt": Uint8Array.of(65), "a.npy": floatArray([2, 2]) });
  const model = await readModel(memorySource(mixed));
  expect(model.warnings.at(-1)).toMatchObject({ code: "ENTRIES_LEFT_OUT" });
  const beside = { "__MACOSX/._a.npy": Uint8Array.of(0, 5, 22, 7), "a.npy": floatArray([2, 2]) };
  const apple = await readModel(memorySource(await zipBytes(beside)));
  expect(apple.tensors.map(({ name }) => name)).toEqual(["a"]);
  const none = await zipBytes({ "README.txt": Uint8Array.of(65) });
  await expect(readNumpy(memorySource(none))).rejects.toMatchObject({ code: "FORMAT_NO_WEIGHTS" });
});

test("what follows the values is told", async () => {
  const bytes = Uint8Array.of(...floatArray([1, 2]), ...floatArray([1, 2]));
  const model = await readModel(memorySource(bytes));
  expect(model.warnings.at(-1)).toMatchObject({ code: "BYTES_LEFT_OUT" });
});

test("names that lead out of a folder are names, and are told", async () => {
  const bytes = await zipBytes({
    "../../etc/w.npy": floatArray([2, 2]),
    "a/b.npy": floatArray([2]),
  });
  const model = await readModel(memorySource(bytes, "net.npz"));
  expect(model.tensors.map(({ name }) => name)).toEqual(["../../etc/w", "a/b"]);
  const told = model.warnings.find(({ code }) => code === "UNSAFE_NAMES");
  expect(told?.message).toMatch(/: \.\.\/\.\.\/etc\/w\.npy$/);
});

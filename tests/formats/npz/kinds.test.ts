/** Arrays that NumPy wrote (`scripts/numpyFixtures.py`): 0 to 5 as [2, 3], in every way that it can. */
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
import { unzipped } from "../../helpers/zip.ts";

const fixture = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../../fixtures/tiny/npz/${name}`, import.meta.url)));
const open = (name: string): Promise<Model> => readModel(memorySource(fixture(name), name));
const types = {
  f: { 2: "float16", 4: "float32", 8: "float64" },
  i: { 1: "int8", 2: "int16", 4: "int32", 8: "int64" },
  u: { 1: "uint8", 2: "uint16", 4: "uint32", 8: "uint64" },
  b: { 1: "bool" },
} as const;
const codes = "f2 f4 f8 f2be f4be f8be i1 i2 i4be i8 u1 u2be u4 u8be b1".split(" ");
const others = [
  { name: "fortran/f4", shape: [2, 3], dtype: "float32" },
  { name: "fortran/f8be", shape: [2, 3], dtype: "float64" },
  { name: "scalar", shape: [], dtype: "float32" },
  { name: "vector", shape: [3], dtype: "float32" },
  { name: "empty", shape: [0, 4], dtype: "float32" },
  { name: "complex", shape: [1, 1], dtype: "complex64" },
];
const values: Readonly<Record<string, readonly number[]>> = {
  scalar: [7.5],
  vector: [1, 2, 3],
  empty: [],
  "c/b1": [0, 1, 1, 1, 1, 1],
};
const arrays = [...codes.map((code) => ({ name: `c/${code}`, shape: [2, 3] })), ...others];

describe.each(["kinds.npz", "packed.npz"])("%s", (file) => {
  test("names, types, shapes, values", async () => {
    const model = await open(file);
    expect(model.tensors.map(({ name, shape }) => ({ name, shape }))).toEqual(
      arrays.map(({ name, shape }) => ({ name, shape })),
    );
    for (const tensor of model.tensors) {
      const code = tensor.name.startsWith("c/") ? tensor.name.slice(2) : null;
      const sizes = code === null ? null : (types[code[0] as "f"] as Record<string, string>);
      const dtype = sizes?.[code![1]!] ?? others.find(({ name }) => name === tensor.name)!.dtype;
      expect([tensor.name, tensor.dtype]).toEqual([tensor.name, dtype]);
      if (tensor.name === "complex") {
        await expect(tensor.read()).rejects.toMatchObject({ code: "FORMAT_UNSUPPORTED" });
        continue;
      }
      const wanted = values[tensor.name] ?? [0, 1, 2, 3, 4, 5];
      expect([tensor.name, ...(await tensor.read())]).toEqual([tensor.name, ...wanted]);
      if (tensor.readSpan !== undefined && wanted.length > 2) {
        expect(Array.from(await tensor.readSpan(1, 3))).toEqual(wanted.slice(1, 3));
      }
    }
  });

  test("a span costs no more than the span where the array is stored row by row", async () => {
    const model = await open(file);
    const withSpan = model.tensors.filter((tensor) => tensor.readSpan !== undefined);
    const wanted = arrays.filter(({ name }) => !name.startsWith("fortran"));
    expect(withSpan.map(({ name }) => name)).toEqual(
      file === "kinds.npz" ? wanted.map(({ name }) => name) : [],
    );
  });

  test("each array is changed in its own order, all others stay", async () => {
    const source = memorySource(fixture(file), file);
    const before = await unzipped(fixture(file));
    const model = await readModel(source);
    for (const { name, shape } of model.tensors) {
      if (name === "complex" || shape.length !== 2 || shape[0] === 0) continue;
      const fresh = Float32Array.of(1, 0, 1, 1, 0, 0);
      const changes = new Map([[name, fresh]]);
      const [patched] = await patchModel(source, model, changes);
      const bytes = await joinPieces(patched!.pieces);
      const after = await unzipped(bytes);
      for (const other of Object.keys(before)) {
        if (other !== `${name}.npy`) expect(after[other]).toEqual(before[other]);
      }
      const again = await readModel(memorySource(bytes, file));
      await checkTensors(again, changes);
      const tensor = again.tensors.find((own) => own.name === name)!;
      expect(Array.from(await tensor.read())).toEqual([...fresh]);
      if (file === "kinds.npz") expect(bytes.byteLength).toBe(source.byteLength);
    }
  });

  test("no change, no other byte", async () => {
    const source = memorySource(fixture(file), file);
    const model = await readModel(source);
    const changes = new Map<string, Float32Array | Float64Array>();
    for (const tensor of model.tensors) {
      if (tensor.name !== "complex") changes.set(tensor.name, await tensor.read());
    }
    const [patched] = await patchModel(source, model, changes);
    expect(await joinPieces(patched!.pieces)).toEqual(fixture(file));
  });
});

test.each([1, 2, 3])("a header of version %d", async (version) => {
  const { tensors } = await open(`version${version}.npy`);
  expect(Array.from(await tensors[0]!.read())).toEqual([0, 1, 2, 3, 4, 5]);
});

test("what is no number is named, never read", async () => {
  const model = await open("others.npz");
  expect(model.tensors.map(({ name }) => name)).toEqual(["weight"]);
  const refused = model.warnings.filter(({ code }) => code === "ARRAY_NOT_READ");
  expect(refused.map(({ message }) => message)).toEqual([
    "objects: Python objects (a pickle, which is never read) (|O) are not read",
    "text: text (<U4) are not read",
    "bytes: byte strings (|S2) are not read",
    "dates: dates and times (<M8[D]) are not read",
    "records: records are not read",
    "long: floats of an unusual width (<f16) are not read",
  ]);
});

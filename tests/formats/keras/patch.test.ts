import * as h5wasm from "h5wasm";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { joinPieces, memorySource, patchModel, readModel, type Model } from "../../../src/node.ts";
import { kerasFile, keras3File } from "../../helpers/hdf5.ts";
import { zipBytes } from "../../helpers/numpy.ts";

const folder = fileURLToPath(new URL("../../../fixtures/tiny/keras/", import.meta.url));
const fixture = (name: string): Uint8Array => new Uint8Array(readFileSync(`${folder}${name}.h5`));

type Values = Float32Array | Float64Array;

async function patched(
  bytes: Uint8Array,
  changes: ReadonlyMap<string, Values>,
): Promise<Uint8Array> {
  const source = memorySource(bytes, "net.h5");
  const [file] = await patchModel(source, await readModel(source), changes);
  return joinPieces(file!.pieces);
}

async function valuesOf(model: Model): Promise<Record<string, number[]>> {
  const entries = model.tensors.map(async (tensor) => [
    tensor.name,
    Array.from(await tensor.read()),
  ]);
  return Object.fromEntries(await Promise.all(entries)) as Record<string, number[]>;
}

/** By the HDF5 library itself. */
async function libraryValues(bytes: Uint8Array, path: string): Promise<number[]> {
  const module = await h5wasm.ready;
  const system = module.FS as unknown as { writeFile(name: string, bytes: Uint8Array): void };
  system.writeFile("patched.h5", bytes);
  const file = new h5wasm.File("patched.h5", "r");
  const { value } = file.get(path) as h5wasm.Dataset;
  file.close();
  return typeof value === "number" ? [value] : Array.from(value as ArrayLike<number>, Number);
}

describe.each(["types", "layouts", "layouts-latest", "links-latest"])("%s", async (name) => {
  const bytes = fixture(name);
  const model = await readModel(memorySource(bytes, "net.h5"));
  const before = await valuesOf(model);

  test("the values that are there change no byte", async () => {
    const same = new Map<string, Values>();
    for (const tensor of model.tensors) {
      if (/^(float|bfloat)/.test(tensor.dtype)) same.set(tensor.name, await tensor.read());
    }
    expect(same.size).toBeGreaterThan(3);
    expect(await patched(bytes, same)).toEqual(bytes);
  });

  const floats = model.tensors.filter(
    ({ name, dtype, shape }) =>
      dtype.startsWith("float") && !shape.includes(0) && !["lzf", "part", "both"].includes(name),
  );
  test.each(floats.map((tensor) => tensor.name))(
    "%s: new values, all others as they were",
    async (own) => {
      const fresh = Float64Array.from(before[own]!, (value, i) => value / 2 + (i % 7));
      const out = await patched(bytes, new Map([[own, fresh]]));
      const after = await valuesOf(await readModel(memorySource(out, "net.h5")));
      expect(after).toEqual({ ...before, [own]: Array.from(fresh) });
      const { dtype } = model.tensors.find((tensor) => tensor.name === own)!;
      // The library hands out no half floats.
      if (dtype !== "float16") expect(await libraryValues(out, own)).toEqual(Array.from(fresh));
    },
  );
});

test.each([
  { name: "types", own: "float32", width: 4 },
  { name: "types", own: "float32_be", width: 4 },
  { name: "types", own: "float16_be", width: 2 },
  { name: "layouts", own: "plain", width: 4 },
  { name: "layouts", own: "chunks", width: 4 },
  { name: "layouts-latest", own: "chunks", width: 4 },
])("$name $own: one value changes its own bytes alone", async ({ name, own, width }) => {
  const bytes = fixture(name);
  const model = await readModel(memorySource(bytes, "net.h5"));
  const fresh = (await model.tensors.find((tensor) => tensor.name === own)!.read()).slice();
  fresh[9] = -12.375;
  const out = await patched(bytes, new Map([[own, fresh]]));
  expect(out.byteLength).toBe(bytes.byteLength);
  const changed = Array.from(bytes.keys()).filter((i) => bytes[i] !== out[i]);
  expect(changed.length).toBeGreaterThan(0);
  expect(changed.at(-1)! - changed[0]!).toBeLessThan(width);
});

test("packed chunks that grow move to the end; LZF is left out of what changes", async () => {
  const bytes = fixture("layouts-latest");
  const noise = Float32Array.from({ length: 240 }, (_, i) => Math.sin(i * i) * 1000);
  const out = await patched(bytes, new Map([["lzf", noise]]));
  expect(out.byteLength).toBeGreaterThan(bytes.byteLength);
  const model = await readModel(memorySource(out, "net.h5"));
  expect((await valuesOf(model))["lzf"]).toEqual(Array.from(noise));
});

test("what has a place of its own, and what is packed anew", async () => {
  const model = await readModel(memorySource(fixture("layouts"), "net.h5"));
  const found = model.tensors.map((own) => [own.name, own.location ? "place" : own.repackable]);
  expect(found).toContainEqual(["plain", "place"]);
  expect(found).toContainEqual(["gzip", true]);
  const types = await readModel(memorySource(fixture("types"), "net.h5"));
  expect(types.tensors.find(({ name }) => name === "float32_be")!.repackable).toBe(true);
});

test("what was never written has no room", async () => {
  const fresh = new Float32Array(24).fill(9);
  await expect(patched(fixture("layouts"), new Map([["part", fresh]]))).rejects.toMatchObject({
    code: "FORMAT_UNSUPPORTED",
  });
});

test("a Keras file: one kernel, by its name", async () => {
  const bytes = await kerasFile([
    { name: "a", weights: { "a/kernel:0": [2, 3], "a/bias:0": [3] } },
  ]);
  const out = await patched(bytes, new Map([["a/kernel:0", Float32Array.of(6, 5, 4, 3, 2, 1)]]));
  expect(await libraryValues(out, "a/a/kernel:0")).toEqual([6, 5, 4, 3, 2, 1]);
});

test("a Keras 3 archive: its inner file changes, the entry's checksum with it", async () => {
  const layer = { class_name: "Dense", config: { name: "dense" } };
  const config = { class_name: "Sequential", config: { layers: [layer] } };
  const bytes = await zipBytes({
    "config.json": new TextEncoder().encode(JSON.stringify(config)),
    "model.weights.h5": await keras3File([["dense", [[2, 1], [1]]]]),
  });
  const own = "layers/dense/vars/0";
  expect(await patched(bytes, new Map([[own, new Float32Array(2)]]))).toEqual(bytes);
  const out = await patched(bytes, new Map([[own, Float32Array.of(0.5, -2)]]));
  const after = await valuesOf(await readModel(memorySource(out, "net.keras")));
  expect(after).toEqual({ [own]: [0.5, -2], "layers/dense/vars/1": [0] });
});

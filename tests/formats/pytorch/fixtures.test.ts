/** Every file of fixtures/tiny/pytorch against what torch 1.13 and NumPy said of it (scripts/tinyPytorch.py). */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import {
  coverageOf,
  memorySource,
  patchModel,
  readModel,
  rewireModel,
} from "../../../src/index.ts";
import { joinPieces } from "../../../src/bytes/pieces.ts";
import { zipBytes } from "../../helpers/numpy.ts";
import { checkpointPickle } from "../../helpers/pickle.ts";

const folder = fileURLToPath(new URL("../../../fixtures/tiny/pytorch/", import.meta.url));
const names = readdirSync(folder).filter((name) => !name.endsWith(".expected.json"));

type Expected = Readonly<Record<string, { shape: number[]; values: number[] }>>;

function fixture(name: string): { bytes: Uint8Array; expected: Expected } {
  const bytes = new Uint8Array(readFileSync(folder + name));
  const text = readFileSync(`${folder}${name}.expected.json`, "utf8");
  return { bytes, expected: JSON.parse(text) as Expected };
}

test.each(names)("%s: names, shapes and values", async (name) => {
  const { bytes, expected } = fixture(name);
  const model = await readModel(memorySource(bytes, name));
  expect(model.tensors.map((tensor) => tensor.name)).toEqual(Object.keys(expected));
  for (const tensor of model.tensors) {
    const { shape, values } = expected[tensor.name]!;
    expect(tensor.shape, tensor.name).toEqual(shape);
    const read = await tensor.read();
    expect(Array.from(read), tensor.name).toEqual(values);
    const middle = Math.floor(values.length / 2);
    const part = await tensor.readSpan?.(middle, values.length);
    if (part !== undefined) expect(Array.from(part), tensor.name).toEqual(values.slice(middle));
  }
  expect(coverageOf(model).share).toBeGreaterThan(0.98);
});

test.each(names)("%s: written back it is the same, byte for byte", async (name) => {
  const { bytes } = fixture(name);
  const source = memorySource(bytes, name);
  const model = await readModel(source);
  const changes = new Map<string, Float32Array | Float64Array>();
  for (const tensor of model.tensors) {
    if (tensor.location !== undefined) changes.set(tensor.name, await tensor.read());
  }
  const [file] = await patchModel(source, model, changes);
  expect(Buffer.from(await joinPieces(file!.pieces)).equals(bytes)).toBe(true);
});

test.each([
  { name: "module.pt", tensor: "0.weight", elements: 32, size: 4, checksums: true },
  { name: "legacy.pth", tensor: "5.bias", elements: 3, size: 4, checksums: false },
  { name: "views.pt", tensor: "turned", elements: 24, size: 4, checksums: true },
  { name: "views.pt", tensor: "columns", elements: 8, size: 4, checksums: true },
  { name: "views.pt", tensor: "bfloat", elements: 4, size: 2, checksums: true },
  { name: "quantised.pt", tensor: "channel.weight", elements: 12, size: 1, checksums: true },
  { name: "arrays5.pkl", tensor: "fortran", elements: 6, size: 8, checksums: false },
  { name: "arrays5.pkl", tensor: "big", elements: 4, size: 4, checksums: false },
])(
  "$name: a patch of $tensor changes its elements and nothing else",
  async ({ name, tensor, elements, size, checksums }) => {
    const { bytes, expected } = fixture(name);
    const source = memorySource(bytes, name);
    const model = await readModel(source);
    const values = Float64Array.from({ length: elements }, (_, i) => 1 - (i % 3) / 2);
    const [file] = await patchModel(source, model, new Map([[tensor, values]]));
    const patched = await joinPieces(file!.pieces);
    expect(patched.byteLength).toBe(bytes.byteLength);
    const changed = patched.reduce((sum, byte, i) => sum + (byte === bytes[i] ? 0 : 1), 0);
    // A checksum of 4 bytes stands behind the entry (or before it) and in the directory.
    expect(changed).toBeLessThanOrEqual(elements * size + (checksums ? 8 : 0));
    const again = await readModel(memorySource(patched, name));
    for (const own of again.tensors) {
      const read = await own.read();
      if (own.name === tensor) expect(Array.from(read)).toEqual(Array.from(values));
      else if (!isView(own.name)) expect(Array.from(read)).toEqual(expected[own.name]!.values);
    }
  },
);

/** Tensors of views.pt that look at one storage. */
function isView(name: string): boolean {
  return ["whole", "turned", "rows", "columns"].includes(name);
}

test.each([
  { name: "views.pt", tensor: "expanded", says: "several of its elements are one" },
  { name: "sparse.pt", tensor: "rows.weight", says: "no plain bytes" },
  { name: "arrays2.pkl", tensor: "a", says: "no plain bytes" },
])("$name: $tensor cannot be patched", async ({ name, tensor, says }) => {
  const source = memorySource(fixture(name).bytes, name);
  const model = await readModel(source);
  const values = await model.tensors.find((own) => own.name === tensor)!.read();
  await expect(patchModel(source, model, new Map([[tensor, values]]))).rejects.toThrow(says);
});

test("two views on the same elements are changed together where they agree, else refused", async () => {
  const { bytes, expected } = fixture("views.pt");
  const source = memorySource(bytes, "views.pt");
  const model = await readModel(source);
  const other = Float64Array.from(expected["whole"]!.values, (value) => value + 1);
  const turned = Float64Array.from(expected["turned"]!.values);
  const agreeing = new Map([
    ["whole", other],
    ["turned", turned.map((value) => value + 1)],
  ]);
  const [file] = await patchModel(source, model, agreeing);
  const again = await readModel(memorySource(await joinPieces(file!.pieces), "views.pt"));
  expect(Array.from(await again.tensors[0]!.read())).toEqual(Array.from(other));
  const disagreeing = new Map([
    ["whole", other],
    ["turned", turned],
  ]);
  await expect(patchModel(source, model, disagreeing)).rejects.toThrow("a view on its elements");
});

test("tied weights are rewired once, and both names have the new values", async () => {
  const bytes = await zipBytes({
    "net/data.pkl": checkpointPickle(
      ["a.weight", "b.weight"].map((name) => ({ name, shape: [3, 3], strides: [3, 1], key: "0" })),
    ),
    "net/data/0": new Uint8Array(Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9).buffer),
  });
  const source = memorySource(bytes, "net.pt");
  const before = await readModel(source);
  const { model, changes } = await rewireModel(before, { method: "deterministic" });
  expect([...changes.keys()]).toEqual(["a.weight"]);
  const [a, b] = await Promise.all(model.tensors.map((own) => own.read()));
  expect(b).toEqual(a);
  const [file] = await patchModel(source, before, changes);
  const after = await readModel(memorySource(await joinPieces(file!.pieces), "net.pt"));
  for (const own of after.tensors) expect(await own.read()).toEqual(a);
});

test("one view of another: the names of one set of parameters", async () => {
  const model = await readModel(memorySource(fixture("recurrent.pt").bytes, "recurrent.pt"));
  const shared = model.tensors.find(({ name }) => name === "out.weight");
  expect(shared?.sharesWith).toBe("embedding.weight");
  const stored = new Set(model.tensors.filter((own) => own.sharesWith === undefined));
  const count = [...stored].reduce(
    (sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1),
    0,
  );
  expect(coverageOf(model).parameters).toBe(count);
});

test("what else a checkpoint holds is told", async () => {
  const { warnings } = await readModel(memorySource(fixture("checkpoint.pt").bytes, "c.pt"));
  expect(warnings[0]).toEqual({
    code: "STATE_DICT_CHOSEN",
    message:
      "the weights are read from model › module; left out: optimizer (the state of an optimiser), model_ema",
  });
});

/** Writing back, for every format: equal values change no byte, one tensor changes its own bytes, and everything else reads as before. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  fileSource,
  isWeightGraphError,
  joinPieces,
  memorySource,
  patchModel,
  readModel,
  trackedSource,
  type ByteSource,
  type FloatArray,
  type Model,
  type PatchedFile,
  type StoredTensor,
} from "../../src/node.ts";
import { expectedModels, sharedPath } from "../helpers/shared.ts";

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile() && !/\.(md|expected\.json)$/.test(path));
}

/** Every fixture that is a model, and the real models beside the checkout: of long series the first. */
const shared = Object.keys(expectedModels()).filter(
  (name) => !/epoch_00[1-6]|XCEPTION\.(0[2-9]|[1-9])/.test(name),
);
const candidates = [
  ...["fixtures/tiny", "fixtures/mnist-mlp"].flatMap(filesUnder),
  ...shared.map(sharedPath),
];

interface Opened {
  readonly source: ByteSource;
  readonly model: Model;
}

/** Null for what is no model alone: a shard, a log, a file made to be refused. */
async function opened(path: string): Promise<Opened | null> {
  try {
    const source = trackedSource(await fileSource(path));
    return { source, model: await readModel(source) };
  } catch (error) {
    if (!isWeightGraphError(error)) throw error;
    return null;
  }
}

function isChangeable({ shape, ...tensor }: StoredTensor): boolean {
  const isPlain = tensor.location !== undefined || tensor.repackable === true;
  const isFloat = tensor.quantisation === undefined && /^b?float(16|32|64)$/.test(tensor.dtype);
  return !shape.includes(0) && (tensor.encode !== undefined || (isPlain && isFloat));
}

/** The weights that a layer reads as they are stored; each tensor once. */
function changeable({ layers }: Model): StoredTensor[] {
  const tensors = new Map(layers.map(({ tensor }) => [tensor.name, tensor]));
  return [...tensors.values()].filter(isChangeable);
}

async function contents(files: readonly PatchedFile[]): Promise<Map<string | null, Uint8Array>> {
  return new Map(
    await Promise.all(
      files.map(async ({ file, pieces }) => [file, await joinPieces(pieces)] as const),
    ),
  );
}

async function original(source: ByteSource, file: string | null): Promise<Uint8Array> {
  const own = file === null ? source : await source.sibling(file);
  return own.slice(0, own.byteLength);
}

/** The patched files, over the old ones. */
function patchedSource(
  source: ByteSource,
  files: ReadonlyMap<string | null, Uint8Array>,
): ByteSource {
  const main = memorySource(files.get(null)!, source.name);
  return {
    ...main,
    sibling: (name) => {
      const bytes = files.get(name);
      return bytes === undefined
        ? source.sibling(name)
        : Promise.resolve(memorySource(bytes, name));
    },
  };
}

const same = (a: FloatArray, b: FloatArray): boolean =>
  a.length === b.length && a.every((value, i) => Object.is(value, b[i]));

test("the fixtures hold weights that can be changed, in every format that has some", async () => {
  const formats = new Set<string>();
  for (const path of filesUnder("fixtures")) {
    const file = await opened(path);
    if (file !== null && changeable(file.model).length > 0) formats.add(file.model.format);
  }
  expect([...formats].sort()).toEqual([
    "gguf",
    "keras-h5",
    "npy",
    "npz",
    "onnx",
    "pytorch",
    "safetensors",
  ]);
});

describe("equal values", () => {
  test.each(candidates)("%s: no byte changes", async (path) => {
    const model = await opened(path);
    if (model === null) return;
    const changes = new Map<string, FloatArray>();
    for (const tensor of changeable(model.model)) changes.set(tensor.name, await tensor.read());
    for (const [file, bytes] of await contents(
      await patchModel(model.source, model.model, changes),
    )) {
      expect(Buffer.compare(bytes, await original(model.source, file)), `${file}`).toBe(0);
    }
  });
});

describe("one tensor with two of its values exchanged", () => {
  test.each(candidates)("%s: its own bytes, and everything else as it was", async (path) => {
    const file = await opened(path);
    if (file === null) return;
    const { source, model } = file;
    const [tensor] = changeable(model);
    if (tensor === undefined) return;
    const values = (await tensor.read()).slice();
    const other = values.findIndex((value) => value !== values[0]);
    if (other === -1) return;
    [values[0], values[other]] = [values[other]!, values[0]!];
    const files = await contents(await patchModel(source, model, new Map([[tensor.name, values]])));
    const { location } = tensor;
    for (const [name, bytes] of files) {
      if (location === undefined) continue;
      const before = await original(source, name);
      const isOwn = name === location.file;
      const outside = [...before.keys()].filter((i) => {
        const inside = isOwn && i >= location.offset && i < location.offset + location.byteLength;
        return !inside && before[i] !== bytes[i];
      });
      // An archive keeps the entry's checksum twice: beside it, and in the directory at the end.
      const isArchive = before[0] === 0x50 && before[1] === 0x4b;
      expect(outside.length, `bytes of ${name} outside the tensor`).toBeLessThanOrEqual(
        isArchive ? 8 : 0,
      );
    }
    const after = await readModel(patchedSource(source, files));
    expect(after.layers.map(({ name }) => name)).toEqual(model.layers.map(({ name }) => name));
    for (const [i, layer] of model.layers.entries()) {
      const isOwn = layer.tensor.name === tensor.name;
      // A turned view of the same storage has no place of its own, and changes with it.
      const isView = layer.tensor.location === undefined && model.format === "pytorch";
      if (!isOwn && (isView || layer.tensor.sharesWith !== undefined)) continue;
      const wanted = isOwn ? values : await layer.tensor.read();
      expect(same(await after.layers[i]!.tensor.read(), wanted), layer.name).toBe(true);
    }
  });
});

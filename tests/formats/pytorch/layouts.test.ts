/** Where else weights of PyTorch lie: shards, exported programs, other machines' byte order, and what is refused by name. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { joinPieces } from "../../../src/bytes/pieces.ts";
import {
  isWeightGraphError,
  memorySource,
  patchModel,
  readModel,
  type Model,
} from "../../../src/index.ts";
import { zipBytes } from "../../helpers/numpy.ts";
import { checkpointPickle, type PickledTensor } from "../../helpers/pickle.ts";

const text = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const floats = (...values: number[]): Uint8Array =>
  new Uint8Array(Float32Array.from(values).buffer);
const valuesOf = async ({ tensors }: Model): Promise<Record<string, number[]>> =>
  Object.fromEntries(
    await Promise.all(
      tensors.map(async (own) => [own.name, Array.from(await own.read())] as const),
    ),
  );

describe("shards beside an index", async () => {
  const shard = (tensor: PickledTensor, data: Uint8Array): Promise<Uint8Array> =>
    zipBytes({ "archive/data.pkl": checkpointPickle([tensor]), "archive/data/0": data });
  const siblings = {
    "pytorch_model-00001-of-00002.bin": await shard(
      { name: "0.weight", shape: [2, 1], strides: [1, 1], key: "0" },
      floats(1, 2),
    ),
    "pytorch_model-00002-of-00002.bin": await shard(
      { name: "1.weight", shape: [1, 2], strides: [2, 1], key: "0" },
      floats(3, 4),
    ),
  };
  const [first, second] = Object.keys(siblings);
  const index = (map: object): Uint8Array =>
    text({ metadata: { total_size: 16 }, weight_map: map });
  const whole = index({ "0.weight": first, "1.weight": second });
  const open = memorySource(whole, "pytorch_model.bin.index.json", siblings);

  test("are one model", async () => {
    const model = await readModel(open);
    expect(await valuesOf(model)).toEqual({ "0.weight": [1, 2], "1.weight": [3, 4] });
    expect(model.warnings.map(({ code }) => code)).toEqual(["TOPOLOGY_INFERRED"]);
  });

  test("are patched in the shard that holds the tensor", async () => {
    const model = await readModel(open);
    const patched = await patchModel(open, model, new Map([["1.weight", Float32Array.of(5, 6)]]));
    expect(patched.map(({ file }) => file)).toEqual([null, second]);
    const bytes = await Promise.all(patched.map(({ pieces }) => joinPieces(pieces)));
    expect(bytes[0]).toEqual(whole);
    const again = memorySource(whole, "x.index.json", { ...siblings, [second!]: bytes[1]! });
    expect(await valuesOf(await readModel(again))).toEqual({
      "0.weight": [1, 2],
      "1.weight": [5, 6],
    });
  });

  test.each([
    { name: "a tensor that its shard lacks", map: { "9.weight": first }, code: "FORMAT_MALFORMED" },
    { name: "a shard that is missing", map: { "0.weight": "no.bin" }, code: "FILE_NOT_FOUND" },
  ] as const)("$name", async ({ map, code }) => {
    const error: unknown = await readModel(
      memorySource(index(map), "x.index.json", siblings),
    ).catch((e: unknown) => e);
    expect(isWeightGraphError(error, code), String(error)).toBe(true);
  });
});

/** As torch.export.save describes a tensor; float32 is type 7. */
const exported = (file: string, sizes: number[], more: object = {}): object => ({
  path_name: file,
  is_param: true,
  use_pickle: false,
  tensor_meta: {
    dtype: 7,
    sizes: sizes.map((size) => ({ as_int: size })),
    strides: sizes.map((_, axis) => ({
      as_int: sizes.slice(axis + 1).reduce((product, size) => product * size, 1),
    })),
    storage_offset: { as_int: 0 },
    layout: 7,
    ...more,
  },
});

describe("exported programs (.pt2)", () => {
  const archive = (config: object): Promise<Uint8Array> =>
    zipBytes({
      "net/archive_format": new TextEncoder().encode("pt2"),
      "net/models/model.json": text({}),
      "net/data/weights/model_weights_config.json": text({ config }),
      "net/data/weights/weight_0": floats(1, 2, 3, 4),
      "net/data/constants/model_constants_config.json": text({
        config: { mask: exported("tensor_0", [1, 2]) },
      }),
      "net/data/constants/tensor_0": floats(9, 9),
    });

  test("weights by name, views on their storages too, and constants", async () => {
    const turned = { strides: [{ as_int: 1 }, { as_int: 2 }] };
    const bytes = await archive({
      "fc.weight": exported("weight_0", [2, 2]),
      "fc.turned": exported("weight_0", [2, 2], turned),
      "fc.object": { path_name: "custom_obj_0", is_param: false, use_pickle: true },
    });
    const model = await readModel(memorySource(bytes, "net.pt2"));
    expect(await valuesOf(model)).toEqual({
      "fc.weight": [1, 2, 3, 4],
      "fc.turned": [1, 3, 2, 4],
      mask: [9, 9],
    });
    expect(model.tensors.map(({ role }) => role)).toEqual(["weight", "weight", "constant"]);
  });

  test("before 2.8: an archive in the archive", async () => {
    const inner = readFileSync(
      fileURLToPath(new URL("../../../fixtures/tiny/pytorch/checkpoint.pt", import.meta.url)),
    );
    const bytes = await zipBytes({
      "serialized_exported_program.json": text({}),
      "serialized_state_dict.pt": new Uint8Array(inner),
      version: text(8),
    });
    const model = await readModel(memorySource(bytes, "net.pt2"));
    expect(model.tensors.map(({ name }) => name)).toContain("5.weight");
    const change = new Map([["5.bias", Float32Array.of(1, 2, 3)]]);
    await expect(patchModel(memorySource(bytes, "net.pt2"), model, change)).rejects.toThrow(
      "no plain bytes",
    );
  });

  test.each([
    { name: "a type of no number", own: exported("weight_0", [1], { dtype: 99 }) },
    { name: "a shape of a symbol", own: exported("weight_0", [1], { sizes: [{ as_expr: "s0" }] }) },
    { name: "a description that is none", own: 5 },
    { name: "strides of other axes", own: exported("weight_0", [1], { strides: [] }) },
    { name: "past its bytes", own: exported("weight_0", [9, 9]) },
  ])("$name is refused", async ({ own }) => {
    const bytes = await archive({ w: own });
    const error: unknown = await readModel(memorySource(bytes, "n.pt2")).catch((e: unknown) => e);
    expect(isWeightGraphError(error, "FORMAT_MALFORMED"), String(error)).toBe(true);
  });
});

test("an archive of a big-endian machine, both ways", async () => {
  const tensors: PickledTensor[] = [
    { name: "0.weight", shape: [1, 2], strides: [2, 1], key: "0" },
    { name: "turned", shape: [2, 1], strides: [1, 2], key: "0" },
  ];
  const swapped = floats(1, 2.5);
  new DataView(swapped.buffer).setFloat32(0, 1);
  new DataView(swapped.buffer).setFloat32(4, 2.5);
  const bytes = await zipBytes({
    "net/data.pkl": checkpointPickle(tensors),
    "net/byteorder": new TextEncoder().encode("big"),
    "net/data/0": swapped,
  });
  const source = memorySource(bytes, "net.pt");
  const model = await readModel(source);
  expect(await valuesOf(model)).toEqual({ "0.weight": [1, 2.5], turned: [1, 2.5] });
  expect(model.tensors[0]!.location).toBeUndefined();
  const [file] = await patchModel(source, model, new Map([["0.weight", Float32Array.of(3, 4)]]));
  const again = await readModel(memorySource(await joinPieces(file!.pieces), "net.pt"));
  expect(await valuesOf(again)).toEqual({ "0.weight": [3, 4], turned: [3, 4] });
});

test.each([
  {
    name: "tar of PyTorch 0.1",
    bytes: (() => {
      const tar = new Uint8Array(1024);
      tar.set(new TextEncoder().encode("sys_info"));
      tar.set(new TextEncoder().encode("ustar"), 257);
      return tar;
    })(),
    says: "the tar archive of PyTorch 0.1",
  },
  {
    name: "TorchScript before 1.4",
    bytes: await zipBytes({ "net/model.json": text({}), "net/tensors/0": floats(1) }),
    says: "TorchScript of PyTorch before 1.4",
  },
])("$name is refused by name", async ({ bytes, says }) => {
  const error: unknown = await readModel(memorySource(bytes, "net.pt")).catch((e: unknown) => e);
  expect(isWeightGraphError(error, "FORMAT_UNSUPPORTED"), String(error)).toBe(true);
  expect((error as Error).message).toContain(says);
});

import { expect, test } from "vitest";
import { joinPieces, memorySource, patchModel, readModel } from "../../../src/index.ts";
import { keras3File } from "../../helpers/hdf5.ts";

const index = new TextEncoder().encode(
  JSON.stringify({
    metadata: { total_size: 40 },
    weight_map: {
      "/layers/dense/vars": ["net_00000.weights.h5", "net_00001.weights.h5"],
      "/layers/dense_1/vars": "net_00001.weights.h5",
    },
  }),
);
const shards = {
  "net_00000.weights.h5": await keras3File([["dense", [[2, 3]]]]),
  "net_00001.weights.h5": await keras3File([["dense_1", [[3, 1], [1]]]]),
};
const source = memorySource(index, "net.weights.json", shards);

test("weights in several files, found through their index", async () => {
  const model = await readModel(source);
  expect(model.tensors.map(({ name, location }) => [name, location?.file])).toEqual([
    ["layers/dense/vars/0", "net_00000.weights.h5"],
    ["layers/dense_1/vars/0", "net_00001.weights.h5"],
    ["layers/dense_1/vars/1", "net_00001.weights.h5"],
  ]);
  expect(model.layers.map(({ in: senders, out }) => [senders, out])).toEqual([
    [2, 3],
    [3, 1],
  ]);
});

test("a change lies in its own shard", async () => {
  const model = await readModel(source);
  const fresh = Float32Array.of(1, 2, 3);
  const files = await patchModel(source, model, new Map([["layers/dense_1/vars/0", fresh]]));
  expect(files.map(({ file }) => file)).toEqual([null, "net_00001.weights.h5"]);
  expect(await joinPieces(files[0]!.pieces)).toEqual(index);
  const patched = { ...shards, "net_00001.weights.h5": await joinPieces(files[1]!.pieces) };
  const again = await readModel(memorySource(index, "net.weights.json", patched));
  expect(await again.tensors[1]!.read()).toEqual(fresh);
});

test.each([
  { what: "a shard that is not there", map: { "/vars": "absent.h5" }, code: "FILE_NOT_FOUND" },
  { what: "a shard without a name", map: { a: "a.h5", "/vars": 3 }, code: "FORMAT_MALFORMED" },
])("$what", async ({ map, code }) => {
  const bytes = new TextEncoder().encode(JSON.stringify({ weight_map: map }));
  const files = { "a.h5": shards["net_00000.weights.h5"] };
  await expect(readModel(memorySource(bytes, "net.weights.json", files))).rejects.toMatchObject({
    code,
  });
});

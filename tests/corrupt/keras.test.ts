import * as h5wasm from "h5wasm";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { isWeightGraphError, memorySource, readModel } from "../../src/index.ts";
import { expectFlipsRefused } from "../helpers/corruption.ts";
import { kerasFile } from "../helpers/hdf5.ts";

const config = {
  class_name: "Sequential",
  config: [{ class_name: "Dense", config: { name: "fc" } }],
};
const folder = fileURLToPath(new URL("../../fixtures/tiny/keras/", import.meta.url));
const fixture = (name: string): Uint8Array => new Uint8Array(readFileSync(`${folder}${name}.h5`));
const files = {
  model: await kerasFile([{ name: "fc", weights: { "fc/kernel:0": [2, 3] } }], config),
  layouts: fixture("layouts"),
  "layouts-latest": fixture("layouts-latest"),
  "links-latest": fixture("links-latest"),
};

describe.each(Object.entries(files))("%s", (_, bytes) => {
  test("cut anywhere", async () => {
    for (let length = 0; length < bytes.byteLength; length += 97) {
      const source = memorySource(bytes.slice(0, length));
      const error: unknown = await readModel(source).catch((thrown: unknown) => thrown);
      expect(isWeightGraphError(error), `cut at ${length}: ${String(error)}`).toBe(true);
    }
  });

  test("bits flipped", () => expectFlipsRefused(bytes, (damaged) => memorySource(damaged), 400));
});

/** `bytes` with every one of some eight-byte numbers replaced by another. */
function replaced(bytes: Uint8Array, from: bigint, to: bigint): Uint8Array {
  const out = bytes.slice();
  const view = new DataView(out.buffer);
  for (let at = 0; at + 8 <= out.byteLength; at++) {
    if (view.getBigUint64(at, true) === from) view.setBigUint64(at, to, true);
  }
  return out;
}

test.each([
  { what: "an axis of 2^62", from: 3n, to: 2n ** 62n },
  { what: "an axis of 2^40", from: 3n, to: 2n ** 40n },
])("$what in a file of a few kB", async ({ from, to }) => {
  const damaged = replaced(files.model, from, to);
  const error: unknown = await readModel(memorySource(damaged)).catch((thrown: unknown) => thrown);
  expect(isWeightGraphError(error)).toBe(true);
});

test("a packed chunk of 32 MiB of zeros, in a few kB", async () => {
  const module = await h5wasm.ready;
  const file = new h5wasm.File("bomb.h5", "w");
  const shape = [2048, 4096];
  const data = new Float32Array(2048 * 4096);
  file.create_dataset({ name: "a", data, shape, chunks: shape, compression: "gzip" });
  file.flush();
  file.close();
  const system = module.FS as unknown as { readFile(name: string): Uint8Array };
  const bytes = system.readFile("bomb.h5").slice();
  expect(bytes.byteLength).toBeLessThan(2 ** 17);
  const run = async (): Promise<unknown> =>
    (await readModel(memorySource(bytes))).tensors[0]!.readSpan!(0, 8);
  await expect(run()).rejects.toMatchObject({ code: "FORMAT_LIMIT" });
});

test("a file that refers outside is refused as a whole", async () => {
  const error: unknown = await readModel(memorySource(fixture("outside"))).catch((e) => e);
  expect(isWeightGraphError(error, "FORMAT_UNSUPPORTED")).toBe(true);
});

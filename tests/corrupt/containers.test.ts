/** Indexes, manifests, archives and headers of arrays, cut and damaged. */
import { readFileSync } from "node:fs";
import { test } from "vitest";
import { memorySource, type ByteSource } from "../../src/index.ts";
import { rawSeed, shardedSeed } from "../fuzz/containerSeeds.ts";
import type { Seed } from "../fuzz/seeds.ts";
import { expectCutsRefused, expectFlipsRefused } from "../helpers/corruption.ts";

const fixture = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../fixtures/tiny/${name}`, import.meta.url)));

function damaged({ files }: Seed): { bytes: Uint8Array; place: (bytes: Uint8Array) => ByteSource } {
  const [name, bytes] = Object.entries(files)[0]!;
  return { bytes, place: (own) => memorySource(own, name, { ...files, [name]: own }) };
}

test.each([
  ["index", shardedSeed()],
  ["manifest", rawSeed()],
])("an %s cut at every byte, and 500 rounds of flipped bits", async (_, seed) => {
  const { bytes, place } = damaged(seed);
  await expectCutsRefused(bytes, place);
  await expectFlipsRefused(bytes, place, 500);
});

test.each(["gguf/types.gguf", "npz/others.npz"])("%s, 500 rounds of flipped bits", (name) =>
  expectFlipsRefused(fixture(name), memorySource, 500),
);

test("a GGUF header cut at every byte", async () => {
  const bytes = fixture("gguf/types.gguf");
  await expectCutsRefused(bytes.subarray(0, 1800), memorySource);
});

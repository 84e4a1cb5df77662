/** Every tiny fixture, cut at every byte: a file that ends early is a model or one of our errors. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { isWeightGraphError, memorySource, readModel } from "../../src/index.ts";
import { expectCutsRefused } from "../helpers/corruption.ts";

const largest = 40_000;
const folders = ["fixtures/tiny", "fixtures/mnist-mlp"];

const files = folders
  .flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => join(folder, name)),
  )
  .filter((path) => statSync(path).isFile() && !path.endsWith(".expected.json"));

/** The other files of its folder, which a model may name. */
function siblingsOf(path: string): Record<string, Uint8Array> {
  const beside = files.filter((other) => dirname(other) === dirname(path) && other !== path);
  const small = beside.filter((other) => statSync(other).size <= largest);
  return Object.fromEntries(
    small.map((other) => [
      other.slice(dirname(path).length + 1),
      new Uint8Array(readFileSync(other)),
    ]),
  );
}

const isSmall = (path: string): boolean => statSync(path).size < largest;

test("there are small fixtures of several formats", () => {
  const folders = new Set(files.filter(isSmall).map(dirname));
  expect(folders.size).toBeGreaterThan(2);
});

test.each(files.filter(isSmall))("%s, cut at every byte", { timeout: 120_000 }, async (path) => {
  const bytes = new Uint8Array(readFileSync(path));
  const siblings = siblingsOf(path);
  await expectCutsRefused(bytes, (damaged) => memorySource(damaged, path, siblings));
});

test.each(files.filter((path) => !isSmall(path)))("%s, cut at 40 places", async (path) => {
  const bytes = new Uint8Array(readFileSync(path));
  for (let i = 0; i < 40; i++) {
    const damaged = bytes.slice(0, Math.floor((bytes.byteLength * i) / 40));
    const error: unknown = await readModel(memorySource(damaged, path)).catch((e) => e);
    const isOurs = !(error instanceof Error) || isWeightGraphError(error);
    expect(isOurs, `cut at ${damaged.byteLength}: ${String(error)}`).toBe(true);
  }
});

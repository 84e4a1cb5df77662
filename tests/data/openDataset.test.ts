import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { datasetHash } from "../../src/data/sha256.ts";
import { openDataset } from "../../src/node.ts";
import { hasSharedData } from "../helpers/shared.ts";

const fixtures = fileURLToPath(new URL("../../fixtures/mnist", import.meta.url));

describe("openDataset", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "weightgraph-"));
    await cp(fixtures, join(folder, "mnist"), { recursive: true });
  });
  afterAll(() => rm(folder, { recursive: true }));

  test("reads the digits that come with the package: balanced, 28 x 28", async () => {
    const { dataset } = await openDataset(fixtures);
    expect(dataset).toMatchObject({ name: "mnist", shape: [1, 28, 28], classes: 10 });
    for (const [split, perDigit] of [
      [dataset.train, 200],
      [dataset.test, 50],
    ] as const) {
      const counts = Array.from({ length: 10 }, (_, digit) => {
        return split.labels.filter((label) => label === digit).length;
      });
      expect(counts).toEqual(Array(10).fill(perDigit));
      expect(split.images.length).toBe(split.count * 784);
    }
    // Reference: the first digits of MNIST's training set, as every tutorial prints them.
    expect([...dataset.train.labels.subarray(0, 10)]).toEqual([5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
  });

  test("finds a name in a folder that is given, or that folder itself", async () => {
    const inside = await openDataset("mnist", { dataDir: folder });
    const itself = await openDataset("mnist", { dataDir: join(folder, "mnist") });
    expect(inside.folder).toBe(itself.folder);
    expect(await datasetHash(inside.dataset)).toBe(await datasetHash(itself.dataset));
    expect(inside.isSubset).toBe(false);
  });

  test("finds a name without being told where, and says where", async () => {
    const { dataset, folder: found, isSubset } = await openDataset("mnist");
    expect(isSubset).toBe(!hasSharedData);
    expect(found.endsWith("mnist")).toBe(true);
    expect(dataset.train.count).toBe(hasSharedData ? 60000 : 2000);
  });

  test("takes files that are not zipped", async () => {
    const plain = join(folder, "plain");
    await cp(fixtures, plain, { recursive: true });
    const name = "train-images-idx3-ubyte";
    await writeFile(join(plain, name), gunzipSync(readFileSync(join(plain, `${name}.gz`))));
    await rm(join(plain, `${name}.gz`));
    const { dataset } = await openDataset(plain);
    const zipped = await openDataset(fixtures);
    expect(await datasetHash(dataset)).toBe(await datasetHash(zipped.dataset));
  });

  test.each([
    { name: "an unknown name", ask: () => openDataset("cifar-1000") },
    { name: "a folder without it", ask: () => openDataset("mnist", { dataDir: tmpdir() }) },
    { name: "a path of nothing", ask: () => openDataset("./nowhere") },
  ])("refuses $name", async ({ ask }) => {
    await expect(ask()).rejects.toMatchObject({ code: "DATA_NOT_FOUND" });
  });

  test.each([
    {
      name: "labels of another count",
      from: "t10k-labels-idx1-ubyte",
      to: "train-labels-idx1-ubyte",
    },
    { name: "images for labels", from: "t10k-images-idx3-ubyte", to: "t10k-labels-idx1-ubyte" },
    { name: "labels for images", from: "t10k-labels-idx1-ubyte", to: "t10k-images-idx3-ubyte" },
  ])("refuses $name", async ({ from, to }) => {
    const mixed = await mkdtemp(join(folder, "mixed-"));
    await cp(fixtures, mixed, { recursive: true });
    await cp(join(fixtures, `${from}.gz`), join(mixed, `${to}.gz`));
    await expect(openDataset(mixed)).rejects.toMatchObject({ code: "DATA_MALFORMED" });
  });
});

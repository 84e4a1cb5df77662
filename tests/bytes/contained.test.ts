import { link, mkdir, mkdtemp, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { containedPath, containedTarget } from "../../src/bytes/contained.ts";

let folder: string;
let model: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "weightgraph-contained-"));
  await mkdir(join(folder, "model", "data"), { recursive: true });
  model = join(folder, "model", "net.onnx");
  await writeFile(model, "model");
  await writeFile(join(folder, "model", "data", "w.bin"), "weights");
  await writeFile(join(folder, "secret"), "secret");
});

const refusal = { code: "FILE_OUTSIDE_FOLDER" };

test("a hard link to a file outside is refused, a second name inside is not", async () => {
  await link(join(folder, "secret"), join(folder, "model", "hard.bin"));
  await expect(containedPath(model, "hard.bin")).rejects.toMatchObject(refusal);
  await link(join(folder, "model", "data", "w.bin"), join(folder, "model", "w2.bin"));
  expect(await containedPath(model, "w2.bin")).toBe(join(folder, "model", "w2.bin"));
});

test("a model that is a link finds what stands beside the file it leads to", async () => {
  await mkdir(join(folder, "snapshot"));
  await writeFile(join(folder, "model", "blob1"), "index");
  await writeFile(join(folder, "model", "blob2"), "shard");
  await symlink(join(folder, "model", "blob1"), join(folder, "snapshot", "index.json"));
  await symlink(join(folder, "model", "blob2"), join(folder, "snapshot", "1.bin"));
  await symlink(join(folder, "secret"), join(folder, "snapshot", "2.bin"));
  const index = join(folder, "snapshot", "index.json");
  expect(await containedPath(index, "1.bin")).toBe(join(folder, "model", "blob2"));
  await expect(containedPath(index, "2.bin")).rejects.toMatchObject(refusal);
});

test("targets stay below the output's folder, through links too", async () => {
  await symlink(folder, join(folder, "model", "up"));
  expect(await containedTarget(model, "data/new.bin")).toBe(join(folder, "model/data/new.bin"));
  expect(await containedTarget(model, "none/new.bin")).toBe(join(folder, "model/none/new.bin"));
  for (const name of ["up/new.bin", "../new.bin", "/tmp/new.bin", "data/../../new.bin", ""]) {
    await expect(containedTarget(model, name), name).rejects.toMatchObject(refusal);
  }
});

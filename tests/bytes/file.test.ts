import { mkdir, mkdtemp, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { fileSource, writeFileAtomically } from "../../src/bytes/file.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "weightgraph-file-"));
  await mkdir(join(folder, "model", "shards"), { recursive: true });
  await writeFile(join(folder, "secret"), "secret");
  await writeFile(join(folder, "model", "model.json"), "0123456789");
  await writeFile(join(folder, "model", "shards", "1.bin"), "shard");
  await symlink(join(folder, "secret"), join(folder, "model", "link.bin"));
  await symlink(folder, join(folder, "model", "up"));
});

describe("fileSource", () => {
  test("gives spans, and refuses spans outside the file", async () => {
    const source = await fileSource(join(folder, "model", "model.json"));
    expect(source).toMatchObject({ name: "model.json", byteLength: 10 });
    expect(new TextDecoder().decode(await source.slice(3, 6))).toBe("345");
    for (const [start, end] of [
      [-1, 2],
      [5, 4],
      [5, 11],
      [0.5, 2],
      [0, NaN],
      [2 ** 60, 2 ** 61],
    ] as const) {
      await expect(source.slice(start, end)).rejects.toMatchObject({ code: "FORMAT_TRUNCATED" });
    }
  });

  test("finds siblings in its folder", async () => {
    const source = await fileSource(join(folder, "model", "model.json"));
    expect((await source.sibling("shards/1.bin")).byteLength).toBe(5);
    await expect(source.sibling("2.bin")).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
  });

  test.each([
    "../secret",
    "shards/../../secret",
    "/etc/passwd",
    "link.bin",
    "up/secret",
    "",
    "a\0b",
    "C:\\x",
    "..\\secret",
  ])("refuses a sibling outside its folder: %j", async (name) => {
    const source = await fileSource(join(folder, "model", "model.json"));
    await expect(source.sibling(name)).rejects.toMatchObject({ code: "FILE_OUTSIDE_FOLDER" });
  });

  test("names a missing file and a folder", async () => {
    await expect(fileSource(join(folder, "none"))).rejects.toMatchObject({
      code: "FILE_NOT_FOUND",
    });
    await expect(fileSource(folder)).rejects.toMatchObject({ code: "FILE_NOT_READABLE" });
  });
});

describe("writeFileAtomically", () => {
  test("never replaces a file without being told to, and leaves no temporary file", async () => {
    const path = join(folder, "out", "a.txt");
    await writeFileAtomically(path, "one");
    await expect(writeFileAtomically(path, "two")).rejects.toMatchObject({ code: "FILE_EXISTS" });
    expect(await readFile(path, "utf8")).toBe("one");
    await writeFileAtomically(path, "three", { overwrite: true });
    expect(await readFile(path, "utf8")).toBe("three");
    expect(await readdir(join(folder, "out"))).toEqual(["a.txt"]);
  });

  test("says so when the folder cannot be made", async () => {
    const path = join(folder, "secret", "under-a-file.txt");
    await expect(writeFileAtomically(path, "x")).rejects.toMatchObject({
      code: "FILE_NOT_WRITABLE",
    });
  });
});

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { isWeightGraphError, openModel } from "../../../src/node.ts";

test.each(["../secret.bin", "/etc/hostname", "a/../../secret.bin", "C:\\secret.bin"])(
  "a shard called %s is refused",
  async (path) => {
    const folder = await mkdtemp(join(tmpdir(), "tfjs-"));
    try {
      const manifest = [{ paths: [path], weights: [{ name: "w", shape: [1], dtype: "float32" }] }];
      await writeFile(join(folder, "model.json"), JSON.stringify(manifest));
      const error: unknown = await openModel(join(folder, "model.json")).catch((e) => e);
      expect(isWeightGraphError(error, "FILE_OUTSIDE_FOLDER"), String(error)).toBe(true);
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);

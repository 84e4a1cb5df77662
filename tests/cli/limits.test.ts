import { spawnSync } from "node:child_process";
import { mkdtemp, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { takeLimits } from "../../cli/limits.ts";
import { weightgraph } from "../helpers/commandLine.ts";

const model = "fixtures/mnist-mlp/final.onnx";

describe("takeLimits", () => {
  test("takes its switches out, joined or not", () => {
    expect(
      takeLimits(["layers", "--max-memory", "1.5G", "x", "--timeout=500ms", "--debug", "--json"]),
    ).toEqual({
      argv: ["layers", "x", "--json"],
      debug: true,
      limits: { maxMemory: 1.5 * 2 ** 30, timeoutMs: 500 },
    });
    expect(takeLimits(["--max-file-size", "10k"]).limits).toEqual({ maxFileSize: 10_240 });
    expect(takeLimits(["--timeout", "2m"]).limits).toEqual({ timeoutMs: 120_000 });
  });

  test.each([["--max-memory"], ["--max-memory", "-1"], ["--timeout", "soon"], ["--timeout=0"]])(
    "%s %s is refused",
    async (...argv) => {
      expect(await weightgraph(["layers", model, ...argv])).toMatchObject({
        code: 2,
        stderr: expect.stringContaining("USAGE_INVALID_OPTION") as string,
      });
    },
  );
});

test("a file over --max-file-size is not read", async () => {
  const { code, stderr } = await weightgraph(["layers", model, "--max-file-size", "50k"]);
  expect(stderr).toContain("FORMAT_LIMIT");
  expect(code).toBe(5);
});

test("a read past --max-memory is not made", async () => {
  const { code, stderr } = await weightgraph(["analyze", model, "--max-memory", "1M"]);
  expect(stderr).toContain("FORMAT_LIMIT");
  expect(code).toBe(5);
});

describe("a process", () => {
  const run = (...argv: string[]): { status: number | null; stderr: string } =>
    spawnSync(process.execPath, ["dist/cli/main.js", ...argv], { encoding: "utf8" });

  test("ends once its time is up, with the exit code of a limit", async () => {
    const folder = await mkdtemp(join(tmpdir(), "weightgraph-limits-"));
    const big = join(folder, "big.safetensors");
    const header = JSON.stringify({
      w: { dtype: "F32", shape: [20_000, 100_000], data_offsets: [0, 8e9] },
    });
    const start = new Uint8Array(8 + header.length);
    new DataView(start.buffer).setBigUint64(0, BigInt(header.length), true);
    start.set(new TextEncoder().encode(header), 8);
    await writeFile(big, start);
    await truncate(big, start.length + 8e9);
    const { status, stderr } = run("layers", big, "--timeout", "300ms");
    expect(stderr).toContain("LIMIT_TIME");
    expect(status).toBe(5);
  });

  test("that never yields is ended as well", () => {
    // A core number of a dense block takes long, in one piece.
    const rows = Array.from({ length: 1200 }, (_, r) =>
      Array.from({ length: 1200 }, (__, c) => Math.sin(r * 1200 + c)),
    );
    const document = JSON.stringify({ blocks: [{ from: "a", to: "b", weights: rows }] });
    const { status, stderr } = spawnSync(
      process.execPath,
      ["dist/cli/main.js", "analyze", "-", "--format", "matrix", "--timeout", "1ms"],
      { encoding: "utf8", input: document },
    );
    expect(stderr).toContain("LIMIT_TIME");
    expect(status).toBe(5);
  });
});

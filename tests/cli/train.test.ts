import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { openModel } from "../../src/node.ts";
import { weightgraph, weightgraphJson } from "../helpers/commandLine.ts";

const small = ["train", "--model", "mlp", "--hidden", "8", "--data", "fixtures/mnist", "--epochs"];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "weightgraph-train-"));
});

async function bytesOf(run: string): Promise<Record<string, string>> {
  const names = (await readdir(run)).filter((name) => name.endsWith(".safetensors"));
  const files = await Promise.all(names.map((name) => readFile(join(run, name), "base64")));
  return Object.fromEntries(names.map((name, i) => [name, files[i]!]));
}

describe("train", () => {
  test("one readable snapshot per epoch, a log, a manifest; epochs reads them", async () => {
    const out = join(folder, "one");
    const document = await weightgraphJson([...small, "2", "--out", out]);
    expect(document).toMatchObject({ schema: "weightgraph.train", version: 1 });
    const names = ["epoch_000", "epoch_001", "epoch_002"].map((name) => `${name}.safetensors`);
    expect(Object.keys(await bytesOf(out))).toEqual(names);
    expect((await openModel(join(out, names[2]!))).layers).toHaveLength(2);
    const { epochs } = await weightgraphJson(["epochs", out]);
    const metrics = (epochs as { metrics: Record<string, number> }[]).map((each) => each.metrics);
    expect(metrics[2]!["test_acc"]).toBeGreaterThan(metrics[0]!["test_acc"]! + 0.2);
  });

  test("the same seed gives the same bytes, another seed others", async () => {
    const runs = ["7", "7", "8"].map((seed, i) => ({ seed, out: join(folder, `seed-${i}`) }));
    for (const { seed, out } of runs) {
      expect((await weightgraph([...small, "1", "--seed", seed, "--out", out])).code).toBe(0);
    }
    const [first, same, other] = await Promise.all(runs.map(({ out }) => bytesOf(out)));
    expect(same).toEqual(first);
    expect(other).not.toEqual(first);
  });

  test("a run that is there is not replaced unasked; resuming adds epochs", async () => {
    const out = join(folder, "again");
    await weightgraph([...small, "1", "--out", out]);
    const refused = await weightgraph([...small, "2", "--out", out]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("FILE_EXISTS");
    expect((await weightgraph([...small, "2", "--out", out, "--resume"])).code).toBe(0);
    const whole = join(folder, "whole");
    await weightgraph([...small, "2", "--out", whole]);
    expect(await bytesOf(out)).toEqual(await bytesOf(whole));
  });

  test("several learning rates and seeds make a folder each", async () => {
    const out = join(folder, "population");
    await weightgraph([...small, "0", "--lr", "0.1,0.01", "--seeds", "2", "--out", out]);
    expect((await readdir(out)).sort()).toEqual([
      "lr0.01-seed0",
      "lr0.01-seed1",
      "lr0.1-seed0",
      "lr0.1-seed1",
    ]);
  });

  test("training goes on from weights in a file", async () => {
    const from = join(folder, "one", "epoch_002.safetensors");
    const out = join(folder, "from");
    await weightgraph([...small, "0", "--from", from, "--out", out]);
    const start = (await openModel(join(out, "epoch_000.safetensors"))).tensors[0]!;
    const end = (await openModel(from)).tensors[0]!;
    expect(await start.read()).toEqual(await end.read());
  });

  test.each([
    { flag: ["--model", "resnet9000"], says: "USAGE_UNKNOWN_MODEL" },
    { flag: ["--data", "no-such-data"], says: "DATA_NOT_FOUND" },
    { flag: ["--engine", "abacus"], says: "USAGE_UNKNOWN_PART" },
    { flag: ["--lr", "fast"], says: "not a number" },
    { flag: ["--set", "speed=1"], says: "USAGE_INVALID_OPTION" },
  ])("$flag is refused: $says", async ({ flag, says }) => {
    const out = join(folder, "refused");
    const others = ["--model", "mlp", "--data", "fixtures/mnist", "--epochs", "1"];
    const at = others.indexOf(flag[0]!);
    if (at >= 0) others.splice(at, 2);
    const { code, stderr } = await weightgraph(["train", ...others, "--out", out, ...flag]);
    expect(code).toBeGreaterThanOrEqual(2);
    expect(stderr).toContain(says);
    await expect(readdir(out)).rejects.toThrow();
  });

  test("Ctrl-C ends with 130, leaves whole files only, and can be resumed", async () => {
    const out = join(folder, "interrupted");
    const argv = ["dist/cli/main.js", ...small, "200", "--out", out];
    const child = spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "pipe"] });
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    child.stdout.once("data", () => setTimeout(() => child.kill("SIGINT"), 300));
    const code = await new Promise((resolve) => child.once("exit", resolve));
    expect(code).toBe(130);
    expect(stderr).toContain("--resume");
    const names = await readdir(out);
    expect(names.filter((name) => name.endsWith(".tmp"))).toEqual([]);
    const snapshots = names.filter((name) => name.endsWith(".safetensors"));
    expect(snapshots.length).toBeGreaterThan(0);
    for (const name of snapshots) {
      expect((await openModel(join(out, name))).layers).toHaveLength(2);
    }
  });
});

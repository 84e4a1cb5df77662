import { chmod, mkdir, mkdtemp, readdir, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { globMatcher, isGlobPattern, splitGlobPattern } from "../../../src/bytes/globPattern.ts";
import { isSeriesManifest, openSeries, type Series } from "../../../src/node.ts";
import { weightgraph, weightgraphJson } from "../../helpers/commandLine.ts";
import { codes, epochsOf, messageOf, network } from "../../helpers/series.ts";

let root = "";
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "weightgraph-series-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const put = async (files: Readonly<Record<string, Uint8Array | string>>): Promise<void> => {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), content);
  }
};
const open = (...names: string[]): Promise<Series> =>
  openSeries(names.map((name) => join(root, name)));
const three = {
  "a/epoch_0.safetensors": network(2),
  "a/epoch_1.safetensors": network(2),
  "a/epoch_2.safetensors": network(2),
};

describe("patterns", () => {
  test.each([
    ["*.pt", "a.pt", true],
    ["*.pt", "b/a.pt", false],
    ["**/*.pt", "a.pt", true],
    ["**/*.pt", "b/c/a.pt", true],
    ["epoch_?.pt", "epoch_1.pt", true],
    ["epoch_?.pt", "epoch_10.pt", false],
    ["epoch_[0-3].pt", "epoch_2.pt", true],
    ["epoch_[!0-3].pt", "epoch_2.pt", false],
    ["[^a].pt", "b.pt", true],
    ["{a,b{c,d}}.pt", "bd.pt", true],
    ["{a,b}.pt", "c.pt", false],
    ["a+(1).pt", "a+(1).pt", true],
    ["\\*.pt", "*.pt", true],
    ["\\*.pt", "a.pt", false],
    ["ä?.pt", "ä😀.pt", true],
  ] as const)("%s, %s: %s", (pattern, path, expected) => {
    expect(globMatcher(pattern)(path)).toBe(expected);
  });

  test.each([
    ["runs/a/*.pt", "runs/a", "*.pt"],
    ["*.pt", ".", "*.pt"],
    ["/r*/a.pt", "/", "r*/a.pt"],
    ["/a/b?/c/*.pt", "/a", "b?/c/*.pt"],
  ])("%s begins in %s", (pattern, folder, rest) => {
    expect(splitGlobPattern(pattern)).toEqual({ folder, rest });
    expect(isGlobPattern(pattern)).toBe(true);
  });

  test.each(["plain/epoch=1.ckpt", "a{b}.pt", "a[].pt"])("%s is none", (path) =>
    expect(isGlobPattern(path)).toBe(false),
  );

  test.each(["[z-a]", Array.from({ length: 6 }, () => "{a,b,c,d}").join("")])(
    "%s is refused",
    (pattern) => {
      expect(() => globMatcher(pattern)).toThrow(
        expect.objectContaining({ code: "USAGE_INVALID_OPTION" }),
      );
    },
  );

  test("files, with the log beside them", async () => {
    await put({ ...three, "a/log.json": '{"loss":[3,2,1]}', "b/epoch_9.safetensors": network(2) });
    const series = await open("a/epoch_[01].*");
    expect(epochsOf(series)).toEqual([0, 1]);
    expect(series.snapshots[1]!.metrics).toEqual({ loss: 2 });
  });

  test("folders", async () => {
    await put({
      "checkpoint-10/model.safetensors": network(2),
      "checkpoint-20/model.safetensors": network(2),
      "other-30/model.safetensors": network(2),
    });
    expect(epochsOf(await open("checkpoint-*"))).toEqual([10, 20]);
  });

  test("a file of that very name", async () => {
    await put({ "epoch_1[a].safetensors": network(2) });
    expect((await open("epoch_1[a].safetensors")).snapshots).toHaveLength(1);
  });

  test("no match", async () => {
    await expect(open("*.pt")).rejects.toMatchObject({ code: "SERIES_EMPTY" });
    await expect(open("gone/*.pt")).rejects.toMatchObject({ code: "SERIES_EMPTY" });
    expect((await weightgraph(["epochs", join(root, "*.pt")])).code).toBe(3);
  });
});

describe("manifests", () => {
  const models = { "x.safetensors": network(2), "y.safetensors": network(2) };

  test.each([
    [
      "list.json",
      '[{"file":"y.safetensors","epoch":0,"loss":2},{"path":"x.safetensors","epoch":5}]',
    ],
    [
      "list.json",
      '{"run":"r","checkpoints":[{"checkpoint":"./y.safetensors","epoch":0,"metrics":{"loss":2}},{"file":"x.safetensors","epoch":5}]}',
    ],
    [
      "list.jsonl",
      '{"file":"y.safetensors","epoch":0,"loss":2}\n{"file":"x.safetensors","epoch":5}\n',
    ],
    ["list.csv", "file,epoch,loss\ny.safetensors,0,2\nx.safetensors,5,\n"],
    ["list.csv", "epoch;file;loss\n0;y.safetensors;2,0\n5;x.safetensors;\n"],
  ])("%s %j", async (name, text) => {
    await put({ ...models, [name]: text });
    const series = await open(name);
    expect(series.snapshots.map(({ epoch, name, metrics }) => [epoch, name, metrics])).toEqual([
      [0, "y.safetensors", { loss: 2 }],
      [5, "x.safetensors", {}],
    ]);
    expect(codes(series)).toEqual([]);
    expect(await isSeriesManifest(join(root, name))).toBe(true);
  });

  test("files by epoch, steps, and names without either", async () => {
    await put({
      ...models,
      "map.json": '{"7":"x.safetensors","3":"y.safetensors"}',
      "steps.json": '[{"file":"x.safetensors","step":70}]',
      "plain.json": '["y.safetensors","x.safetensors"]',
    });
    expect(epochsOf(await open("map.json"))).toEqual([3, 7]);
    expect((await open("steps.json")).unit).toBe("step");
    const plain = await open("plain.json");
    expect(plain.snapshots.map(({ name }) => name)).toEqual(["y.safetensors", "x.safetensors"]);
    expect(codes(plain)).toEqual(["SERIES_ORDER"]);
  });

  test("in a folder it dates what names do not", async () => {
    await put({
      ...models,
      "manifest.json": '[{"file":"x.safetensors","epoch":0},{"file":"y.safetensors","epoch":1}]',
    });
    const series = await openSeries(root);
    expect(series.snapshots.map(({ name }) => name)).toEqual(["x.safetensors", "y.safetensors"]);
    expect(codes(series)).toEqual([]);
  });

  test("what it names and is not there, and what it names twice", async () => {
    await put({
      ...models,
      "list.json":
        '[{"file":"x.safetensors","epoch":0},{"file":"gone.pt","epoch":1},{"file":"x.safetensors","epoch":2}]',
    });
    const series = await open("list.json");
    expect(epochsOf(series)).toEqual([0]);
    expect(codes(series)).toEqual(["SERIES_DUPLICATE", "SERIES_UNREADABLE"]);
    expect(messageOf(series, "SERIES_UNREADABLE")).toContain("gone.pt");
  });

  test.each(["../out.safetensors", "/etc/hostname", "link.safetensors", "C:\\\\x.safetensors"])(
    "%s leads out",
    async (file) => {
      await put({
        "in/list.json": `[{"file":"${file}","epoch":0}]`,
        "out.safetensors": network(2),
      });
      await symlink(join(root, "out.safetensors"), join(root, "in/link.safetensors"));
      await expect(open("in/list.json")).rejects.toMatchObject({ code: "FILE_OUTSIDE_FOLDER" });
    },
  );

  test("JSON that is no list of checkpoints", async () => {
    await put({ "a.json": '{"a":1}', "b.json": "[1,2]", "c.csv": "a,b\n1,2\n" });
    for (const name of ["a.json", "b.json", "c.csv"]) {
      expect(await isSeriesManifest(join(root, name)), name).toBe(false);
      await expect(open(name)).rejects.toMatchObject({ code: "SERIES_EMPTY" });
    }
  });
});

describe("files one by one", () => {
  test("with epochs in their names, with one log", async () => {
    await put({ ...three, "a/log.json": '{"loss":[3,2,1]}' });
    const series = await open("a/epoch_2.safetensors", "a/epoch_0.safetensors");
    expect(epochsOf(series)).toEqual([0, 2]);
    expect(series.snapshots[0]!.metrics).toEqual({ loss: 3 });
  });

  test("without, in the order given", async () => {
    await put({ "z.safetensors": network(2), "a.safetensors": network(2) });
    const series = await open("z.safetensors", "a.safetensors");
    expect(series.snapshots.map(({ name, epoch }) => [name, epoch])).toEqual([
      ["z.safetensors", 0],
      ["a.safetensors", 1],
    ]);
    expect(codes(series)).toEqual(["SERIES_ORDER"]);
  });

  test("folders of epochs, as a shell expands a pattern", async () => {
    await put({
      "checkpoint-10/model.safetensors": network(2),
      "checkpoint-20/model.safetensors": network(2),
    });
    expect(epochsOf(await open("checkpoint-10", "checkpoint-20"))).toEqual([10, 20]);
  });
});

describe("folders that are not plain", () => {
  test("links in a circle, links to files, links to nowhere", async () => {
    await put(three);
    await symlink(root, join(root, "a/loop"));
    await symlink(join(root, "a/epoch_2.safetensors"), join(root, "a/epoch_3.safetensors"));
    await symlink(join(root, "gone"), join(root, "a/epoch_4.safetensors"));
    const series = await openSeries(join(root, "a"));
    expect(epochsOf(series)).toEqual([0, 1, 2, 3]);
    expect(messageOf(series, "SERIES_FOLDER_LEFT_OUT")).toMatch(/loop.*epoch_4|epoch_4.*loop/);
  });

  test("a folder too deep is named", async () => {
    await put({ ...three, "1/2/3/4/5/6/7/8/9/epoch_7.safetensors": network(2) });
    expect(messageOf(await openSeries(root), "SERIES_FOLDER_LEFT_OUT")).toContain("8/9");
  });

  test.skipIf(process.getuid?.() === 0)("a folder and a file without permission", async () => {
    await put({ ...three, "shut/epoch_9.safetensors": network(2) });
    await chmod(join(root, "shut"), 0);
    await chmod(join(root, "a/epoch_1.safetensors"), 0);
    const series = await openSeries(root);
    await chmod(join(root, "shut"), 0o700);
    expect(epochsOf(series)).toEqual([0, 2]);
    expect(messageOf(series, "SERIES_FOLDER_LEFT_OUT")).toContain("shut");
    expect(messageOf(series, "SERIES_UNREADABLE")).toContain("epoch_1");
  });

  test("an empty folder is nothing to analyse", async () => {
    expect(await weightgraph(["epochs", root])).toMatchObject({
      code: 3,
      stdout: "",
      stderr: expect.stringContaining("SERIES_EMPTY") as string,
    });
  });

  test("a log of a gigabyte is not read", async () => {
    await put({ ...three, "a/log.json": "" });
    await truncate(join(root, "a/log.json"), 2 ** 30);
    expect(messageOf(await openSeries(root), "SERIES_LOG_UNREADABLE")).toContain(
      "1073741824 bytes",
    );
  });

  test("thousands of files, and no handle is left open", async () => {
    const bytes = network(2);
    await mkdir(join(root, "many"));
    for (let epoch = 0; epoch < 3000; epoch++) {
      await writeFile(join(root, `many/epoch_${epoch}.safetensors`), bytes);
    }
    const handles = async (): Promise<number> => (await readdir("/proc/self/fd")).length;
    const before = process.platform === "linux" ? await handles() : 0;
    const series = await openSeries(join(root, "many"));
    expect(series.snapshots).toHaveLength(3000);
    if (process.platform === "linux") expect(await handles()).toBeLessThanOrEqual(before + 4);
  });
});

describe("epochs", () => {
  test("a damaged checkpoint and one with NaN are left out and named", async () => {
    const broken = network(2).slice(0, -4);
    const diverged = network(2);
    new DataView(diverged.buffer).setFloat32(diverged.byteLength - 4, NaN, true);
    const sound = network(2);
    new DataView(sound.buffer).setFloat32(sound.byteLength - 4, 1, true);
    new DataView(sound.buffer).setFloat32(sound.byteLength - 8, 1, true);
    await put({
      "epoch_0.safetensors": sound,
      "epoch_1.safetensors": broken,
      "epoch_2.safetensors": diverged,
      "epoch_3.safetensors": sound,
      "log.json": '[{"epoch":0,"loss":NaN},{"epoch":3,"loss":1}]',
    });
    const document = await weightgraphJson(["epochs", root]);
    expect(document).toMatchObject({
      series: { snapshots: 2, unit: "epoch", formats: ["safetensors"] },
      epochs: [
        { epoch: 0, metrics: { loss: null }, step: null, format: "safetensors" },
        { epoch: 3, metrics: { loss: 1 } },
      ],
      logs: [{ name: "log.json", by: "epoch", records: 2, attached: 2 }],
    });
    const told = (document["warnings"] as { code: string }[]).map(({ code }) => code);
    expect(told).toEqual(
      expect.arrayContaining([
        "SERIES_UNREADABLE",
        "SERIES_NOT_FINITE",
        "SERIES_METRIC_NOT_FINITE",
      ]),
    );
    expect((await weightgraph(["epochs", root])).code).toBe(0);
  });

  test("layers that change their names are followed", async () => {
    const filled = (name: string): Uint8Array => {
      const bytes = network(2, name);
      new DataView(bytes.buffer).setFloat32(bytes.byteLength - 4, 1, true);
      return bytes;
    };
    await put({ "epoch_0.safetensors": filled("old"), "epoch_1.safetensors": filled("new") });
    const document = await weightgraphJson([
      "epochs",
      root,
      "--scope",
      "layer",
      "--measures",
      "degree",
    ]);
    const layers = (document["records"] as { layer: string }[]).map(({ layer }) => layer);
    expect(new Set(layers).size).toBe(2);
    expect(JSON.stringify(document["warnings"])).toContain("SERIES_RENAMED");
  });

  test("all checkpoints damaged: the first failure", async () => {
    await put({ "epoch_0.safetensors": network(2).slice(0, -4) });
    expect(await weightgraph(["epochs", root])).toMatchObject({
      code: 4,
      stderr: expect.stringContaining("FORMAT_TRUNCATED") as string,
    });
  });
});

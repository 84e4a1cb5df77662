import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sha256 } from "../../src/data/sha256.ts";
import {
  openSeries,
  trainToFolder,
  wasmEngine,
  writeFileAtomically,
  type RecordedEpoch,
  type TrainToFolderOptions,
} from "../../src/node.ts";
import { smallMlp, smallMnist } from "./smallRun.ts";

let folder: string;
let out: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "weightgraph-"));
  out = join(folder, "run");
});
afterEach(() => rm(folder, { recursive: true }));

const settings = async (): Promise<TrainToFolderOptions> => ({
  out,
  data: await smallMnist(211, 57),
  architecture: smallMlp,
  engine: wasmEngine(),
  epochs: 3,
  batch: 25,
  seed: 4,
});

describe("a run in a folder", () => {
  test("is a series with metrics, and a manifest that holds every setting and hash", async () => {
    const epochs = await collect(trainToFolder(await settings()));
    const series = await openSeries(out);
    expect(series.warnings).toEqual([]);
    expect(series.snapshots.map(({ epoch }) => epoch)).toEqual([0, 1, 2, 3]);
    for (const [i, snapshot] of series.snapshots.entries()) {
      expect(snapshot.metrics).toEqual(epochs[i]!.metrics);
      const { tensors } = await snapshot.load();
      const values = await Promise.all(tensors.map((tensor) => tensor.read()));
      expect(values).toEqual(epochs[i]!.weights.map((tensor) => tensor.values));
    }
    const manifest = JSON.parse(await readFile(join(out, "run.json"), "utf8")) as Manifest;
    expect(manifest).toMatchObject({
      schema: "weightgraph.run",
      version: 1,
      seed: 4,
      epochs: 3,
      batch: 25,
      shuffle: true,
      model: smallMlp,
      optimizer: { name: "adam", options: { learningRate: 0.001, beta1: 0.9, beta2: 0.999 } },
      loss: "crossEntropy",
      initializer: "torchDefault",
      data: { name: "mnist", train: 211, test: 57 },
      engine: { name: "wasm", precision: "float32" },
    });
    for (const { file, sha256: hash } of manifest.snapshots) {
      expect(await sha256(await readFile(join(out, file)))).toBe(hash);
    }
  });

  test("has the same bytes for the same settings", async () => {
    await collect(trainToFolder(await settings()));
    const first = await contents(out);
    await collect(trainToFolder({ ...(await settings()), overwrite: true }));
    expect(await contents(out)).toEqual(first);
  });

  test("leaves nothing of a longer run that it replaces", async () => {
    await collect(trainToFolder(await settings()));
    await collect(trainToFolder({ ...(await settings()), epochs: 1, overwrite: true }));
    const names = [".resume/epoch_001", "epoch_000", "epoch_001"].map((n) => `${n}.safetensors`);
    expect([...(await contents(out)).keys()]).toEqual([...names, "log.json", "run.json"]);
  });
});

describe("an interrupted run, resumed, ends in the bytes of one that was not", () => {
  const interruptions: {
    name: string;
    interrupt: (options: TrainToFolderOptions) => Promise<void>;
  }[] = [
    { name: "left after epoch 1", interrupt: (options) => leaveAfter(options, 1) },
    { name: "left after epoch 0", interrupt: (options) => leaveAfter(options, 0) },
    { name: "left after the end", interrupt: (options) => leaveAfter(options, 3) },
    { name: "begun for fewer epochs", interrupt: (o) => leaveAfter({ ...o, epochs: 2 }, 2) },
    { name: "stopped by a signal in epoch 2", interrupt: abortInEpoch2 },
    { name: "stopped by a signal before it began", interrupt: abortAtOnce },
    { name: "never begun", interrupt: async () => undefined },
    {
      name: "stopped between a snapshot and the manifest",
      async interrupt(options) {
        await leaveAfter(options, 1);
        await writeFileAtomically(join(out, "epoch_002.safetensors"), "half a network");
      },
    },
  ];
  test.each(interruptions)("$name", async ({ interrupt }) => {
    const options = await settings();
    const whole = join(folder, "whole");
    await collect(trainToFolder({ ...options, out: whole }));
    await interrupt(options);
    await collect(trainToFolder({ ...options, resume: true }));
    expect(await contents(out)).toEqual(await contents(whole));
  });
});

describe("a run is refused", () => {
  test("where another is kept", async () => {
    await leaveAfter(await settings(), 0);
    const before = await contents(out);
    const run = collect(trainToFolder(await settings()));
    await expect(run).rejects.toMatchObject({ code: "FILE_EXISTS" });
    expect(await contents(out)).toEqual(before);
  });

  test("over snapshots of unknown origin", async () => {
    await writeFileAtomically(join(out, "epoch_000.safetensors"), "somebody's");
    const run = collect(trainToFolder(await settings()));
    await expect(run).rejects.toMatchObject({ code: "FILE_EXISTS" });
    expect(await readFile(join(out, "epoch_000.safetensors"), "utf8")).toBe("somebody's");
  });

  test.each<{ name: string; change: Partial<TrainToFolderOptions> }>([
    { name: "another seed", change: { seed: 5 } },
    { name: "another batch", change: { batch: 26 } },
    { name: "another learning rate", change: { options: { learningRate: 0.1 } } },
  ])("when resumed with $name", async ({ change }) => {
    await leaveAfter(await settings(), 1);
    const run = collect(trainToFolder({ ...(await settings()), ...change, resume: true }));
    await expect(run).rejects.toMatchObject({ code: "USAGE_INVALID_OPTION" });
  });

  test("when resumed on other data", async () => {
    await leaveAfter(await settings(), 1);
    const data = await smallMnist(211, 56);
    const run = collect(trainToFolder({ ...(await settings()), data, resume: true }));
    await expect(run).rejects.toMatchObject({ code: "USAGE_INVALID_OPTION" });
  });

  test.each<{ name: string; file: string; content: string }>([
    { name: "whose state was changed", file: ".resume/epoch_001.safetensors", content: "no" },
    { name: "whose manifest is no JSON", file: "run.json", content: "{" },
    { name: "whose manifest is another's", file: "run.json", content: '{"schema": "run"}' },
    {
      name: "whose manifest leads out of the folder",
      file: "run.json",
      content: JSON.stringify({
        schema: "weightgraph.run",
        version: 1,
        snapshots: [],
        resume: { epoch: 1, file: "../../secret.safetensors", sha256: "" },
      }),
    },
  ])("$name", async ({ file, content }) => {
    await leaveAfter(await settings(), 1);
    await writeFileAtomically(join(out, file), content, { overwrite: true });
    const run = collect(trainToFolder({ ...(await settings()), resume: true }));
    await expect(run).rejects.toMatchObject({ code: "FORMAT_MALFORMED" });
  });
});

interface Manifest {
  readonly snapshots: readonly { readonly file: string; readonly sha256: string }[];
}

async function collect(epochs: AsyncIterable<RecordedEpoch>): Promise<RecordedEpoch[]> {
  const all: RecordedEpoch[] = [];
  for await (const epoch of epochs) all.push(epoch);
  return all;
}

async function leaveAfter(options: TrainToFolderOptions, last: number): Promise<void> {
  for await (const { epoch } of trainToFolder(options)) if (epoch === last) break;
}

async function abortInEpoch2(options: TrainToFolderOptions): Promise<void> {
  const controller = new AbortController();
  const run = trainToFolder({
    ...options,
    signal: controller.signal,
    onProgress: ({ epoch }) => epoch === 2 && controller.abort(new Error("enough")),
  });
  await expect(collect(run)).rejects.toThrow("enough");
}

async function abortAtOnce(options: TrainToFolderOptions): Promise<void> {
  const signal = AbortSignal.abort(new Error("enough"));
  await expect(collect(trainToFolder({ ...options, signal }))).rejects.toThrow("enough");
}

/** Every file below `path`, hidden ones and half-written ones too, with its bytes. */
async function contents(path: string): Promise<Map<string, string>> {
  const names = await readdir(path, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile());
  const pairs = files.map(async ({ name, parentPath }) => {
    const file = join(parentPath, name);
    return [file.slice(path.length + 1), await readFile(file, "latin1")] as const;
  });
  return new Map((await Promise.all(pairs)).sort(([a], [b]) => (a < b ? -1 : 1)));
}

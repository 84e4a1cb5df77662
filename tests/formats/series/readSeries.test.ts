import { describe, expect, test } from "vitest";
import {
  isWeightGraphError,
  layeredGraph,
  openSeries,
  readSeries,
  temporalSignature,
  writeSafetensors,
} from "../../../src/node.ts";
import { floatArray, zipBytes } from "../../helpers/numpy.ts";
import { codes, epochsOf, folder, messageOf, network } from "../../helpers/series.ts";
import { hasSharedData, sharedPath } from "../../helpers/shared.ts";

test("numbers count, and logs and names give metrics", async () => {
  const series = await readSeries(
    "run",
    folder({
      "n.107-0.9.safetensors": network(2),
      "n.99-0.8.safetensors": network(2),
      "log.json": '[{"epoch":99,"loss":0.5}]',
    }),
  );
  expect(series.snapshots.map(({ epoch, metrics }) => [epoch, metrics])).toEqual([
    [99, { metric: 0.8, loss: 0.5 }],
    [107, { metric: 0.9 }],
  ]);
  expect(codes(series)).toEqual(["SERIES_NOT_LOGGED"]);
  expect(series.logs).toEqual([{ name: "log.json", by: "epoch", records: 1, attached: 1 }]);
  expect((await series.snapshots[1]!.load()).layers[0]!.in).toBe(2);
});

test("what is left out is told", async () => {
  const series = await readSeries(
    "run",
    folder({
      "a_epoch_0.safetensors": network(2),
      "a_epoch_1.safetensors": network(2),
      "a_epoch_01.safetensors": network(2),
      "a_epoch_5.safetensors": network(2),
      "b_epoch_0.safetensors": network(3),
      "a_epoch_6.safetensors": "",
      "final.safetensors": network(2),
      "notes_epoch_3.txt": "not a model",
      "log.json": "{",
    }),
  );
  expect(series.snapshots.map(({ name }) => name)).toEqual([
    "a_epoch_0.safetensors",
    "a_epoch_1.safetensors",
    "a_epoch_5.safetensors",
  ]);
  expect(codes(series)).toEqual([
    "SERIES_UNREADABLE",
    "SERIES_UNDATED",
    "SERIES_OTHERS",
    "SERIES_DUPLICATE",
    "SERIES_LOG_UNREADABLE",
    "SERIES_GAPS",
  ]);
});

test("folders may carry the date", async () => {
  const series = await readSeries(
    "run",
    folder({
      "checkpoint-500/model.safetensors": network(2),
      "checkpoint-1000/model.safetensors": network(2),
      "checkpoint-1500/model.safetensors": network(2),
    }),
  );
  expect(series.snapshots.map(({ epoch }) => epoch)).toEqual([500, 1000, 1500]);
  expect(series.warnings).toEqual([]);
});

test("another network is refused, other names are told", async () => {
  const { snapshots } = await readSeries(
    "run",
    folder({
      "epoch_0.safetensors": network(2),
      "epoch_1.safetensors": network(3),
      "epoch_2.safetensors": network(2, "renamed"),
    }),
  );
  const error: unknown = await snapshots[1]!.load().catch((e) => e);
  expect(isWeightGraphError(error, "SERIES_MISMATCH")).toBe(true);
  expect(codes(await snapshots[2]!.load())).toContain("SERIES_RENAMED");
});

test.each([
  { name: "no file", content: {}, options: {} },
  { name: "no date", content: { "final.safetensors": network(1) }, options: {} },
  {
    name: "no checkpoint of the format",
    content: { "epoch_1.safetensors": network(1) },
    options: { format: "onnx" },
  },
])("$name: an empty series", async ({ content, options }) => {
  const error: unknown = await readSeries("run", folder(content), options).catch((e) => e);
  expect(isWeightGraphError(error, "SERIES_EMPTY")).toBe(true);
});

describe("what counts as a run", () => {
  test("a format that changes on the way, in the same names", async () => {
    const series = await readSeries(
      "run",
      folder({
        "epoch_0.npz": await zipBytes({ "w.npy": floatArray([1, 2]) }),
        "epoch_1.npz": await zipBytes({ "w.npy": floatArray([1, 2]) }),
        "epoch_2.safetensors": network(2, "v"),
      }),
    );
    expect(epochsOf(series)).toEqual([0, 1, 2]);
    expect(series.snapshots.map(({ format }) => format)).toEqual(["npz", "npz", "safetensors"]);
    expect(codes(series)).toEqual(["SERIES_FORMATS"]);
    const model = await series.snapshots[2]!.load();
    expect(codes(model)).toContain("SERIES_RENAMED");
    expect(model.layers[0]!.name).toBe("w");
    expect(model.layers[0]!.tensor.name).toBe("v");
  });

  test.each([
    { name: "the same network", inputs: 2, expected: [0, 1, 2], code: "SERIES_FORMATS" },
    { name: "another network", inputs: 3, expected: [0, 1], code: "SERIES_OTHERS" },
  ])("other names and another format beside: $name", async ({ inputs, expected, code }) => {
    const series = await readSeries(
      "run",
      folder({
        "old_epoch_0.npz": await zipBytes({ "w.npy": floatArray([1, 2]) }),
        "old_epoch_1.npz": await zipBytes({ "w.npy": floatArray([1, 2]) }),
        "new_epoch_2.safetensors": network(inputs),
      }),
    );
    expect(epochsOf(series)).toEqual(expected);
    expect(codes(series)).toEqual([code]);
  });

  test("tensors in another order are the same network", async () => {
    const layers = ["b", "a"].map((name, i) => ({
      name,
      dtype: "float32" as const,
      shape: i === 0 ? [3, 2] : [1, 3],
      data: new Float32Array(i === 0 ? 6 : 3).fill(i + 1),
    }));
    const series = await readSeries(
      "run",
      folder({
        "epoch_0.safetensors": writeSafetensors({ tensors: layers }),
        "epoch_1.safetensors": writeSafetensors({ tensors: [...layers].reverse() }),
      }),
    );
    const graph = await layeredGraph(await series.snapshots[1]!.load());
    expect(graph.layers.map(({ size }) => size)).toEqual([2, 3, 1]);
    expect(graph.blocks.map(({ weights }) => weights![0])).toEqual([1, 2]);
  });

  test("two runs told apart by their day, one by its times alone", async () => {
    const runs = await readSeries(
      "run",
      folder({
        "2024-01-05_epoch0.safetensors": network(2),
        "2024-01-05_epoch1.safetensors": network(2),
        "2024-02-01_epoch0.safetensors": network(2),
        "2024-02-01_epoch1.safetensors": network(2),
        "2024-02-01_epoch2.safetensors": network(2),
      }),
    );
    expect(runs.snapshots.map(({ name }) => name.slice(0, 10))).toEqual(
      Array.from({ length: 3 }, () => "2024-02-01"),
    );
    const times = await readSeries(
      "run",
      folder({
        "2024-01-05_10-00-00_epoch0.safetensors": network(2),
        "2024-01-05_10-20-00_epoch1.safetensors": network(2),
      }),
    );
    expect(epochsOf(times)).toEqual([0, 1]);
  });

  test("several checkpoints an epoch are placed by step", async () => {
    const series = await readSeries(
      "run",
      folder({
        "epoch=0-step=100.safetensors": network(2),
        "epoch=0-step=200.safetensors": network(2),
        "epoch=1-step=300.safetensors": network(2),
      }),
    );
    expect(series.unit).toBe("step");
    expect(epochsOf(series)).toEqual([100, 200, 300]);
  });

  test.each([
    { name: "no log", log: "{}", unit: "epoch", code: ["SERIES_UNIT_ASSUMED"] },
    {
      name: "a log of steps",
      log: '[{"step":10,"loss":1},{"step":20,"loss":2}]',
      unit: "step",
      code: [],
    },
    {
      name: "a log of epochs",
      log: '[{"epoch":10,"loss":1},{"epoch":20,"loss":2}]',
      unit: "epoch",
      code: [],
    },
  ])("bare numbers and $name", async ({ log, unit, code }) => {
    const series = await readSeries(
      "run",
      folder({
        "net-10.safetensors": network(2),
        "net-20.safetensors": network(2),
        "log.json": log,
      }),
    );
    expect(series.unit).toBe(unit);
    expect(codes(series)).toEqual(code);
  });

  test("what a trainer keeps beside its checkpoints", async () => {
    const state = JSON.stringify({
      global_step: 1000,
      log_history: [
        { epoch: 0.5, step: 500, loss: 2 },
        { epoch: 1, step: 1000, loss: 1, eval_loss: NaN },
      ],
    }).replace("null", "NaN");
    const files = (step: number): Record<string, Uint8Array | string> => ({
      [`checkpoint-${step}/model.safetensors`]: network(2),
      [`checkpoint-${step}/optimizer.pt`]: network(2),
      [`checkpoint-${step}/rng_state.pth`]: network(2),
      [`checkpoint-${step}/training_args.bin`]: network(2),
      [`checkpoint-${step}/config.json`]: "{}",
      [`checkpoint-${step}/trainer_state.json`]: state,
    });
    const series = await readSeries("run", folder({ ...files(500), ...files(1000) }));
    expect(series.unit).toBe("step");
    expect(series.snapshots.map(({ name, step }) => [name, step])).toEqual([
      ["checkpoint-500/model.safetensors", 500],
      ["checkpoint-1000/model.safetensors", 1000],
    ]);
    expect(series.snapshots[0]!.metrics).toEqual({ loss: 2 });
    expect(series.snapshots[1]!.metrics).toEqual({ loss: 1, eval_loss: NaN });
    expect(codes(series)).toEqual(["SERIES_TRAINING_STATE", "SERIES_METRIC_NOT_FINITE"]);
  });

  test("logs of other runs are not taken", async () => {
    const series = await readSeries(
      "run",
      folder({
        "a/log.json": '[{"epoch":0,"loss":9}]',
        "a/epoch_0.safetensors": network(2),
        "b/checkpoints/epoch_0.safetensors": network(2),
        "b/checkpoints/epoch_1.safetensors": network(2),
        "b/logs/metrics.csv": "epoch,loss\n0,2\n1,1\n",
        "history.json": '{"acc":[0.1,0.2]}',
      }),
    );
    expect(series.snapshots.map(({ metrics }) => metrics)).toEqual([
      { loss: 2, acc: 0.1 },
      { loss: 1, acc: 0.2 },
    ]);
    expect(series.logs.map(({ name }) => name)).toEqual(["history.json", "b/logs/metrics.csv"]);
  });
});

test("gaps are told by the most frequent distance", async () => {
  const files = [500, 1000, 1500, 2500, 2600].map((step) => [
    `step_${step}.safetensors`,
    network(1),
  ]);
  const series = await readSeries("run", folder(Object.fromEntries(files) as never));
  expect(messageOf(series, "SERIES_GAPS")).toBe(
    "steps are not evenly spaced: nothing lies between 1500 to 2500",
  );
});

test("a reading that is called off stops", async () => {
  const signal = AbortSignal.abort();
  const files = folder({ "epoch_0.safetensors": network(1) });
  await expect(readSeries("run", files, { signal })).rejects.toMatchObject({ name: "AbortError" });
});

describe.skipIf(!hasSharedData)("real runs", () => {
  test("an MLP in several formats: safetensors, with the log's metrics", async () => {
    const series = await openSeries(sharedPath("checkpoints/mnist_mlp"));
    expect(series.snapshots.map(({ name }) => name)).toEqual(
      [0, 1, 2, 3, 4, 5, 6].map((epoch) => `epoch_00${epoch}.safetensors`),
    );
    expect(series.snapshots[6]!.metrics).toEqual({ test_acc: 0.9449, test_loss: 0.18507 });
    expect((await series.snapshots[6]!.load()).layers).toHaveLength(3);
  });

  test("each of its formats gives the same signature", async () => {
    const signatures = await Promise.all(
      ["safetensors", "npz", "pytorch", "keras-h5"].map(async (format) => {
        const { snapshots } = await openSeries(sharedPath("checkpoints/mnist_mlp"), { format });
        const graphs = [];
        for (const snapshot of snapshots) {
          graphs.push({ epoch: snapshot.epoch, graph: await layeredGraph(await snapshot.load()) });
        }
        return (await temporalSignature(graphs)).vector;
      }),
    );
    expect(signatures[0]).toHaveLength(7 * 2 * 5);
    for (const other of signatures) expect(other).toEqual(signatures[0]);
  });

  test("a run through all of its formats is the same series", async () => {
    const endings = ["pt", "pt", "weights.h5", "weights.h5", "npz", "safetensors", "safetensors"];
    const names = endings.map((ending, epoch) => `epoch_00${epoch}.${ending}`);
    const folders = names.map((name) => sharedPath(`checkpoints/mnist_mlp/${name}`));
    const mixed = await openSeries(folders);
    expect(mixed.snapshots.map(({ name }) => name)).toEqual(names);
    expect(codes(mixed)).toEqual(["SERIES_FORMATS"]);
    expect(mixed.snapshots[6]!.metrics["test_acc"]).toBe(0.9449);
    const plain = await openSeries(sharedPath("checkpoints/mnist_mlp"));
    for (const [i, snapshot] of mixed.snapshots.entries()) {
      const [own, other] = [await snapshot.load(), await plain.snapshots[i]!.load()];
      const [one, two] = [await layeredGraph(own), await layeredGraph(other)];
      expect(own.layers.map(({ name }) => name)).toEqual(other.layers.map(({ name }) => name));
      expect(one.layers.map(({ size }) => size)).toEqual(two.layers.map(({ size }) => size));
      expect(one.blocks.map(({ weights }) => weights)).toEqual(
        two.blocks.map(({ weights }) => weights),
      );
    }
  });

  test("twelve checkpoints of Keras, with gaps", async () => {
    const series = await openSeries(sharedPath("checkpoints/mini_xception"));
    expect(epochsOf(series)).toEqual([0, 2, 4, 8, 12, 15, 25, 37, 51, 70, 99, 107]);
    expect(series.snapshots[4]!.metrics).toEqual({ metric: 0.58 });
    expect(series.unit).toBe("epoch");
    expect(codes(series)).toEqual(["SERIES_GAPS"]);
  });
});

test("a folder that is not there", async () => {
  const error: unknown = await openSeries("/nowhere/at/all").catch((e) => e);
  expect(isWeightGraphError(error, "FILE_NOT_FOUND")).toBe(true);
  const file: unknown = await openSeries(import.meta.filename).catch((e) => e);
  expect(isWeightGraphError(file, "SERIES_EMPTY")).toBe(true);
});

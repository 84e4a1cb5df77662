import { describe, expect, test } from "vitest";
import {
  isWeightGraphError,
  memorySource,
  openSeries,
  readSeries,
  writeSafetensors,
  type SeriesFile,
} from "../../../src/node.ts";
import { hasSharedData, sharedPath } from "../../helpers/shared.ts";

const network = (inputs: number, name = "w"): Uint8Array =>
  writeSafetensors({
    tensors: [{ name, dtype: "float32", shape: [1, inputs], data: new Float32Array(inputs) }],
  });

const folder = (content: Readonly<Record<string, Uint8Array | string>>): SeriesFile[] =>
  Object.entries(content).map(([name, data]) => {
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    return { name, open: async () => memorySource(bytes, name) };
  });

const codes = (series: { warnings: readonly { code: string }[] }): string[] =>
  series.warnings.map((warning) => warning.code);

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
  expect(series.warnings).toEqual([]);
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
    "SERIES_GAPS",
    "SERIES_LOG_UNREADABLE",
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

describe.skipIf(!hasSharedData)("real runs", () => {
  test("an MLP in several formats: safetensors, with the log's metrics", async () => {
    const series = await openSeries(sharedPath("checkpoints/mnist_mlp"));
    expect(series.snapshots.map(({ name }) => name)).toEqual(
      [0, 1, 2, 3, 4, 5, 6].map((epoch) => `epoch_00${epoch}.safetensors`),
    );
    expect(series.snapshots[6]!.metrics).toEqual({ test_acc: 0.9449, test_loss: 0.18507 });
    expect((await series.snapshots[6]!.load()).layers).toHaveLength(3);
  });
});

test("a folder that is not there", async () => {
  const error: unknown = await openSeries("/nowhere/at/all").catch((e) => e);
  expect(isWeightGraphError(error, "FILE_NOT_FOUND")).toBe(true);
  const file: unknown = await openSeries(import.meta.filename).catch((e) => e);
  expect(isWeightGraphError(file, "FILE_NOT_READABLE")).toBe(true);
});

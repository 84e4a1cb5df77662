import { describe, expect, test } from "vitest";
import { isWeightGraphError, readSeries, writeSafetensors, type Model } from "../../../src/node.ts";
import { codes, folder, network } from "../../helpers/series.ts";

describe("metrics", () => {
  const three = {
    "epoch_1.safetensors": network(2),
    "epoch_2.safetensors": network(2),
    "epoch_3.safetensors": network(2),
  };

  test.each<{
    name: string;
    files: Record<string, Uint8Array | string>;
    code: string;
    loss: (number | undefined)[];
  }>([
    {
      name: "two logs that differ",
      files: {
        ...three,
        "log.json": '{"loss":[0,1,2,3]}',
        "history.csv": "epoch,loss\n1,1.5\n2,2\n3,3",
      },
      code: "SERIES_METRIC_CONFLICT",
      loss: [1, 2, 3],
    },
    {
      name: "a log that says an epoch twice",
      files: { ...three, "log.jsonl": '{"epoch":1,"loss":1}\n{"epoch":1,"loss":5}' },
      code: "SERIES_METRIC_CONFLICT",
      loss: [5, undefined, undefined],
    },
    {
      name: "a log that may count from 0",
      files: { ...three, "log.json": '{"loss":[1,2,3]}' },
      code: "SERIES_LOG_OFFSET",
      loss: [2, 3, undefined],
    },
    {
      name: "logged epochs without a checkpoint",
      files: { ...three, "log.json": '{"loss":[0,1,2,3,4]}' },
      code: "SERIES_NOT_SAVED",
      loss: [1, 2, 3],
    },
    {
      name: "a log of steps that run like epochs",
      files: {
        ...three,
        "log.json": '[{"step":1,"loss":1},{"step":2,"loss":2},{"step":3,"loss":3}]',
      },
      code: "SERIES_LOG_BY",
      loss: [1, 2, 3],
    },
    {
      name: "a log of steps",
      files: { ...three, "log.json": '[{"step":1,"loss":1},{"step":500,"loss":2}]' },
      code: "SERIES_LOG_UNUSED",
      loss: [undefined, undefined, undefined],
    },
    {
      name: "binary junk",
      files: { ...three, "log.json": Uint8Array.of(0, 255, 254, 3) },
      code: "SERIES_LOG_UNREADABLE",
      loss: [undefined, undefined, undefined],
    },
    {
      name: "lines with an epoch each twice",
      files: { ...three, "train_log.txt": "epoch 1 loss 1\nepoch 1 loss 2" },
      code: "SERIES_LOG_UNREADABLE",
      loss: [undefined, undefined, undefined],
    },
  ])("$name", async ({ files, code, loss }) => {
    const series = await readSeries("run", folder(files));
    expect(codes(series)).toContain(code);
    expect(series.snapshots.map(({ metrics }) => metrics["loss"])).toEqual(loss);
  });

  test("metrics in names prove that a log counts from 0", async () => {
    const series = await readSeries(
      "run",
      folder({
        "w.01-0.53.safetensors": network(2),
        "w.02-0.41.safetensors": network(2),
        "log.csv": "epoch,loss,val_loss\n0,0.6,0.5312\n1,0.5,0.4099\n",
      }),
    );
    expect(codes(series)).toEqual(["SERIES_LOG_OFFSET"]);
    expect(series.snapshots.map(({ metrics }) => metrics["val_loss"])).toEqual([0.5312, 0.4099]);
  });

  test("records of one epoch: the last step counts", async () => {
    const series = await readSeries(
      "run",
      folder({
        "epoch=0-step=100.safetensors": network(2),
        "metrics.csv": "epoch,step,loss,val_loss\n0,49,3,\n0,99,2,\n0,99,,1\n",
      }),
    );
    expect(series.snapshots[0]!.metrics).toEqual({ loss: 2, val_loss: 1 });
    expect(codes(series)).toEqual([]);
  });
});

describe("what changed is named", () => {
  const load = async (first: Uint8Array, second: Uint8Array): Promise<unknown> => {
    const { snapshots } = await readSeries(
      "run",
      folder({ "epoch_0.safetensors": first, "epoch_1.safetensors": second }),
    );
    return snapshots[1]!.load().catch((error) => error);
  };

  test("a shape", async () => {
    const error = await load(network(2, "fc.weight"), network(3, "fc.weight"));
    expect(isWeightGraphError(error, "SERIES_MISMATCH")).toBe(true);
    expect((error as Error).message).toContain("fc.weight is [1, 3], fc.weight there [1, 2]");
  });

  test("a layer more", async () => {
    const tensor = (name: string) => ({
      name,
      dtype: "float32" as const,
      shape: [2, 2],
      data: new Float32Array(4),
    });
    const error = await load(
      writeSafetensors({ tensors: [tensor("a")] }),
      writeSafetensors({ tensors: [tensor("a"), tensor("b")] }),
    );
    expect((error as Error).message).toContain("2 layers for 1 (new: b)");
  });

  test("a name", async () => {
    const model = (await load(network(2, "old"), network(2, "new"))) as Model;
    expect(model.warnings.find(({ code }) => code === "SERIES_RENAMED")?.message).toContain(
      "old is new",
    );
  });

  test("a damaged first checkpoint does not stand in for the network", async () => {
    const series = await readSeries(
      "run",
      folder({
        "epoch_0.safetensors": network(3).slice(0, 40),
        "epoch_1.safetensors": network(2),
        "epoch_2.safetensors": network(2),
      }),
    );
    await expect(series.snapshots[0]!.load()).rejects.toMatchObject({ code: "FORMAT_TRUNCATED" });
    expect((await series.snapshots[2]!.load()).layers).toHaveLength(1);
  });
});

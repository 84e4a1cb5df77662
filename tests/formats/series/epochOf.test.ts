import { expect, test } from "vitest";
import { epochOf } from "../../../src/formats/series/epochOf.ts";
import { dateOf } from "../../../src/formats/series/seriesFile.ts";

test.each([
  ["epoch_003.safetensors", 3, "epoch", {}],
  ["epoch_003.weights.h5", 3, "epoch", {}],
  ["fer2013_mini_XCEPTION.12-0.58.hdf5", 12, "epoch", { metric: 0.58 }],
  ["fer2013_mini_XCEPTION.107-0.66.hdf5", 107, "epoch", { metric: 0.66 }],
  ["checkpoint-1500", 1500, "step", {}],
  ["model.ckpt-1200.index", 1200, "step", {}],
  ["model.ckpt-1200.data-00000-of-00001", 1200, "step", {}],
  ["ckpt-12.index", 12, null, {}],
  ["ckpt_ep7.pt", 7, "epoch", {}],
  ["name.12-0.58.hdf5", 12, "epoch", { metric: 0.58 }],
  ["weights.02-1.25.h5", 2, "epoch", { metric: 1.25 }],
  ["weights.05-1.23-0.45.h5", 5, "epoch", { metric: 1.23, metric_2: 0.45 }],
  ["weights.05-nan.h5", 5, "epoch", { metric: NaN }],
  ["epoch=3-step=1200.ckpt", 3, "epoch", {}],
  ["epoch=3-val_loss=0.25.ckpt", 3, "epoch", { val_loss: 0.25 }],
  ["epoch=3-val_loss=nan.ckpt", 3, "epoch", { val_loss: NaN }],
  ["model-epoch=07-val_loss=0.25.ckpt", 7, "epoch", { val_loss: 0.25 }],
  ["net_epoch_12_val_acc_0.93.pt", 12, "epoch", { val_acc: 0.93 }],
  ["model-epoch10-loss0.2.pt", 10, "epoch", { loss: 0.2 }],
  ["netEpoch12.pt", 12, "epoch", {}],
  ["model_e12.pt", 12, "epoch", {}],
  ["30epochs.pt", 30, "epoch", {}],
  ["Epoch 4.npz", 4, "epoch", {}],
  ["checkpoint_3_5000.pt", 3, "epoch", {}],
  ["checkpoint_12.pth.tar", 12, null, {}],
  ["lenet-7.npz", 7, null, {}],
  ["0012.safetensors", 12, null, {}],
  ["10_net_G.pth", 10, null, {}],
  ["global_step400.pt", 400, "step", {}],
  ["step=1000.ckpt", 1000, "step", {}],
  ["step_10k.pt", 10_000, "step", {}],
  ["iter_20000.pth", 20_000, "step", {}],
  ["2024-01-05_epoch3.pt", 3, "epoch", {}],
  ["20240105-120000_net_5.pt", 5, null, {}],
  ["resnet50_v2_epoch_7.pt", 7, "epoch", {}],
  ["mnist_28x28_3.pt", 3, null, {}],
] as const)("%s is %d, counted in %s", (name, epoch, unit, metrics) => {
  const found = epochOf(name);
  expect(found).toMatchObject({ epoch, unit });
  expect(found?.metrics).toEqual(metrics);
});

test.each([
  ["epoch=3-step=1200.ckpt", 1200],
  ["checkpoint_3_5000.pt", 5000],
  ["epoch_3.pt", null],
])("%s is of step %j", (name, step) => expect(epochOf(name)?.step).toBe(step));

test.each([
  "final.onnx",
  "model_final.pth",
  "checkpoint_best.pt",
  "last-v1.ckpt",
  "resnet20.pt",
  "best.h5",
  "README.md",
  "group1-shard1of1",
  "deepest3d.pt",
  "model_v2.pt",
  "seed_3.pt",
  "fold-1.pth",
  "net_224x224.pt",
  "model_lr_0.001.pt",
  "val_loss_93.pt",
  "model_2024-01-05.pt",
  "20240105.pt",
  "model_1700000000.pt",
  "epoch_0.5.pt",
])("%s names no epoch", (name) => expect(epochOf(name)).toBeNull());

test("one run, one stem", () => {
  const stems = ["net.01-0.50.hdf5", "net.12-0.58.hdf5"].map((name) => epochOf(name)?.stem);
  expect(new Set(stems).size).toBe(1);
  expect(epochOf("other.01-0.50.hdf5")?.stem).not.toBe(stems[0]);
});

test.each([
  ["checkpoint-500/model.safetensors", 500],
  ["checkpoint-500/model_2.safetensors", 500],
  ["epoch_3/saved/weights.h5", 3],
  ["run_7/version_0/checkpoints/epoch=1.ckpt", 1],
  ["epoch_3/net_5.pt", 3],
  ["seed_1/lenet-7.npz", 7],
  ["1500/model.npz", 1500],
] as const)("%s is of %d", (path, epoch) => expect(dateOf(path)?.epoch).toBe(epoch));

test.each(["seed_1/model.pt", "version_3/best.ckpt", "20240105/model.pt", "2024-01-05/model.pt"])(
  "%s has no date",
  (path) => expect(dateOf(path)).toBeNull(),
);

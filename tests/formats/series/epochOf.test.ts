import { expect, test } from "vitest";
import { epochOf } from "../../../src/formats/series/epochOf.ts";

test.each([
  ["epoch_003.safetensors", 3, {}],
  ["epoch_003.weights.h5", 3, {}],
  ["fer2013_mini_XCEPTION.12-0.58.hdf5", 12, { metric: 0.58 }],
  ["fer2013_mini_XCEPTION.107-0.66.hdf5", 107, { metric: 0.66 }],
  ["checkpoint-1500", 1500, {}],
  ["ckpt_ep7.pt", 7, {}],
  ["name.12-0.58.hdf5", 12, { metric: 0.58 }],
  ["weights.02-1.25.h5", 2, { metric: 1.25 }],
  ["epoch=3-step=1200.ckpt", 3, { step: 1200 }],
  ["epoch=3-val_loss=0.25.ckpt", 3, { val_loss: 0.25 }],
  ["net_epoch_12_val_acc_0.93.pt", 12, { val_acc: 0.93 }],
  ["model-epoch10-loss0.2.pt", 10, {}],
  ["Epoch 4.npz", 4, {}],
  ["lenet-7.npz", 7, {}],
  ["0012.safetensors", 12, {}],
  ["global_step400.pt", 400, {}],
] as const)("%s is epoch %d", (name, epoch, metrics) => {
  expect(epochOf(name)).toMatchObject({ epoch, metrics });
});

test.each([
  "final.onnx",
  "resnet20.pt",
  "best.h5",
  "README.md",
  "group1-shard1of1",
  "deepest3d.pt",
])("%s names no epoch", (name) => expect(epochOf(name)).toBeNull());

test("one run, one stem", () => {
  const stems = ["net.01-0.50.hdf5", "net.12-0.58.hdf5"].map((name) => epochOf(name)?.stem);
  expect(new Set(stems).size).toBe(1);
  expect(epochOf("other.01-0.50.hdf5")?.stem).not.toBe(stems[0]);
});

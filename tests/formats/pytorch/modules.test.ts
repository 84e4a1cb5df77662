/** Whole modules: what the classes of their parts say of the tensors. Values as torch 1.13 made them (scripts/tinyPytorch.py). */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { memorySource, readModel, type Model } from "../../../src/index.ts";

const folder = fileURLToPath(new URL("../../../fixtures/tiny/pytorch/", import.meta.url));
const open = (name: string): Promise<Model> =>
  readModel(memorySource(new Uint8Array(readFileSync(folder + name)), name));
const described = ({ layers }: Model): unknown[] =>
  layers.map(({ name, op, kind, in: senders, out }) => [name, op, kind, senders, out]);

test("a sequence declares its topology, a flatten in it included", async () => {
  const model = await open("module.pt");
  expect(described(model)).toEqual([
    ["0.weight", "Conv2d", "torch_conv", 2, 4],
    ["3.weight", "Conv2d", "depthwise", 4, 4],
    ["5.weight", "Linear", "torch_dense", 16, 3],
  ]);
  expect(model.topology.certainty).toBe("declared");
  expect(model.topology.layers.map(({ size }) => size)).toEqual([2, 4, 4, 3]);
  expect(model.warnings).toEqual([]);
  expect(model.topology.wires.map(({ layout }) => [layout.groups, layout.taps])).toEqual([
    [1, 4],
    [4, 4],
    [1, 4],
  ]);
});

test("other modules: kinds are known, their order is guessed", async () => {
  const model = await open("recurrent.pt");
  expect(described(model)).toEqual([
    ["embedding.weight", "Embedding", "embedding", 5, 3],
    ["lstm.weight_ih_l0", "LSTM", "recurrent_W", 3, 8],
    ["lstm.weight_hh_l0", "LSTM", "recurrent_R", 2, 8],
    ["up.weight", "ConvTranspose1d", "conv_transpose", 2, 4],
    ["out.weight", "Linear", "torch_dense", 3, 5],
  ]);
  expect(model.topology.certainty).toBe("inferred");
  expect(model.topology.wires.filter(({ recurrent }) => recurrent)).toHaveLength(1);
});

test.each([
  { name: "module.pt", tensor: "1.running_var", role: "normalisation" },
  { name: "module.pt", tensor: "1.num_batches_tracked", role: "constant" },
  { name: "recurrent.pt", tensor: "norm.bias", role: "normalisation" },
  { name: "recurrent.pt", tensor: "lstm.bias_ih_l0", role: "bias" },
  { name: "script.pt", tensor: "1.running_mean", role: "normalisation" },
  { name: "script.pt", tensor: "5.bias", role: "bias" },
])("$name: $tensor is a $role", async ({ name, tensor, role }) => {
  const { tensors } = await open(name);
  expect(tensors.find((own) => own.name === tensor)?.role).toBe(role);
});

test("TorchScript keeps the classes, and says no order", async () => {
  const model = await open("script.pt");
  expect(model.layers.map(({ op }) => op)).toEqual(["Conv2d", "Conv2d", "Linear"]);
  expect(model.topology.certainty).toBe("inferred");
});

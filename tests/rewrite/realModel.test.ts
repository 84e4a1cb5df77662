/** The rewriters on a trained network of the fixtures. */
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { openModel, reinitModel, rewireModel, type Model } from "../../src/node.ts";

const open = (): Promise<Model> =>
  openModel(fileURLToPath(new URL("../../fixtures/mnist-mlp/final.onnx", import.meta.url)));

test("deterministic rewiring of a trained MLP evens out both sides of every layer", async () => {
  const { layers } = await rewireModel(await open(), { method: "deterministic" });
  expect(layers).toHaveLength(3);
  for (const { report } of layers) {
    expect(report.after.inputs).toBeLessThan(report.before.inputs);
    expect(report.after.outputs).toBeLessThan(report.before.outputs);
  }
});

test("stochastic rewiring lowers the variance of the model, and only moves its weights", async () => {
  const model = await open();
  const { layers, changes, model: rewired } = await rewireModel(model, { seed: 1 });
  // Not of every layer: the inputs of a softmax layer are even already, as its gradients sum to zero over the outputs.
  const total = (when: "before" | "after"): number =>
    layers.reduce((sum, { report }) => sum + report[when].mean, 0);
  expect(total("after")).toBeLessThan(0.3 * total("before"));
  for (const [i, tensor] of model.tensors.entries()) {
    const changed = changes.get(tensor.name);
    if (changed === undefined) expect(rewired.tensors[i]).toBe(tensor);
    else expect(changed.slice().sort()).toEqual((await tensor.read()).slice().sort());
  }
});

test("re-initialisation of a trained MLP gives each layer the plain initialiser's second moment", async () => {
  const { layers, changes } = await reinitModel(await open(), { seed: 1 });
  for (const { columns, tensor } of layers) {
    const drawn = Float64Array.from(changes.get(tensor)!);
    const moment = drawn.reduce((sum, weight) => sum + weight * weight, 0) / drawn.length;
    // Five standard errors of a mean of squares; shared means make the smallest layers no worse than that.
    expect(Math.abs((moment * columns) / 2 - 1)).toBeLessThan(5 * Math.sqrt(2 / drawn.length));
  }
});

/** A few steps of a small network on made-up images, to be run in Node and in a browser alike. */
import { createRandom } from "../../src/random.ts";
import { wasmEngine } from "../../src/train/engines/wasm.ts";
import { initializers } from "../../src/train/initializers/initializers.ts";
import { losses } from "../../src/train/losses/losses.ts";
import { planNetwork } from "../../src/train/network.ts";
import { completeOptions } from "../../src/train/optimizers/optimizer.ts";
import { optimizers } from "../../src/train/optimizers/optimizers.ts";
import { createTrainer } from "../../src/train/trainer.ts";

const batch = 11;

/** The loss of every step, then all weights. */
export async function trainBriefly(seed: number): Promise<number[]> {
  const network = planNetwork({
    name: "brief",
    inputShape: [1, 12, 12],
    layers: [
      { layer: "conv2d", channels: 5, kernel: 3, padding: 1 },
      { layer: "relu" },
      { layer: "maxPool2d", size: 2 },
      { layer: "flatten" },
      { layer: "dense", units: 9 },
      { layer: "tanh" },
      { layer: "dense", units: 4 },
    ],
  });
  const optimizer = optimizers.get("adam");
  const trainer = await createTrainer(
    {
      network,
      members: [{ seed, optimizer: completeOptions(optimizer, { learningRate: 0.01 }) }],
      optimizer,
      loss: losses.get("crossEntropy"),
      stepSizes: [batch],
      evaluationSizes: [],
      sharedBatches: true,
    },
    wasmEngine(),
  );
  trainer.initialise(initializers.get("torchDefault"));
  const random = createRandom(seed);
  const images = Float32Array.from({ length: batch * 144 }, () => random.uniform());
  const labels = Int32Array.from({ length: batch }, () => random.integer(4));
  const seen: number[] = [];
  for (let step = 1; step <= 20; step++) {
    seen.push(...(await trainer.step({ images, labels }, batch, step)));
  }
  for (const { values } of await trainer.weights(0)) seen.push(...values);
  trainer.dispose();
  return seen;
}

/** A run that takes a fraction of a second, on the MNIST images that come with the package. */
import { fileURLToPath } from "node:url";
import { firstOf, type Dataset } from "../../src/data/dataset.ts";
import { openDataset } from "../../src/node.ts";
import type { Architecture } from "../../src/train/network.ts";
import { buildArchitecture } from "../../src/train/zoo/architectures.ts";

const fixtures = fileURLToPath(new URL("../../fixtures/mnist", import.meta.url));

/** The first `train` and `test` images; their number is odd on purpose, so that the last batch is smaller. */
export async function smallMnist(train: number, test: number): Promise<Dataset> {
  const { dataset } = await openDataset(fixtures);
  return {
    ...dataset,
    train: firstOf(dataset.train, train),
    test: firstOf(dataset.test, test),
  };
}

export const smallMlp: Architecture = buildArchitecture("mlp", {
  inputShape: [1, 28, 28],
  classes: 10,
  hidden: [12],
  activation: "tanh",
});

import { beforeAll, describe, expect, test } from "vitest";
import type { Dataset } from "../../src/data/dataset.ts";
import { isWeightGraphError } from "../../src/errors.ts";
import { layeredGraph } from "../../src/graph/layeredGraph.ts";
import { trainPopulation } from "../../src/train/population.ts";
import { train, type TrainingEpoch, type TrainOptions } from "../../src/train/run.ts";
import type { TrainingProgress } from "../../src/train/runOptions.ts";
import { buildArchitecture } from "../../src/train/zoo/architectures.ts";
import { engines } from "./engines.ts";
import { smallMlp, smallMnist } from "./smallRun.ts";

/** Decay that multiplies weights by -1e300 a step: too much for float64 on the second. */
const exploding = { learningRate: 1e150, weightDecay: 1e150 };

describe.each(engines)("on $name", ({ engine }) => {
  let data: Dataset;
  let options: TrainOptions;
  beforeAll(async () => {
    data = await smallMnist(211, 57);
    options = { data, architecture: smallMlp, engine: engine(), epochs: 2, batch: 25, seed: 4 };
  });

  test("a run yields the untrained network, then one after each epoch", async () => {
    const epochs = await collect(train(options));
    expect(epochs.map(({ name }) => name)).toEqual(["epoch_000", "epoch_001", "epoch_002"]);
    expect(Object.keys(epochs[0]!.metrics)).toEqual(["test_loss", "test_acc"]);
    expect(Object.keys(epochs[2]!.metrics)).toEqual(["train_loss", "test_loss", "test_acc"]);
    expect(epochs[2]!.metrics["train_loss"]).toBeLessThan(epochs[1]!.metrics["train_loss"]!);
    expect(epochs[2]!.metrics["test_acc"]).toBeGreaterThan(epochs[0]!.metrics["test_acc"]!);
    expect(epochs[2]!.weights.map(({ name, shape }) => [name, shape])).toEqual([
      ["1.weight", [12, 784]],
      ["1.bias", [12]],
      ["3.weight", [10, 12]],
      ["3.bias", [10]],
    ]);
  });

  test("equal seeds give equal bytes, others do not", async () => {
    const [first, again, other] = await Promise.all(
      [4, 4, 5].map(async (seed) => (await collect(train({ ...options, seed }))).at(-1)!),
    );
    expect(again!.weights).toEqual(first!.weights);
    expect(again!.metrics).toEqual(first!.metrics);
    expect(other!.weights).not.toEqual(first!.weights);
  });

  test("a member of a population is what it would be alone", async () => {
    const members = [
      { seed: 4 },
      { seed: 9, options: { learningRate: 0.01 } },
      { seed: 4, options: { weightDecay: 0.1 } },
    ];
    const last = (await collect(trainPopulation({ ...options, members }))).at(-1)!;
    for (const [i, member] of members.entries()) {
      const alone = (await collect(train({ ...options, ...member }))).at(-1)!;
      expect(last.members[i]!.weights).toEqual(alone.weights);
      expect(last.members[i]!.metrics).toEqual(alone.metrics);
    }
  });

  test("members may share their batches", async () => {
    const members = [{ seed: 4 }, { seed: 9 }];
    const shared = { ...options, members, sharedBatches: true };
    const last = (await collect(trainPopulation(shared))).at(-1)!;
    const alone = (await collect(train(options))).at(-1)!;
    expect(last.members[0]!.weights).toEqual(alone.weights);
    expect(last.members[1]!.metrics["test_acc"]).toBeGreaterThan(0.2);
  });

  test("what leaves the finite numbers is an error, the epochs before stand", async () => {
    const seen: number[] = [];
    const run = async (): Promise<void> => {
      const wild = { ...options, optimizer: "sgd", options: exploding };
      for await (const { epoch } of train(wild)) seen.push(epoch);
    };
    const error: unknown = await run().catch((e: unknown) => e);
    expect(isWeightGraphError(error, "ENGINE_NOT_FINITE")).toBe(true);
    expect(seen).toEqual([0]);
  });

  test("a member that diverges leaves the others alone", async () => {
    const members = [{ seed: 4, options: exploding }, { seed: 4 }];
    const wild = { ...options, optimizer: "sgd", members };
    const last = (await collect(trainPopulation(wild))).at(-1)!;
    const alone = (await collect(train({ ...options, optimizer: "sgd" }))).at(-1)!;
    expect(last.members[0]).toMatchObject({ metrics: {}, weights: [] });
    expect(last.members[0]!.divergedAt).toMatchObject({ epoch: 1 });
    expect(last.members[1]!.weights).toEqual(alone.weights);
  });

  test("a run begins from given weights, and refuses those of another network", async () => {
    const [start] = await collect(train({ ...options, epochs: 0 }));
    const halved = start!.weights.map((tensor) => ({
      ...tensor,
      values: tensor.values.map((value) => value / 2),
    }));
    const [begun] = await collect(train({ ...options, epochs: 0, initial: halved }));
    expect(begun!.weights).toEqual(halved);
    const turned = halved.map((tensor) => ({ ...tensor, shape: [...tensor.shape].reverse() }));
    for (const initial of [halved.slice(1), turned]) {
      const error: unknown = await collect(train({ ...options, initial })).catch((e: unknown) => e);
      expect(isWeightGraphError(error, "SHAPE_MISMATCH")).toBe(true);
    }
  });

  test("a run from a checkpoint ends in the bytes of one that was never stopped", async () => {
    const whole = (await collect(train(options))).at(-1)!;
    for await (const epoch of train({ ...options, epochs: 1 })) {
      if (epoch.epoch < 1) continue;
      const resumed = await collect(train({ ...options, resume: await epoch.checkpoint() }));
      expect(resumed.map(({ name }) => name)).toEqual(["epoch_002"]);
      expect(resumed[0]!.weights).toEqual(whole.weights);
      expect(resumed[0]!.metrics).toEqual(whole.metrics);
    }
  });

  test("a checkpoint of another optimiser is refused", async () => {
    const [start] = await collect(train({ ...options, optimizer: "sgd", epochs: 0 }));
    const resume = { epoch: 0, states: start!.weights };
    const error: unknown = await collect(train({ ...options, resume })).catch((e: unknown) => e);
    expect(isWeightGraphError(error, "SHAPE_MISMATCH")).toBe(true);
  });

  test("a signal stops a run, progress counts its steps", async () => {
    const controller = new AbortController();
    const seen: TrainingProgress[] = [];
    const onProgress = (progress: TrainingProgress): void => {
      seen.push(progress);
      controller.abort(new Error("enough"));
    };
    const run = collect(train({ ...options, onProgress, signal: controller.signal }));
    await expect(run).rejects.toThrow("enough");
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({ epoch: 1, epochs: 2, steps: 9 });
    expect(seen[0]!.stepsPerSecond).toBeGreaterThan(0);
  });
});

describe("a snapshot", () => {
  const options = async (): Promise<Omit<TrainOptions, "architecture">> => ({
    data: await smallMnist(20, 20),
    engine: engines[0]!.engine(),
    epochs: 0,
  });

  test("is a model whose pixels are neurons where a dense layer sees them", async () => {
    const graph = await graphOf(train({ ...(await options()), architecture: smallMlp }));
    expect(graph.layers.map(({ size }) => size)).toEqual([784, 12, 10]);
    expect(graph.blocks.map(({ taps }) => taps)).toEqual([1, 1]);
  });

  test("is a model whose channels are neurons elsewhere, positions behind a flatten taps", async () => {
    const architecture = buildArchitecture("lenet5", { inputShape: [1, 28, 28], classes: 10 });
    const graph = await graphOf(train({ ...(await options()), architecture }));
    expect(graph.layers.map(({ size }) => size)).toEqual([1, 6, 16, 120, 84, 10]);
    expect(graph.blocks.map(({ taps }) => taps)).toEqual([25, 25, 25, 1, 1]);
  });
});

test.each<{ name: string; change: Partial<TrainOptions>; code: string }>([
  { name: "an unknown optimiser", change: { optimizer: "adamax" }, code: "USAGE_UNKNOWN_PART" },
  { name: "an unknown loss", change: { loss: "hinge" }, code: "USAGE_UNKNOWN_PART" },
  { name: "an unknown initialiser", change: { initializer: "zeros" }, code: "USAGE_UNKNOWN_PART" },
  {
    name: "an unknown option",
    change: { options: { momentum: 0.9 } },
    code: "USAGE_INVALID_OPTION",
  },
  {
    name: "a negative learning rate",
    change: { options: { learningRate: -1 } },
    code: "USAGE_INVALID_OPTION",
  },
  {
    name: "nesterov without momentum",
    change: { optimizer: "sgd", options: { nesterov: 1 } },
    code: "USAGE_INVALID_OPTION",
  },
  { name: "beta1 of 1", change: { options: { beta1: 1 } }, code: "USAGE_INVALID_OPTION" },
  { name: "half an epoch", change: { epochs: 0.5 }, code: "USAGE_INVALID_OPTION" },
  { name: "a batch of nothing", change: { batch: 0 }, code: "USAGE_INVALID_OPTION" },
  { name: "a negative seed", change: { seed: -1 }, code: "USAGE_INVALID_OPTION" },
  {
    name: "a network for other images",
    change: { architecture: buildArchitecture("lenet5", { inputShape: [3, 32, 32], classes: 10 }) },
    code: "SHAPE_MISMATCH",
  },
  {
    name: "a network for other classes",
    change: { architecture: buildArchitecture("mlp", { inputShape: [1, 28, 28], classes: 7 }) },
    code: "SHAPE_MISMATCH",
  },
  {
    name: "an unknown layer",
    change: { architecture: { ...smallMlp, layers: [{ layer: "attention" }] } },
    code: "USAGE_UNKNOWN_PART",
  },
  {
    name: "a layer of no width",
    change: { architecture: { ...smallMlp, layers: [{ layer: "flatten" }, { layer: "dense" }] } },
    code: "USAGE_INVALID_OPTION",
  },
])("a run refuses $name", async ({ change, code }) => {
  const data = await smallMnist(20, 20);
  const options = { data, architecture: smallMlp, engine: engines[0]!.engine(), epochs: 1 };
  const error: unknown = await collect(train({ ...options, ...change })).catch((e: unknown) => e);
  expect(error).toMatchObject({ code });
});

test("the zoo refuses a name that it does not know", () => {
  expect(() => buildArchitecture("vgg", { inputShape: [1, 28, 28], classes: 10 })).toThrow(
    expect.toSatisfy((error) => isWeightGraphError(error, "USAGE_UNKNOWN_MODEL")),
  );
});

async function collect<T>(epochs: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const epoch of epochs) all.push(epoch);
  return all;
}

async function graphOf(
  epochs: AsyncIterable<TrainingEpoch>,
): Promise<Awaited<ReturnType<typeof layeredGraph>>> {
  const [first] = await collect(epochs);
  return layeredGraph(await first!.load());
}

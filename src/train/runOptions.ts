/** What a run of training is told, and what it is told so often that it goes without saying. */
import { UsageError } from "../errors.ts";
import type { Dataset } from "../data/dataset.ts";
import { sameShape } from "../tensor/shape.ts";
import type { Engine } from "./engines/engine.ts";
import { initializers } from "./initializers/initializers.ts";
import type { Initializer } from "./initializers/initializer.ts";
import { requireShape } from "./ir.ts";
import { losses, type Loss } from "./losses/losses.ts";
import { planNetwork, type Architecture, type Network } from "./network.ts";
import { completeOptions, type Optimizer } from "./optimizers/optimizer.ts";
import { optimizers } from "./optimizers/optimizers.ts";
import type { MemberPlan, NamedTensor } from "./trainer.ts";

/** An optimiser's options by name: `learningRate`, `momentum`, …; its `defaults` list them. */
export type GivenOptions = Readonly<Record<string, number | undefined>>;

/** What all members of a run have in common. */
export interface RunOptions {
  readonly architecture: Architecture;
  readonly data: Dataset;
  readonly engine: Engine;
  readonly epochs: number;
  /** @defaultValue 64 */
  readonly batch?: number;
  /** Name of a registered optimiser. @defaultValue adam */
  readonly optimizer?: string;
  /** Name of a registered loss. @defaultValue crossEntropy */
  readonly loss?: string;
  /** Name of a registered initialiser. @defaultValue torchDefault */
  readonly initializer?: string;
  /** False takes the samples in file order, every epoch. @defaultValue true */
  readonly shuffle?: boolean;
  /** Images in a batch of an evaluation. @defaultValue 500 */
  readonly evaluationBatch?: number;
  /** Go on from here; the first epoch that comes is the one after it. */
  readonly resume?: TrainingState;
  readonly signal?: AbortSignal;
  /** Called about ten times a second. */
  readonly onProgress?: (progress: TrainingProgress) => void;
}

export interface TrainingProgress {
  readonly epoch: number;
  readonly epochs: number;
  /** Steps of this epoch that are done, and all that it has. */
  readonly step: number;
  readonly steps: number;
  /** Of the last batch, averaged over the members that are still finite. */
  readonly loss: number;
  readonly stepsPerSecond: number;
  /** What is left of the whole run at this pace, evaluations aside. */
  readonly remainingMs: number;
}

/** All that a run needs to go on as if it had never stopped. */
export interface TrainingState {
  readonly epoch: number;
  /** Parameters and what the optimiser keeps, [P, …], in the engine's own precision. */
  readonly states: readonly NamedTensor[];
}

/** `RunOptions` with every name resolved and every number checked. */
export interface RunPlan {
  readonly network: Network;
  readonly members: readonly MemberPlan[];
  readonly optimizer: Optimizer;
  readonly loss: Loss;
  readonly initializer: Initializer;
  readonly batch: number;
  readonly evaluationBatch: number;
  readonly shuffle: boolean;
}

/**
 * @throws {UsageError} `USAGE_INVALID_OPTION`, `USAGE_UNKNOWN_PART`. @throws {ShapeError} `SHAPE_MISMATCH` if the network does
 * not take the images or does not give a number per class.
 */
export function planRun(
  options: RunOptions,
  members: readonly {
    readonly seed: number;
    readonly options?: GivenOptions;
    readonly initial?: readonly NamedTensor[];
  }[],
): RunPlan {
  const { architecture, data, shuffle = true } = options;
  const network = planNetwork(architecture);
  const { inputShape } = architecture;
  requireShape(sameShape(inputShape, data.shape), "the network takes other images", data.shape);
  const fits = sameShape(network.outputShape, [data.classes]);
  requireShape(fits, `the network must end in ${data.classes} outputs`, network.outputShape);
  if (members.length === 0) throw new UsageError("USAGE_INVALID_OPTION", "a run needs a member");
  requireWhole("epochs", options.epochs, 0);
  const optimizer = optimizers.get(options.optimizer ?? "adam");
  return {
    network,
    shuffle,
    optimizer,
    loss: losses.get(options.loss ?? "crossEntropy"),
    initializer: initializers.get(options.initializer ?? "torchDefault"),
    batch: Math.min(requireWhole("batch", options.batch ?? 64, 1), data.train.count),
    evaluationBatch: Math.min(
      requireWhole("evaluationBatch", options.evaluationBatch ?? 500, 1),
      data.test.count,
    ),
    members: members.map(({ seed, options: own = {}, initial }) => ({
      ...(initial && { initial }),
      seed: requireWhole("seed", seed, 0),
      optimizer: completeOptions(optimizer, own),
    })),
  };
}

/** @throws {UsageError} `USAGE_INVALID_OPTION` */
function requireWhole(name: string, value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new UsageError(
    "USAGE_INVALID_OPTION",
    `${name} must be a whole number >= ${least}, not ${value}`,
  );
}

/** Many networks of one architecture trained together: the loop over epochs, steps and evaluations. */
import { batchSizes, fillBatch, sampleOrder } from "../data/batches.ts";
import type { Dataset } from "../data/dataset.ts";
import { EngineError } from "../errors.ts";
import { createRandom } from "../random.ts";
import { elementCount } from "../tensor/shape.ts";
import {
  planRun,
  type GivenOptions,
  type RunOptions,
  type RunPlan,
  type TrainingState,
} from "./runOptions.ts";
import { stopwatch } from "./stopwatch.ts";
import { createTrainer, type Batch, type NamedTensor, type Trainer } from "./trainer.ts";

/** One network of a population, where it differs from the others. */
export interface Member {
  /** Of its initial weights and, unless batches are shared, of the order of its samples. */
  readonly seed: number;
  /** Options of the optimiser. */
  readonly options?: GivenOptions;
  /** Start from these parameters instead of drawing them. */
  readonly initial?: readonly NamedTensor[];
}

export interface PopulationOptions extends RunOptions {
  readonly members: readonly Member[];
  /**
   * True: all members see the same batches, in the order of the first one's seed. False: each is trained exactly as it would
   * be alone. @defaultValue false
   */
  readonly sharedBatches?: boolean;
}

/** One member at the end of an epoch. */
export interface MemberEpoch {
  readonly seed: number;
  /** `test_loss`, `test_acc`, and after epoch 0 `train_loss`, the mean over the epoch's batches; empty once diverged. */
  readonly metrics: Readonly<Record<string, number>>;
  /** float32, [out, in, …kernel]; empty once diverged. */
  readonly weights: readonly NamedTensor[];
  /** Where its loss or a weight left the finite numbers; null while all is well. The others are not touched by it. */
  readonly divergedAt: { readonly epoch: number; readonly step: number } | null;
}

export interface PopulationEpoch {
  /** 0 is before training. */
  readonly epoch: number;
  readonly members: readonly MemberEpoch[];
  /** What `resume` takes; to be asked for before the next epoch is. */
  checkpoint(): Promise<TrainingState>;
}

/**
 * Trains every member for `epochs` epochs and yields the population before the first and after each. Nothing happens between
 * two requests for an epoch. The same options give the same bytes on the same engine; a member is the same in any population.
 * @throws {EngineError} `ENGINE_NOT_FINITE` once every member has diverged, and what the engine throws on compiling.
 * @throws {UsageError}, {ShapeError} as `planRun`. The signal's reason when it is aborted.
 */
export async function* trainPopulation(
  options: PopulationOptions,
): AsyncGenerator<PopulationEpoch, void, undefined> {
  const plan = planRun(options, options.members);
  const sharedBatches = options.sharedBatches ?? false;
  const { data, signal, resume } = options;
  const sizes = batchSizes(data.train.count, plan.batch);
  const evaluationSizes = batchSizes(data.test.count, plan.evaluationBatch);
  const trainer = await createTrainer(
    {
      ...plan,
      sharedBatches,
      stepSizes: [...new Set(sizes)],
      evaluationSizes: [...new Set(evaluationSizes)],
    },
    options.engine,
  );
  const watch = stopwatch({ ...options, steps: sizes.length, first: resume?.epoch ?? 0 });
  const diverged = plan.members.map((): MemberEpoch["divergedAt"] => null);
  const markDiverged = (member: number, epoch: number, step: number): void => {
    diverged[member] ??= { epoch, step };
    if (diverged.every((at) => at !== null)) throw notFinite(epoch, step);
  };

  const describe = async (epoch: number, losses: Float64Array | null): Promise<PopulationEpoch> => {
    const tests = await evaluate(trainer, { data, sizes: evaluationSizes, signal, watch });
    const members: MemberEpoch[] = [];
    for (const [member, { seed }] of plan.members.entries()) {
      const weights = await trainer.weights(member);
      const isFinite =
        Number.isFinite(tests[member]!.test_loss) &&
        weights.every(({ values }) => values.every(Number.isFinite));
      if (!isFinite) markDiverged(member, epoch, sizes.length);
      const divergedAt = diverged[member] ?? null;
      const lost = divergedAt !== null;
      const trained = losses === null ? {} : { train_loss: losses[member]! };
      const metrics = { ...trained, ...tests[member]! };
      members.push({
        seed,
        divergedAt,
        metrics: lost ? {} : metrics,
        weights: lost ? [] : weights,
      });
    }
    return {
      epoch,
      members,
      checkpoint: async () => ({ epoch, states: await trainer.states() }),
    };
  };

  try {
    if (resume === undefined) {
      trainer.initialise(plan.initializer);
      yield await describe(0, null);
    } else {
      trainer.restore(resume.states);
    }
    for (let epoch = (resume?.epoch ?? 0) + 1; epoch <= options.epochs; epoch++) {
      const batches = epochBatches(plan, { data, epoch, sizes, sharedBatches });
      const totals = new Float64Array(plan.members.length);
      watch.start();
      for (const [place, { batch, size }] of batches.entries()) {
        signal?.throwIfAborted();
        const step = (epoch - 1) * sizes.length + place + 1;
        const losses = await trainer.step(batch(), size, step);
        losses.forEach((loss, member) => {
          if (!Number.isFinite(loss)) markDiverged(member, epoch, place + 1);
          totals[member]! += loss * size;
        });
        await watch.step(epoch, place + 1, losses);
      }
      yield await describe(
        epoch,
        totals.map((total) => total / data.train.count),
      );
    }
  } finally {
    trainer.dispose();
  }
}

interface EpochOptions {
  readonly data: Dataset;
  readonly epoch: number;
  readonly sizes: readonly number[];
  readonly sharedBatches: boolean;
}

/** The batches of one epoch, filled when asked for; two of one size share their memory. */
function epochBatches(
  { members, shuffle }: RunPlan,
  { data, epoch, sizes, sharedBatches }: EpochOptions,
): { size: number; batch: () => Batch }[] {
  const seeds = (sharedBatches ? members.slice(0, 1) : members).map(({ seed }) => seed);
  const orders = seeds.map((seed) =>
    sampleOrder(data.train.count, shuffle ? createRandom(seed).fork(`epoch/${epoch}`) : null),
  );
  const pixels = elementCount(data.shape);
  const memory = new Map(
    sizes.map((size) => [size, batchMemory(orders.length, size, pixels)] as const),
  );
  let next = 0;
  return sizes.map((size) => {
    const first = next;
    next += size;
    const { whole, parts } = memory.get(size)!;
    return {
      size,
      batch() {
        orders.forEach((order, i) => fillBatch(data.train, { order, first }, parts[i]!));
        return whole;
      },
    };
  });
}

/** Room for a batch [members, size, …], and the part of each member in it. */
function batchMemory(
  members: number,
  size: number,
  pixels: number,
): { whole: Batch; parts: Batch[] } {
  const images = new Float32Array(members * size * pixels);
  const labels = new Int32Array(members * size);
  const parts = Array.from({ length: members }, (_, i) => ({
    images: images.subarray(i * size * pixels, (i + 1) * size * pixels),
    labels: labels.subarray(i * size, (i + 1) * size),
  }));
  return { whole: { images, labels }, parts };
}

interface EvaluationOptions {
  readonly data: Dataset;
  readonly sizes: readonly number[];
  readonly signal: AbortSignal | undefined;
  readonly watch: { breathe(): Promise<void> };
}

/** Mean loss and accuracy of each member over the test set. */
async function evaluate(
  trainer: Trainer,
  { data, sizes, signal, watch }: EvaluationOptions,
): Promise<{ test_loss: number; test_acc: number }[]> {
  const { test } = data;
  const order = sampleOrder(test.count, null);
  const pixels = elementCount(data.shape);
  const memory = new Map(sizes.map((size) => [size, batchMemory(1, size, pixels).whole] as const));
  const sums: { loss: number; correct: number }[] = [];
  let first = 0;
  for (const size of sizes) {
    signal?.throwIfAborted();
    const batch = memory.get(size)!;
    fillBatch(test, { order, first }, batch);
    const { loss, correct } = await trainer.evaluate(batch, size);
    loss.forEach((mean, member) => {
      const sum = (sums[member] ??= { loss: 0, correct: 0 });
      sum.loss += mean * size;
      sum.correct += correct[member]!;
    });
    first += size;
    await watch.breathe();
  }
  return sums.map(({ loss, correct }) => ({
    test_loss: loss / test.count,
    test_acc: correct / test.count,
  }));
}

function notFinite(epoch: number, step: number): EngineError {
  return new EngineError(
    "ENGINE_NOT_FINITE",
    `the loss or a weight is no finite number in epoch ${epoch} at step ${step}`,
    { details: { epoch, step }, hint: "Lower the learning rate." },
  );
}

/** Training of one network, as a stream of snapshots. */
import type { Snapshot } from "../model/series.ts";
import { planNetwork } from "./network.ts";
import { trainPopulation } from "./population.ts";
import type { GivenOptions, RunOptions, TrainingState } from "./runOptions.ts";
import { trainedModel } from "./trainedModel.ts";
import type { NamedTensor } from "./trainer.ts";

export interface TrainOptions extends RunOptions {
  /** Of initial weights and of the order of samples. @defaultValue 0 */
  readonly seed?: number;
  /** Options of the optimiser: `{ learningRate: 0.01 }`. */
  readonly options?: GivenOptions;
  /** Start from these parameters instead of drawing them: a model that was rewired, or trained before. */
  readonly initial?: readonly NamedTensor[];
}

/** A network at the end of an epoch; `metrics` are `test_loss`, `test_acc` and, after epoch 0, `train_loss`. */
export interface TrainingEpoch extends Snapshot {
  /** float32, [out, in, …kernel], under the names of PyTorch's Sequential. */
  readonly weights: readonly NamedTensor[];
  /** What `resume` takes; to be asked for before the next epoch is. */
  checkpoint(): Promise<TrainingState>;
}

/**
 * Trains a network and yields it before the first epoch and after each. The same options give the same bytes on the same
 * engine. Writing snapshots anywhere is the caller's affair.
 * @throws {EngineError} `ENGINE_NOT_FINITE` when the loss or a weight leaves the finite numbers; the epochs so far stand.
 * @throws as `trainPopulation` besides.
 */
export async function* train({
  seed = 0,
  options,
  initial,
  ...run
}: TrainOptions): AsyncGenerator<TrainingEpoch, void, undefined> {
  const network = planNetwork(run.architecture);
  const members = [{ seed, ...(options && { options }), ...(initial && { initial }) }];
  for await (const all of trainPopulation({
    ...run,
    members,
  })) {
    const { epoch } = all;
    const { metrics, weights } = all.members[0]!;
    const checkpoint: TrainingEpoch["checkpoint"] = () => all.checkpoint();
    const name = epochName(epoch);
    const load: Snapshot["load"] = async () => trainedModel(name, { network, weights });
    yield { epoch, name, metrics, weights, checkpoint, load };
  }
}

/** `epoch_003`, as files of a series are called. */
function epochName(epoch: number): string {
  return `epoch_${String(epoch).padStart(3, "0")}`;
}

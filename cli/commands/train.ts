import { buildCommand, type Command } from "@stricli/core";
import { join } from "node:path";
import {
  architectures,
  buildArchitecture,
  engines,
  initializers,
  openDataset,
  openModel,
  optimizers,
  trainToFolder,
  type GivenOptions,
  type NamedTensor,
  type OpenedDataset,
  type RecordedEpoch,
  type TrainingProgress,
  type ReadLimits,
} from "../../src/node.ts";
import { progressLine, say, writeJson, type CliContext } from "../context.ts";
import { finiteNumber, jsonFlag, keyedNumbers, list, seedFlag, wholeNumber } from "../flags.ts";
import { checkInput } from "../input.ts";
import { numberText, printable, renderTable } from "../render.ts";

interface Flags {
  readonly json: boolean;
  readonly model: string;
  readonly data: string;
  readonly dataDir?: string;
  readonly epochs: number;
  readonly batch: number;
  readonly optimizer: string;
  readonly lr?: readonly number[];
  readonly set: GivenOptions;
  readonly init: string;
  readonly hidden?: readonly number[];
  readonly activation?: string;
  readonly from?: string;
  readonly engine: string;
  readonly seed: number;
  readonly seeds: number;
  readonly out?: string;
  readonly resume: boolean;
  readonly force: boolean;
}

const named = (entries: readonly { readonly name: string }[]): string =>
  entries.map(({ name }) => name).join(", ");

export const trainCommand: Command<CliContext> = buildCommand<Flags, [], CliContext>({
  docs: {
    brief: "Train a network, one snapshot of its weights per epoch",
    fullDescription:
      "Writes epoch_000.safetensors (before training), epoch_001.safetensors, …, log.json and the manifest run.json. The same " +
      "seed gives the same bytes. Ctrl-C leaves whole files only, and --resume goes on from there. Several learning rates or " +
      "seeds make a population of runs, a folder each, for `predict`.",
  },
  parameters: {
    flags: {
      json: jsonFlag,
      model: {
        kind: "parsed",
        parse: String,
        brief: `Architecture: ${named(architectures.all())}`,
        default: "lenet5",
      },
      data: {
        kind: "parsed",
        parse: String,
        brief: "Data set: mnist, or a folder with its four IDX files",
        default: "mnist",
      },
      dataDir: {
        kind: "parsed",
        parse: String,
        brief: "Where data sets lie",
        placeholder: "FOLDER",
        optional: true,
      },
      epochs: { kind: "parsed", parse: wholeNumber, brief: "Epochs", default: "3" },
      batch: { kind: "parsed", parse: wholeNumber, brief: "Images in a step", default: "64" },
      optimizer: {
        kind: "parsed",
        parse: String,
        brief: `Optimiser: ${named(optimizers.all())}`,
        default: "adam",
      },
      lr: {
        kind: "parsed",
        parse: (text) => list(text).map(finiteNumber),
        brief: "Learning rate, or several for a population (default: the optimiser's)",
        placeholder: "X",
        optional: true,
      },
      set: {
        kind: "parsed",
        parse: keyedNumbers,
        brief: "Further options of the optimiser: momentum=0.9,nesterov=1,weightDecay=5e-4",
        default: "",
        placeholder: "name=X",
      },
      init: {
        kind: "parsed",
        parse: String,
        brief: `Initialiser: ${named(initializers.all())}`,
        default: "torchDefault",
      },
      hidden: {
        kind: "parsed",
        parse: (text) => list(text).map(wholeNumber),
        brief: "Widths of the hidden layers, where the architecture lets one choose",
        placeholder: "64,32",
        optional: true,
      },
      activation: {
        kind: "parsed",
        parse: String,
        brief: "Activation, where the architecture lets one choose",
        optional: true,
      },
      from: {
        kind: "parsed",
        parse: String,
        brief: "Start from the weights in this model file, rewired or trained before",
        placeholder: "FILE",
        optional: true,
      },
      engine: {
        kind: "parsed",
        parse: String,
        brief: `Engine: ${named(engines.all())}`,
        default: "wasm",
      },
      seed: seedFlag,
      seeds: {
        kind: "parsed",
        parse: wholeNumber,
        brief: "Train with so many seeds, from --seed on",
        default: "1",
        placeholder: "N",
      },
      out: {
        kind: "parsed",
        parse: String,
        brief: "Folder of the run (default: runs/MODEL-DATA-seedN)",
        placeholder: "FOLDER",
        optional: true,
      },
      resume: { kind: "boolean", brief: "Go on with an interrupted run", default: false },
      force: { kind: "boolean", brief: "Replace a run that is there", default: false },
    },
  },
  async func(flags) {
    const opened = await openDataset(flags.data, flags.dataDir ? { dataDir: flags.dataDir } : {});
    sayDataset(this, opened);
    const initial = flags.from === undefined ? undefined : await weightsOf(flags.from, this.limits);
    const runs = [];
    for (const member of membersOf(flags)) {
      const epochs = await trainOne(this, flags, { ...member, opened, initial });
      runs.push({ ...member, epochs });
    }
    if (!flags.json) return;
    const { model, engine, optimizer, batch } = flags;
    writeJson(this, {
      schema: "weightgraph.train",
      version: 1,
      parameters: { model, engine, optimizer, batch, data: opened.dataset.name },
      runs,
    });
  },
});

interface Member {
  readonly seed: number;
  readonly options: GivenOptions;
  readonly out: string;
}

/** One per learning rate and seed; a folder each when there are several. */
function membersOf({ lr, set, seed, seeds, model, data, out }: Flags): Member[] {
  const rates = lr ?? [undefined];
  const base = out ?? join("runs", `${model}-${data.replaceAll(/[^\w.-]+/g, "_")}-seed${seed}`);
  const single = rates.length * seeds === 1;
  return rates.flatMap((learningRate) =>
    Array.from({ length: seeds }, (_, i) => ({
      seed: seed + i,
      options: { ...set, learningRate },
      out: single ? base : join(base, `lr${learningRate ?? "default"}-seed${seed + i}`),
    })),
  );
}

interface Given extends Member {
  readonly opened: OpenedDataset;
  readonly initial: readonly NamedTensor[] | undefined;
}

async function trainOne(
  context: CliContext,
  flags: Flags,
  { seed, options, out, opened, initial }: Given,
): Promise<Pick<RecordedEpoch, "epoch" | "file" | "metrics">[]> {
  const { dataset } = opened;
  const { hidden, activation } = flags;
  const progress = progressLine(context, printable(out));
  const architecture = buildArchitecture(flags.model, {
    inputShape: dataset.shape,
    classes: dataset.classes,
    ...(hidden && { hidden }),
    ...(activation !== undefined && { activation }),
  });
  const recorded = trainToFolder({
    out,
    architecture,
    seed,
    options,
    data: dataset,
    engine: engines.get(flags.engine).create(),
    epochs: flags.epochs,
    batch: flags.batch,
    optimizer: flags.optimizer,
    initializer: flags.init,
    resume: flags.resume,
    overwrite: flags.force,
    signal: context.signal,
    onProgress: (state) => progress.update(progressText(state)),
    ...(initial && { initial }),
  });
  const epochs: Pick<RecordedEpoch, "epoch" | "file" | "metrics">[] = [];
  try {
    for await (const { epoch, file, metrics } of recorded) {
      progress.done();
      epochs.push({ epoch, file, metrics });
      const line = epochLine(join(out, file), { epoch, ...metrics }, epochs.length === 1);
      if (flags.json) say(context, line);
      else context.process.stdout.write(`${line}\n`);
    }
  } catch (error) {
    progress.done();
    if (context.signal.aborted)
      say(context, `stopped; go on with --resume --out ${printable(out)}`);
    throw error;
  }
  return epochs;
}

function epochLine(file: string, values: Record<string, number>, first: boolean): string {
  const { epoch, train_loss, test_loss, test_acc } = values;
  const headers = ["epoch", "train_loss", " test_loss", "  test_acc", "snapshot"];
  const table = renderTable(headers, [[epoch, train_loss, test_loss, test_acc, file]]);
  return first ? table : table.slice(table.indexOf("\n") + 1);
}

function progressText(state: TrainingProgress): string {
  const { epoch, epochs, step, steps, loss, stepsPerSecond, remainingMs } = state;
  const left =
    remainingMs >= 90_000
      ? `${Math.round(remainingMs / 60_000)} min`
      : `${Math.round(remainingMs / 1000)} s`;
  return (
    `epoch ${epoch} of ${epochs}, step ${step} of ${steps}, loss ${loss.toFixed(4)}, ` +
    `${numberText(Math.round(stepsPerSecond))} steps/s, ${left} left`
  );
}

function sayDataset(context: CliContext, { dataset, folder, isSubset }: OpenedDataset): void {
  const { train, test } = dataset;
  const size = `${numberText(train.count)} images to train on, ${numberText(test.count)} to test`;
  say(context, `${printable(dataset.name)} from ${printable(folder)}: ${size}`);
  if (isSubset) say(context, "this is the small part that ships with weightgraph: see --data-dir");
}

/** Every tensor of a model file, under its own name. */
async function weightsOf(file: string, limits: ReadLimits): Promise<NamedTensor[]> {
  await checkInput(file);
  const { tensors } = await openModel(file, limits);
  return Promise.all(
    tensors.map(async (tensor) => ({
      name: tensor.name,
      shape: tensor.shape,
      values: await tensor.read(),
    })),
  );
}

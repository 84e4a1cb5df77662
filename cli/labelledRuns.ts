/** Finished runs on disk, as predictors read them: features of the first epochs, and how the run ended. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  curveFeatures,
  FormatError,
  hyperparameterFeatures,
  isWeightGraphError,
  layeredGraph,
  openSeries,
  parseManifest,
  signatureFeatures,
  temporalSignature,
  type EpochGraph,
  type FeatureRow,
  type LabelledRun,
  type ModelWarning,
  type ReadLimits,
  type Series,
  type SignatureOptions,
  type Snapshot,
} from "../src/node.ts";

export interface EarlyOptions extends SignatureOptions {
  /** The last epoch whose weights are looked at. */
  readonly epochs: number;
  readonly signal: AbortSignal;
}

export interface LabelledRuns {
  readonly runs: readonly LabelledRun[];
  readonly warnings: readonly ModelWarning[];
}

/**
 * Every subfolder of `folder` that holds a series, with its metric `target` at the last epoch. A run that ended before `epochs`
 * or never logged the metric is left out, and named in a warning.
 * @throws {FormatError} `SERIES_EMPTY` if no subfolder is a run; what the readers and measures throw for a damaged one.
 */
export async function labelledRuns(
  folder: string,
  { target, ...early }: EarlyOptions & { readonly target: string },
  onProgress: (name: string, done: number, total: number) => void,
): Promise<LabelledRuns> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const found: { name: string; series: Series; settings: Settings }[] = [];
  const warnings: ModelWarning[] = [];
  for (const name of names.sort()) {
    const path = join(folder, name);
    const series = await seriesIn(path, { signal: early.signal });
    if (series === null) continue;
    const problem = unusable(series, target, early.epochs);
    if (problem === null) found.push({ name, series, settings: await settingsOf(path) });
    else warnings.push({ code: "RUN_LEFT_OUT", message: `${name}: ${problem}` });
  }
  if (found.length === 0) {
    throw new FormatError("SERIES_EMPTY", "no subfolder holds a finished run", {
      path: [folder],
      hint: warnings[0]?.message ?? "Make some with `train --lr 0.1,0.01 --seeds 4 --out FOLDER`.",
    });
  }
  const hyperparameters = hyperparameterFeatures(found.map(({ settings }) => settings));
  const runs: LabelledRun[] = [];
  for (const [i, { name, series }] of found.entries()) {
    onProgress(name, i, found.length);
    runs.push({
      name,
      target: series.snapshots.at(-1)!.metrics[target]!,
      features: {
        signature: await earlySignature(series, early),
        curve: curveFeatures(firstEpochs(series, early.epochs)),
        hyperparameters: hyperparameters[i]!,
      },
    });
  }
  return { runs, warnings };
}

/** The signature of a run over its epochs up to `epochs`. Throws as readers and measures do. */
export async function earlySignature(
  series: Series,
  { epochs, signal, ...options }: EarlyOptions,
): Promise<FeatureRow> {
  async function* graphs(): AsyncGenerator<EpochGraph> {
    for (const snapshot of firstEpochs(series, epochs)) {
      signal.throwIfAborted();
      yield { epoch: snapshot.epoch, graph: await layeredGraph(await snapshot.load()) };
    }
  }
  return signatureFeatures(await temporalSignature(graphs(), options));
}

function firstEpochs({ snapshots }: Series, epochs: number): readonly Snapshot[] {
  return snapshots.filter(({ epoch }) => epoch <= epochs);
}

async function seriesIn(path: string, limits: ReadLimits): Promise<Series | null> {
  try {
    return await openSeries(path, limits);
  } catch (error) {
    if (isWeightGraphError(error, "SERIES_EMPTY")) return null;
    throw error;
  }
}

function unusable({ snapshots }: Series, target: string, epochs: number): string | null {
  const last = snapshots.at(-1);
  if (last === undefined || last.epoch <= epochs) return `it ended by epoch ${last?.epoch ?? 0}`;
  if (!Number.isFinite(last.metrics[target] ?? NaN))
    return `its last epoch has no metric ${target}`;
  return null;
}

type Settings = Readonly<Record<string, string | number | boolean>>;

/** The hyper-parameters of a run that we trained; none for others. */
async function settingsOf(path: string): Promise<Settings> {
  const bytes = await readFile(join(path, "run.json")).catch(() => null);
  if (bytes === null) return {};
  const { model, batch, optimizer } = parseManifest(bytes);
  return { model: model.name, batch, optimizer: optimizer.name, ...optimizer.options };
}

import type { ByteSource } from "../../bytes/source.ts";
import { FormatError, isWeightGraphError } from "../../errors.ts";
import type { Model } from "../../model/model.ts";
import { naturalOrder } from "../../model/naturalOrder.ts";
import type { Series, Snapshot } from "../../model/series.ts";
import { sameShape } from "../../tensor/shape.ts";
import { detectFormat, readModel } from "../detect.ts";
import { epochOf, type CheckpointName } from "./epochOf.ts";
import { logNames, parseMetricsLog, type MetricsLog } from "./metricsLog.ts";

/** A file of the folder, not yet opened. */
export interface SeriesFile {
  /** Relative to the folder, `/` between parts. */
  readonly name: string;
  open(): Promise<ByteSource>;
}

export interface SeriesOptions {
  /** Keep the checkpoints of this format (`safetensors`, …) instead of the one with most epochs. */
  readonly format?: string;
  readonly signal?: AbortSignal;
}

interface Checkpoint extends CheckpointName {
  readonly file: SeriesFile;
  readonly format: string;
}

type Warning = Series["warnings"][number];

/**
 * The checkpoints among `files` as one series, in order of epoch. Formats are told by content, epochs and metrics by name and
 * by a log beside the files (`log.json`, …). A folder may hold several runs or the same epochs in several formats: the one with
 * most epochs is taken (of equals, safetensors, then by name), and a warning names the others.
 * Cost: the first bytes of each file. Weights are read by `Snapshot.load`, which compares each network to the first.
 * @throws {FormatError} `SERIES_EMPTY`
 */
export async function readSeries(
  name: string,
  files: readonly SeriesFile[],
  { format, signal }: SeriesOptions = {},
): Promise<Series> {
  const warnings: Warning[] = [];
  const ordered = [...files].sort((a, b) => naturalOrder(a.name, b.name));
  const found = await findCheckpoints(ordered, { warnings, ...(signal && { signal }) });
  const wanted = format === undefined ? found : found.filter((one) => one.format === format);
  const chosen = withoutDuplicates(chooseRun(wanted, warnings), warnings);
  if (chosen.length === 0) {
    const kinds = [...new Set(found.map((one) => one.format))].join(", ") || "none";
    throw new FormatError(
      "SERIES_EMPTY",
      "no file here is a checkpoint with an epoch in its name",
      {
        path: [name],
        hint: `Name them like epoch_003.safetensors. Formats of checkpoints found: ${kinds}.`,
        details: { warnings },
      },
    );
  }
  warnAboutGaps(chosen, warnings);
  const log = await readLogs(ordered, warnings);
  const compare = networkComparison(chosen[0]!);
  const snapshots = chosen.map((checkpoint): Snapshot => {
    const { epoch, file, metrics } = checkpoint;
    return {
      epoch,
      name: file.name,
      metrics: { ...metrics, ...log.get(epoch) },
      load: async () => compare(await readModel(await file.open()), checkpoint),
    };
  });
  return { name, snapshots, warnings };
}

async function findCheckpoints(
  files: readonly SeriesFile[],
  { warnings, signal }: { warnings: Warning[]; signal?: AbortSignal },
): Promise<Checkpoint[]> {
  const found: Checkpoint[] = [];
  const undated: string[] = [];
  for (const file of files) {
    signal?.throwIfAborted();
    const dated = nameOf(file);
    try {
      const { id } = await detectFormat(await file.open());
      if (dated === null) undated.push(file.name);
      else found.push({ ...dated, file, format: id });
    } catch (error) {
      if (!isWeightGraphError(error)) throw error;
      if (dated === null || error.code === "FORMAT_UNKNOWN") continue;
      const message = `${file.name} is left out: ${error.message}`;
      warnings.push({ code: "SERIES_UNREADABLE", message });
    }
  }
  if (undated.length > 0) {
    const message = `left out, since no epoch stands in the name: ${listed(undated)}`;
    warnings.push({ code: "SERIES_UNDATED", message });
  }
  return found;
}

/** `checkpoint-1500/model.safetensors` is dated by its folder, where its own name says nothing. */
function nameOf({ name }: SeriesFile): CheckpointName | null {
  const cut = name.lastIndexOf("/");
  const [folder, base] = [name.slice(0, Math.max(cut, 0)), name.slice(cut + 1)];
  const own = epochOf(base);
  if (own !== null) return { ...own, stem: `${folder}/${own.stem}` };
  const ofFolder = folder === "" ? null : epochOf(folder);
  return ofFolder && { ...ofFolder, stem: `${ofFolder.stem}/${base}` };
}

function chooseRun(found: readonly Checkpoint[], warnings: Warning[]): readonly Checkpoint[] {
  const runs = new Map<string, Checkpoint[]>();
  for (const one of found) {
    const key = JSON.stringify([one.format, one.stem]);
    runs.set(key, [...(runs.get(key) ?? []), one]);
  }
  const epochs = (run: readonly Checkpoint[]): number => new Set(run.map((one) => one.epoch)).size;
  const preference = ([first]: readonly Checkpoint[]): string =>
    `${first!.format === "safetensors" ? 0 : 1} ${first!.format} ${first!.stem}`;
  const [best, ...others] = [...runs.values()].sort(
    (a, b) => epochs(b) - epochs(a) || (preference(a) < preference(b) ? -1 : 1),
  );
  if (best === undefined) return [];
  if (others.length > 0) {
    const names = others.map(
      (run) => `${run.length} of ${run[0]!.format} (${run[0]!.file.name}, …)`,
    );
    const message = `taken: ${best.length} checkpoints of ${best[0]!.format}; left out: ${listed(names)}`;
    warnings.push({ code: "SERIES_OTHERS", message });
  }
  return best;
}

function withoutDuplicates(run: readonly Checkpoint[], warnings: Warning[]): Checkpoint[] {
  const byEpoch = new Map<number, Checkpoint>();
  const repeated: string[] = [];
  for (const one of run) {
    if (byEpoch.has(one.epoch)) repeated.push(one.file.name);
    else byEpoch.set(one.epoch, one);
  }
  if (repeated.length > 0) {
    const message = `left out, since their epoch was there already: ${listed(repeated)}`;
    warnings.push({ code: "SERIES_DUPLICATE", message });
  }
  return [...byEpoch.values()].sort((a, b) => a.epoch - b.epoch);
}

/** Equal steps are no gap: checkpoints may be written every 500 steps. */
function warnAboutGaps(run: readonly Checkpoint[], warnings: Warning[]): void {
  const steps = run.slice(1).map((one, i) => one.epoch - run[i]!.epoch);
  const usual = Math.min(...steps);
  const gaps = steps.flatMap((step, i) =>
    step === usual ? [] : [`${run[i]!.epoch} to ${run[i + 1]!.epoch}`],
  );
  if (gaps.length === 0) return;
  const message = `epochs are not evenly spaced: nothing lies between ${listed(gaps)}`;
  warnings.push({ code: "SERIES_GAPS", message });
}

async function readLogs(files: readonly SeriesFile[], warnings: Warning[]): Promise<MetricsLog> {
  const joined = new Map<number, Record<string, number>>();
  for (const logName of [...logNames].reverse()) {
    const file = files.find(({ name }) => name === logName);
    if (file === undefined) continue;
    try {
      const source = await file.open();
      const log = parseMetricsLog(await source.slice(0, source.byteLength), logName);
      for (const [epoch, metrics] of log) {
        joined.set(epoch, { ...joined.get(epoch), ...metrics });
      }
    } catch (error) {
      if (!isWeightGraphError(error)) throw error;
      warnings.push({ code: "SERIES_LOG_UNREADABLE", message: `${logName}: ${error.message}` });
    }
  }
  return joined;
}

/** Compares a network with the first of the series, whose structure is read once. */
function networkComparison(
  first: Checkpoint,
): (model: Model, checkpoint: Checkpoint) => Promise<Model> {
  let reference: Promise<Model> | undefined;
  return async (model, { file }) => {
    if (file === first.file) return model;
    reference ??= first.file.open().then(readModel);
    const { layers } = await reference;
    const isSame =
      layers.length === model.layers.length &&
      layers.every(({ tensor }, i) => sameShape(tensor.shape, model.layers[i]!.tensor.shape));
    if (!isSame) {
      const at = layers.findIndex(
        ({ tensor }, i) => !sameShape(tensor.shape, model.layers[i]?.tensor.shape ?? []),
      );
      const layer =
        at === -1 ? `${model.layers.length} layers for ${layers.length}` : layers[at]!.name;
      throw new FormatError(
        "SERIES_MISMATCH",
        `another network than in ${first.file.name}: ${layer}`,
        {
          path: [file.name],
          hint: "Keep the checkpoints of one run in a folder of their own.",
        },
      );
    }
    const renamed = layers.filter(({ name }, i) => name !== model.layers[i]!.name);
    if (renamed.length === 0) return model;
    const message = `${renamed.length} layers are called otherwise than in ${first.file.name}, such as ${renamed[0]!.name}`;
    return { ...model, warnings: [...model.warnings, { code: "SERIES_RENAMED", message }] };
  };
}

function listed(names: readonly string[]): string {
  return names.slice(0, 8).join(", ") + (names.length > 8 ? `, … (${names.length})` : "");
}

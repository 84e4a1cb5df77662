import { FormatError, isWeightGraphError } from "../../errors.ts";
import type { Model, ModelWarning } from "../../model/model.ts";
import { naturalOrder } from "../../model/naturalOrder.ts";
import type { Series, SeriesSnapshot } from "../../model/series.ts";
import { readModel } from "../detect.ts";
import {
  runsOf,
  warnAboutFormats,
  warnAboutGaps,
  warnAboutOthers,
  type Checkpoint,
  type Run,
} from "./chooseRun.ts";
import { asSameNetwork } from "./compareNetworks.ts";
import { findModels, type FoundModel } from "./findCheckpoints.ts";
import { joinMetrics, unitOf } from "./joinMetrics.ts";
import { logFilesOf } from "./logs/logFiles.ts";
import { readLogs } from "./logs/readLogs.ts";
import type { DatedEntry } from "./manifest.ts";
import { isFileError, listed, type SeriesFile } from "./seriesFile.ts";

export interface SeriesOptions {
  /** Keep the checkpoints of this format (`safetensors`, …) instead of the one with most epochs. */
  readonly format?: string;
  readonly signal?: AbortSignal;
}

export interface ReadSeriesOptions extends SeriesOptions {
  /** What a manifest says of files, by name; see `parseSeriesManifest`. */
  readonly dates?: ReadonlyMap<string, DatedEntry>;
  /** The files were named one by one: where no name has an epoch, their order counts. @defaultValue false */
  readonly isListed?: boolean;
  /** What was left out before. */
  readonly warnings?: readonly ModelWarning[];
}

/**
 * The checkpoints among `files` as one series, in order of epoch or step. Formats are told by content, epochs by name or by
 * `dates`, metrics by name and by logs beside the files. A folder may hold several runs: the one with most epochs is taken. A run
 * may change its format on the way, or be there in several: of equals safetensors, then by name. Warnings tell what was left out,
 * guessed or is missing.
 * Cost: the first bytes of each file, and the logs. Weights are read by `Snapshot.load`, which compares each network to the first.
 * @throws {FormatError} `SERIES_EMPTY`
 */
export async function readSeries(
  name: string,
  files: readonly SeriesFile[],
  options: ReadSeriesOptions = {},
): Promise<Series> {
  const { format, signal, dates = new Map<string, DatedEntry>(), isListed = false } = options;
  const warnings: ModelWarning[] = [...(options.warnings ?? [])];
  const ordered = isListed ? files : [...files].sort((a, b) => naturalOrder(a.name, b.name));
  const found = await findModels(ordered, { dates, warnings, signal });
  const wanted = format === undefined ? found : found.filter((one) => one.format === format);
  const [first, ...rest] = runsOf(isListed ? inGivenOrder(wanted, warnings) : wanted);
  const undated = found.filter(({ date }) => date === null).map(({ file }) => file.name);
  const isCounted = wanted.every(({ date }) => date === null) && first !== undefined;
  if (undated.length > 0 && !isCounted) {
    const message = `left out, since no epoch stands in the name: ${listed(undated)}`;
    warnings.push({ code: "SERIES_UNDATED", message });
  }
  if (first === undefined) throw nothingFound(name, found, warnings);
  const { run, others } = await continued(first, rest);
  const left = found.filter((one) => one.date !== null && !wanted.includes(one));
  warnAboutOthers(run, [...others, ...runsOf(left)], warnings);
  warnAboutFormats(run.chosen, warnings);
  const otherFiles = found.map(({ file }) => file.name);
  const logFiles = logFilesOf(ordered, run.chosen, otherFiles);
  const logs = await readLogs(logFiles, { warnings, signal });
  const unit = unitOf(run.chosen, logs, warnings);
  warnAboutGaps(run.chosen, unit, warnings);
  const joined = joinMetrics(run.chosen, unit, logs, warnings);
  const compare = networkComparison(run.chosen);
  const snapshots = run.chosen.map((checkpoint, i): SeriesSnapshot => ({
    epoch: checkpoint.epoch,
    step: unit === "step" ? checkpoint.epoch : checkpoint.step,
    name: checkpoint.file.name,
    format: checkpoint.format,
    metrics: joined.metrics[i]!,
    load: async () => compare(await readModel(await checkpoint.file.open()), checkpoint),
  }));
  return { name, unit, snapshots, logs: joined.logs, warnings };
}

function nothingFound(
  name: string,
  found: readonly FoundModel[],
  warnings: readonly ModelWarning[],
): FormatError {
  const kinds = [...new Set(found.map((one) => one.format))].join(", ") || "none";
  const reason = warnings.find(({ code }) => code === "SERIES_UNREADABLE");
  return new FormatError("SERIES_EMPTY", "no file here is a checkpoint with an epoch in its name", {
    path: [name],
    hint:
      `Name them like epoch_003.safetensors. Formats of checkpoints found: ${kinds}.` +
      (reason === undefined ? "" : ` ${reason.message}.`),
    details: { warnings },
  });
}

/** Files that were named one by one, none with an epoch: counted as they stand. */
function inGivenOrder(
  models: readonly FoundModel[],
  warnings: ModelWarning[],
): readonly FoundModel[] {
  if (models.length < 2 || models.some(({ date }) => date !== null)) return models;
  const message = "no epoch stands in the names, so the checkpoints are counted in the order given";
  warnings.push({ code: "SERIES_ORDER", message });
  return models.map((model, epoch) => ({
    ...model,
    date: {
      epoch,
      unit: "epoch",
      step: null,
      metrics: {},
      stem: "",
      day: "",
      place: "",
      isNamed: true,
    },
  }));
}

/**
 * A run of another name and format in the same folder goes on with the first where it has other epochs and the same network:
 * `model_epoch_0.pt` to 3, `net_epoch_4.safetensors` to 6.
 */
async function continued(
  first: Run,
  rest: readonly Run[],
): Promise<{ run: Run; others: readonly Run[] }> {
  let { chosen } = first;
  const others: Run[] = [];
  for (const run of rest) {
    const [mine, theirs] = [chosen[0]!, run.chosen[0]!];
    const epochs = new Set(chosen.map(({ epoch }) => epoch));
    const isOther = theirs.format !== mine.format && theirs.stem !== mine.stem;
    const isBeside = theirs.place === mine.place && theirs.unit === mine.unit;
    const isApart = run.chosen.every(({ epoch }) => !epochs.has(epoch));
    if (isOther && isBeside && isApart && (await isSame(mine, theirs))) {
      chosen = [...chosen, ...run.chosen].sort((a, b) => a.epoch - b.epoch);
    } else others.push(run);
  }
  return { run: { ...first, chosen }, others };
}

async function isSame(one: Checkpoint, other: Checkpoint): Promise<boolean> {
  try {
    const first = await readModel(await one.file.open());
    const second = await readModel(await other.file.open());
    asSameNetwork(second, first, { own: other.file.name, first: one.file.name });
    return true;
  } catch (error) {
    if (!isFileError(error) && !isWeightGraphError(error, "SERIES_MISMATCH")) throw error;
    return false;
  }
}

/** Compares a network with the first of the series that can be read, whose structure is kept. */
function networkComparison(
  chosen: readonly Checkpoint[],
): (model: Model, checkpoint: Checkpoint) => Promise<Model> {
  let reference: Promise<{ model: Model; checkpoint: Checkpoint }> | undefined;
  const readFirst = async (): Promise<{ model: Model; checkpoint: Checkpoint }> => {
    let failure: unknown;
    for (const checkpoint of chosen) {
      try {
        return { model: await readModel(await checkpoint.file.open()), checkpoint };
      } catch (error) {
        if (!isFileError(error)) throw error;
        failure ??= error;
      }
    }
    throw failure;
  };
  return async (model, checkpoint) => {
    if (checkpoint === chosen[0]) return model;
    reference ??= readFirst();
    const first = await reference;
    if (first.checkpoint === checkpoint) return model;
    return asSameNetwork(model, first.model, {
      own: checkpoint.file.name,
      first: first.checkpoint.file.name,
    });
  };
}

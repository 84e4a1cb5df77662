/** Which files of a folder are checkpoints, told by content; when they were written, told by name. */
import type { ModelWarning } from "../../model/model.ts";
import { detectFormat } from "../detect.ts";
import type { DatedEntry } from "./manifest.ts";
import { isLogName } from "./logs/logNames.ts";
import {
  baseName,
  dateOf,
  folderOf,
  isFileError,
  listed,
  type CheckpointDate,
  type SeriesFile,
} from "./seriesFile.ts";

/** A file that a reader recognises, and its date if it has one. */
export interface FoundModel {
  readonly file: SeriesFile;
  readonly format: string;
  readonly date: CheckpointDate | null;
}

export interface FindOptions {
  /** Dates that a manifest gives, by file name; they count more than names. */
  readonly dates: ReadonlyMap<string, DatedEntry>;
  readonly warnings: ModelWarning[];
  readonly signal: AbortSignal | undefined;
}

/** Files looked at at once: more gains nothing on one disk. */
const concurrency = 8;

/**
 * Reads the first bytes of each file that may be a checkpoint. Left out, and told: what a trainer saves beside the weights
 * (`optimizer.pt`), dated files that no reader knows or that are damaged at their start, shards without their index.
 */
export async function findModels(
  files: readonly SeriesFile[],
  { dates, warnings, signal }: FindOptions,
): Promise<FoundModel[]> {
  const names = new Set(files.map(({ name }) => name));
  const states: string[] = [];
  const orphans: string[] = [];
  const candidates = files.filter(({ name }) => {
    if (dates.has(name)) return true;
    const isState = trainingState.test(baseName(name));
    if (isState) states.push(name);
    const shard = isState ? "none" : shardOf(name, names);
    if (shard === "orphan") orphans.push(name);
    return !isState && shard === "none" && !isLogName(name);
  });
  const looks = await inParallel(candidates, (file) => lookAt(file, { dates, warnings, signal }));
  const found: FoundModel[] = [];
  const unread: { name: string; reason: string }[] = [];
  for (const [i, file] of candidates.entries()) {
    const date = dates.get(file.name)?.date ?? dateOf(file.name);
    const look = looks[i]!;
    if (look.format !== null) found.push({ file, format: look.format, date });
    else if (date !== null) unread.push({ name: file.name, reason: look.reason });
  }
  const folders = new Set(found.map(({ file }) => folderOf(file.name)));
  for (const { name, reason } of unread) {
    // Shards and external data belong to the model beside them.
    const isPart = reason === unknown && folderOf(name) !== "" && folders.has(folderOf(name));
    if (isPart || (reason === unknown && !weightExtension.test(name))) continue;
    warnings.push({ code: "SERIES_UNREADABLE", message: `${name} is left out: ${reason}` });
  }
  if (orphans.length > 0) {
    const message = `left out, since the index of their shards is missing: ${listed(orphans)}`;
    warnings.push({ code: "SERIES_UNREADABLE", message });
  }
  if (states.length > 0) {
    const message = `left out, since they hold the state of training, no weights: ${listed(states)}`;
    warnings.push({ code: "SERIES_TRAINING_STATE", message });
  }
  return found;
}

const unknown = "the content is of no format that weightgraph reads";

const trainingState =
  /^(?:.*_)?(?:optimizers?|optim|opt_state|(?:lr_)?schedulers?|grad_scaler|scaler|training_args|rng_states?|random_states?|zero_pp_rank|optim_states)(?:[-_.\d].*)?\.(?:pt|pth|bin|pkl|ckpt|safetensors|npz)$/i;

/** Endings of files that hold weights: such a file with an epoch is missed when nothing reads it. */
const weightExtension =
  /\.(?:pt|pth|tar|ckpt|h5|hdf5|keras|npz|npy|onnx|safetensors|bin|index|pkl|pickle|msgpack|gguf|pb|tflite|params|zip)$/i;

/** Whether a name is that of a shard, and whether the index of it lies beside. */
function shardOf(name: string, names: ReadonlySet<string>): "none" | "indexed" | "orphan" {
  if (/\.data-\d{5}-of-\d{5}$/.test(name)) return "indexed";
  if (/(?:^|[-_/])shard\d+of\d+(?:\.bin)?$/.test(name)) return "indexed";
  const match = /^(?<stem>.*)[-_.]\d{5}-of-(?<count>\d{5})\.(?<ending>safetensors|bin|pt)$/.exec(
    name,
  );
  if (match === null) return "none";
  const { stem, count, ending } = match.groups!;
  if (names.has(`${stem}.${ending}.index.json`)) return "indexed";
  return Number(count) > 1 ? "orphan" : "none";
}

async function lookAt(
  file: SeriesFile,
  { dates, signal }: FindOptions,
): Promise<{ format: string; reason: "" } | { format: null; reason: string }> {
  signal?.throwIfAborted();
  try {
    return { format: (await detectFormat(await file.open())).id, reason: "" };
  } catch (error) {
    if (!isFileError(error)) throw error;
    const isMeant = dates.has(file.name) || dateOf(file.name) !== null;
    if (error.code === "FILE_OUTSIDE_FOLDER" || (isMeant && error.code === "FORMAT_LIMIT")) {
      throw error;
    }
    return { format: null, reason: error.code === "FORMAT_UNKNOWN" ? unknown : error.message };
  }
}

async function inParallel<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let i = next++; i < items.length; i = next++) results[i] = await work(items[i]!);
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, worker));
  return results;
}

/**
 * A run kept in a folder, or in anything else that stores files by name: a snapshot per epoch, a manifest, a log, and what it
 * takes to go on after an interruption.
 */
import { datasetHash, sha256 } from "../data/sha256.ts";
import { FormatError, UsageError } from "../errors.ts";
import { train, type TrainingEpoch, type TrainOptions } from "./run.ts";
import { manifestOf, parseManifest, type RunManifest, type RunSnapshot } from "./runManifest.ts";
import type { TrainingState } from "./runOptions.ts";
import type { NamedTensor } from "./trainer.ts";

/** Files by name. Writing is atomic: a name holds the old content or the new, whole. */
export interface RunStore {
  /** Null if there is none. */
  read(name: string): Promise<Uint8Array | null>;
  /** @throws {FormatError} `FILE_EXISTS` unless `overwrite`. */
  write(
    name: string,
    content: Uint8Array | string,
    options: { readonly overwrite: boolean },
  ): Promise<void>;
  remove(name: string): Promise<void>;
}

/** How named tensors become the bytes of a file; the file's extension is `.${extension}`. */
export interface TensorCodec {
  readonly extension: string;
  encode(tensors: readonly NamedTensor[], metadata: Readonly<Record<string, string>>): Uint8Array;
  decode(bytes: Uint8Array): Promise<readonly NamedTensor[]>;
}

export interface RecordOptions extends Omit<TrainOptions, "resume"> {
  readonly store: RunStore;
  readonly codec: TensorCodec;
  /** Go on with the run that the store holds, if it holds one. @defaultValue false */
  readonly resume?: boolean;
  /** Replace the run that the store holds. @defaultValue false */
  readonly overwrite?: boolean;
}

/** An epoch whose snapshot lies in the store. */
export interface RecordedEpoch extends TrainingEpoch {
  readonly file: string;
}

/**
 * Trains, and yields each epoch once it is stored: `epoch_000.safetensors`, …, then `log.json` and `run.json`, which counts an
 * epoch only when all of its files are there. Stopped at any moment, by a signal or by force, the store holds whole files only,
 * and with `resume` the run ends in the same bytes as if it had not been stopped.
 * @throws {FormatError} `FILE_EXISTS` if there is a run and neither `resume` nor `overwrite`; `FORMAT_MALFORMED` for a manifest
 * or a state that is damaged. @throws {UsageError} `USAGE_INVALID_OPTION` for resuming with other settings. As `train` besides.
 */
export async function* recordRun({
  store,
  codec,
  resume = false,
  overwrite = false,
  ...options
}: RecordOptions): AsyncGenerator<RecordedEpoch, void, undefined> {
  const planned = manifestOf(options, await datasetHash(options.data));
  const before = await openStore(store, planned, { resume, overwrite });
  const state = before.resume === null ? undefined : await readState(store, codec, before);
  const snapshots = [...before.snapshots];
  let kept = before.resume;
  // Written before the first epoch, so that an interruption during it leaves a run that can be resumed.
  await store.write("run.json", json({ ...planned, snapshots, resume: kept }), { overwrite: true });

  for await (const epoch of train({ ...options, ...(state && { resume: state }) })) {
    const file = `${epoch.name}.${codec.extension}`;
    const bytes = codec.encode(epoch.weights, { epoch: String(epoch.epoch) });
    await store.write(file, bytes, { overwrite: resume || overwrite });
    const { metrics } = epoch;
    snapshots.push({ epoch: epoch.epoch, file, sha256: await sha256(bytes), metrics });

    const { states } = await epoch.checkpoint();
    const stateFile = `.resume/${file}`;
    const stateBytes = codec.encode(states, { epoch: String(epoch.epoch) });
    await store.write(stateFile, stateBytes, { overwrite: true });
    const last = { epoch: epoch.epoch, file: stateFile, sha256: await sha256(stateBytes) };

    await store.write("log.json", json(logOf(planned, snapshots)), { overwrite: true });
    const manifest = { ...planned, snapshots, resume: last };
    await store.write("run.json", json(manifest), { overwrite: true });
    if (kept !== null && kept.file !== stateFile) await store.remove(kept.file);
    kept = last;
    yield { ...epoch, file };
  }
}

/** The run that the store holds, as far as it is to be kept. */
async function openStore(
  store: RunStore,
  planned: RunManifest,
  { resume, overwrite }: { readonly resume: boolean; readonly overwrite: boolean },
): Promise<RunManifest> {
  const bytes = await store.read("run.json");
  if (bytes === null) return planned;
  if (!resume && !overwrite) {
    throw new FormatError("FILE_EXISTS", "a run is kept here already", {
      path: ["run.json"],
      hint: "Resume it, overwrite it, or name another folder.",
    });
  }
  const found = parseManifest(bytes);
  if (resume) {
    requireSameSettings(found, planned);
    return found;
  }
  for (const { file } of [...found.snapshots, ...(found.resume ? [found.resume] : [])]) {
    await store.remove(file);
  }
  return planned;
}

/** All but the number of epochs, which may grow. */
function requireSameSettings(found: RunManifest, planned: RunManifest): void {
  for (const key of Object.keys(planned) as (keyof RunManifest)[]) {
    if (key === "epochs" || key === "snapshots" || key === "resume") continue;
    const [was, is] = [JSON.stringify(found[key]), JSON.stringify(planned[key])];
    if (was === is) continue;
    throw new UsageError("USAGE_INVALID_OPTION", `the run was begun with another ${key}`, {
      path: ["run.json", key],
      hint: "Resume with the settings of the first call, or begin another run.",
      details: { was: found[key], is: planned[key] },
    });
  }
}

async function readState(
  store: RunStore,
  codec: TensorCodec,
  { resume }: RunManifest,
): Promise<TrainingState> {
  const { epoch, file, sha256: wanted } = resume!;
  const bytes = await store.read(file);
  if (bytes === null || (await sha256(bytes)) !== wanted) {
    throw new FormatError(
      "FORMAT_MALFORMED",
      bytes === null ? "the state to resume from is missing" : "the state to resume from changed",
      { path: [file], hint: "Begin the run anew with overwrite." },
    );
  }
  return { epoch, states: await codec.decode(bytes) };
}

/** The log in the form that readers of series know: settings, then a record per epoch. */
function logOf(
  { seed, optimizer, data }: RunManifest,
  snapshots: readonly RunSnapshot[],
): Record<string, unknown> {
  return {
    name: data.name,
    seed,
    optimizer: optimizer.name,
    lr: optimizer.options["learningRate"],
    train_samples: data.train,
    log: snapshots.map(({ epoch, metrics }) => ({ epoch, ...metrics })),
  };
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

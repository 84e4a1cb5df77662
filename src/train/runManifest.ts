/** `run.json`: what a run was told, what it ran on and what came out, so that it can be repeated, checked and resumed. */
import { FormatError } from "../errors.ts";
import type { Architecture } from "./network.ts";
import { planRun, type RunOptions } from "./runOptions.ts";
import type { TrainOptions } from "./run.ts";

export interface RunSnapshot {
  readonly epoch: number;
  readonly file: string;
  readonly sha256: string;
  readonly metrics: Readonly<Record<string, number>>;
}

export interface RunManifest {
  readonly schema: "weightgraph.run";
  readonly version: 1;
  readonly model: Architecture;
  readonly seed: number;
  readonly epochs: number;
  readonly batch: number;
  readonly shuffle: boolean;
  /** Every option, the defaults included. */
  readonly optimizer: { readonly name: string; readonly options: Readonly<Record<string, number>> };
  readonly loss: string;
  readonly initializer: string;
  /** True if training began from given weights instead of drawn ones. */
  readonly initial: boolean;
  readonly data: {
    readonly name: string;
    readonly train: number;
    readonly test: number;
    /** See `datasetHash`. */
    readonly sha256: string;
  };
  readonly engine: { readonly name: string; readonly precision: string };
  readonly snapshots: readonly RunSnapshot[];
  /** Where to go on from; null before the first epoch is stored. */
  readonly resume: {
    readonly epoch: number;
    readonly file: string;
    readonly sha256: string;
  } | null;
}

/** The manifest of a run that has not begun. @throws as `planRun`. */
export function manifestOf(
  { seed = 0, options, initial, ...run }: Omit<TrainOptions, "resume">,
  dataHash: string,
): RunManifest {
  const plan = planRun(run satisfies RunOptions, [{ seed, ...(options && { options }) }]);
  const { architecture, data, engine, epochs } = run;
  return {
    schema: "weightgraph.run",
    version: 1,
    model: architecture,
    seed,
    epochs,
    batch: plan.batch,
    shuffle: plan.shuffle,
    optimizer: { name: plan.optimizer.name, options: plan.members[0]!.optimizer },
    loss: plan.loss.name,
    initializer: plan.initializer.name,
    initial: initial !== undefined,
    data: { name: data.name, train: data.train.count, test: data.test.count, sha256: dataHash },
    engine: { name: engine.name, precision: engine.precision },
    snapshots: [],
    resume: null,
  };
}

/** @throws {FormatError} `FORMAT_MALFORMED` for what is no manifest of this version. */
export function parseManifest(bytes: Uint8Array): RunManifest {
  const fail = (message: string, cause?: unknown): never => {
    throw new FormatError("FORMAT_MALFORMED", message, { path: ["run.json"], cause });
  };
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    fail("the manifest is no JSON", cause);
  }
  const manifest = parsed as Partial<RunManifest> | null;
  if (manifest?.schema !== "weightgraph.run" || manifest.version !== 1) {
    fail("no manifest of a run, version 1");
  }
  const { snapshots, resume } = manifest as RunManifest;
  const isSound =
    Array.isArray(snapshots) &&
    snapshots.every((one: unknown) => isStored(one)) &&
    (resume === null || isStored(resume));
  return isSound ? (manifest as RunManifest) : fail("the manifest's list of files is damaged");
}

/** A record of a stored file; its name must not lead anywhere else. */
function isStored(value: unknown): boolean {
  const { epoch, file, sha256 } = (value ?? {}) as Readonly<Record<string, unknown>>;
  return (
    Number.isSafeInteger(epoch) &&
    typeof sha256 === "string" &&
    typeof file === "string" &&
    /^(\.resume\/)?epoch_\d+\.[a-z]+$/.test(file)
  );
}

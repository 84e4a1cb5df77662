import type { Model, ModelWarning } from "./model.ts";

/** What a series counts: passes over the data, or updates of the weights. */
export type SeriesUnit = "epoch" | "step";

/** The weights at one moment of training. */
export interface Snapshot {
  /** The moment, in the series' `unit`: epoch 0 is before training. */
  readonly epoch: number;
  /** File name. */
  readonly name: string;
  /** What was measured then, by its logged name: `test_acc`, `val_loss`. NaN and infinities are kept as such. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Reads the weights; nothing is kept between calls. */
  load(): Promise<Model>;
}

/** A snapshot in a file. */
export interface SeriesSnapshot extends Snapshot {
  /** The step, where it is known; equal to `epoch` in a series that counts steps. */
  readonly step: number | null;
  /** Family of formats: `safetensors`, `pytorch`, … */
  readonly format: string;
}

/** A file that metrics came from. */
export interface SeriesLog {
  readonly name: string;
  /** What its records were matched to checkpoints by; null where none was. */
  readonly by: SeriesUnit | null;
  readonly records: number;
  /** Checkpoints that got a metric from it. */
  readonly attached: number;
}

/** Snapshots of one network, in order. */
export interface Series {
  readonly name: string;
  readonly unit: SeriesUnit;
  readonly snapshots: readonly SeriesSnapshot[];
  readonly logs: readonly SeriesLog[];
  /** What was guessed, skipped or missing; never silent. */
  readonly warnings: readonly ModelWarning[];
}

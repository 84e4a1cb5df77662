import type { Model } from "./model.ts";

/** The weights at one moment of training. */
export interface Snapshot {
  /** 0 is before training; an integer unless the series counts steps. */
  readonly epoch: number;
  /** File name. */
  readonly name: string;
  /** What was measured then, by its logged name: `test_acc`, `val_loss`. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Reads the weights; nothing is kept between calls. */
  load(): Promise<Model>;
}

/** Snapshots of one network, in order. */
export interface Series {
  readonly name: string;
  readonly snapshots: readonly Snapshot[];
  /** What was guessed, skipped or missing; never silent. */
  readonly warnings: readonly { readonly code: string; readonly message: string }[];
}

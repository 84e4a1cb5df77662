import type { Shape } from "../../tensor/shape.ts";
import type { Architecture } from "../network.ts";

export interface ZooOptions {
  /** Of one sample: [C, H, W]. */
  readonly inputShape: Shape;
  readonly classes: number;
  /** Widths of hidden layers, for those that let one choose. */
  readonly hidden?: readonly number[];
  /** Name of a registered activation, for those that let one choose. */
  readonly activation?: string;
}

/** A registered part: an architecture by name. */
export interface ZooEntry {
  readonly name: string;
  readonly title: string;
  readonly build: (options: ZooOptions) => Architecture;
}

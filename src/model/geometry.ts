/**
 * Where neurons stand: how positions go through a network, which a topology, knowing channels alone, leaves out. A list of steps
 * in forward order, each of which makes one value of channels and positions; a step names those before it by number. Readers
 * write down what their file declares, sizes are worked out when a graph is unrolled.
 */
import type { Shape } from "../tensor/shape.ts";

/** Positions added before and behind, per axis; or as many as keep the size, the odd one behind ("upper") or in front. */
export type Padding = "same upper" | "same lower" | readonly (readonly [number, number])[];

/** A window that slides over positions; every list has an entry per axis. */
export interface Window {
  readonly kernel: Shape;
  readonly strides: Shape;
  readonly dilations: Shape;
  readonly padding: Padding;
  /** True where a last window that does not fit whole counts too. */
  readonly roundsUp?: boolean;
  /** From the narrow side to the wide one: a transposed convolution; positions that no window reaches are added behind. */
  readonly transposed?: { readonly outputPadding: Shape };
}

export type GeometryStep =
  | {
      readonly op: "input";
      readonly name: string;
      /** Null where the file leaves it open. */
      readonly channels: number | null;
      readonly positions: readonly (number | null)[] | null;
    }
  | {
      readonly op: "connect";
      /** Index into `Model.layers`. */
      readonly layer: number;
      readonly of: number;
      /** Null for a dense layer: all features, or the channels of every position. */
      readonly window: Window | null;
    }
  | {
      readonly op: "pool";
      readonly name: string;
      readonly of: number;
      /** `copy`: each activation to all positions of its window, an upsampling by whole numbers. */
      readonly mode: "max" | "average" | "copy";
      /** `all`: one window over all positions. */
      readonly window: Window | "all";
      /** True where padding counts among what is averaged. */
      readonly countsPadding?: boolean;
    }
  | {
      readonly op: "pad";
      readonly of: number;
      readonly pads: readonly (readonly [number, number])[];
    }
  | { readonly op: "sum"; readonly of: readonly number[] }
  | { readonly op: "concatenate"; readonly of: readonly number[] }
  | {
      readonly op: "flatten";
      readonly of: number;
      readonly order: "positions first" | "channels first";
    }
  | {
      /** Units of a dense layer become a map: of one size, at most, that is not stated, as many as there are. */
      readonly op: "unflatten";
      readonly name: string;
      readonly of: number;
      readonly channels: number | null;
      readonly positions: readonly (number | null)[];
      readonly order: "positions first" | "channels first";
    }
  | { readonly op: "unknown"; readonly reason: string };

export interface Geometry {
  readonly steps: readonly GeometryStep[];
}

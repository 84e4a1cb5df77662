import type { Constant } from "./constant.ts";

/** What belongs to a weight layer besides its weights, as the graph tells. */
export interface LayerAdditions {
  /** Null: there is none. Absent: not known. */
  bias?: Constant | null;
  normalisation?: BatchNormalisation;
}

export interface BatchNormalisation {
  readonly scale: Constant;
  readonly shift: Constant;
  readonly mean: Constant;
  readonly variance: Constant;
  readonly epsilon: number;
}

import type { Shape } from "../tensor/shape.ts";

/** Labelled images, bytes as stored. */
export interface Split {
  /** [count, …shape]. */
  readonly images: Uint8Array;
  /** [count], each below the number of classes. */
  readonly labels: Uint8Array;
  readonly count: number;
}

export interface Dataset {
  readonly name: string;
  /** Of one image: [C, H, W]. */
  readonly shape: Shape;
  readonly classes: number;
  readonly train: Split;
  readonly test: Split;
}

/** The first `count` samples of a split, or all if it has fewer; shares its memory. */
export function firstOf(split: Split, count: number): Split {
  const kept = Math.min(count, split.count);
  const size = split.count === 0 ? 0 : split.images.length / split.count;
  return {
    images: split.images.subarray(0, kept * size),
    labels: split.labels.subarray(0, kept),
    count: kept,
  };
}

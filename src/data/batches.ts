import { shuffle, type Random } from "../random.ts";
import type { Split } from "./dataset.ts";

/** Numbers of the samples in the order of one epoch: shuffled, or as in the file where `random` is null. */
export function sampleOrder(count: number, random: Random | null): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  return random === null ? order : shuffle(order, random);
}

/** Sizes of an epoch's batches: as many full ones as there are, then what is left. */
export function batchSizes(count: number, batch: number): number[] {
  const full = Array.from({ length: Math.floor(count / batch) }, () => batch);
  return count % batch === 0 ? full : [...full, count % batch];
}

/** Where a batch goes: images [B, …shape], labels [B]. */
export interface BatchBuffers {
  readonly images: Float32Array;
  readonly labels: Int32Array;
}

/** Fills the buffers with the samples that `order` names from `first` on, pixels divided by 255. Allocates nothing. */
export function fillBatch(
  { images, labels }: Split,
  { order, first }: { readonly order: Uint32Array; readonly first: number },
  into: BatchBuffers,
): void {
  const size = into.images.length / into.labels.length;
  for (let i = 0; i < into.labels.length; i++) {
    const sample = order[first + i]!;
    into.labels[i] = labels[sample]!;
    const from = sample * size;
    const to = i * size;
    for (let j = 0; j < size; j++) into.images[to + j] = images[from + j]! / 255;
  }
}

import { shuffle, type Random } from "../random.ts";

/**
 * Splits runs into folds of equal size (within one), stratified by target: of every `folds` runs that are neighbours in rank,
 * each goes to another fold; equal targets stand in random order. Returns the fold of each run. Cost: O(n log n).
 */
export function stratifiedFolds(targets: Float64Array, folds: number, random: Random): Uint32Array {
  const foldOf = new Uint32Array(targets.length);
  const order = shuffle(countTo(targets.length), random);
  order.sort((a, b) => targets[a]! - targets[b]!);
  for (let first = 0; first < order.length; first += folds) {
    const dealt = shuffle(countTo(folds), random);
    order.slice(first, first + folds).forEach((run, i) => (foldOf[run] = dealt[i]!));
  }
  return foldOf;
}

function countTo(length: number): number[] {
  return Array.from({ length }, (_, i) => i);
}

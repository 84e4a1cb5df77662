/** Order statistics. */

/** The middle value, or the mean of the two middle ones; NaN for no values. Cost: O(n) on average, and a copy. */
export function median(values: Float64Array): number {
  const { length } = values;
  if (length === 0) return NaN;
  const dealt = values.slice();
  const above = Math.ceil(length / 2);
  const upper = kthLargest(dealt, above);
  if (length % 2 === 1) return upper;
  let lower = -Infinity;
  for (let i = above; i < length; i++) lower = Math.max(lower, dealt[i]!);
  // Halved before they are added, so that two huge values do not overflow.
  return lower / 2 + upper / 2;
}

/**
 * The k-th largest value, k from 1; reorders `values` on the way, the larger ones before it. Cost: O(n) on average.
 * Source: Hoare 1961, algorithm 65, doi 10.1145/366622.366647, with the median of three as pivot.
 */
export function kthLargest(values: Float64Array, k: number): number {
  const target = k - 1;
  let first = 0;
  let last = values.length - 1;
  while (first < last) {
    const pivot = middleOf(values[first]!, values[(first + last) >> 1]!, values[last]!);
    let i = first;
    let j = last;
    while (i <= j) {
      while (values[i]! > pivot) i++;
      while (values[j]! < pivot) j--;
      if (i <= j) {
        const kept = values[i]!;
        values[i++] = values[j]!;
        values[j--] = kept;
      }
    }
    if (target <= j) last = j;
    else if (target >= i) first = i;
    else break;
  }
  return values[target]!;
}

function middleOf(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}

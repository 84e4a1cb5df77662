/**
 * Variance of `values`: squared deviations from the mean, summed and divided by n - `ddof` (0: of a population, 1: unbiased).
 * Two passes, so that a large mean does not cancel the spread. Defined for more than `ddof` values.
 */
export function variance(values: ArrayLike<number>, ddof: 0 | 1): number {
  const count = values.length;
  let sum = 0;
  for (let i = 0; i < count; i++) sum += values[i]!;
  const mean = sum / count;
  let squares = 0;
  for (let i = 0; i < count; i++) squares += (values[i]! - mean) ** 2;
  return squares / (count - ddof);
}

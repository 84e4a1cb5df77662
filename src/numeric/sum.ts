/**
 * Sums that do not drift. Each addition keeps the rounding error of its result and adds the errors up beside the sum, so that
 * taking away what was once added leaves what a fresh sum of the rest would give.
 * Source: Neumaier 1974, doi 10.1002/zamm.19740540106; the error of one addition is exact (Knuth's two-sum).
 */

/** Sum of `values`, correct to a few units in the last place whatever their order. Cost: one pass. */
export function compensatedSum(values: ArrayLike<number>): number {
  let sum = 0;
  let error = 0;
  for (let i = 0; i < values.length; i++) {
    const after = sum + values[i]!;
    const added = after - sum;
    error += sum - (after - added) + (values[i]! - added);
    sum = after;
  }
  return sum + error;
}

/** Many running sums, indexed by number. */
export interface SumVector {
  add(index: number, amount: number): void;
  value(index: number): number;
  reset(index: number): void;
}

export function sumVector(length: number): SumVector {
  const sums = new Float64Array(length);
  const errors = new Float64Array(length);
  return {
    add(index, amount) {
      const before = sums[index]!;
      const after = before + amount;
      const added = after - before;
      errors[index]! += before - (after - added) + (amount - added);
      sums[index] = after;
    },
    value: (index) => sums[index]! + errors[index]!,
    reset(index) {
      sums[index] = 0;
      errors[index] = 0;
    },
  };
}

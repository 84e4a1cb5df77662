import { argsort, argsortSpace } from "../numeric/argsort.ts";
import type { Random } from "../random.ts";

/** Orders all columns, the first to be served first. `probabilities` sum to 1; the answer may be overwritten by the next call. */
export type OrderSampler = (probabilities: Float64Array, random: Random) => ArrayLike<number>;

/**
 * A sampler of the Plackett-Luce law: columns drawn one after another without replacement, each time in proportion to their
 * probability, which is given up to a common factor. It sorts E_c / p_c with E_c exponential (the exponential race), which has the same law as drawing in turn.
 * Cost: O(n log n) an order.
 */
export function plackettLuceSampler(columns: number): OrderSampler {
  const arrivals = new Float64Array(columns);
  const space = argsortSpace(columns);
  return (probabilities, random) => {
    for (let column = 0; column < columns; column++) {
      arrivals[column] = random.exponential() / probabilities[column]!;
    }
    return argsort(arrivals, space);
  };
}

/** Orders columns strongest first, so that the strongest gets the smallest weight; of equal columns the later one goes first. */
export function strongestFirst(columns: number): (strengths: Float64Array) => Uint32Array {
  const space = argsortSpace(columns);
  return (strengths) => argsort(strengths, space).reverse();
}

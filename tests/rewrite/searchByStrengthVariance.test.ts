import { expect, test } from "vitest";
import { createRandom, type Random } from "../../src/random.ts";
import { searchByStrengthVariance } from "../../src/rewrite/searchByStrengthVariance.ts";
import { strengthVariance } from "../../src/rewrite/strengthVariance.ts";
import type { WeightMatrix } from "../../src/rewrite/weightMatrix.ts";
import { kaimingNormal } from "../helpers/initialWeights.ts";
import { thrownBy } from "../helpers/errors.ts";

const initialise = (random: Random): WeightMatrix<Float64Array> => ({
  weights: kaimingNormal(64, 64, random),
  rows: 64,
  columns: 64,
});

test("keeps the candidate of least strength variance", () => {
  const seen: number[] = [];
  const found = searchByStrengthVariance(
    (random) => {
      const matrix = initialise(random);
      seen.push(strengthVariance(matrix).mean);
      return matrix;
    },
    { candidates: 12, seed: 2 },
  );
  expect(seen).toHaveLength(12);
  expect(found.variance.mean).toBe(Math.min(...seen));
  expect(found.candidate).toBe(seen.indexOf(found.variance.mean));
  expect(strengthVariance(found)).toEqual(found.variance);
});

test("ten draws leave about 0.79 of the mean variance (reference: the authors' search, 64 x 64)", () => {
  const random = createRandom(5);
  const repeats = 40;
  let share = 0;
  for (let i = 0; i < repeats; i++) {
    const { variance } = searchByStrengthVariance(initialise, {
      candidates: 10,
      seed: random.fork(`${i}`),
    });
    // The expected variance of a sum of 64 weights of variance 2 / 64 is 2.
    share += variance.mean / 2 / repeats;
  }
  expect(Math.abs(share - 0.79)).toBeLessThan(0.05);
});

test("no candidate is no search", () => {
  thrownBy(() => searchByStrengthVariance(initialise, { candidates: 0 }), "USAGE_INVALID_OPTION");
});

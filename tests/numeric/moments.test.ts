import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { moments } from "../../src/numeric/moments.ts";

const of = (...values: number[]) => moments(Float64Array.from(values));

test.each([
  // hand: deviations -1, 0, 1; m2 = 2/3, m4 = 2/3
  { name: "1 2 3", values: [1, 2, 3], mean: 2, std: Math.sqrt(2 / 3), skewness: 0, kurtosis: -1.5 },
  // hand: p = 1/4: skewness (1 - 2p) / sqrt(p q), kurtosis (1 - 6 p q) / (p q)
  {
    name: "0 0 0 1",
    values: [0, 0, 0, 1],
    mean: 0.25,
    std: Math.sqrt(3 / 16),
    skewness: 2 / Math.sqrt(3),
    kurtosis: -2 / 3,
  },
  { name: "equal", values: [0.1, 0.1, 0.1], mean: 0.1, std: 0, skewness: 0, kurtosis: 0 },
  { name: "one", values: [-4], mean: -4, std: 0, skewness: 0, kurtosis: 0 },
  { name: "zeros", values: [0, 0], mean: 0, std: 0, skewness: 0, kurtosis: 0 },
  {
    name: "equal up to rounding",
    values: [1, 1 + 2 ** -52],
    mean: 1,
    std: 0,
    skewness: 0,
    kurtosis: 0,
  },
])("$name (hand)", ({ values, mean, std, skewness, kurtosis }) => {
  const found = of(...values);
  expect(found.mean).toBeCloseTo(mean, 14);
  expect(found.std).toBeCloseTo(std, 14);
  expect(found.skewness).toBeCloseTo(skewness, 13);
  expect(found.kurtosis).toBeCloseTo(kurtosis, 13);
});

describe("properties", () => {
  const values = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 2, maxLength: 30 });
  test.each([1e-150, 1e150])("scaling by %d scales mean and std and leaves the shape", (factor) => {
    fc.assert(
      fc.property(values, (list) => {
        const plain = of(...list);
        const scaled = of(...list.map((value) => value * factor));
        expect(scaled.mean / factor).toBeCloseTo(plain.mean, 9);
        expect(scaled.std / factor).toBeCloseTo(plain.std, 9);
        expect(scaled.skewness).toBeCloseTo(plain.skewness, 9);
        expect(scaled.kurtosis).toBeCloseTo(plain.kurtosis, 9);
      }),
    );
  });
});

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fitPowerLaw, type PowerLaw } from "../../src/numeric/powerLaw.ts";
import { createRandom } from "../../src/random.ts";

/** Every xmin in turn, every distance in full. */
function naiveFit(values: Float64Array): PowerLaw | null {
  let best: PowerLaw | null = null;
  for (let i = 0; i < values.length - 1; i++) {
    const tail = values.subarray(i);
    const xmin = values[i]!;
    const sum = tail.reduce((total, x) => total + Math.log(x / xmin), 0);
    if (sum / tail.length <= 1e-9) continue;
    const alpha = 1 + tail.length / sum;
    const gaps = Array.from(tail, (x, k) =>
      Math.abs(1 - (x / xmin) ** (1 - alpha) - k / tail.length),
    );
    const distance = Math.max(...gaps);
    if (best !== null && distance >= best.distance) continue;
    const alphaError = (alpha - 1) / Math.sqrt(tail.length);
    best = { alpha, alphaError, xmin, distance, tail: tail.length };
  }
  return best;
}

test("three values (hand)", () => {
  // From 1: ln 2 + ln 4 = 3 ln 2, alpha = 1 + 1/ln 2; law 1 - 1/e at 2, 1 - 1/e² at 4: gaps 0, 0.2988, 0.1980.
  // From 2: ln 2, alpha = 1 + 2/ln 2; law 1 - 1/e² at 4, which is the second of two: gap 0.3647.
  const law = fitPowerLaw(Float64Array.of(1, 2, 4))!;
  expect(law.alpha).toBeCloseTo(1 + 1 / Math.LN2, 14);
  expect(law.distance).toBeCloseTo(1 - 1 / Math.E - 1 / 3, 14);
  expect(law).toMatchObject({ xmin: 1, tail: 3 });
  expect(law.alphaError).toBeCloseTo(1 / Math.LN2 / Math.sqrt(3), 14);
});

test.each([1.5, 2, 3, 6])("a Pareto sample of alpha %d, its quantiles (hand)", (alpha) => {
  const n = 2000;
  const values = Float64Array.from({ length: n }, (_, i) => (1 - i / n) ** (-1 / (alpha - 1)));
  const law = fitPowerLaw(values)!;
  expect(Math.abs(law.alpha / alpha - 1)).toBeLessThan(0.01);
  expect(law.distance).toBeLessThan(0.002);
});

test.each([2, 3.5])("a drawn Pareto sample of alpha %d above a body that is none", (alpha) => {
  const random = createRandom(7);
  const tail = Array.from({ length: 1500 }, () => 5 * (1 - random.uniform()) ** (-1 / (alpha - 1)));
  const body = Array.from({ length: 500 }, () => 3 + 2 * random.uniform());
  const law = fitPowerLaw(Float64Array.from([...body, ...tail]).sort())!;
  // The error of the estimate is (alpha - 1) / sqrt(n): 0.026 and 0.065; four of them.
  expect(Math.abs(law.alpha - alpha)).toBeLessThan(4 * law.alphaError);
  expect(law.xmin).toBeGreaterThan(4);
});

describe("nothing to fit", () => {
  test.each([
    { name: "no value", values: [] },
    { name: "one value", values: [2] },
    { name: "equal values", values: [3, 3, 3, 3] },
    { name: "values equal up to rounding", values: [1, 1 + 1e-15, 1 + 2e-15] },
  ])("$name", ({ values }) => expect(fitPowerLaw(Float64Array.from(values))).toBeNull());
});

const samples = fc
  .array(fc.integer({ min: 1, max: 1_000_000 }), { minLength: 2, maxLength: 40 })
  .map((values) => Float64Array.from(values, (value) => value / 256).sort());

test("equals the naive search (oracle)", () => {
  fc.assert(
    fc.property(samples, (values) => {
      const expected = naiveFit(values);
      const law = fitPowerLaw(values);
      if (expected === null || law === null) {
        expect(law).toBe(expected);
        return;
      }
      // Two xmins of equal distance may change places by rounding.
      // A tail that differs in the sixth digit has its excess to ten digits less.
      expect(law.distance).toBeCloseTo(expected.distance, 6);
      if (law.tail === expected.tail) expect(law.alpha / expected.alpha).toBeCloseTo(1, 6);
    }),
  );
});

test("scaling the values scales xmin and nothing else", () => {
  fc.assert(
    fc.property(samples, (values) => {
      const law = fitPowerLaw(values);
      const scaled = fitPowerLaw(values.map((value) => value * 8));
      if (law === null || scaled === null) {
        expect(scaled).toBe(law);
        return;
      }
      expect(scaled.distance).toBeCloseTo(law.distance, 6);
      if (scaled.tail === law.tail) expect(scaled.xmin).toBe(8 * law.xmin);
    }),
  );
});

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRandom } from "../../src/random.ts";
import {
  initFromHypercore,
  initFromStrength,
  type HypercoreInitOptions,
} from "../../src/rewrite/initFromHypercore.ts";
import { matrixOf } from "../../src/rewrite/weightMatrix.ts";
import { kaimingNormal } from "../helpers/initialWeights.ts";
import { thrownBy } from "../helpers/errors.ts";

// Hand: integers, rows are outputs. Cores with l = 2: positive 7 7 7 2 4, negative 3 3 5 3 5.
const byHand = matrixOf([
  [5, -2, 1, 0, 3],
  [-4, 6, 2, -1, 0],
  [3, 1, -5, 2, -6],
  [2, -3, 4, -2, 1],
]);
const close = (actual: Float64Array, expected: number[]): void => {
  expect(actual).toHaveLength(expected.length);
  expected.forEach((value, i) => expect(actual[i]).toBeCloseTo(value, 10));
};

describe("means (hand)", () => {
  test("sign-switch", () => {
    const { means, sigma, scores, guardFactor } = initFromHypercore(byHand, {
      mode: "sign-switch",
    });
    expect(scores).toEqual({
      positive: Float64Array.of(7, 7, 7, 2, 4),
      negative: Float64Array.of(3, 3, 5, 3, 5),
    });
    close(means, [7 / 27, 7 / 27, 7 / 27, -3 / 19, -5 / 19]);
    expect(sigma ** 2).toBeCloseTo(2 / 5, 12);
    expect(guardFactor).toBe(1);
  });

  test("variance-matched, below the guard", () => {
    const { means, sigma, guardFactor } = initFromHypercore(byHand);
    close(
      means,
      [0.278709217506, 0.278709217506, -0.010719585289, -0.230471083707, -0.316227766017],
    );
    expect(sigma ** 2).toBeCloseTo(0.3382821028440104, 12);
    expect(guardFactor).toBe(1);
    // z = mu / (alpha sigma_K)
    close(
      means.map((mean) => mean / (0.5 * Math.sqrt(0.4))),
      [0.881355932203, 0.881355932203, -0.033898305085, -0.728813559322, -1],
    );
  });

  test("l and t choose other cores", () => {
    const { scores } = initFromHypercore(byHand, { l: 3 });
    expect(scores.positive).toEqual(Float64Array.of(4, 1, 4, 1, 4));
    expect(scores.negative).toEqual(new Float64Array(5));
    const { means } = initFromHypercore(byHand, { l: 4 });
    expect(means).toEqual(new Float64Array(5));
  });

  test("strengths take the place of cores in the control", () => {
    const { scores } = initFromStrength(byHand);
    expect(scores).toEqual({
      positive: Float64Array.of(10, 7, 7, 2, 4),
      negative: Float64Array.of(4, 5, 5, 3, 6),
    });
  });

  test("a channel's taps are one vertex, their parts of each sign added", () => {
    const matrix = matrixOf([[3, -1, -2, 4, 5, 0]]);
    const { scores, means } = initFromStrength(matrix, { taps: 2 });
    expect(scores).toEqual({
      positive: Float64Array.of(3, 4, 5),
      negative: Float64Array.of(1, 2, 0),
    });
    expect(means).toHaveLength(3);
  });
});

// Reference: strengths in place of cores on N(0, 2 / columns) layers, to two or three digits of one draw each; 15 % covers the
// spread of such draws. rankOne is sqrt(rows) |mu|, alpha what the guard leaves of 0.5.
test.each([
  { rows: 64, columns: 64, signSwitch: 1.14, matched: 2.33, alpha: 0.3 },
  { rows: 512, columns: 512, signSwitch: 1.04, matched: 4.76, alpha: 0.15 },
  { rows: 10, columns: 512, signSwitch: 0.19, matched: 0.77, alpha: 0.5 },
])("the guard on $rows x $columns", ({ rows, columns, signSwitch, matched, alpha }) => {
  const weights = kaimingNormal(rows, columns, createRandom(4));
  const rankOne = (options: HypercoreInitOptions): number => {
    const { means } = initFromStrength({ weights, rows, columns }, options);
    return Math.sqrt(rows * means.reduce((sum, mean) => sum + mean * mean, 0));
  };
  const expectNear = (actual: number, reference: number): void =>
    expect(Math.abs(actual / reference - 1)).toBeLessThan(0.15);
  const limit = 0.5 * Math.sqrt(2 / columns) * (Math.sqrt(rows) + Math.sqrt(columns));
  expectNear(rankOne({ mode: "sign-switch", guard: false }), signSwitch);
  expectNear(rankOne({ guard: false }), matched);
  expect(rankOne({})).toBeLessThanOrEqual(limit * (1 + 1e-12));
  const { guardFactor } = initFromStrength({ weights, rows, columns });
  expectNear(0.5 * guardFactor, alpha);
});

test("draws have the law's means and second moment (tolerance 5 standard errors)", () => {
  const rows = 20_000;
  const tall = { rows, columns: 5, weights: new Float64Array(rows * 5) };
  for (let i = 0; i < tall.weights.length; i++) tall.weights[i] = byHand.weights[i % 20]!;
  const { weights, means, sigma } = initFromHypercore(tall, { seed: 3, guard: false });
  let squares = 0;
  for (let column = 0; column < 5; column++) {
    let sum = 0;
    for (let row = 0; row < rows; row++) {
      sum += weights[row * 5 + column]!;
      squares += weights[row * 5 + column]! ** 2;
    }
    expect(Math.abs(sum / rows - means[column]!)).toBeLessThan((5 * sigma) / Math.sqrt(rows));
  }
  expect(Math.abs(squares / weights.length - 0.4)).toBeLessThan(
    (5 * 0.4 * Math.SQRT2) / Math.sqrt(weights.length),
  );
});

describe("variants", () => {
  const weights = kaimingNormal(24, 16, createRandom(8));
  const matrix = { rows: 24, columns: 16, weights };

  test("alpha 0 is the plain initialiser, the same noise under all means", () => {
    const plain = initFromHypercore(matrix, { alpha: 0, seed: 2 });
    expect(plain.means.every((mean) => mean === 0)).toBe(true);
    const switched = initFromHypercore(matrix, { mode: "sign-switch", seed: 2 });
    switched.weights.forEach((weight, at) =>
      expect(weight - switched.means[at % 16]!).toBeCloseTo(plain.weights[at]!, 12),
    );
  });

  test("shuffled keeps the pairs of scores and moves them", () => {
    const pairs = (options: HypercoreInitOptions): string[] => {
      const { scores } = initFromHypercore(matrix, options);
      return Array.from(scores.positive, (score, i) => `${score} ${scores.negative[i]}`);
    };
    const own = pairs({});
    const dealt = pairs({ shuffled: true, seed: 1 });
    expect(dealt).not.toEqual(own);
    expect(dealt.sort()).toEqual(own.sort());
  });

  test("the spread follows the activation", () => {
    const sigma = (activation: "tanh" | "linear"): number =>
      initFromHypercore(matrix, { activation, alpha: 0 }).sigma;
    expect(sigma("linear")).toBeCloseTo(1 / 4, 12);
    expect(sigma("tanh")).toBeCloseTo(5 / 12, 12);
  });

  test("weights keep their type, the input stays, the same seed gives the same bytes", () => {
    const single = { ...matrix, weights: Float32Array.from(weights) };
    const kept = single.weights.slice();
    const first = initFromHypercore(single, { seed: 5 });
    expect(first.weights).toBeInstanceOf(Float32Array);
    expect(single.weights).toEqual(kept);
    expect(initFromHypercore(single, { seed: 5 }).weights).toEqual(first.weights);
    expect(initFromHypercore(single, { seed: 6 }).weights).not.toEqual(first.weights);
  });
});

test("means do not change when all weights are scaled by a power of two", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 12, maxLength: 12 }),
      fc.integer({ min: -6, max: 6 }),
      (values, power) => {
        const matrix = { rows: 3, columns: 4, weights: Float64Array.from(values) };
        const scaled = { ...matrix, weights: matrix.weights.map((w) => w * 2 ** power) };
        for (const mode of ["sign-switch", "variance-matched"] as const) {
          expect(initFromHypercore(scaled, { mode }).means).toEqual(
            initFromHypercore(matrix, { mode }).means,
          );
        }
      },
    ),
  );
});

test.each<{ name: string; options: HypercoreInitOptions }>([
  { name: "alpha above 1", options: { alpha: 1.5 } },
  { name: "alpha that is no number", options: { alpha: NaN } },
  { name: "taps that do not divide the columns", options: { taps: 2 } },
  { name: "an unknown mode", options: { mode: "best" as "sign-switch" } },
  { name: "an unknown activation", options: { activation: "swish" as "relu" } },
  { name: "l below 1", options: { l: 0 } },
])("refused: $name", ({ options }) => {
  thrownBy(() => initFromHypercore(byHand, options), "USAGE_INVALID_OPTION");
});

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareFeatures, type LabelledRun } from "../../src/predict/compareFeatures.ts";
import { crossValidate, type CrossValidateOptions } from "../../src/predict/crossValidate.ts";
import { medianSplit } from "../../src/predict/fitted.ts";
import { stratifiedFolds } from "../../src/predict/folds.ts";
import { createRandom, shuffle } from "../../src/random.ts";
import { thrownBy } from "../helpers/errors.ts";

const random = createRandom(11);
const features = Array.from({ length: 60 }, () =>
  Float64Array.from({ length: 4 }, () => random.normal()),
);
/** A plane and a little noise: variance 5 of signal, 0.01 of noise. */
const targets = Float64Array.from(features, (x) => 2 * x[0]! - x[1]! + 0.1 * random.normal());

describe("crossValidate", () => {
  test("finds what is there (hand: at best 1 - 0.01 / 5 of the variance)", () => {
    const { regression, classification, predictions } = crossValidate(features, targets);
    expect(regression.r2!.mean).toBeGreaterThan(0.99);
    expect(regression.r2!.mean).toBeLessThan(0.9995);
    expect(regression.spearman!.mean).toBeGreaterThan(0.99);
    expect(regression.mae.mean).toBeLessThan(0.15);
    expect(classification.accuracy.mean).toBeGreaterThan(0.9);
    expect(classification.macroF1.mean).toBeCloseTo(classification.accuracy.mean, 1);
    expect(predictions).toHaveLength(60);
  });

  test("finds nothing in noise: what was left out has not been seen", () => {
    const dealt = shuffle(targets.slice(), createRandom(3));
    const { regression, classification } = crossValidate(features, dealt, { lambda: 1 });
    expect(regression.r2!.mean).toBeLessThan(0.1);
    expect(Math.abs(classification.accuracy.mean - 0.5)).toBeLessThan(0.2);
  });

  test("the baseline predicts the training mean and the larger class", () => {
    const none = features.map(() => new Float64Array(0));
    const { regression, classification } = crossValidate(none, targets);
    expect(regression.r2!.mean).toBeLessThanOrEqual(0);
    expect(regression.r2!.mean).toBeGreaterThan(-0.1);
    expect(regression.spearman).toBeNull();
    expect(classification.accuracy.mean).toBeLessThan(0.6);
  });

  test("the same seed gives the same scores; a single repeat has no spread", () => {
    const options = { repeats: 1, seed: 4 };
    const once = crossValidate(features, targets, options);
    expect(crossValidate(features, targets, options)).toEqual(once);
    expect(once.regression.mae.std).toBeNull();
    expect(crossValidate(features, targets, { ...options, seed: 5 })).not.toEqual(once);
  });

  test.each<{ name: string; options: CrossValidateOptions }>([
    { name: "one fold", options: { folds: 1 } },
    { name: "no repeat", options: { repeats: 0 } },
    { name: "a negative penalty", options: { lambda: -1 } },
  ])("refused: $name", ({ options }) => {
    thrownBy(() => crossValidate(features, targets, options), "USAGE_INVALID_OPTION");
  });

  test("refused: too few runs, and runs that all end alike", () => {
    const few = features.slice(0, 4);
    thrownBy(() => crossValidate(few, targets.slice(0, 4)), "PREDICT_TOO_FEW");
    thrownBy(
      () => crossValidate(few, Float64Array.of(1, 1, 1, 1), { folds: 2 }),
      "PREDICT_TOO_FEW",
    );
  });
});

test("folds differ by one run at most, over all and over every stretch of ranks", () => {
  const values = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 4, maxLength: 40 });
  fc.assert(
    fc.property(values, fc.integer({ min: 2, max: 4 }), fc.nat(), (values, folds, seed) => {
      const targets = Float64Array.from(values);
      const foldOf = stratifiedFolds(targets, folds, createRandom(seed));
      for (const limit of [0, 3, 9]) {
        const counts = new Array<number>(folds).fill(0);
        foldOf.forEach((fold, run) => {
          if (targets[run]! <= limit) counts[fold]!++;
        });
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      }
    }),
  );
});

test.each<{ name: string; targets: number[]; threshold: number }>([
  { name: "an even number is cut in the middle", targets: [4, 1, 3, 2], threshold: 2.5 },
  { name: "an odd number is cut beside the median", targets: [1, 2, 6], threshold: 1.5 },
  { name: "ties at the top", targets: [1, 9, 9, 9], threshold: 5 },
  { name: "ties at the bottom", targets: [1, 1, 1, 3], threshold: 2 },
  { name: "neighbouring doubles", targets: [1, 1 + Number.EPSILON], threshold: 1 },
])("medianSplit: $name (hand)", ({ targets, threshold }) => {
  expect(medianSplit(Float64Array.from(targets))).toBe(threshold);
});

describe("compareFeatures", () => {
  const runs: LabelledRun[] = features.map((row, i) => ({
    name: `run ${i}`,
    target: targets[i]!,
    features: {
      signature: { a: row[0]!, b: row[1]! },
      noise: { c: row[2]! },
      ...(i === 0 ? {} : { curve: { d: 1 } }),
    },
  }));

  test("sets are scored on the same folds, beside the baseline", () => {
    const { sets, skipped } = compareFeatures(runs, { repeats: 2 });
    expect(sets.map(({ set, featureCount }) => [set, featureCount])).toEqual([
      ["baseline", 0],
      ["signature", 2],
      ["noise", 1],
    ]);
    expect(skipped).toEqual(["curve"]);
    expect(sets[1]!.regression.r2!.mean).toBeGreaterThan(0.98);
    expect(sets[2]!.regression.r2!.mean).toBeLessThan(0.1);
  });
});

import { expect, test } from "vitest";
import { accuracy, macroF1, meanAbsoluteError, r2, spearman } from "../../src/predict/scores.ts";

const vector = (...values: number[]): Float64Array => Float64Array.from(values);

test("classification (hand)", () => {
  const labels = vector(1, 1, 1, 0, 0);
  const predicted = vector(1, 1, 0, 0, 1);
  expect(accuracy(labels, predicted)).toBeCloseTo(3 / 5, 12);
  // Class 1: 2 · 2 / (3 + 3); class 0: 2 · 1 / (2 + 2).
  expect(macroF1(labels, predicted)).toBeCloseTo((2 / 3 + 1 / 2) / 2, 12);
  expect(macroF1(vector(1, 1), vector(1, 1))).toBe(1);
  expect(macroF1(vector(1, 0), vector(1, 1))).toBeCloseTo(1 / 3, 12);
});

test("regression (hand)", () => {
  expect(r2(vector(1, 2, 3), vector(1, 2, 3))).toBe(1);
  expect(r2(vector(1, 2, 3), vector(2, 2, 2))).toBe(0);
  expect(r2(vector(1, 2, 3), vector(3, 2, 1))).toBe(-3);
  expect(r2(vector(0.1, 0.1, 0.1), vector(1, 2, 3))).toBeNull();
  expect(meanAbsoluteError(vector(1, 2, 3), vector(2, 2, 0))).toBeCloseTo(4 / 3, 12);
});

test("Spearman's correlation, ties sharing their mean rank (hand)", () => {
  expect(spearman(vector(1, 2, 3, 4), vector(10, 100, 1000, 1e4))).toBeCloseTo(1, 12);
  expect(spearman(vector(1, 2, 3, 4), vector(4, 3, 2, 1))).toBeCloseTo(-1, 12);
  // Ranks 0 1 2 3 and 0 1.5 1.5 3: 4.5 / sqrt(5 · 4.5).
  expect(spearman(vector(1, 2, 3, 4), vector(5, 7, 7, 9))).toBeCloseTo(4.5 / Math.sqrt(22.5), 12);
  expect(spearman(vector(1, 2, 3), vector(5, 5, 5))).toBeNull();
});

/** Ridge and logistic regression: worked examples, and the conditions that a minimum has to meet. */
import { describe, expect, test } from "vitest";
import { linearScore, sigmoid, type LinearModel } from "../../src/predict/linearModel.ts";
import { fitLogistic } from "../../src/predict/logistic.ts";
import { fitRidge } from "../../src/predict/ridge.ts";
import { createRandom } from "../../src/random.ts";
import { thrownBy } from "../helpers/errors.ts";

const points = [
  [2, 0],
  [0, 1],
  [3, 3],
  [5, 4],
  [1, 2],
].map((row) => Float64Array.from(row));

function gaussian(count: number, width: number, seed: number): Float64Array[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, () =>
    Float64Array.from({ length: width }, (_, i) => i + (i + 1) * random.normal()),
  );
}

/** Columns with their mean taken off, and their standard deviation (ddof 0). */
function standardised(rows: Float64Array[]): { z: Float64Array[]; scales: number[] } {
  const column = (feature: number): number[] => rows.map((row) => row[feature]!);
  const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const means = Array.from(rows[0]!, (_, i) => mean(column(i)));
  const scales = means.map((own, i) => Math.sqrt(mean(column(i).map((v) => (v - own) ** 2))));
  return { z: rows.map((row) => row.map((v, i) => (v - means[i]!) / scales[i]!)), scales };
}

/** The largest |sum residual · z - lambda w| over features, and |sum residual|: both 0 at the minimum. */
function slope(rows: Float64Array[], residuals: number[], model: LinearModel): number {
  const { z, scales } = standardised(rows);
  const inner = model.coefficients.map((coefficient, i) =>
    Math.abs(
      residuals.reduce((sum, residual, run) => sum + residual * z[run]![i]!, 0) -
        model.lambda * coefficient * scales[i]!,
    ),
  );
  return Math.max(Math.abs(residuals.reduce((a, b) => a + b, 0)), ...inner);
}

describe("ridge", () => {
  test("without a penalty it is least squares (hand: normal equations, denominator 67)", () => {
    const { intercept, coefficients } = fitRidge(points, Float64Array.of(1, 0, 2, 3, 1), {
      lambda: 0,
    });
    expect(intercept).toBeCloseTo(0.0089552239, 9);
    expect(coefficients[0]).toBeCloseTo(0.4776119403, 9);
    expect(coefficients[1]).toBeCloseTo(0.1701492537, 9);
  });

  test("the penalty leaves the intercept alone (hand: w = 5 / (2 + 3), b = mean)", () => {
    const rows = [-1, 0, 1].map((x) => Float64Array.of(x));
    const model = fitRidge(rows, Float64Array.of(0, 1, 5), { lambda: 3, standardise: false });
    expect(model.coefficients[0]).toBeCloseTo(1, 12);
    expect(model.intercept).toBeCloseTo(2, 12);
  });

  test.each([
    { name: "more runs than features", count: 30, width: 6 },
    { name: "more features than runs", count: 7, width: 40 },
  ])("meets the conditions of a minimum: $name", ({ count, width }) => {
    const rows = gaussian(count, width, 2);
    const targets = Float64Array.from(rows, (row, i) => row[0]! - row[1]! + Math.sin(i));
    const model = fitRidge(rows, targets, { lambda: 2.5 });
    const residuals = rows.map((row, run) => targets[run]! - linearScore(model, row));
    expect(slope(rows, residuals, model)).toBeLessThan(1e-9);
  });

  test("no features give the mean, constant ones are ignored", () => {
    const targets = Float64Array.of(1, 2, 6);
    const none = targets.map(() => 0);
    expect(fitRidge([none.slice(0, 0), none.slice(0, 0), none.slice(0, 0)], targets)).toEqual({
      intercept: 3,
      coefficients: [],
      lambda: 1,
    });
    const constant = [0.1, 0.1, 0.1].map((x) => Float64Array.of(x));
    expect(fitRidge(constant, targets).coefficients[0]).toBeCloseTo(0, 12);
  });

  test("dependent features need a penalty", () => {
    const rows = [1, 2, 4].map((x) => Float64Array.of(x, 2 * x));
    const targets = Float64Array.of(1, 2, 3);
    thrownBy(() => fitRidge(rows, targets, { lambda: 0 }), "ANALYSIS_UNDEFINED");
    const [first, second] = fitRidge(rows, targets, { lambda: 0.5 }).coefficients;
    expect(first).toBeCloseTo(2 * second!, 12);
  });
});

describe("logistic", () => {
  test("without a penalty on one yes-or-no feature it is the log odds (hand)", () => {
    const rows = [0, 0, 0, 0, 1, 1, 1, 1].map((x) => Float64Array.of(x));
    const labels = Float64Array.of(1, 0, 0, 0, 1, 1, 1, 0);
    const { intercept, coefficients } = fitLogistic(rows, labels, { lambda: 0 });
    expect(intercept).toBeCloseTo(Math.log(1 / 3), 9);
    expect(coefficients[0]).toBeCloseTo(Math.log(9), 9);
  });

  test.each([
    { name: "more runs than features", count: 40, width: 5, lambda: 0.7 },
    { name: "more features than runs", count: 8, width: 30, lambda: 0.7 },
    { name: "a penalty near zero on separable classes", count: 8, width: 30, lambda: 1e-4 },
  ])("meets the conditions of a minimum: $name", ({ count, width, lambda }) => {
    const rows = gaussian(count, width, 5);
    const labels = Float64Array.from(rows, (row, i) => Number(row[0]! + Math.cos(i) > 0));
    const model = fitLogistic(rows, labels, { lambda });
    const residuals = rows.map((row, run) => labels[run]! - sigmoid(linearScore(model, row)));
    expect(slope(rows, residuals, model)).toBeLessThan(1e-8);
  });

  test("no features give the larger class", () => {
    const rows = [1, 2, 3, 4].map(() => new Float64Array(0));
    const { intercept } = fitLogistic(rows, Float64Array.of(1, 1, 1, 0));
    expect(sigmoid(intercept)).toBeCloseTo(0.75, 9);
  });

  test("separable classes without a penalty, and one class alone, are refused", () => {
    const rows = [1, 2, 3, 4].map((x) => Float64Array.of(x));
    thrownBy(
      () => fitLogistic(rows, Float64Array.of(0, 0, 1, 1), { lambda: 0 }),
      "ANALYSIS_UNDEFINED",
    );
    thrownBy(() => fitLogistic(rows, Float64Array.of(1, 1, 1, 1)), "PREDICT_TOO_FEW");
  });

  test("the sigmoid does not overflow", () => {
    expect([sigmoid(-1000), sigmoid(0), sigmoid(1000)]).toEqual([0, 0.5, 1]);
  });
});

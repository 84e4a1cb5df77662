import { expect, test } from "vitest";
import { strengthVariance } from "../../src/rewrite/strengthVariance.ts";
import { matrixOf } from "../../src/rewrite/weightMatrix.ts";
import { thrownBy } from "../helpers/errors.ts";

test("signed sums, unbiased variances, their mean (hand)", () => {
  const matrix = matrixOf([
    [1, -2, 4],
    [1, 0, 2],
  ]);
  // Column sums 2, -2, 6; row sums 3, 3.
  expect(strengthVariance(matrix)).toEqual({ inputs: 16, outputs: 0, mean: 8 });
});

test("one neuron alone has no spread", () => {
  expect(strengthVariance(matrixOf([[1, 3]]))).toEqual({ inputs: 2, outputs: 0, mean: 1 });
});

test("a variance past the range of float64 is refused", () => {
  thrownBy(() => strengthVariance(matrixOf([[1e300, -1e300]])), "ANALYSIS_UNDEFINED");
});

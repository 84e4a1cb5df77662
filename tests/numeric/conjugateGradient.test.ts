import { describe, expect, test } from "vitest";
import { conjugateGradient } from "../../src/numeric/conjugateGradient.ts";
import { createRandom } from "../../src/random.ts";
import { denseSolve } from "../helpers/directedMatrix.ts";
import { expectClose } from "../helpers/expectClose.ts";

const times =
  (matrix: readonly (readonly number[])[]) =>
  (x: Float64Array, y: Float64Array): void =>
    matrix.forEach((row, i) => (y[i] = row.reduce((sum, w, j) => sum + w * x[j]!, 0)));

/** B Bᵀ + shift, condition about n / shift. */
function definite(n: number, shift: number): number[][] {
  const random = createRandom(n);
  const b = Array.from({ length: n }, () => Array.from({ length: n }, () => random.normal()));
  return b.map((row, i) =>
    b.map((other, j) => row.reduce((sum, w, k) => sum + w * other[k]!, i === j ? shift : 0)),
  );
}

describe("conjugateGradient", () => {
  test.each([
    [1, 1],
    [5, 1],
    [40, 1],
    [40, 1e-2],
  ])("%d unknowns, shift %d: as elimination (oracle)", (n, shift) => {
    const matrix = definite(n, shift);
    const right = Float64Array.from({ length: n }, (_, i) => Math.sin(i + 1));
    const found = conjugateGradient(times(matrix), right, { target: 1e-15, maxIterations: 2000 });
    expectClose([...found.solution], denseSolve(matrix, [...right]), 1e-9);
  });

  test("as many steps as there are different eigenvalues (closed form)", () => {
    const diagonal = [1, 1, 2, 2, 2, 4];
    const matrix = diagonal.map((value, i) => diagonal.map((_, j) => (i === j ? value : 0)));
    const right = Float64Array.from(diagonal, () => 8);
    const found = conjugateGradient(times(matrix), right, { target: 1e-14, maxIterations: 50 });
    expectClose([...found.solution], [8, 8, 4, 4, 4, 2], 1e-14);
    // One more product measures the residual.
    expect(found.iterations).toBeLessThanOrEqual(5);
  });

  test("stops at the limit with what it has", () => {
    const right = new Float64Array(40).fill(1);
    const options = { target: 1e-15, maxIterations: 3 };
    expect(conjugateGradient(times(definite(40, 1e-2)), right, options).iterations).toBe(3);
  });
});

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { solvePositive } from "../../src/numeric/cholesky.ts";

test("a 2 x 2 system (hand)", () => {
  // [[4, 2], [2, 3]] (1, 2) = (8, 8); only the lower half is read.
  const x = solvePositive(Float64Array.of(4, 99, 2, 3), Float64Array.of(8, 8))!;
  expect(x[0]).toBeCloseTo(1, 14);
  expect(x[1]).toBeCloseTo(2, 14);
});

test("A x = b holds for B Bᵀ + I (property)", () => {
  const entries = fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 16, maxLength: 16 });
  const right = fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(entries, right, (b, rhs) => {
      const at = (i: number, j: number): number => {
        let sum = i === j ? 1 : 0;
        for (let k = 0; k < 4; k++) sum += b[i * 4 + k]! * b[j * 4 + k]!;
        return sum;
      };
      const a = Float64Array.from({ length: 16 }, (_, k) => at(Math.floor(k / 4), k % 4));
      const x = solvePositive(a, Float64Array.from(rhs))!;
      rhs.forEach((value, i) => {
        const product = x.reduce((sum, entry, j) => sum + at(i, j) * entry, 0);
        expect(product).toBeCloseTo(value, 8);
      });
    }),
  );
});

test.each<{ name: string; a: number[] }>([
  { name: "singular", a: [1, 0, 2, 4] },
  { name: "indefinite", a: [1, 0, 2, 1] },
])("a matrix that is $name has no answer", ({ a }) => {
  expect(solvePositive(Float64Array.from(a), Float64Array.of(1, 1))).toBeNull();
});

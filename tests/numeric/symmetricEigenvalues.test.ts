import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { gramMatrix, wide } from "../../src/numeric/gram.ts";
import {
  symmetricEigenvalues,
  tridiagonalEigenvalues,
} from "../../src/numeric/symmetricEigenvalues.ts";
import { createRandom } from "../../src/random.ts";
import { jacobiEigen } from "../helpers/jacobi.ts";

const eigenvalues = (rows: readonly (readonly number[])[]): number[] =>
  Array.from(symmetricEigenvalues(Float64Array.from(rows.flat()), rows.length));

describe("closed forms", () => {
  test.each<{ name: string; rows: number[][]; expected: number[] }>([
    { name: "1x1", rows: [[-3]], expected: [-3] },
    {
      name: "2x2 (hand)",
      rows: [
        [2, 1],
        [1, 2],
      ],
      expected: [1, 3],
    },
    {
      name: "diagonal, in no order",
      rows: [
        [3, 0, 0],
        [0, -1, 0],
        [0, 0, 2],
      ],
      expected: [-1, 2, 3],
    },
    {
      name: "zeros",
      rows: [
        [0, 0],
        [0, 0],
      ],
      expected: [0, 0],
    },
    {
      name: "a swap",
      rows: [
        [0, 1],
        [1, 0],
      ],
      expected: [-1, 1],
    },
    {
      name: "ones, of rank one",
      rows: [
        [1, 1, 1],
        [1, 1, 1],
        [1, 1, 1],
      ],
      expected: [0, 0, 3],
    },
  ])("$name", ({ rows, expected }) => {
    const largest = Math.max(...expected.map(Math.abs), 1);
    eigenvalues(rows).forEach((value, i) => {
      expect(Math.abs(value - expected[i]!)).toBeLessThanOrEqual(1e-15 * largest);
    });
  });

  test("the path of n nodes: 2 cos(k pi / (n + 1)) (hand)", () => {
    const n = 200;
    const found = tridiagonalEigenvalues(new Float64Array(n), new Float64Array(n - 1).fill(1));
    found.forEach((value, i) =>
      expect(value).toBeCloseTo(2 * Math.cos(((n - i) * Math.PI) / (n + 1)), 13),
    );
  });

  test("equal weights everywhere, 64 x 300: one eigenvalue, the rest below rounding (hand)", () => {
    const [rows, columns] = [64, 300];
    const values = new Float32Array(rows * columns).fill(0.02);
    const shape = { offset: 0, rows, columns, rowStride: columns, columnStride: 1 };
    const found = symmetricEigenvalues(gramMatrix({ values, ...shape }, 1), rows);
    const top = rows * columns * Math.fround(0.02) ** 2;
    expect(Math.abs(found.at(-1)! / top - 1)).toBeLessThan(1e-14);
    expect(Math.abs(found[0]!)).toBeLessThan(1e-13 * top);
  });

  test("entries of every size, either way round, end", () => {
    for (const order of [1, -1]) {
      const diagonal = Float64Array.from(
        { length: 60 },
        (_, i) => 10 ** (-5 * (order > 0 ? i : 59 - i)),
      );
      const offDiagonal = diagonal.map((entry) => entry / 3).subarray(0, 59);
      const found = tridiagonalEigenvalues(diagonal, offDiagonal);
      expect(found.every(Number.isFinite)).toBe(true);
      expect(found.at(-1)).toBeCloseTo(order > 0 ? 1.1 : 1.1, 0);
    }
  });
});

describe("against slow code", () => {
  const symmetric = fc
    .integer({ min: 1, max: 12 })
    .chain((n) =>
      fc
        .array(fc.integer({ min: -900, max: 900 }), { minLength: n * n, maxLength: n * n })
        .map((flat) =>
          Array.from({ length: n }, (_, i) =>
            Array.from({ length: n }, (_, j) => flat[Math.max(i, j) * n + Math.min(i, j)]! / 225),
          ),
        ),
    );
  test("Jacobi rotations (oracle)", () => {
    fc.assert(
      fc.property(symmetric, (rows) => {
        const expected = jacobiEigen(rows).values.toReversed();
        const largest = Math.max(...expected.map(Math.abs));
        eigenvalues(rows).forEach((value, i) => {
          // Rounding: a few units in the last place of the largest.
          expect(Math.abs(value - expected[i]!)).toBeLessThanOrEqual(1e-14 * largest);
        });
      }),
    );
  });

  test.each([
    [1, 1],
    [1, 7],
    [7, 1],
    [5, 9],
    [6, 6],
    [9, 140],
    [131, 3],
  ])("Gram matrix of %i x %i, strides and scale (oracle)", (rows, columns) => {
    const random = createRandom(rows * 1000 + columns);
    const taps = 3;
    const values = Float32Array.from({ length: rows * columns * taps }, () => random.normal());
    const matrix = wide({
      values,
      offset: 1,
      rows,
      columns,
      rowStride: columns * taps,
      columnStride: taps,
    });
    const n = matrix.rows;
    expect(n).toBe(Math.min(rows, columns));
    const gram = gramMatrix(matrix, 2);
    const at = (i: number, k: number): number =>
      values[1 + i * matrix.rowStride + k * matrix.columnStride]!;
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let k = 0; k < matrix.columns; k++) sum += 4 * at(i, k) * at(j, k);
        expect(gram[i * n + j]).toBeCloseTo(j <= i ? sum : 0, 9);
      }
    }
  });
});

test("entries that are no numbers end in an error, not in a loop", () => {
  expect(() =>
    eigenvalues([
      [NaN, 1],
      [1, 2],
    ]),
  ).toThrow("QR steps");
});

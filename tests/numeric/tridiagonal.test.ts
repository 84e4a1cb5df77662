import * as fc from "fast-check";
import { expect, test } from "vitest";
import { largestTridiagonalPair } from "../../src/numeric/tridiagonal.ts";
import { jacobiEigen } from "../helpers/jacobi.ts";

const pairOf = (diagonal: number[], offDiagonal: number[]) =>
  largestTridiagonalPair(Float64Array.from(diagonal), Float64Array.from(offDiagonal));

test.each([
  { name: "1 x 1", diagonal: [-3], offDiagonal: [], value: -3, vector: [1] },
  { name: "2 x 2", diagonal: [1, 1], offDiagonal: [2], value: 3, vector: [1, 1] },
  { name: "zeros and a bond", diagonal: [0, 0], offDiagonal: [5], value: 5, vector: [1, 1] },
])("$name (hand)", ({ diagonal, offDiagonal, value, vector }) => {
  const found = pairOf(diagonal, offDiagonal);
  expect(found.value).toBeCloseTo(value, 14);
  found.vector.forEach((entry, i) =>
    expect(entry).toBeCloseTo(vector[i]! / Math.sqrt(vector.length), 14),
  );
});

test("equals a dense solver (oracle)", () => {
  const diagonal = fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 1, maxLength: 8 });
  const bonds = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 7, maxLength: 7 });
  fc.assert(
    fc.property(diagonal, bonds, (own, all) => {
      const off = all.slice(0, own.length - 1);
      const dense = own.map((value, i) =>
        own.map((_, j) => (i === j ? value : Math.abs(i - j) === 1 ? off[Math.min(i, j)]! : 0)),
      );
      const { values, vectors } = jacobiEigen(dense);
      const found = pairOf(own, off);
      expect(found.value).toBeCloseTo(values[0]!, 10);
      const sign = Math.sign(found.vector[0]! * vectors[0]![0]!);
      found.vector.forEach((entry, i) => expect(sign * entry).toBeCloseTo(vectors[0]![i]!, 8));
    }),
  );
});

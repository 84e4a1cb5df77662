import { describe, expect, test } from "vitest";
import { largestEigenpair, type SymmetricOperator } from "../../src/numeric/lanczos.ts";
import { createRandom } from "../../src/random.ts";
import { jacobiEigen } from "../helpers/jacobi.ts";

const random = createRandom(3);
const square = Array.from({ length: 30 }, () => Array.from({ length: 30 }, () => random.normal()));
const symmetric = square.map((row, i) => row.map((value, j) => value + square[j]![i]!));
const apply: SymmetricOperator = (x, y) =>
  symmetric.forEach((row, i) => (y[i] = row.reduce((sum, a, j) => sum + a * x[j]!, 0)));
const start = new Float64Array(30).fill(1);
const exact = jacobiEigen(symmetric).values[0]!;

describe("a random symmetric matrix against a dense solver (oracle)", () => {
  test("whole", () => {
    const options = { target: 1e-14, maxIterations: 100 };
    const { value, iterations } = largestEigenpair(apply, start, options);
    expect(value).toBeCloseTo(exact, 11);
    expect(iterations).toBeLessThanOrEqual(30);
  });

  test("a largest eigenvalue below zero is no reason to stop", () => {
    const below: SymmetricOperator = (x, y) => {
      apply(x, y);
      for (let i = 0; i < y.length; i++) y[i]! -= 100 * x[i]!;
    };
    const options = { target: 0, maxIterations: 100 };
    const { value, residual } = largestEigenpair(below, start, options);
    expect(value).toBeCloseTo(exact - 100, 10);
    expect(residual).toBeGreaterThanOrEqual(0);
  });

  test("stops at its limit with the best so far", () => {
    const { value, iterations } = largestEigenpair(apply, start, { target: 0, maxIterations: 6 });
    expect(iterations).toBe(6);
    expect(value).toBeLessThan(exact + 1e-9);
  });
});

describe("rough products, of a matrix without negative entries", () => {
  const n = 60;
  const entries = Array.from({ length: n }, () =>
    Float64Array.from({ length: n }, () => Math.abs(random.normal())),
  );
  const exactly: SymmetricOperator = (x, y) => {
    y.fill(0);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) y[i]! += (entries[i]![j]! + entries[j]![i]!) * x[j]!;
    }
  };
  const ones = new Float64Array(n).fill(1);
  const { value: largest } = largestEigenpair(exactly, ones, { target: 1e-15, maxIterations: n });
  const measured = ({ value, vector }: { value: number; vector: Float64Array }): number => {
    const image = new Float64Array(n);
    exactly(vector, image);
    return Math.hypot(...image.map((entry, i) => entry / value - vector[i]!));
  };

  test.each([
    { name: "help where they are good", error: 1e-9 },
    { name: "are told of where they are bad", error: 1e-5 },
    { name: "are dropped where they lead astray", error: 1e-3 },
    { name: "of no error", error: 0 },
  ])("$name", ({ error }) => {
    let taken = 0;
    const apply: SymmetricOperator = (x, y) => {
      taken++;
      exactly(x, y);
      // As wrong as they may be.
      for (let i = 0; i < n; i++) y[i]! += (error * largest) / Math.sqrt(n);
    };
    const options = { target: 1e-8, maxIterations: 100, rough: { apply, error } };
    const found = largestEigenpair(exactly, ones, options);
    expect(taken).toBeGreaterThan(0);
    expect(found.residual).toBeLessThanOrEqual(1e-8);
    expect(measured(found)).toBeLessThanOrEqual(found.residual * (1 + 1e-6) + 1e-14);
    expect(Math.abs(found.value / largest - 1)).toBeLessThan(1e-8);
  });
});

const n = 400;
/** Its eigenvalues are 2 cos(k pi / (n + 1)). */
const path: SymmetricOperator = (x, y) => {
  for (let i = 0; i < n; i++) y[i] = (x[i - 1] ?? 0) + (x[i + 1] ?? 0);
};

test("starts again when the basis is full: a path of 400 nodes with 64 vectors", () => {
  const ones = new Float64Array(n).fill(1);
  const options = { target: 1e-12, maxIterations: 3000, memory: 64 * n };
  const { value, iterations } = largestEigenpair(path, ones, options);
  expect(iterations).toBeGreaterThan(64);
  expect(value).toBeCloseTo(2 * Math.cos(Math.PI / (n + 1)), 12);
});

test("two sides: what is left out makes no difference, when the basis is full neither", () => {
  const oneSide = Float64Array.from({ length: n }, (_, i) => (i % 2 === 0 ? 1 : 0));
  for (const memory of [64 * n, 2 ** 24]) {
    const options = { target: 1e-12, maxIterations: 20_000, memory };
    const found = largestEigenpair(path, oneSide, { ...options, alternates: true });
    const plain = largestEigenpair(path, oneSide, options);
    expect(Math.abs(found.value - 2 * Math.cos(Math.PI / (n + 1)))).toBeLessThan(1e-13);
    expect(found.iterations).toBe(plain.iterations);
    found.vector.forEach((entry, i) => expect(entry).toBeCloseTo(plain.vector[i]!, 9));
  }
});

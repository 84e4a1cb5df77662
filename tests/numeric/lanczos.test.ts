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

test("starts again when the basis is full: a path of 400 nodes with 64 vectors", () => {
  const n = 400;
  const path: SymmetricOperator = (x, y) => {
    for (let i = 0; i < n; i++) y[i] = (x[i - 1] ?? 0) + (x[i + 1] ?? 0);
  };
  const ones = new Float64Array(n).fill(1);
  const options = { target: 1e-12, maxIterations: 3000, memory: 64 * n };
  const { value, iterations } = largestEigenpair(path, ones, options);
  expect(iterations).toBeGreaterThan(64);
  expect(value).toBeCloseTo(2 * Math.cos(Math.PI / (n + 1)), 12);
});

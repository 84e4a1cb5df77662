import { expect, test } from "vitest";
import { addScaled, dot, norm, toUnit } from "../../src/numeric/vector.ts";

const vector = (): Float64Array => Float64Array.of(3, -4);

test("products and norms (hand)", () => {
  expect(dot(vector(), Float64Array.of(2, 0.5))).toBe(4);
  expect(norm(vector())).toBe(5);
  expect(Array.from(toUnit(vector()))).toEqual([0.6, -0.8]);
});

test("adds in place, makes unit vectors anew", () => {
  const y = vector();
  addScaled(y, -2, Float64Array.of(1, 1));
  expect(Array.from(y)).toEqual([1, -6]);
  const before = vector();
  toUnit(before);
  expect(before).toEqual(vector());
});

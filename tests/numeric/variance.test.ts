import { expect, test } from "vitest";
import { variance } from "../../src/numeric/variance.ts";

test.each<{ name: string; values: number[]; ddof: 0 | 1; expected: number }>([
  { name: "of a population (hand)", values: [1, 2, 3, 6], ddof: 0, expected: 3.5 },
  { name: "unbiased (hand)", values: [1, 2, 3, 6], ddof: 1, expected: 14 / 3 },
  { name: "around a large mean (hand)", values: [1e9, 1e9 + 1], ddof: 1, expected: 0.5 },
])("variance $name", ({ values, ddof, expected }) => {
  expect(variance(values, ddof)).toBeCloseTo(expected, 12);
});

import { describe, expect, test } from "vitest";
import { columnSpan, edgeWeights } from "../../src/graph/block.ts";
import { chainGraph } from "../helpers/methods.ts";

const kernel = (...taps: number[]) => chainGraph([{ rows: [taps], taps: taps.length }]).blocks[0]!;

describe("edge weights (hand)", () => {
  test.each([
    { name: "norm", reduction: "norm", taps: [3, -4], expected: 5 },
    { name: "signed sum", reduction: "sum", taps: [3, -4], expected: -1 },
    { name: "absolute sum", reduction: "absoluteSum", taps: [3, -4], expected: 7 },
    { name: "positive sum", reduction: "positiveSum", taps: [3, -4], expected: 3 },
    { name: "negative sum", reduction: "negativeSum", taps: [3, -4], expected: 4 },
    { name: "norm of one", reduction: "norm", taps: [-7], expected: 7 },
    { name: "negative part of one", reduction: "negativeSum", taps: [-7], expected: 7 },
    { name: "norm of zeros", reduction: "norm", taps: [0, 0], expected: 0 },
    {
      name: "norm whose squares overflow",
      reduction: "norm",
      taps: [3e200, 4e200],
      expected: 5e200,
    },
    {
      name: "norm whose squares vanish",
      reduction: "norm",
      taps: [3e-200, 4e-200],
      expected: 5e-200,
    },
  ] as const)("$name", ({ reduction, taps, expected }) => {
    const [weight] = edgeWeights(kernel(...taps), reduction);
    expect(weight! / (expected || 1)).toBeCloseTo(expected === 0 ? 0 : 1, 14);
  });

  test("one tap, signed: a view", () => {
    const block = kernel(2);
    expect(edgeWeights(block, "sum")).toBe(block.weights);
  });
});

test("a row of a grouped block meets the columns of its group", () => {
  const block = { ...kernel(1, 1, 1, 1), taps: 1, rows: 4, columns: 6, groups: 2 };
  expect([0, 1, 2, 3].map((row) => columnSpan(block, row))).toEqual([
    { first: 0, count: 3 },
    { first: 0, count: 3 },
    { first: 3, count: 3 },
    { first: 3, count: 3 },
  ]);
});

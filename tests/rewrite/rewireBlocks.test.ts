import { expect, test } from "vitest";
import { rewireBlocks } from "../../src/rewrite/rewireBlocks.ts";
import { thrownBy } from "../helpers/errors.ts";

const weights = [
  [2.25, -0.5, 0.75],
  [1, -1.5, 0.25],
  [-0.75, 2, 1.25],
  [1.75, 0, -1],
];

test("blocks come back rewired, with both variances (hand)", () => {
  const [block] = rewireBlocks([{ from: "in", to: "out", weights }], { method: "deterministic" });
  expect(block).toMatchObject({
    from: "in",
    to: "out",
    weights: [
      [2.25, -1, -0.75],
      [-1.5, 2, 1.75],
      [1.25, -0.5, 0.75],
      [0, 1, 0.25],
    ],
  });
  expect(block!.before.inputs).toBeCloseTo(4.770833333333, 11);
  expect(block!.after.outputs).toBeCloseTo(0.520833333333, 11);
  expect(block!.passes.map(({ pass }) => pass)).toEqual(["rows", "columns"]);
});

test("equal blocks get different draws; the same seed gives the same answer", () => {
  const wide = [weights.flat(), weights.flat().reverse(), weights.flat()];
  const blocks = [
    { from: "a", to: "b", weights: wide },
    { from: "b", to: "c", weights: wide },
  ];
  const first = rewireBlocks(blocks, { seed: 9 });
  expect(first[0]!.weights).not.toEqual(first[1]!.weights);
  expect(rewireBlocks(blocks, { seed: 9 })).toEqual(first);
});

test.each<{ name: string; weights: number[][]; code: "SHAPE_MISMATCH" | "WEIGHTS_NOT_FINITE" }>([
  { name: "rows of unequal length", weights: [[1, 2], [3]], code: "SHAPE_MISMATCH" },
  { name: "no rows", weights: [], code: "SHAPE_MISMATCH" },
  { name: "empty rows", weights: [[], []], code: "SHAPE_MISMATCH" },
  { name: "a weight that is no number", weights: [[1, NaN]], code: "WEIGHTS_NOT_FINITE" },
])("refused: $name", ({ weights, code }) => {
  const error = thrownBy(() => rewireBlocks([{ from: "a", to: "b", weights }]), code);
  expect(error.path.slice(0, 2)).toEqual(["blocks", 0]);
});

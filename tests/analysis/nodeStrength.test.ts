import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nodeStrength, type NodeStrengthOptions } from "../../src/analysis/nodeStrength.ts";
import { nullable } from "../../src/analysis/nodeValues.ts";
import { graphFromMatrix } from "../../src/graph/matrix.ts";
import { chainGraph, dense4x5, rolledToy } from "../helpers/methods.ts";
import { thrownBy } from "../helpers/errors.ts";

const strengths = (rows: readonly (readonly number[])[], options: NodeStrengthOptions = {}) =>
  nullable(nodeStrength(chainGraph([{ rows }]), options));

describe("golden", () => {
  const none4 = [0, 0, 0, 0];
  const none5 = [...none4, 0];
  test.each([
    // hand: column sums of the parts
    { sign: "positive", direction: "out", expected: [10, 7, 7, 2, 4, ...none4] },
    { sign: "negative", direction: "out", expected: [4, 5, 5, 3, 6, ...none4] },
    { sign: "absolute", direction: "out", expected: [14, 12, 12, 5, 10, ...none4] },
    { sign: "signed", direction: "out", expected: [6, 2, 2, -1, -2, ...none4] },
    // hand: row sums of the parts
    { sign: "signed", direction: "in", expected: [...none5, 7, 3, -5, 2] },
    { sign: "negative", direction: "in", expected: [...none5, 2, 5, 11, 5] },
    { sign: "signed", direction: "both", expected: [6, 2, 2, -1, -2, 7, 3, -5, 2] },
  ] as const)("dense 4x5, $sign, $direction (hand)", ({ sign, direction, expected }) => {
    expect(strengths(dense4x5, { sign, direction })).toEqual(expected);
  });

  test("all taps of a kernel count (hand)", () => {
    const toy = rolledToy();
    expect(nullable(nodeStrength(toy, { direction: "in" }))).toEqual([
      0, 0, 7, 1, 0, 12, -1, -1, 1,
    ]);
    expect(nullable(nodeStrength(toy))).toEqual([14, -6, 9, 8, 2, 10, 1, -1, 1]);
  });

  test("parallel blocks add up, a hidden layer has both directions (hand)", () => {
    const graph = graphFromMatrix({
      blocks: [
        { from: "a", to: "b", weights: [[1], [-2]] },
        { from: "a", to: "b", weights: [[3], [0]] },
        { from: "b", to: "c", weights: [[5, 7]] },
      ],
    });
    expect(nullable(nodeStrength(graph, {}))).toEqual([2, 9, 5, 12]);
    expect(nullable(nodeStrength(graph, { direction: "in" }))).toEqual([0, 4, -2, 12]);
  });

  test("a neuron that no block touches has none", () => {
    const graph = chainGraph([{ rows: [[1]] }]);
    const lonely = { ...graph, nodeCount: 3 };
    expect(nullable(nodeStrength(lonely))).toEqual([1, 1, null]);
  });

  test("zeros have strength 0, not none", () => {
    expect(strengths([[0]])).toEqual([0, 0]);
  });
});

const matrix = fc.array(
  fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), { minLength: 3, maxLength: 3 }),
  { minLength: 1, maxLength: 5 },
);

test("signed = positive - negative, absolute = positive + negative, up to rounding", () => {
  fc.assert(
    fc.property(matrix, fc.constantFrom("in", "out", "both"), (rows, direction) => {
      const [signed, absolute, positive, negative] = (
        ["signed", "absolute", "positive", "negative"] as const
      ).map((sign) => nodeStrength(chainGraph([{ rows }]), { sign, direction }).values);
      signed!.forEach((value, node) => {
        expect(positive![node]! - negative![node]!).toBeCloseTo(value, 9);
        expect(positive![node]! + negative![node]!).toBeCloseTo(absolute![node]!, 9);
        expect(negative![node]!).toBeGreaterThanOrEqual(0);
      });
    }),
  );
});

test("relabelling outputs permutes, scaling scales", () => {
  fc.assert(
    fc.property(matrix, (rows) => {
      const plain = strengths(rows, { direction: "in" });
      const reversed = strengths([...rows].reverse(), { direction: "in" });
      expect(reversed.slice(3)).toEqual(plain.slice(3).reverse());
      const scaled = strengths(
        rows.map((row) => row.map((w) => 4 * w)),
        { direction: "in" },
      );
      expect(scaled.slice(3)).toEqual(plain.slice(3).map((s) => 4 * s!));
    }),
  );
});

test("a graph without blocks has no strengths", () => {
  thrownBy(() => nodeStrength(chainGraph([])), "GRAPH_NO_EDGES");
});

test("a sum beyond float64 is an error, not Infinity", () => {
  thrownBy(() => strengths([[1e308, 1e308]]), "ANALYSIS_UNDEFINED");
});

test.each([{ sign: "unsigned" }, { direction: "up" }])("refuses %o", (options) => {
  thrownBy(() => strengths([[1]], options as NodeStrengthOptions), "USAGE_INVALID_OPTION");
});

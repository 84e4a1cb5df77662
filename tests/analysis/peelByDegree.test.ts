import { expect, test } from "vitest";
import { peelByDegree } from "../../src/analysis/peelByDegree.ts";
import { thrownBy } from "../helpers/errors.ts";

/** A path of equal links. */
const path = (weight: number, covered: number[]) =>
  peelByDegree({
    covered: Uint8Array.from(covered),
    measure: "degree",
    fill: (add) =>
      covered.forEach((_, node) => {
        if (node > 0) add(node, weight);
        if (node + 1 < covered.length) add(node, weight);
      }),
    remove: (node, take) => {
      if (node > 0) take(node - 1, weight);
      if (node + 1 < covered.length) take(node + 1, weight);
    },
  });

test("a path is its own 1-core (hand)", () => {
  expect(Array.from(path(1, [1, 1, 1, 1]).values)).toEqual([1, 1, 1, 1]);
});

test("nodes that are not covered never leave and hold no value (hand)", () => {
  const { values, covered } = path(0.1, [1, 0, 1]);
  expect(Array.from(values)).toEqual([0.1, 0, 0.1]);
  expect(Array.from(covered)).toEqual([1, 0, 1]);
});

test("degrees beyond float64 are refused", () => {
  thrownBy(() => path(1.5e308, [1, 1, 1]), "ANALYSIS_UNDEFINED");
});

import { expect, test } from "vitest";
import { nullable } from "../../src/analysis/nodeValues.ts";
import { weightedDegree } from "../../src/analysis/weightedDegree.ts";
import { chainGraph, dense4x5, rolledToy } from "../helpers/methods.ts";
import { thrownBy } from "../helpers/errors.ts";

test("the rolled toy (hand: node 4 = 3 + 5 + 2 + 10)", () => {
  expect(nullable(weightedDegree(rolledToy()))).toEqual([10, 10, 11, 12, 20, 14, 19, 3, 7]);
});

test("its second snapshot, the last layer doubled (hand)", () => {
  expect(nullable(weightedDegree(rolledToy(2)))).toEqual([10, 10, 11, 12, 20, 18, 25, 6, 14]);
});

test("a dense layer: sums of |w| both ways (hand)", () => {
  const degrees = nullable(weightedDegree(chainGraph([{ rows: dense4x5 }])));
  expect(degrees).toEqual([14, 12, 12, 5, 10, 11, 13, 17, 12]);
});

test("a graph without blocks has no degrees", () => {
  thrownBy(() => weightedDegree(chainGraph([])), "GRAPH_NO_EDGES");
});

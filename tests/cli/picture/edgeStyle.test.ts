import { expect, test } from "vitest";
import { edgeStyles } from "../../../cli/picture/edgeStyle.ts";
import { graphFromMatrix, reduceGraph, viewEpoch } from "../../../src/index.ts";

const graph = graphFromMatrix({
  blocks: [
    { from: "a", to: "b", weights: [[100, -50]] },
    { from: "b", to: "c", weights: [[-0.5], [0.25]] },
  ],
});
const { edges } = viewEpoch(graph, 0, { measures: [], reduced: reduceGraph(graph) });

test("an edge is as bold as it is strong within its own block (hand)", () => {
  const styleOf = edgeStyles(edges, edges.shown);
  expect(edges.weight.map((_, i) => styleOf(i).strength)).toEqual([1, 1, 0.5, 0.5]);
});

test("in a crowd weak edges are fainter, the strongest are not", () => {
  const [few, many] = [edgeStyles(edges, 4), edgeStyles(edges, 20_000)];
  expect(many(2).alpha).toBeLessThan(few(2).alpha);
  expect(many(0).alpha).toBe(few(0).alpha);
});

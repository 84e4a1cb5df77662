import { describe, expect, test } from "vitest";
import { assembleGraph, nodeEdges, reduceGraph, type LayeredGraph } from "../../src/index.ts";

/** Two channels into four, in two groups, two taps; then four into one. */
const graph: LayeredGraph = assembleGraph(
  "toy",
  [
    { name: "in", size: 2 },
    { name: "mid", size: 4 },
    { name: "out", size: 1 },
  ],
  [
    {
      name: "grouped",
      weights: Float32Array.of(3, 4, -3, -4, 0, 1, 0, 0),
      rows: 4,
      columns: 2,
      groups: 2,
      taps: 2,
      rowNodes: Int32Array.of(2, 3, 4, 5),
      columnNodes: Int32Array.of(0, 1),
    },
    {
      name: "dense",
      weights: Float32Array.of(1, -2, 3, -4),
      rows: 1,
      columns: 4,
      groups: 1,
      taps: 1,
      rowNodes: Int32Array.of(6),
      columnNodes: Int32Array.of(2, 3, 4, 5),
    },
  ],
  "declared",
);

describe("nodeEdges", () => {
  test.each([
    {
      name: "sender of a group: its own rows only, norm with the sign of the sum",
      node: 0,
      expected: {
        incoming: [],
        outgoing: [
          [2, 5],
          [3, -5],
        ],
      },
    },
    {
      name: "zero edges are counted but not listed",
      node: 1,
      expected: { incoming: [], outgoing: [[4, 1]] },
    },
    {
      name: "in the middle: both directions",
      node: 3,
      expected: { incoming: [[0, -5]], outgoing: [[6, -2]] },
    },
    {
      name: "strongest first, by magnitude",
      node: 6,
      expected: {
        incoming: [
          [5, -4],
          [4, 3],
          [3, -2],
          [2, 1],
        ],
        outgoing: [],
      },
    },
  ])("$name (hand)", ({ node, expected }) => {
    const found = nodeEdges(graph, node);
    const pairs = (edges: typeof found.incoming): number[][] =>
      edges.map(({ node: other, weight }) => [other, weight]);
    expect({ incoming: pairs(found.incoming), outgoing: pairs(found.outgoing) }).toEqual(expected);
  });

  test("counts every edge, lists as many as asked", () => {
    expect(nodeEdges(graph, 1)).toMatchObject({ incomingCount: 0, outgoingCount: 2 });
    expect(nodeEdges(graph, 6, { count: 2 }).incoming).toHaveLength(2);
  });

  test("agrees with the unreduced edge list (oracle)", () => {
    const { from, to, weight } = reduceGraph(graph, { edgeBudget: 100 });
    for (let node = 0; node < graph.nodeCount; node++) {
      const listed = nodeEdges(graph, node).incoming.map((edge) => `${edge.node} ${edge.weight}`);
      const oracle = Array.from(from, (sender, i) => ({ sender, i }))
        .filter(({ i }) => to[i] === node)
        .map(({ sender, i }) => `${sender} ${weight[i]}`);
      expect(listed.sort()).toEqual(oracle.sort());
    }
  });
});

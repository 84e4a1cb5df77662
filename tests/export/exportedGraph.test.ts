import { describe, expect, test } from "vitest";
import { exportedGraph } from "../../src/export/exportedGraph.ts";
import { weighEdges } from "../../src/graph/edgeWeight.ts";
import { graphFromMatrix } from "../../src/graph/matrix.ts";
import type { EdgeWeight } from "../../src/graph/weighting.ts";
import { chainGraph } from "../helpers/methods.ts";
import { thrownBy } from "../helpers/errors.ts";

const graph = graphFromMatrix({
  blocks: [
    {
      from: "in",
      to: "hidden",
      weights: [
        [1, -2],
        [0, 3],
        [4, 0.5],
      ],
    },
    { from: "hidden", to: "out", weights: [[-1, 2, 5]] },
  ],
});

test("nodes are described in node order; a null leaves the measure out", () => {
  const { nodes } = exportedGraph(graph, { measures: { depth: [0, 0, 1, null, 1, 2] } });
  expect(nodes).toHaveLength(6);
  const hidden = { layer: "hidden", rank: 1 };
  expect(nodes[2]).toMatchObject({ ...hidden, label: "hidden[0]", index: 0, depth: 1 });
  expect(nodes[3]).toMatchObject({ ...hidden, label: "hidden[1]", index: 1 });
  expect(nodes[3]).not.toHaveProperty("depth");
});

test("layers stand from left to right, their first neuron on top", () => {
  const { nodes } = exportedGraph(graph);
  expect(nodes[0]!.x).toBeLessThan(nodes[2]!.x);
  expect(nodes[2]!.x).toBeLessThan(nodes[5]!.x);
  expect(nodes[2]!.y).toBeGreaterThan(nodes[3]!.y);
});

test("edges keep their signs and leave zeros out; all of the weight is kept (hand)", () => {
  const { edges, blockOf, facts, parallel } = exportedGraph(graph);
  expect(Array.from(edges.from)).toEqual([0, 1, 1, 0, 1, 2, 3, 4]);
  expect(Array.from(edges.to)).toEqual([2, 2, 3, 4, 4, 5, 5, 5]);
  expect(Array.from(edges.weight)).toEqual([1, -2, 3, 4, 0.5, -1, 2, 5]);
  expect([blockOf(0), blockOf(7)]).toEqual(["in to hidden", "hidden to out"]);
  expect(parallel).toBe(false);
  expect(facts).toEqual({
    name: "matrix",
    certainty: "declared",
    edges: 9,
    keptEdges: 8,
    keptShare: 1,
    weight: "L2 norm over taps, with the sign of their sum",
    edgeWeight: "norm",
    transforms: [],
  });
});

test("absolute weights on demand; a kernel's weight is the norm of its taps (hand)", () => {
  const kernel = chainGraph([{ rows: [[3, -4, 0, 5]], taps: 2 }]);
  expect(Array.from(exportedGraph(kernel).edges.weight)).toEqual([-5, 5]);
  const { edges, facts } = exportedGraph(kernel, { weight: "absolute" });
  expect(Array.from(edges.weight)).toEqual([5, 5]);
  expect(facts.weight).toBe("L2 norm over taps");
  const inWords = (edgeWeight: EdgeWeight, weight: "signed" | "absolute"): string =>
    exportedGraph(weighEdges(kernel, edgeWeight), { weight }).facts.weight;
  expect(inWords("sum", "signed")).toBe("sum over taps");
  expect(inWords("sum", "absolute")).toBe("magnitude of the sum over taps");
  expect(inWords("absoluteSum", "signed")).toBe(
    "absolute sum over taps, with the sign of their sum",
  );
});

describe("a graph past the budget", () => {
  test("is refused, unless the strongest edges will do", () => {
    const error = thrownBy(() => exportedGraph(graph, { edgeBudget: 8 }), "GRAPH_TOO_LARGE");
    expect(error.hint).toContain("strongest");
    const { edges, facts } = exportedGraph(graph, { edgeBudget: 2, reduce: true });
    expect(Array.from(edges.weight)).toEqual([4, 5]);
    expect(facts).toMatchObject({ edges: 9, keptEdges: 2 });
    expect(facts.keptShare).toBeCloseTo(9 / 18.5, 12);
  });
});

test("two blocks between the same layers are parallel edges", () => {
  const twice = graphFromMatrix({
    blocks: [
      { from: "a", to: "b", weights: [[1]] },
      { from: "a", to: "b", weights: [[2]] },
    ],
  });
  expect(exportedGraph(twice).parallel).toBe(true);
});

test("a measure of another length is refused", () => {
  const error = thrownBy(
    () => exportedGraph(graph, { measures: { short: [1, 2] } }),
    "SHAPE_MISMATCH",
  );
  expect(error.path).toEqual(["matrix", "measures", "short"]);
});

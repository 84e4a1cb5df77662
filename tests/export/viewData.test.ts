import { describe, expect, test } from "vitest";
import {
  graphFromMatrix,
  reduceGraph,
  viewEpoch,
  viewStructure,
  type LayeredGraph,
} from "../../src/index.ts";

const graph: LayeredGraph = graphFromMatrix({
  blocks: [
    { from: "a", to: "b", weights: [[9, -8, 7]] },
    { from: "b", to: "c", weights: [[0.3], [-0.2]] },
  ],
});

describe("viewStructure", () => {
  test("has one place per node and the box that holds them", () => {
    const structure = viewStructure(graph, { name: "toy" });
    expect(structure).toMatchObject({
      schema: "weightgraph.view",
      version: 1,
      name: "toy",
      nodeCount: 6,
      edgeCount: 5,
      epochs: [{ epoch: null, name: "toy", metrics: {} }],
      warnings: [],
    });
    expect(structure.layers.map(({ name, offset, size }) => [name, offset, size])).toEqual([
      ["a", 0, 3],
      ["b", 3, 1],
      ["c", 4, 2],
    ]);
    expect(structure.nodes.x).toHaveLength(6);
    expect(Math.max(...structure.nodes.x)).toBeLessThanOrEqual(structure.width);
  });
});

describe("viewEpoch", () => {
  const measures = [{ id: "m", title: "M", values: [1 / 3, 2, 3, 4, null, 6], problem: null }];

  test("orders edges by their rank in the block, then by strength (hand)", () => {
    const { edges } = viewEpoch(graph, 0, { measures, reduced: reduceGraph(graph) });
    expect(edges.weight).toEqual([9, 0.3, -8, -0.2, 7]);
    expect(edges.block).toEqual([0, 1, 0, 1, 0]);
    expect(edges).toMatchObject({ shown: 5, total: 5, share: 1 });
  });

  test("states the share of what a budget keeps (hand)", () => {
    const reduced = reduceGraph(graph, { edgeBudget: 2 });
    const { edges } = viewEpoch(graph, 0, { measures, reduced });
    expect(edges.shown).toBe(2);
    expect(edges.share).toBeCloseTo(9.3 / 24.5, 6);
  });

  test("survives JSON: numbers in six digits, nodes that are not covered as null", () => {
    const epoch = viewEpoch(graph, 3, { measures, reduced: reduceGraph(graph) });
    expect(JSON.parse(JSON.stringify(epoch))).toEqual(epoch);
    expect(epoch.index).toBe(3);
    expect(epoch.measures[0]!.values).toEqual([0.333333, 2, 3, 4, null, 6]);
  });
});

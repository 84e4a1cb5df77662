import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { edgeWeights } from "../../src/graph/block.ts";
import { assembleGraph, type Block } from "../../src/graph/layeredGraph.ts";
import { reduceGraph } from "../../src/graph/reduce.ts";
import { chainGraph, rolledToy } from "../helpers/methods.ts";
import { thrownBy } from "../helpers/errors.ts";

const twoScales = chainGraph([
  {
    rows: [
      [1, -2, 0],
      [2, 0, 3],
    ],
  },
  { rows: [[100, -200]] },
]);

describe("hand-picked", () => {
  test.each([
    {
      name: "each block has its share",
      edgeBudget: 2,
      from: [2, 4],
      to: [4, 5],
      weight: [3, -200],
    },
    {
      name: "what a small block leaves over goes to the strongest of all, earlier first",
      edgeBudget: 5,
      from: [1, 0, 2, 3, 4],
      to: [3, 4, 4, 5, 5],
      weight: [-2, 2, 3, 100, -200],
    },
    {
      name: "zeros are never taken",
      edgeBudget: 100,
      from: [0, 1, 0, 2, 3, 4],
      to: [3, 3, 4, 4, 5, 5],
      weight: [1, -2, 2, 3, 100, -200],
    },
    { name: "nothing", edgeBudget: 0, from: [], to: [], weight: [] },
    { name: "less than one each", edgeBudget: 1, from: [4], to: [5], weight: [-200] },
  ])("$name", ({ edgeBudget, from, to, weight }) => {
    const reduced = reduceGraph(twoScales, { edgeBudget });
    expect(Array.from(reduced.from)).toEqual(from);
    expect(Array.from(reduced.to)).toEqual(to);
    expect(Array.from(reduced.weight)).toEqual(weight);
  });

  test("the shares of |weight| that are kept", () => {
    const reduced = reduceGraph(twoScales, { edgeBudget: 2 });
    expect(reduced.keptShare).toBeCloseTo(203 / 308, 15);
    expect(reduced.blocks).toEqual([
      { name: "block0", edges: 6, kept: 1, keptShare: 3 / 8 },
      { name: "block1", edges: 2, kept: 1, keptShare: 200 / 300 },
    ]);
    expect(Array.from(reduced.block)).toEqual([0, 1]);
    expect(reduceGraph(chainGraph([{ rows: [[0]] }])).keptShare).toBe(1);
  });

  test("a kernel is one edge: the norm of its taps, with the sign of their sum", () => {
    const { weight } = reduceGraph(rolledToy());
    expect(Array.from(weight)).toEqual([5, 2, 2, -3, 3, -5, 3, 5, 2, 1, 2, -10, 1, -2, -3, 4]);
  });

  test("groups keep to themselves", () => {
    const block: Block = {
      name: "grouped",
      weights: Float32Array.of(1, 2, 3, 4),
      rows: 2,
      columns: 4,
      groups: 2,
      taps: 1,
      rowNodes: Int32Array.of(4, 5),
      columnNodes: Int32Array.of(0, 1, 2, 3),
    };
    const layers = [
      { name: "in", size: 4 },
      { name: "out", size: 2 },
    ];
    const { from, to } = reduceGraph(assembleGraph("g", layers, [block], "declared"));
    expect(Array.from(from)).toEqual([0, 1, 2, 3]);
    expect(Array.from(to)).toEqual([4, 4, 5, 5]);
  });
});

test("with one block: the largest by a full sort, ties by place (oracle)", () => {
  const weights = fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(weights, fc.nat(50), (row, edgeBudget) => {
      const graph = chainGraph([{ rows: [row] }]);
      const expected = Array.from(edgeWeights(graph.blocks[0]!, "norm"))
        .map((strength, edge) => ({ strength, edge }))
        .filter(({ strength }) => strength > 0)
        .sort((a, b) => b.strength - a.strength || a.edge - b.edge)
        .slice(0, edgeBudget)
        .map(({ edge }) => edge)
        .sort((a, b) => a - b);
      expect(Array.from(reduceGraph(graph, { edgeBudget }).from)).toEqual(expected);
    }),
  );
});

test.each([-1, 1.5, NaN])("refuses a budget of %d", (edgeBudget) => {
  thrownBy(() => reduceGraph(twoScales, { edgeBudget }), "USAGE_INVALID_OPTION");
});

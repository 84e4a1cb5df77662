import { describe, expect, test } from "vitest";
import { graphFromMatrix, matrixFromBlocks } from "../../src/graph/matrix.ts";
import { rolledToy } from "../helpers/methods.ts";
import { thrownBy } from "../helpers/errors.ts";

const diamond = {
  blocks: [
    { from: "b", to: "c", weights: [[1, 2]] },
    {
      from: "a",
      to: "b",
      weights: [
        [3, 4, 5],
        [6, 7, 8],
      ],
    },
    { from: "a", to: "c", weights: [[0, -1, 2]] },
    { from: "a", to: "c", weights: [[1, 1, 1]] },
  ],
};

test("layers come in the order of first mention, from before to (hand)", () => {
  const graph = graphFromMatrix(diamond);
  expect(graph.layers).toEqual([
    { name: "b", offset: 0, size: 2 },
    { name: "c", offset: 2, size: 1 },
    { name: "a", offset: 3, size: 3 },
  ]);
  expect(graph.nodeCount).toBe(6);
  expect(graph.edgeCount).toBe(2 + 6 + 3 + 3);
  expect(graph.certainty).toBe("declared");
  const [first, second] = graph.blocks;
  expect(first).toMatchObject({ rows: 1, columns: 2, groups: 1, taps: 1 });
  expect(Array.from(second!.rowNodes)).toEqual([0, 1]);
  expect(Array.from(second!.columnNodes)).toEqual([3, 4, 5]);
  expect(Array.from(second!.weights!)).toEqual([3, 4, 5, 6, 7, 8]);
});

test("there and back", () => {
  expect(matrixFromBlocks(graphFromMatrix(diamond))).toEqual(diamond);
  const graph = graphFromMatrix(diamond);
  const doubled = matrixFromBlocks(
    graph,
    graph.blocks.map(({ weights }) => weights!.map((w) => 2 * w)),
  );
  expect(doubled.blocks[2]!.weights).toEqual([[0, -2, 4]]);
});

test("kernels have no matrix form", () => {
  const error = thrownBy(() => matrixFromBlocks(rolledToy()), "GRAPH_MALFORMED");
  expect(error.path).toEqual(["chain", "block0"]);
});

describe("refused, with the path of the offence", () => {
  const block = (weights: unknown, ends: object = {}): unknown => ({
    blocks: [{ from: "a", to: "b", weights, ...ends }],
  });
  const chain = (...names: string[]): unknown => ({
    blocks: names.slice(1).map((to, i) => ({ from: names[i], to, weights: [[1]] })),
  });
  test.each([
    { name: "null", input: null, path: [] },
    { name: "a list", input: [], path: [] },
    { name: "no blocks", input: {}, path: [] },
    { name: "blocks of text", input: { blocks: "a" }, path: ["blocks"] },
    { name: "a block of null", input: { blocks: [null] }, path: ["blocks", 0] },
    { name: "no from", input: { blocks: [{ to: "b", weights: [[1]] }] }, path: ["blocks", 0] },
    { name: "from is a number", input: block([[1]], { from: 1 }), path: ["blocks", 0, "from"] },
    { name: "to is empty", input: block([[1]], { to: "" }), path: ["blocks", 0, "to"] },
    { name: "from = to", input: block([[1]], { to: "a" }), path: ["blocks", 0, "to"] },
    { name: "no weights", input: { blocks: [{ from: "a", to: "b" }] }, path: ["blocks", 0] },
    { name: "no rows", input: block([]), path: ["blocks", 0, "weights"] },
    { name: "an empty row", input: block([[]]), path: ["blocks", 0, "weights", 0] },
    { name: "a flat list", input: block([1, 2]), path: ["blocks", 0, "weights", 0] },
    { name: "a ragged row", input: block([[1, 2], [1]]), path: ["blocks", 0, "weights", 1] },
    { name: "text", input: block([[1, "2"]]), path: ["blocks", 0, "weights", 0, 1] },
    { name: "null weight", input: block([[null]]), path: ["blocks", 0, "weights", 0, 0] },
    { name: "a cycle", input: chain("z", "a", "b", "c", "a"), path: ["blocks", 1] },
    {
      name: "a cycle between a way in and a way out",
      input: chain("in", "a", "b", "a", "out"),
      path: ["blocks", 1],
    },
    { name: "a two-cycle", input: chain("a", "b", "a"), path: ["blocks", 0] },
    {
      name: "sizes that disagree",
      input: { blocks: [...diamond.blocks, { from: "a", to: "d", weights: [[1, 2]] }] },
      path: ["blocks", 4, "weights"],
    },
  ])("$name", ({ input, path }) => {
    expect(thrownBy(() => graphFromMatrix(input), "GRAPH_MALFORMED").path).toEqual(path);
  });

  test.each([NaN, Infinity])("%d", (weight) => {
    const error = thrownBy(() => graphFromMatrix(block([[1, weight]])), "WEIGHTS_NOT_FINITE");
    expect(error.path).toEqual(["blocks", 0, "weights", 0, 1]);
  });

  test("an empty list", () => {
    expect(thrownBy(() => graphFromMatrix({ blocks: [] }), "GRAPH_NO_EDGES").path).toEqual([
      "blocks",
    ]);
  });
});

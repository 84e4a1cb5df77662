import { describe, expect, test } from "vitest";
import { adjacencyOf, type Adjacency } from "../../src/graph/adjacency.ts";
import { assembleGraph, type Block } from "../../src/graph/layeredGraph.ts";
import { graphFromMatrix } from "../../src/graph/matrix.ts";

type Walk = (node: number, visit: (neighbour: number, weight: number) => void) => void;
const edges = (walk: Walk, node: number): [number, number][] => {
  const found: [number, number][] = [];
  walk(node, (neighbour, weight) => found.push([neighbour, weight]));
  return found;
};

describe("a chain with a parallel block (hand)", () => {
  const graph = graphFromMatrix({
    blocks: [
      { from: "a", to: "b", weights: [[1, 0, -3]] },
      { from: "b", to: "c", weights: [[5], [6]] },
      { from: "a", to: "b", weights: [[7, 0, 0]] },
    ],
  });
  const adjacency: Adjacency = adjacencyOf(graph, "absoluteSum");

  test("senders of a node, parallel edges one by one, zeros left out", () => {
    expect(edges(adjacency.forEachSender, 3)).toEqual([
      [0, 1],
      [2, 3],
      [0, 7],
    ]);
    expect(edges(adjacency.forEachSender, 0)).toEqual([]);
  });

  test("receivers of a node", () => {
    expect(edges(adjacency.forEachReceiver, 0)).toEqual([
      [3, 1],
      [3, 7],
    ]);
    expect(edges(adjacency.forEachReceiver, 1)).toEqual([]);
    expect(edges(adjacency.forEachReceiver, 3)).toEqual([
      [4, 5],
      [5, 6],
    ]);
  });

  test("who sends and who receives, whatever the weights", () => {
    const nodes = [0, 1, 2, 3, 4, 5];
    expect(nodes.map(adjacency.sends)).toEqual([true, true, true, true, false, false]);
    expect(nodes.map(adjacency.receives)).toEqual([false, false, false, true, true, true]);
  });
});

test("groups keep to themselves (hand)", () => {
  const block: Block = {
    name: "grouped",
    weights: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8),
    rows: 4,
    columns: 4,
    groups: 2,
    taps: 1,
    rowNodes: Int32Array.of(4, 5, 6, 7),
    columnNodes: Int32Array.of(0, 1, 2, 3),
  };
  const layers = [4, 4].map((size, i) => ({ name: `layer${i}`, size }));
  const adjacency = adjacencyOf(assembleGraph("g", layers, [block], "declared"), "sum");
  expect(edges(adjacency.forEachSender, 6)).toEqual([
    [2, 5],
    [3, 6],
  ]);
  expect(edges(adjacency.forEachReceiver, 3)).toEqual([
    [6, 6],
    [7, 8],
  ]);
});

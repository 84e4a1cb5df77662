import * as fc from "fast-check";
import { expect, test } from "vitest";
import { connectedComponents } from "../../src/graph/components.ts";
import { chainGraph, rolledToy, symmetricMatrix } from "../helpers/methods.ts";

test("zeros connect nothing (hand)", () => {
  const graph = chainGraph([
    {
      rows: [
        [0, 0, 1],
        [2, 0, 0],
        [0, 0, 0],
      ],
    },
  ]);
  const { of, sizes, nonZeroEdges } = connectedComponents(graph);
  expect(Array.from(of)).toEqual([0, 1, 2, 2, 0, 3]);
  expect(Array.from(sizes)).toEqual([2, 1, 2, 1]);
  expect(nonZeroEdges).toBe(2);
});

test("the rolled toy is one component of 16 edges (hand)", () => {
  const { sizes, nonZeroEdges } = connectedComponents(rolledToy());
  expect(Array.from(sizes)).toEqual([9]);
  expect(nonZeroEdges).toBe(16);
});

test("no nodes, no components", () => {
  expect(connectedComponents(chainGraph([])).sizes).toHaveLength(0);
});

test("equals what spreading from each node reaches (oracle)", () => {
  const row = fc.array(fc.constantFrom(0, 0, 0, 1), { minLength: 5, maxLength: 5 });
  const square = fc.array(row, { minLength: 5, maxLength: 5 });
  fc.assert(
    fc.property(square, square, (first, second) => {
      const graph = chainGraph([{ rows: first }, { rows: second }]);
      const matrix = symmetricMatrix(graph);
      const { of } = connectedComponents(graph);
      matrix.forEach((_, start) => {
        const reached = new Set([start]);
        for (const node of reached)
          matrix[node]!.forEach((weight, other) => weight !== 0 && reached.add(other));
        matrix.forEach((_, other) => expect(of[other] === of[start]).toBe(reached.has(other)));
      });
    }),
  );
});

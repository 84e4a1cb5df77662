import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { coreNumber, type CoreNumberOptions } from "../../src/analysis/coreNumber.ts";
import { nullable } from "../../src/analysis/nodeValues.ts";
import { weightedDegree } from "../../src/analysis/weightedDegree.ts";
import type { LayeredGraph } from "../../src/graph/layeredGraph.ts";
import { graphFromMatrix } from "../../src/graph/matrix.ts";
import { chainGraph, rolledToy, symmetricMatrix } from "../helpers/methods.ts";
import { thrownBy } from "../helpers/errors.ts";

const cores = (graph: LayeredGraph, options: CoreNumberOptions = {}) =>
  nullable(coreNumber(graph, options));

describe("golden", () => {
  test("the rolled toy (hand)", () => {
    // 7 goes at 3, 8 at 7 (5: 10, 6: 13), 0 at 10 (2: 6, 3: 10, 4: 17); then 2 at 6, 5 at 7, 3 and 1 at 5, and 4 with 6,
    // whose edge weighs 10: nothing rises above the level that 0 left.
    expect(cores(rolledToy())).toEqual([10, 10, 10, 10, 10, 10, 10, 3, 7]);
  });

  test("a path of weights 1, 3, 2: the end of weight 1 is outside the rest's core of 2 and 3 (hand)", () => {
    const path = chainGraph([{ rows: [[1]] }, { rows: [[-3]] }, { rows: [[2]] }]);
    expect(cores(path)).toEqual([1, 3, 3, 2]);
    expect(cores(path, { unweighted: true })).toEqual([1, 1, 1, 1]);
  });

  test("K(2,3): every core is the smaller side (hand)", () => {
    const rows = [
      [1, 1, 1],
      [1, 1, 1],
    ];
    expect(cores(chainGraph([{ rows }]))).toEqual([2, 2, 2, 2, 2]);
  });

  test("parallel edges add, but join one neighbour; unconnected neurons have core 0 (hand)", () => {
    const graph = graphFromMatrix({
      blocks: [
        { from: "a", to: "b", weights: [[1, 0]] },
        { from: "a", to: "b", weights: [[-2, 0]] },
      ],
    });
    expect(cores(graph)).toEqual([3, 0, 3]);
    expect(cores(graph, { unweighted: true })).toEqual([1, 0, 1]);
  });

  test("an edge from a neuron to itself is left out (hand)", () => {
    const { blocks, ...graph } = chainGraph([{ rows: [[5]] }]);
    const loop = { ...blocks[0]!, rowNodes: Int32Array.of(0) };
    expect(cores({ ...graph, blocks: [...blocks, loop] })).toEqual([5, 5]);
  });
});

/** Oracle: peel the dense matrix, every degree summed afresh. */
function naiveCores(graph: LayeredGraph, unweighted: boolean): number[] {
  const a = symmetricMatrix(graph).map((row, i) =>
    row.map((weight, j) => (i === j ? 0 : unweighted ? +(weight !== 0) : weight)),
  );
  const left = new Set(a.keys());
  const found = a.map(() => 0);
  let level = 0;
  while (left.size > 0) {
    const degrees = [...left].map((i) => [...left].reduce((sum, j) => sum + a[i]![j]!, 0));
    const least = Math.min(...degrees);
    const node = [...left][degrees.indexOf(least)]!;
    level = Math.max(level, least);
    found[node] = level;
    left.delete(node);
  }
  return found;
}

const rows = (columns: number, count: number) =>
  fc.array(
    fc.array(
      fc.integer({ min: -6, max: 6 }).map((w) => (Math.abs(w) > 4 ? 0 : w)),
      {
        minLength: columns,
        maxLength: columns,
      },
    ),
    { minLength: count, maxLength: count },
  );
const smallGraph = fc
  .tuple(
    fc.integer({ min: 1, max: 5 }),
    fc.integer({ min: 1, max: 5 }),
    fc.integer({ min: 1, max: 4 }),
  )
  .chain(([a, b, c]) => fc.tuple(rows(a, b), rows(b, c), rows(a, c)))
  .map(([ab, bc, ac]) =>
    graphFromMatrix({
      blocks: [
        { from: "a", to: "b", weights: ab },
        { from: "b", to: "c", weights: bc },
        { from: "a", to: "c", weights: ac },
      ],
    }),
  );

describe("properties", () => {
  test("equals the naive peel", () => {
    fc.assert(
      fc.property(smallGraph, fc.boolean(), (graph, unweighted) => {
        expect(cores(graph, { unweighted })).toEqual(naiveCores(graph, unweighted));
      }),
    );
  });

  test("never exceeds the degree; scaling scales", () => {
    fc.assert(
      fc.property(smallGraph, (graph) => {
        const { values } = coreNumber(graph);
        const degrees = weightedDegree(graph).values;
        values.forEach((core, node) => expect(core).toBeLessThanOrEqual(degrees[node]!));
        const blocks = graph.blocks.map((block) => ({
          ...block,
          weights: block.weights!.map((weight) => weight * 8),
        }));
        expect(coreNumber({ ...graph, blocks }).values).toEqual(values.map((core) => core * 8));
      }),
    );
  });
});

test("a graph without blocks has no cores", () => {
  thrownBy(() => coreNumber(chainGraph([])), "GRAPH_NO_EDGES");
});

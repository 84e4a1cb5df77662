/** Every measure on grouped blocks, repeated neurons and views must equal itself on the graph spelled out as one full matrix. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { measures } from "../../src/analysis/registry.ts";
import { columnSpan } from "../../src/graph/block.ts";
import { assembleGraph, type Block, type LayeredGraph } from "../../src/graph/layeredGraph.ts";

/** The same edges with every pair of rows and columns in one group; what is not connected weighs 0. */
function spelledOut(graph: LayeredGraph): LayeredGraph {
  const blocks = graph.blocks.map((block): Block => {
    const { rows, columns, taps } = block;
    const weights = new Float64Array(rows * columns * taps);
    for (let row = 0; row < rows; row++) {
      const { first, count } = columnSpan(block, row);
      const own = block.weights!.subarray(row * count * taps, (row + 1) * count * taps);
      weights.set(own, (row * columns + first) * taps);
    }
    return { ...block, weights, groups: 1 };
  });
  return assembleGraph(graph.name, graph.layers, blocks, graph.certainty);
}

function grouped({ groups, rowsPer, columnsPer, taps, values }: Shape): LayeredGraph {
  const [rows, columns] = [groups * rowsPer, groups * columnsPer];
  const block: Block = {
    name: "grouped",
    weights: Float32Array.from(
      { length: rows * columnsPer * taps },
      (_, i) => values[i % values.length]!,
    ),
    rows,
    columns,
    groups,
    taps,
    rowNodes: Int32Array.from({ length: rows }, (_, i) => columns + i),
    columnNodes: Int32Array.from({ length: columns }, (_, i) => i),
  };
  const mixing: Block = {
    name: "mixing",
    weights: Float32Array.from({ length: 2 * rows }, (_, i) => values[(3 * i) % values.length]!),
    rows: 2,
    columns: rows,
    groups: 1,
    taps: 1,
    rowNodes: Int32Array.of(columns + rows, columns + rows + 1),
    columnNodes: block.rowNodes,
  };
  const layers = [columns, rows, 2].map((size, i) => ({ name: `layer${i}`, size }));
  return assembleGraph("grouped", layers, [block, mixing], "declared");
}

interface Shape {
  readonly groups: number;
  readonly rowsPer: number;
  readonly columnsPer: number;
  readonly taps: number;
  readonly values: readonly number[];
}
const small = fc.integer({ min: 1, max: 3 });
const shape: fc.Arbitrary<Shape> = fc.record({
  groups: small,
  rowsPer: small,
  columnsPer: small,
  taps: small,
  values: fc
    .array(fc.integer({ min: -3, max: 3 }), { minLength: 1, maxLength: 25 })
    .map((list) => [1, ...list]),
});

function expectSame(measured: readonly (number | null)[], expected: readonly (number | null)[]) {
  measured.forEach((value, node) => {
    const other = expected[node];
    if (value === null || other === null) expect(value).toBe(other);
    else expect(value).toBeCloseTo(other!, 10);
  });
}

describe.each(measures)("$id", (measure) => {
  test("a grouped convolution equals the matrix that it stands for", () => {
    fc.assert(
      fc.property(shape, (drawn) => {
        const graph = grouped(drawn);
        expectSame(measure.run(graph).nodes, measure.run(spelledOut(graph)).nodes);
      }),
    );
  });

  test("a neuron that stands in two columns equals one of added edges", () => {
    const ids = (...nodes: number[]): Int32Array => Int32Array.from(nodes);
    const sizes = { rows: 2, groups: 1, taps: 1, rowNodes: ids(2, 3) };
    const layers = [2, 2].map((size, i) => ({ name: `layer${i}`, size }));
    const graphOf = (weights: number[], columnNodes: Int32Array): LayeredGraph => {
      const columns = columnNodes.length;
      const block: Block = {
        ...sizes,
        name: "block",
        weights: Float64Array.from(weights),
        columns,
        columnNodes,
      };
      return assembleGraph("twice", layers, [block], "declared");
    };
    const twice = graphOf([1, 2, 3, 4, 5, 6], ids(0, 1, 0));
    const once = graphOf([4, 2, 10, 5], ids(0, 1));
    expectSame(measure.run(twice).nodes, measure.run(once).nodes);
    const unweighted = measure.parameters.some(({ name }) => name === "unweighted");
    if (!unweighted) return;
    const options = { unweighted: true };
    expectSame(measure.run(twice, options).nodes, measure.run(once, options).nodes);
  });
});

/** The bulk peel against the plain one, node by node with compensated sums. */
import { describe, expect, test } from "vitest";
import { bulkCores } from "../../src/analysis/peel/bulkCores.ts";
import { coresByHeap } from "../../src/analysis/peel/coresByHeap.ts";
import { weightedDegree } from "../../src/analysis/weightedDegree.ts";
import { layeredGraph, type LayeredGraph } from "../../src/graph/layeredGraph.ts";
import { openModel } from "../../src/node.ts";
import { createRandom, shuffle } from "../../src/random.ts";
import { denseGraph, draws, type DenseBlock, type Draw } from "../helpers/denseGraph.ts";
import { hasSharedData, sharedPath } from "../helpers/shared.ts";

const exact: readonly Draw[] = [draws.whole, draws.ties, draws.zeros];

function expectSame(graph: LayeredGraph, isExact: boolean, unweighted = false): void {
  const expected = coresByHeap(graph, { unweighted });
  const found = bulkCores(graph, unweighted, 0)!;
  expect(found.covered).toEqual(expected.covered);
  if (isExact || unweighted) {
    expect(found.values).toEqual(expected.values);
    return;
  }
  found.values.forEach((value, node) => {
    const wanted = expected.values[node]!;
    expect(Math.abs(value - wanted), `node ${node}: ${value}`).toBeLessThanOrEqual(1e-9 * wanted);
  });
}

const shapes = [
  [1, 1],
  [1, 7],
  [9, 1],
  [3, 5],
  [33, 65],
  [130, 37],
  [40, 300],
  [600, 30],
] as const;

describe.each([
  { where: "in the kernels", inKernels: true },
  { where: "outside", inKernels: false },
])("$where", ({ inKernels }) => {
  test.each(Object.entries(draws))("one block of %s weights, any shape", (_, draw) => {
    for (const [rows, columns] of shapes) {
      const block: DenseBlock = { from: [0, columns], to: [columns, columns + rows], draw };
      for (const seed of [1, 2]) {
        const graph = denseGraph(columns + rows, [block], { inKernels, seed });
        expectSame(graph, exact.includes(draw));
        expectSame(graph, true, true);
      }
    }
  });

  test.each(Object.entries(draws))("blocks of %s weights that share nodes", (_, draw) => {
    const scattered = Int32Array.from({ length: 40 }, (_, i) => 150 + ((i * 7) % 40));
    const chain: DenseBlock[] = [
      { from: [0, 50], to: [50, 120], draw },
      { from: [50, 120], to: [120, 150], draw },
      // a residual way around, a concatenation with gaps, groups, a part of its own, and nodes of no block
      { from: [0, 50], to: [120, 150], draw },
      { from: Int32Array.from([...scattered, 3, 1, 60]), to: [200, 230], draw },
      { from: [200, 230], to: [230, 250], draw, groups: 10 },
      { from: [260, 270], to: [270, 280], draw },
    ];
    const graph = denseGraph(290, chain, { inKernels });
    expectSame(graph, exact.includes(draw));
    expectSame(graph, true, true);
  });

  test("parallel blocks add, but join one neighbour", () => {
    for (const draw of [draws.whole, draws.sparse]) {
      const block: DenseBlock = { from: [0, 30], to: [30, 70], draw };
      const turned: DenseBlock = { from: [20, 65], to: [0, 20], draw };
      const part: DenseBlock = { from: [5, 15], to: [60, 90], draw };
      for (const seed of [1, 2, 3]) {
        const graph = denseGraph(90, [block, part, turned, block], { inKernels, seed });
        expectSame(graph, draw === draws.whole);
        expectSame(graph, true, true);
      }
    }
  });

  test("rows that are copies of one another", () => {
    const first = denseGraph(400, [{ from: [0, 100], to: [100, 400], draw: draws.gaussian }], {
      inKernels,
    });
    const { weights } = first.blocks[0]!;
    weights!.copyWithin(100, 0, 100);
    for (let row = 7; row < 300; row += 5) weights!.copyWithin(100 * row, 0, 100);
    expectSame(first, false);
  });

  test("renumbering renumbers; a power of two scales exactly; never above the degree", () => {
    const [rows, columns] = [150, 90];
    const block: DenseBlock = {
      from: [0, columns],
      to: [columns, columns + rows],
      draw: draws.student2,
    };
    const graph = denseGraph(rows + columns, [block], { inKernels });
    const { values } = bulkCores(graph, false, 0)!;
    const degrees = weightedDegree(graph).values;
    values.forEach((value, node) =>
      expect(value).toBeLessThanOrEqual(degrees[node]! * (1 + 1e-14)),
    );

    const order = Int32Array.from(values, (_, node) => node);
    shuffle(order, createRandom(3));
    const { columnNodes, rowNodes } = graph.blocks[0]!;
    const renumbered: LayeredGraph = {
      ...graph,
      blocks: [
        {
          ...graph.blocks[0]!,
          columnNodes: columnNodes.map((node) => order[node]!),
          rowNodes: rowNodes.map((node) => order[node]!),
        },
      ],
    };
    const moved = bulkCores(renumbered, false, 0)!.values;
    values.forEach((value, node) => expect(moved[order[node]!]).toBe(value));

    const { weights } = graph.blocks[0]!;
    for (let i = 0; i < weights!.length; i++) weights![i]! *= 0.125;
    expect(bulkCores(graph, false, 0)!.values).toEqual(values.map((value) => value * 0.125));
  });
});

test("the plain way is taken where the bulk peel has none", () => {
  const small = denseGraph(4, [{ from: [0, 2], to: [2, 4], draw: draws.ties }], {
    inKernels: true,
  });
  expect(bulkCores(small, false)).toBeNull();
  const loop: DenseBlock = { from: [0, 90], to: [89, 150], draw: draws.ties };
  expect(bulkCores(denseGraph(150, [loop], { inKernels: true }), false)).toBeNull();
});

describe("blocks far from square, one side of which leaves in batches", () => {
  test.each([
    { name: "tall", rows: 3000, columns: 50 },
    { name: "wide", rows: 50, columns: 3000 },
  ])("$name", ({ rows, columns }) => {
    const block = (draw: Draw): DenseBlock => ({
      from: [0, columns],
      to: [columns, columns + rows],
      draw,
    });
    const total = rows + columns;
    expectSame(denseGraph(total, [block(draws.gaussian)], { inKernels: true }), false);
    // The first of the few leans on those that leave first: it falls to the levels of a batch, which has to come back.
    const leaning: Draw = (random, at) => {
      const [row, column] = [Math.floor(at / columns), at % columns];
      const [few, many] = rows < columns ? [row, column] : [column, row];
      const isLow = many % 10 === 3;
      if (few === 0) return isLow ? 2 : 0;
      return random.normal() * (isLow ? 0.5 : 1);
    };
    expectSame(denseGraph(total, [block(leaning)], { inKernels: true }), false);
  });
});

test("the same bytes a second time", () => {
  const block: DenseBlock = { from: [0, 300], to: [300, 700], draw: draws.student2 };
  const graph = denseGraph(700, [block], { inKernels: true });
  expect(bulkCores(graph, false, 0)).toEqual(bulkCores(graph, false, 0));
});

describe.skipIf(!hasSharedData)("trained models", () => {
  test.each([
    "npz/ml5_mnist_784-128-32-10.npz",
    "onnx/magika_standard_v3_3.onnx",
    "onnx/version-RFB-320.onnx",
    "keras-h5/tiny_XCEPTION_KDEF.hdf5",
    "pytorch/resnet20-12fca82f.th",
  ])("%s", async (file) => {
    const model = await openModel(sharedPath(file));
    const graph = await layeredGraph(model);
    expectSame(graph, false);
    expectSame(graph, true, true);
  });
});

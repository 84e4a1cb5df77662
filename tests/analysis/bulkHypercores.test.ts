/** The bulk peel of hypergraphs against the plain one, vertex by vertex with compensated sums. */
import { describe, expect, test } from "vitest";
import { bulkHypercores, type HypercoreRule } from "../../src/analysis/peel/bulkHypercores.ts";
import { hypercoresByHeap } from "../../src/analysis/peel/hypercoresByHeap.ts";
import { layeredGraph, type LayeredGraph } from "../../src/graph/layeredGraph.ts";
import { openModel } from "../../src/node.ts";
import { denseGraph, draws, type DenseBlock, type Draw } from "../helpers/denseGraph.ts";
import { hasSharedData, sharedPath } from "../helpers/shared.ts";

const exact: readonly Draw[] = [draws.whole, draws.ties, draws.zeros];

const needs: readonly HypercoreRule["needed"][] = [
  () => 1,
  () => 2,
  () => 7,
  () => 1e10,
  (size) => Math.max(2, Math.ceil(size / 2)),
  (size) => Math.max(1, size),
];
const rules: readonly HypercoreRule[] = needs.flatMap((needed) =>
  (["in", "out"] as const).flatMap((side) =>
    (["absolute", "positive", "negative"] as const).flatMap((sign) =>
      [false, true].map((counted) => ({ side, part: { sign, counted }, needed })),
    ),
  ),
);

function expectSame(graph: LayeredGraph, rule: HypercoreRule, isExact: boolean): void {
  const expected = hypercoresByHeap(graph, rule);
  const found = bulkHypercores(graph, rule, 0)!;
  expect(found.covered).toEqual(expected.covered);
  if (isExact || rule.part.counted) {
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
  [64, 256],
] as const;

describe.each([
  { where: "in the kernels", inKernels: true },
  { where: "outside", inKernels: false },
])("$where", ({ inKernels }) => {
  test.each(Object.entries(draws))("one block of %s weights, any shape and rule", (_, draw) => {
    const graphs = shapes.map(([rows, columns]) => {
      const block: DenseBlock = { from: [0, columns], to: [columns, columns + rows], draw };
      return denseGraph(columns + rows, [block], { inKernels });
    });
    // 72 rules and 7 shapes: every pair of an option and a shape comes up
    rules.forEach((rule, i) => expectSame(graphs[i % 7]!, rule, exact.includes(draw)));
  });

  test.each(Object.entries(draws))("blocks of %s weights that share nodes", (_, draw) => {
    const scattered = Int32Array.from({ length: 40 }, (_, i) => 150 + ((i * 7) % 40));
    const blocks: DenseBlock[] = [
      { from: [0, 50], to: [50, 120], draw },
      { from: [50, 120], to: [120, 150], draw },
      { from: [0, 50], to: [120, 150], draw },
      { from: Int32Array.from([...scattered, 3, 1, 60]), to: [200, 230], draw },
      { from: [200, 230], to: [230, 250], draw, groups: 10 },
      // back again, as a residual sum does
      { from: [50, 120], to: [0, 50], draw },
    ];
    const graph = denseGraph(260, blocks, { inKernels });
    for (let i = 0; i < rules.length; i += 5) expectSame(graph, rules[i]!, exact.includes(draw));
  });
});

test("the plain way is taken where the bulk peel has none", () => {
  const rule = rules[0]!;
  const small = denseGraph(4, [{ from: [0, 2], to: [2, 4], draw: draws.ties }], {
    inKernels: true,
  });
  expect(bulkHypercores(small, rule)).toBeNull();
  const loop: DenseBlock = { from: [0, 90], to: [89, 150], draw: draws.ties };
  expect(bulkHypercores(denseGraph(150, [loop], { inKernels: true }), rule)).toBeNull();
  const twice: DenseBlock = { from: [0, 90], to: [90, 150], draw: draws.ties };
  expect(bulkHypercores(denseGraph(150, [twice, twice], { inKernels: true }), rule)).toBeNull();
});

describe.skipIf(!hasSharedData)("trained models", () => {
  test.each([
    "npz/ml5_mnist_784-128-32-10.npz",
    "onnx/version-RFB-320.onnx",
    "keras-h5/tiny_XCEPTION_KDEF.hdf5",
    "pytorch/resnet20-12fca82f.th",
  ])("%s", async (file) => {
    const model = await openModel(sharedPath(file));
    const graph = await layeredGraph(model);
    for (const i of [12, 13, 14, 21, 50, 57]) expectSame(graph, rules[i]!, false);
  });
});

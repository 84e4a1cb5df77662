import { describe, expect, test } from "vitest";
import { blockOrder } from "../../src/analysis/blockOrder.ts";
import { blockProducts } from "../../src/analysis/blockProducts.ts";
import { edgeWeights, type Block } from "../../src/graph/block.ts";
import { edgeWeightNames, weighEdges } from "../../src/graph/edgeWeight.ts";
import { allocateWeights } from "../../src/kernels/weightArena.ts";
import { createRandom } from "../../src/random.ts";
import { denseGraph, draws, type DenseBlock } from "../helpers/denseGraph.ts";
import { directedMatrix } from "../helpers/directedMatrix.ts";
import { expectClose } from "../helpers/expectClose.ts";
import { cyclicGraph, variedGraphs } from "../helpers/variedGraphs.ts";

const random = createRandom(3);

/** Kernels as `layeredGraph` keeps them by default. */
function collapse(block: Block): Block {
  const parts = ["norm", "positiveSum", "negativeSum"] as const;
  const [norm, positiveSum, negativeSum] = parts.map((part) =>
    Float64Array.from(edgeWeights(block, part)),
  );
  const collapsed = { norm: norm!, positiveSum: positiveSum!, negativeSum: negativeSum! };
  return { ...block, weights: null, collapsed };
}

describe.each(variedGraphs)("$name", ({ graph }) => {
  test.each(edgeWeightNames)(
    "%s: forward, backward and both add a dense product (oracle)",
    (edgeWeight) => {
      const weighed = weighEdges(graph, edgeWeight);
      const matrix = directedMatrix(weighed);
      const nodes = matrix.map((_, node) => node);
      const x = Float64Array.from(nodes, () => random.normal());
      const forward = nodes.map((to) =>
        nodes.reduce((s, from) => s + matrix[to]![from]! * x[from]!, 0),
      );
      const backward = nodes.map((to) =>
        nodes.reduce((s, from) => s + matrix[from]![to]! * x[from]!, 0),
      );
      const collapsed = { ...graph, blocks: graph.blocks.map(collapse) };
      for (const [own, scale] of [
        [weighed, 1],
        [weighed, 0.25],
        [weighEdges(collapsed, edgeWeight), 1],
      ] as const) {
        const products = blockProducts(own, { scale });
        for (const [name, expected] of [
          ["forward", forward],
          ["backward", backward],
          ["both", forward.map((value, node) => value + backward[node]!)],
        ] as const) {
          const y = new Float64Array(nodes.length).fill(7);
          products[name](x, y);
          expected.forEach((value, node) => {
            expect(y[node], `${name} ${node}`).toBeCloseTo(7 + scale * value, 11);
          });
        }
      }
    },
  );

  test("covers whoever stands in a block, and reads weights of one tap where they lie", () => {
    const { covered } = blockProducts(graph);
    const inBlock = new Set(graph.blocks.flatMap((b) => [...b.rowNodes, ...b.columnNodes]));
    covered.forEach((one, node) => expect(one === 1).toBe(inBlock.has(node)));
    if (graph.blocks.some(({ taps }) => taps > 1)) return;
    const [first] = graph.blocks;
    const products = blockProducts(graph);
    const ones = new Float64Array(graph.nodeCount).fill(1);
    const before = new Float64Array(graph.nodeCount);
    products.forward(ones, before);
    const [weight] = first!.weights!;
    first!.weights![0] = weight! + (weight! < 0 ? -1 : 1);
    const after = new Float64Array(graph.nodeCount);
    products.forward(ones, after);
    first!.weights![0] = weight!;
    expect(after[first!.rowNodes[0]!]! - before[first!.rowNodes[0]!]!).toBeCloseTo(1, 12);
  });
});

describe("weights in the memory of the kernels", () => {
  const random = createRandom(5);
  const blocks = (draw: DenseBlock["draw"]): DenseBlock[] => [
    { from: [0, 70], to: [70, 133], draw },
    { from: [70, 130], to: [133, 253], draw, groups: 3 },
    // Too small to be worth a kernel.
    { from: [70, 75], to: [253, 256], draw },
    { from: [0, 40], to: [133, 173], draw, groups: 40 },
  ];

  test.each(["gaussian", "sparse", "denormal", "oneHuge"] as const)("%s: as outside it", (kind) => {
    const inside = blockProducts(denseGraph(256, blocks(draws[kind]), { inKernels: true }));
    const outside = blockProducts(denseGraph(256, blocks(draws[kind]), { inKernels: false }));
    const x = Float64Array.from({ length: 256 }, () => random.uniform());
    for (const name of ["forward", "backward", "both"] as const) {
      const [y, expected] = [new Float64Array(256), new Float64Array(256)];
      inside[name](x, y);
      outside[name](x, expected);
      expectClose([...y], [...expected]);
    }
  });

  test("a scale multiplies; without room for vectors the plain way is taken", () => {
    const graph = denseGraph(256, blocks(draws.gaussian), { inKernels: true });
    const [room] = allocateWeights([2 ** 14], 0);
    room!.set(graph.blocks[0]!.weights!);
    const weights = room!.subarray(0, 70 * 63);
    const cramped = { ...graph, blocks: [{ ...graph.blocks[0]!, weights }] };
    const roomy = { ...graph, blocks: graph.blocks.slice(0, 1) };
    const ones = new Float64Array(256).fill(1);
    for (const name of ["forward", "backward", "both"] as const) {
      const [y, tight, scaled] = [0, 1, 2].map(() => new Float64Array(256));
      blockProducts(roomy)[name](ones, y!);
      blockProducts(cramped)[name](ones, tight!);
      blockProducts(roomy, { scale: 2 ** -40 })[name](ones, scaled!);
      expectClose([...tight!], [...y!]);
      expectClose(
        [...scaled!],
        Array.from(y!, (value) => value * 2 ** -40),
        0,
      );
    }
  });
});

describe("blockOrder", () => {
  const block = (from: number[], to: number[]) => ({
    columnNodes: Int32Array.from(from),
    rowNodes: Int32Array.from(to),
  });

  test("senders come before receivers, in whatever order they are listed", () => {
    const blocks = [
      block([3], [4]),
      block([1, 2], [3]),
      block([0], [1]),
      block([0], [2]),
      block([0], [4]),
    ];
    const { order, acyclic } = blockOrder(blocks, 5);
    expect(acyclic).toBe(true);
    expect(new Set(order)).toEqual(new Set([0, 1, 2, 3, 4]));
    const place = (index: number): number => order.indexOf(index);
    expect(place(2)).toBeLessThan(place(1));
    expect(place(3)).toBeLessThan(place(1));
    expect(place(1)).toBeLessThan(place(0));
  });

  test("cycles are seen, and every block still comes once", () => {
    const { blocks, nodeCount } = cyclicGraph();
    const { order, acyclic } = blockOrder(blocks, nodeCount);
    expect(acyclic).toBe(false);
    expect(order).toHaveLength(4);
    expect(new Set(order)).toEqual(new Set([0, 1, 2, 3]));
    expect(blockOrder([block([0], [0])], 1)).toEqual({ order: [0], acyclic: false });
    expect(blockOrder([], 3)).toEqual({ order: [], acyclic: true });
  });
});

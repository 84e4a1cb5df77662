import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { coreNumber } from "../../src/analysis/coreNumber.ts";
import { eigenvectorCentrality } from "../../src/analysis/eigenvectorCentrality.ts";
import { nodeStrength } from "../../src/analysis/nodeStrength.ts";
import { nullable } from "../../src/analysis/nodeValues.ts";
import { unrolledStrength } from "../../src/analysis/unrolledStrength.ts";
import { weightedDegree } from "../../src/analysis/weightedDegree.ts";
import { connectedComponents } from "../../src/graph/components.ts";
import {
  forEachUnrolledEdge,
  materialiseUnrolled,
  unrolledGraph,
  type UnrolledGraph,
} from "../../src/graph/unrolledGraph.ts";
import { unrolledSize } from "../../src/graph/unrolledSize.ts";
import type { Window } from "../../src/model/geometry.ts";
import { createRandom } from "../../src/random.ts";
import { convolution, kernelLayout, unrolledLeNet, windowOf } from "../helpers/unrolled.ts";

const pixels = { positions: [3, 3] };
const kernel = [1, -2, 3, 4];

describe("golden", () => {
  test("3 x 3 pixels, kernel [[1,-2],[3,4]] (hand)", async () => {
    const model = convolution(kernel, kernelLayout(1, 1, 1, [2, 2]), {
      ...pixels,
      window: windowOf([2, 2]),
    });
    const graph = await unrolledGraph(model);
    expect(graph).toMatchObject({ nodeCount: 13, edgeCount: 16 });
    const input = (values: Float64Array) => Array.from(values.subarray(0, 9));
    expect(input(unrolledStrength(graph).values)).toEqual([1, -1, -2, 4, 6, 2, 3, 7, 4]);
    expect(input(unrolledStrength(graph, { sign: "absolute" }).values)).toEqual([
      1, 3, 2, 4, 10, 6, 3, 7, 4,
    ]);
    expect(input(weightedDegree(materialiseUnrolled(graph)).values)).toEqual([
      1, 3, 2, 4, 10, 6, 3, 7, 4,
    ]);
    expect(Array.from(unrolledStrength(graph).values.subarray(9))).toEqual([6, 6, 6, 6]);
  });

  test("the same with padding 1: taps in the padding are no edges (hand)", () => {
    const window = windowOf([2, 2], { padding: [[1, 1], [1, 1]] }); // prettier-ignore
    const model = convolution(kernel, kernelLayout(1, 1, 1, [2, 2]), { ...pixels, window });
    const size = unrolledSize(model);
    expect(size).toMatchObject({ nodes: 9 + 16, edges: 36, bytes: 36 * 12 });
    expect(size.layers[1]).toEqual({ name: "conv", channels: 1, positions: [4, 4], nodes: 16 });
  });

  test("LeNet on 3 x 32 x 32: 11,166 nodes, 658,024 edges (hand)", () => {
    const model = unrolledLeNet(() => 1);
    const { nodes, edges, layers, links } = unrolledSize(model);
    expect({ nodes, edges }).toEqual({ nodes: 11_166, edges: 658_024 });
    expect(layers.map((layer) => layer.nodes)).toEqual([3072, 4704, 1176, 1600, 400, 120, 84, 10]);
    expect(links.map((link) => [link.kind, link.edges])).toEqual([
      ["weights", 352_800],
      ["max pooling", 4704],
      ["weights", 240_000],
      ["max pooling", 1600],
      ["weights", 48_000],
      ["weights", 10_080],
      ["weights", 840],
    ]);
  });

  test("the size reads no weight", () => {
    const model = unrolledLeNet(() => 1);
    const layers = model.layers.map((layer) => ({
      ...layer,
      tensor: { ...layer.tensor, read: () => Promise.reject(new Error("read")) },
    }));
    expect(unrolledSize({ ...model, layers }).edges).toBe(658_024);
  });
});

test("LeNet: measures run on the laid-out graph, and strengths agree with it", async () => {
  const random = createRandom(3);
  const graph = await unrolledGraph(unrolledLeNet(() => random.normal() / 10));
  const laid = materialiseUnrolled(graph);
  expect(laid).toMatchObject({ nodeCount: 11_166, edgeCount: 658_024 });
  for (const direction of ["in", "out", "both"] as const) {
    const fast = unrolledStrength(graph, { direction });
    const slow = nodeStrength(laid, { direction });
    expect(fast.covered).toEqual(slow.covered);
    fast.values.forEach((value, node) => expect(value).toBeCloseTo(slow.values[node]!, 8));
  }
  expect(connectedComponents(laid).sizes).toHaveLength(1);
  const { eigenvalue, values } = eigenvectorCentrality(laid);
  expect(eigenvalue).toBeGreaterThan(0);
  expect(values.every((value) => value > 0)).toBe(true);
  const core = coreNumber(laid).values;
  const degree = unrolledStrength(graph, { sign: "absolute" }).values;
  core.forEach((value, node) => expect(value).toBeLessThanOrEqual(degree[node]! * (1 + 1e-9)));
}, 60_000);

/** Every edge of a convolution by direct loops over outputs, inputs and taps: "from to" with its weight. */
function directEdges(
  values: readonly number[],
  { groups, out, senders }: { groups: number; out: number; senders: number },
  { positions, window }: { positions: readonly [number, number]; window: Window },
): { edges: Map<string, number>; output: [number, number] } {
  const { kernel: size, strides, dilations, padding, transposed } = window;
  const pads = padding as readonly (readonly [number, number])[];
  const along = (axis: 0 | 1) => {
    const reach = (size[axis]! - 1) * dilations[axis]! + 1;
    const [before, behind] = pads[axis]!;
    return transposed
      ? (positions[axis] - 1) * strides[axis]! +
          reach -
          before -
          behind +
          transposed.outputPadding[axis]!
      : Math.floor((positions[axis] + before + behind - reach) / strides[axis]!) + 1;
  };
  const output: [number, number] = [along(0), along(1)];
  const joined = (axis: 0 | 1, from: number, to: number, tap: number): boolean => {
    const [narrow, wide] = transposed ? [from, to] : [to, from];
    const read = narrow * strides[axis]! - pads[axis]![0] + tap * dilations[axis]!;
    return read === wide;
  };
  const edges = new Map<string, number>();
  const inputs = groups * senders * positions[0] * positions[1];
  for (let o = 0; o < groups * out; o++)
    for (let i = 0; i < senders; i++)
      for (let y = 0; y < output[0]; y++)
        for (let x = 0; x < output[1]; x++)
          for (let q = 0; q < positions[0]; q++)
            for (let r = 0; r < positions[1]; r++)
              for (let u = 0; u < size[0]!; u++)
                for (let v = 0; v < size[1]!; v++) {
                  if (!joined(0, q, y, u) || !joined(1, r, x, v)) continue;
                  const channel = Math.floor(o / out) * senders + i;
                  const from = (channel * positions[0] + q) * positions[1] + r;
                  const to = inputs + (o * output[0] + y) * output[1] + x;
                  const weight = values[((o * senders + i) * size[0]! + u) * size[1]! + v]!;
                  edges.set(`${from} ${to}`, weight);
                }
  return { edges, output };
}

const axis = fc.record({
  kernel: fc.integer({ min: 1, max: 3 }),
  stride: fc.integer({ min: 1, max: 3 }),
  dilation: fc.integer({ min: 1, max: 2 }),
  before: fc.integer({ min: 0, max: 2 }),
  behind: fc.integer({ min: 0, max: 2 }),
  size: fc.integer({ min: 5, max: 7 }),
  extra: fc.integer({ min: 0, max: 1 }),
});

test("any window agrees with direct loops (oracle)", async () => {
  await fc.assert(
    fc.asyncProperty(
      axis,
      axis,
      fc.record({
        groups: fc.integer({ min: 1, max: 2 }),
        out: fc.integer({ min: 1, max: 2 }),
        senders: fc.integer({ min: 1, max: 2 }),
      }),
      fc.boolean(),
      async (a, b, channels, isTransposed) => {
        const { groups, out, senders } = channels;
        const window = windowOf([a.kernel, b.kernel], {
          strides: [a.stride, b.stride],
          dilations: [a.dilation, b.dilation],
          padding: [
            [a.before, a.behind],
            [b.before, b.behind],
          ],
          ...(isTransposed && { transposed: { outputPadding: [a.extra, b.extra] } }),
        });
        const count = groups * out * senders * a.kernel * b.kernel;
        const random = createRandom(count + a.size);
        const values = Array.from({ length: count }, () => random.integer(9) - 4);
        const positions = [a.size, b.size] as const;
        const model = convolution(values, kernelLayout(groups, out, senders, window.kernel), {
          positions,
          window,
        });
        const { edges, output } = directEdges(values, channels, { positions, window });
        const graph = await unrolledGraph(model);
        expect(graph.layers[1]!.positions).toEqual(output);
        expect(graph.edgeCount).toBe(edges.size);
        const found = new Map<string, number>();
        forEachUnrolledEdge(graph, (from, to, weight) => found.set(`${from} ${to}`, weight));
        expect(found).toEqual(edges);
        for (const sign of ["signed", "absolute", "positive", "negative"] as const)
          for (const direction of ["in", "out", "both"] as const)
            expect(nullable(unrolledStrength(graph, { sign, direction }))).toEqual(
              summedEdges(graph, edges, { sign, direction }),
            );
        expect(nullable(nodeStrength(materialiseUnrolled(graph)))).toEqual(
          nullable(unrolledStrength(graph)),
        );
      },
    ),
    { numRuns: 60 },
  );
});

function summedEdges(
  { nodeCount }: UnrolledGraph,
  edges: ReadonlyMap<string, number>,
  { sign, direction }: { sign: "signed" | "absolute" | "positive" | "negative"; direction: string },
): (number | null)[] {
  const sums = new Array<number | null>(nodeCount).fill(null);
  const part = {
    signed: (w: number) => w,
    absolute: Math.abs,
    positive: (w: number) => Math.max(w, 0),
    negative: (w: number) => Math.max(-w, 0),
  }[sign];
  for (const [ends, weight] of edges) {
    const [from, to] = ends.split(" ").map(Number) as [number, number];
    sums[from] = (sums[from] ?? 0) + (direction === "in" ? 0 : part(weight));
    sums[to] = (sums[to] ?? 0) + (direction === "out" ? 0 : part(weight));
  }
  return sums;
}

test("stride 1 without padding: absolute strength is sum |w| times positions", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 12, maxLength: 12 }),
      fc.integer({ min: 3, max: 9 }),
      async (values, size) => {
        const model = convolution(values, kernelLayout(1, 2, 2, [3]), {
          positions: [size],
          window: windowOf([3]),
        });
        const graph = await unrolledGraph(model);
        const total = (direction: "in" | "out") =>
          unrolledStrength(graph, { sign: "absolute", direction }).values.reduce((a, b) => a + b);
        const expected = values.reduce((sum, w) => sum + Math.abs(w), 0) * (size - 2);
        expect(total("in")).toBe(expected);
        expect(total("out")).toBe(expected);
      },
    ),
  );
});

test("centralities of the laid-out graph are those of its edges one by one (oracle)", async () => {
  const window = windowOf([2, 2], {
    padding: [
      [1, 0],
      [0, 1],
    ],
  });
  const random = createRandom(11);
  const values = Array.from({ length: 16 }, () => random.normal());
  const model = convolution(values, kernelLayout(1, 2, 2, [2, 2]), { positions: [3, 2], window });
  const graph = await unrolledGraph(model);
  const size = graph.nodeCount;
  const matrix = Array.from({ length: size }, () => new Array<number>(size).fill(0));
  forEachUnrolledEdge(graph, (from, to, weight) => {
    matrix[from]![to]! += Math.abs(weight);
    matrix[to]![from]! += Math.abs(weight);
  });
  const laid = materialiseUnrolled(graph);

  // Power iteration on A + I, far longer than it takes.
  let vector = new Array<number>(size).fill(1);
  for (let i = 0; i < 20_000; i++) {
    const next = matrix.map((row, n) =>
      row.reduce((sum, weight, m) => sum + weight * vector[m]!, vector[n]!),
    );
    const norm = Math.hypot(...next);
    vector = next.map((entry) => entry / norm);
  }
  const { values: found } = eigenvectorCentrality(laid);
  vector.forEach((entry, node) => expect(found[node]!).toBeCloseTo(entry, 7));

  const alive = new Set(matrix.keys());
  const core = new Array<number>(size).fill(0);
  let level = 0;
  while (alive.size > 0) {
    const degrees = [...alive].map(
      (node) => [node, [...alive].reduce((sum, other) => sum + matrix[node]![other]!, 0)] as const,
    );
    const [least, degree] = degrees.reduce((a, b) => (b[1] < a[1] ? b : a));
    level = Math.max(level, degree);
    core[least] = level;
    alive.delete(least);
  }
  coreNumber(laid).values.forEach((value, node) => expect(value).toBeCloseTo(core[node]!, 9));
});

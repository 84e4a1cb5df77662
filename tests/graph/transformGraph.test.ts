import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { connectedComponents } from "../../src/graph/components.ts";
import { weighEdges } from "../../src/graph/edgeWeight.ts";
import type { LayeredGraph } from "../../src/graph/layeredGraph.ts";
import { graphFromMatrix, matrixFromBlocks } from "../../src/graph/matrix.ts";
import { transformGraph } from "../../src/graph/transformGraph.ts";
import { graphTransforms } from "../../src/graph/transforms.ts";
import type { GraphTransform } from "../../src/graph/weighting.ts";
import { arenaOf } from "../../src/kernels/weightArena.ts";
import { createRandom, shuffle } from "../../src/random.ts";
import { thrownBy } from "../helpers/errors.ts";
import { chainGraph, rolledToy } from "../helpers/methods.ts";

const two = chainGraph([
  {
    rows: [
      [4, -3, 2],
      [1, -5, 2],
    ],
  },
  { rows: [[7, -7]] },
]);
const weightsOf = (graph: LayeredGraph): number[][] =>
  graph.blocks.map(({ weights }) => Array.from(weights!, (weight) => weight + 0));

test.each<{ name: string; transforms: GraphTransform[]; expected: [number[], number[]] }>([
  {
    name: "absolute",
    transforms: ["absolute"],
    expected: [
      [4, 3, 2, 1, 5, 2],
      [7, 7],
    ],
  },
  {
    name: "square",
    transforms: ["square"],
    expected: [
      [16, 9, 4, 1, 25, 4],
      [49, 49],
    ],
  },
  {
    name: "positive",
    transforms: ["positive"],
    expected: [
      [4, 0, 2, 1, 0, 2],
      [7, 0],
    ],
  },
  {
    name: "negative",
    transforms: ["negative"],
    expected: [
      [0, 3, 0, 0, 5, 0],
      [0, 7],
    ],
  },
  {
    name: "at the threshold",
    transforms: ["threshold=3"],
    expected: [
      [4, -3, 0, 0, -5, 0],
      [7, -7],
    ],
  },
  {
    name: "strongest",
    transforms: ["top=2"],
    expected: [
      [4, 0, 0, 0, -5, 0],
      [7, -7],
    ],
  },
  {
    name: "the earlier of equals",
    transforms: ["top=4"],
    expected: [
      [4, -3, 2, 0, -5, 0],
      [7, -7],
    ],
  },
  {
    name: "one of two equals",
    transforms: ["top=1"],
    expected: [
      [0, 0, 0, 0, -5, 0],
      [7, 0],
    ],
  },
  {
    name: "more than there are",
    transforms: ["top=9"],
    expected: [
      [4, -3, 2, 1, -5, 2],
      [7, -7],
    ],
  },
  {
    name: "per receiver",
    transforms: ["topPerReceiver=1"],
    expected: [
      [4, 0, 0, 0, -5, 0],
      [7, 0],
    ],
  },
  {
    name: "per sender",
    transforms: ["topPerSender=1"],
    expected: [
      [4, 0, 2, 0, -5, 0],
      [7, -7],
    ],
  },
  {
    name: "either end",
    transforms: ["topPerNode=1"],
    expected: [
      [4, 0, 2, 0, -5, 0],
      [7, -7],
    ],
  },
  {
    name: "in order: squares first",
    transforms: ["square", "threshold=9"],
    expected: [
      [16, 9, 0, 0, 25, 0],
      [49, 49],
    ],
  },
  {
    name: "in order: threshold first",
    transforms: ["threshold=5", "square"],
    expected: [
      [0, 0, 0, 0, 25, 0],
      [49, 49],
    ],
  },
])("$name (hand)", ({ transforms, expected }) => {
  const transformed = transformGraph(two, transforms);
  expect(weightsOf(transformed)).toEqual(expected);
  expect(transformed.transforms).toEqual(transforms);
  // The graph itself stays as it was.
  expect(weightsOf(two)).toEqual([
    [4, -3, 2, 1, -5, 2],
    [7, -7],
  ]);
  expect(two.transforms).toEqual([]);
});

describe("scaled by a norm of the block (hand)", () => {
  test.each([
    { which: "l1", norm: 17 },
    { which: "l2", norm: Math.sqrt(59) },
    { which: "max", norm: 5 },
  ] as const)("$which", ({ which, norm }) => {
    const [scaled] = weightsOf(transformGraph(two, [`layerNorm=${which}`]));
    const expected = [4, -3, 2, 1, -5, 2].map((weight) => weight / norm);
    scaled!.forEach((weight, i) => expect(weight).toBeCloseTo(expected[i]!, 15));
  });

  test("the Frobenius norm unless another is named, and it is recorded; zeros stay", () => {
    const zeros = chainGraph([{ rows: [[0, 0]] }, { rows: [[3], [-4]] }]);
    const scaled = transformGraph(zeros, ["layerNorm"]);
    expect(weightsOf(scaled)).toEqual([
      [0, 0],
      [3 / 5, -4 / 5],
    ]);
    expect(scaled.transforms).toEqual(["layerNorm=l2"]);
  });

  test("neither huge nor tiny weights are lost", () => {
    for (const scale of [1e300, 1e-300]) {
      const graph = chainGraph([{ rows: [[3 * scale, 4 * scale]] }]);
      const [[three, four] = []] = weightsOf(transformGraph(graph, ["layerNorm"]));
      expect(three).toBeCloseTo(0.6, 15);
      expect(four).toBeCloseTo(0.8, 15);
    }
  });
});

test("taps become one weight: the edge weight, with the sign of their sum (hand)", () => {
  // Edges (3 -4) (1 1): norms 5 and the root of 2, sums -1 and 2, absolute sums 7 and 2.
  const graph = chainGraph([{ rows: [[3, -4, 1, 1]], taps: 2 }]);
  expect(weightsOf(transformGraph(graph, ["threshold=0"]))).toEqual([[-5, Math.SQRT2]]);
  const summed = transformGraph(weighEdges(graph, "sum"), ["threshold=0"]);
  expect(weightsOf(summed)).toEqual([[-1, 2]]);
  expect(summed).toMatchObject({ edgeWeight: "sum", transforms: ["threshold=0"] });
  const absolute = transformGraph(weighEdges(graph, "absoluteSum"), ["negative"]);
  expect(weightsOf(absolute)).toEqual([[7, 0]]);
});

test("no transform: the graph itself", () => {
  expect(transformGraph(two, [])).toBe(two);
});

describe("disparity", () => {
  // hand: 8 of 10 over three edges: (1 - 0.8)^2 = 0.04; 1 of 10: 0.81. From the senders' side each is the only edge.
  const star = chainGraph([{ rows: [[8, -1, 1]] }]);
  test.each([
    { alpha: 0.03, expected: [0, 0, 0] },
    { alpha: 0.05, expected: [8, 0, 0] },
    { alpha: 0.82, expected: [8, -1, 1] },
  ])("a share that is significant at $alpha (hand)", ({ alpha, expected }) => {
    expect(weightsOf(transformGraph(star, [`disparity=${alpha}`]))).toEqual([expected]);
  });

  test("a single edge is kept by neither end, and by none at 1", () => {
    const pair = chainGraph([{ rows: [[2]] }]);
    expect(weightsOf(transformGraph(pair, ["disparity=1"]))).toEqual([[0]]);
    const path = chainGraph([{ rows: [[1], [3]] }]);
    expect(weightsOf(transformGraph(path, ["disparity=0.5"]))).toEqual([[0, 3]]);
  });

  test("strengths over the blocks of a neuron, not of one block alone", () => {
    // The receiver has 8 from one block, 1 and 1 from another: the 8 is as significant as in one block.
    const graph = graphFromMatrix({
      blocks: [
        { from: "a", to: "c", weights: [[8]] },
        { from: "b", to: "c", weights: [[1, 1]] },
      ],
    });
    expect(weightsOf(transformGraph(graph, ["disparity=0.05"]))).toEqual([[8], [0, 0]]);
  });

  test("a strength beyond float64 is refused", () => {
    const huge = chainGraph([{ rows: [[1.5e308, 1.5e308]] }]);
    thrownBy(() => transformGraph(huge, ["disparity=0.1"]), "GRAPH_WEIGHT_RANGE");
  });
});

describe("weights that leave the range of numbers", () => {
  test.each([[1e200], [1e-200]])("the square of %d", (weight) => {
    const graph = chainGraph([{ rows: [[weight]] }]);
    expect(thrownBy(() => transformGraph(graph, ["square"]), "GRAPH_WEIGHT_RANGE").path).toEqual([
      "chain",
      "block0",
    ]);
  });

  test.each([[1e30], [1e-30]])(
    "float32 whose square is no float32 becomes float64: %d",
    (weight) => {
      const graph = withFloat32(chainGraph([{ rows: [[weight, 1]] }]));
      const [block] = transformGraph(graph, ["square"]).blocks;
      expect(block!.weights).toBeInstanceOf(Float64Array);
      expect(block!.weights![0]! / weight ** 2).toBeCloseTo(1, 6);
    },
  );
});

function withFloat32(graph: LayeredGraph): LayeredGraph {
  const blocks = graph.blocks.map((block) => ({
    ...block,
    weights: Float32Array.from(block.weights!),
  }));
  return { ...graph, blocks };
}

test.each(Object.entries(graphTransforms))(
  "%s of float32 is the same in kernel memory as in plain float64",
  (name, { value }) => {
    const random = createRandom(7);
    const rows = Array.from({ length: 150 }, () =>
      Array.from({ length: 150 }, () => Math.fround(random.normal())),
    );
    const graph = chainGraph([{ rows }]);
    const given = { N: "5", X: "0.5", ALPHA: "0.05", NORM: "l1" }[value?.placeholder ?? ""];
    const transform = given === undefined ? name : `${name}=${given}`;
    const [narrow] = transformGraph(withFloat32(graph), [transform]).blocks;
    const [wide] = transformGraph(graph, [transform]).blocks;
    expect(narrow!.weights).toBeInstanceOf(Float32Array);
    expect(arenaOf(narrow!.weights)).not.toBeNull();
    expect(narrow!.weights).toEqual(Float32Array.from(wide!.weights!));
    expect(wide!.weights!.some((weight) => weight !== 0)).toBe(true);
  },
);

test.each<GraphTransform>([
  "top=6",
  "topPerNode=2",
  "topPerSender=1",
  "disparity=0.2",
  "layerNorm=max",
])("%s: renaming neurons renames the answer, where no weights are equal", (transform) => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seed) => {
      const random = createRandom(seed);
      const rows = Array.from({ length: 5 }, () =>
        Array.from({ length: 4 }, () => random.normal()),
      );
      const order = [0, 1, 2, 3, 4];
      shuffle(order, random);
      const plain = matrixFromBlocks(transformGraph(matrix(rows), [transform]));
      const renamed = matrixFromBlocks(
        transformGraph(matrix(order.map((row) => rows[row]!)), [transform]),
      );
      expect(renamed.blocks[0]!.weights).toEqual(order.map((row) => plain.blocks[0]!.weights[row]));
    }),
  );
});

function matrix(rows: number[][]): LayeredGraph {
  return graphFromMatrix({ blocks: [{ from: "a", to: "b", weights: rows }] });
}

test("a transformed graph may fall apart (hand)", () => {
  const toy = transformGraph(rolledToy(), ["top=1"]);
  // Of each block the strongest edge: 5 (the first of two in the convolution), 10 and 4, which follow one another.
  expect(connectedComponents(toy)).toMatchObject({ nonZeroEdges: 3 });
  expect(connectedComponents(toy).sizes.toSorted()).toEqual(Int32Array.of(1, 1, 1, 1, 2, 3));
});

test.each([
  ["fame", 'no transform is named "fame"'],
  ["threshold", 'threshold must be a number >= 0, not ""'],
  ["threshold=-1", 'threshold must be a number >= 0, not "-1"'],
  ["threshold=NaN", 'threshold must be a number >= 0, not "NaN"'],
  ["top=0", 'top must be a whole number >= 1, not "0"'],
  ["top=1.5", 'top must be a whole number >= 1, not "1.5"'],
  ["disparity=0", 'disparity must be a number over 0, 1 at most, not "0"'],
  ["layerNorm=l3", 'layerNorm must be l2, l1 or max, not "l3"'],
  ["absolute=1", "absolute takes no value"],
  ["constructor", 'no transform is named "constructor"'],
])("refuses %s", (text, message) => {
  const error = thrownBy(() => transformGraph(two, [text]), "USAGE_INVALID_OPTION");
  expect(error.message).toBe(message);
  expect(error.path).toEqual(["transforms", text]);
});

test("numbers are recorded as they are understood", () => {
  const { transforms } = transformGraph(two, ["threshold = 1e-1", "top=007"]);
  expect(transforms).toEqual(["threshold=0.1", "top=7"]);
});

/** What becomes of each kind of layer, from a file's bytes to nodes and edges. Every expected value is counted by hand. */
import { expect, test } from "vitest";
import { memorySource } from "../../src/bytes/source.ts";
import { readOnnx } from "../../src/formats/onnx/read.ts";
import { layeredGraph, type LayeredGraph } from "../../src/graph/layeredGraph.ts";
import { reduceGraph } from "../../src/graph/reduce.ts";
import { ends, layersOf, partsOf } from "../helpers/graphInWords.ts";
import {
  integers,
  node,
  onnxModel,
  tensor,
  type GraphNode,
  type OnnxModelParts,
  type Tensor,
} from "../helpers/onnxModel.ts";

/** Weights 1, 2, 3, … in the order of the file. */
function counted(name: string, ...dims: readonly number[]): Tensor {
  const count = dims.reduce((a, b) => a * b, 1);
  return tensor(
    name,
    dims,
    Array.from({ length: count }, (_, i) => i + 1),
  );
}
function conv(from: string, weight: string, to: string, group = 1): GraphNode {
  return node("Conv", [from, weight], [to], { group });
}
function dense(from: string, weight: string, to: string): GraphNode {
  return node("Gemm", [from, weight], [to], { transB: 1 });
}
function image(channels: number): NonNullable<OnnxModelParts["inputs"]> {
  return { x: ["N", channels, 4, 4] };
}

async function ofOnnx(parts: OnnxModelParts): Promise<LayeredGraph> {
  return layeredGraph(await readOnnx(memorySource(onnxModel(parts), "net.onnx")));
}

/** `0>2=5`: node 0 sends to node 2 by an edge of weight 5. Per block, in order of receiver and sender. */
function edgesOf(graph: LayeredGraph): Record<string, string> {
  const { from, to, weight, block } = reduceGraph(graph, { edgeBudget: 1000 });
  const edges = graph.blocks.map(() => [] as string[]);
  block.forEach((own, i) => edges[own]!.push(`${from[i]}>${to[i]}=${weight[i]}`));
  return Object.fromEntries(graph.blocks.map(({ name }, i) => [name, edges[i]!.join(" ")]));
}

interface Case {
  readonly name: string;
  readonly parts: OnnxModelParts;
  readonly layers: readonly string[];
  readonly edgeCount: number;
  /** Nodes of each connected component. */
  readonly components: readonly number[];
  /** By block, as `edgesOf` writes them. */
  readonly edges: Readonly<Record<string, string>>;
}

const cases: readonly Case[] = [
  {
    name: "groups all the way: two networks side by side",
    parts: {
      inputs: image(4),
      initializers: [counted("a", 4, 2, 1, 1), counted("b", 2, 2, 1, 1)],
      nodes: [conv("x", "a", "y", 2), conv("y", "b", "z", 2)],
    },
    layers: ["x:4", "a:4", "b:2"],
    edgeCount: 8 + 4,
    components: [5, 5],
    edges: {
      a: "0>4=1 1>4=2 0>5=3 1>5=4 2>6=5 3>6=6 2>7=7 3>7=8",
      b: "4>8=1 5>8=2 6>9=3 7>9=4",
    },
  },
  {
    name: "a dense layer joins what groups keep apart",
    parts: {
      inputs: { x: ["N", 4, 1, 1] },
      initializers: [counted("a", 2, 2, 1, 1), counted("d", 1, 2)],
      nodes: [conv("x", "a", "y", 2), node("Flatten", ["y"], ["f"]), dense("f", "d", "z")],
    },
    layers: ["x:4", "a:2", "d:1"],
    edgeCount: 4 + 2,
    components: [7],
    edges: { a: "0>4=1 1>4=2 2>5=3 3>5=4", d: "4>6=1 5>6=2" },
  },
  {
    name: "a transposed convolution in groups: its file holds a row per sender",
    parts: {
      inputs: image(4),
      initializers: [counted("t", 4, 2, 1, 1)],
      nodes: [node("ConvTranspose", ["x", "t"], ["y"], { group: 2 })],
    },
    layers: ["x:4", "t:4"],
    edgeCount: 8,
    components: [4, 4],
    edges: { t: "0>4=1 1>4=3 0>5=2 1>5=4 2>6=5 3>6=7 2>7=6 3>7=8" },
  },
  {
    name: "depthwise with two kernels a channel, then pointwise",
    parts: {
      inputs: image(2),
      // Kernels (3, 4), (6, 8), (9, 12), (12, 16): norms 5, 10, 15, 20.
      initializers: [
        tensor("d", [4, 1, 1, 2], [3, 4, 6, 8, 9, 12, 12, 16]),
        counted("p", 1, 4, 1, 1),
      ],
      nodes: [conv("x", "d", "y", 2), conv("y", "p", "z")],
    },
    layers: ["x:2", "d:4", "p:1"],
    edgeCount: 4 + 4,
    components: [7],
    edges: { d: "0>2=5 0>3=10 1>4=15 1>5=20", p: "2>6=1 3>6=2 4>6=3 5>6=4" },
  },
  {
    name: "a residual sum: what is added is one neuron, and no edge says so",
    parts: {
      inputs: image(1),
      initializers: [counted("a", 2, 1, 1, 1), counted("b", 2, 2, 1, 1), counted("c", 1, 2, 1, 1)],
      nodes: [
        conv("x", "a", "y"),
        node("Relu", ["y"], ["r"]),
        conv("r", "b", "z"),
        node("Add", ["z", "r"], ["s"]),
        conv("s", "c", "out"),
      ],
    },
    layers: ["x:1", "a:2", "c:1"],
    edgeCount: 2 + 4 + 2,
    components: [4],
    edges: { a: "0>1=1 0>2=2", b: "1>1=1 2>1=2 1>2=3 2>2=4", c: "1>3=1 2>3=2" },
  },
  {
    name: "a projection beside a branch of two: the shortcut ends in the same neurons",
    parts: {
      inputs: image(1),
      initializers: [counted("a", 2, 1, 1, 1), counted("b", 2, 2, 1, 1), counted("p", 2, 1, 1, 1)],
      nodes: [
        conv("x", "a", "y"),
        conv("y", "b", "z"),
        conv("x", "p", "q"),
        node("Add", ["z", "q"], ["s"]),
      ],
    },
    layers: ["x:1", "a:2", "b:2"],
    edgeCount: 2 + 4 + 2,
    components: [5],
    edges: { a: "0>1=1 0>2=2", b: "1>3=1 2>3=2 1>4=3 2>4=4", p: "0>3=1 0>4=2" },
  },
  {
    name: "two convolutions that are added: parallel edges, each with its weight",
    parts: {
      inputs: image(1),
      initializers: [counted("a", 2, 1, 1, 1), tensor("b", [2, 1, 1, 1], [-7, 8])],
      nodes: [conv("x", "a", "y"), conv("x", "b", "z"), node("Add", ["y", "z"], ["s"])],
    },
    layers: ["x:1", "a:2"],
    edgeCount: 4,
    components: [3],
    edges: { a: "0>1=1 0>2=2", b: "0>1=-7 0>2=8" },
  },
  {
    name: "concatenations: the last layer hears all before it, each at its own place",
    parts: {
      inputs: image(1),
      initializers: [counted("a", 2, 1, 1, 1), counted("b", 1, 3, 1, 1), counted("c", 1, 4, 1, 1)],
      nodes: [
        conv("x", "a", "y"),
        node("Concat", ["y", "x"], ["yx"], { axis: 1 }),
        conv("yx", "b", "z"),
        node("Concat", ["z", "x", "y"], ["zxy"], { axis: 1 }),
        conv("zxy", "c", "out"),
      ],
    },
    layers: ["x:1", "a:2", "b:1", "c:1"],
    edgeCount: 2 + 3 + 4,
    components: [5],
    edges: { a: "0>1=1 0>2=2", b: "1>3=1 2>3=2 0>3=3", c: "3>4=1 0>4=2 1>4=3 2>4=4" },
  },
  {
    name: "a concatenation behind groups: a group hears both branches",
    parts: {
      inputs: image(2),
      initializers: [counted("a", 1, 2, 1, 1), counted("b", 3, 2, 1, 1), counted("g", 2, 2, 1, 1)],
      nodes: [
        conv("x", "a", "y"),
        conv("x", "b", "z"),
        node("Concat", ["y", "z"], ["s"], { axis: 1 }),
        conv("s", "g", "out", 2),
      ],
    },
    layers: ["x:2", "a:1", "b:3", "g:2"],
    edgeCount: 2 + 6 + 4,
    components: [8],
    edges: {
      a: "0>2=1 1>2=2",
      b: "0>3=1 1>3=2 0>4=3 1>4=4 0>5=5 1>5=6",
      g: "2>6=1 3>6=2 4>7=3 5>7=4",
    },
  },
  {
    name: "an embedding: a node a token, joined to every feature; two tables add up in one stream",
    parts: {
      inputs: { ids: ["N", "T"], kinds: ["N", "T"] },
      initializers: [counted("words", 3, 2), counted("types", 2, 2), counted("w", 2, 1)],
      nodes: [
        node("Gather", ["words", "ids"], ["e"]),
        node("Gather", ["types", "kinds"], ["t"]),
        node("Add", ["e", "t"], ["s"]),
        node("MatMul", ["s", "w"], ["y"]),
      ],
    },
    layers: ["ids:3", "words:2", "kinds:2", "w:1"],
    edgeCount: 6 + 4 + 2,
    components: [8],
    edges: {
      words: "0>3=1 1>3=3 2>3=5 0>4=2 1>4=4 2>4=6",
      types: "5>3=1 6>3=3 5>4=2 6>4=4",
      w: "3>7=1 4>7=2",
    },
  },
  {
    name: "two networks in one file share nothing",
    parts: {
      inputs: { x: ["N", 1], u: ["N", 2] },
      initializers: [counted("a", 2, 1), counted("b", 1, 2)],
      nodes: [dense("x", "a", "y"), dense("u", "b", "v")],
      outputs: ["y", "v"],
    },
    layers: ["x:1", "a:2", "u:2", "b:1"],
    edgeCount: 2 + 2,
    components: [3, 3],
    edges: { a: "0>1=1 0>2=2", b: "3>5=1 4>5=2" },
  },
];

test.each(cases)("$name (hand)", async ({ parts, layers, edgeCount, components, edges }) => {
  const graph = await ofOnnx(parts);
  expect(layersOf(graph)).toEqual(layers);
  expect(graph.certainty).toBe("declared");
  expect(graph.edgeCount).toBe(edgeCount);
  expect(edgesOf(graph)).toEqual(edges);
  expect(partsOf(graph)).toEqual(components);
});

/** conv1 over all channels, conv2 in two groups, conv3 over all: the first three layers of Krizhevsky et al. 2012, one tap wide. */
test("AlexNet's groups part conv1 and conv2, no layer before or after them (hand)", async () => {
  const graph = await ofOnnx({
    inputs: image(3),
    initializers: [
      counted("conv1", 4, 3, 1, 1),
      counted("conv2", 6, 2, 1, 1),
      counted("conv3", 2, 6, 1, 1),
    ],
    nodes: [conv("x", "conv1", "y"), conv("y", "conv2", "z", 2), conv("z", "conv3", "out")],
  });
  expect(graph.edgeCount).toBe(12 + 12 + 12);
  expect(ends(graph.blocks)).toEqual([
    "conv1 0,1,2 -> 3,4,5,6",
    "conv2 3,4,5,6 -> 7,8,9,10,11,12 in 2",
    "conv3 7,8,9,10,11,12 -> 13,14",
  ]);
  expect(partsOf(graph)).toEqual([15]);
  const between = { ...graph, blocks: graph.blocks.slice(1, 2) };
  // x and conv3's neurons stand alone without their blocks.
  expect(partsOf(between)).toEqual([1, 1, 1, 5, 5, 1, 1]);
  expect(edgesOf(between)["conv2"]).toBe(
    "3>7=1 4>7=2 3>8=3 4>8=4 3>9=5 4>9=6 5>10=7 6>10=8 5>11=9 6>11=10 5>12=11 6>12=12",
  );
});

test("attention: q, k and v read the stream, o reads v alone, and writes to the stream (hand)", async () => {
  const heads = (name: string, perm: readonly number[]): GraphNode[] => [
    node("MatMul", ["x", name], [`${name}1`]),
    node("Reshape", [`${name}1`, "apart"], [`${name}2`]),
    node("Transpose", [`${name}2`], [`${name}3`], { perm }),
  ];
  const graph = await ofOnnx({
    inputs: { x: ["N", "T", 4] },
    initializers: [
      ...["q", "k", "v", "o"].map((name) => counted(name, 4, 4)),
      integers("apart", [0, 0, 2, 2]),
      integers("together", [0, 0, 4]),
    ],
    nodes: [
      ...heads("q", [0, 2, 1, 3]),
      ...heads("k", [0, 2, 3, 1]),
      ...heads("v", [0, 2, 1, 3]),
      node("MatMul", ["q3", "k3"], ["scores"]),
      node("Softmax", ["scores"], ["p"]),
      node("MatMul", ["p", "v3"], ["mix"]),
      node("Transpose", ["mix"], ["back"], { perm: [0, 2, 1, 3] }),
      node("Reshape", ["back", "together"], ["joined"]),
      node("MatMul", ["joined", "o"], ["y"]),
      node("Add", ["y", "x"], ["out"]),
    ],
  });
  expect(layersOf(graph)).toEqual(["x:4", "q:4", "k:4", "v:4"]);
  expect(ends(graph.blocks)).toEqual([
    "q 0,1,2,3 -> 4,5,6,7",
    "k 0,1,2,3 -> 8,9,10,11",
    "v 0,1,2,3 -> 12,13,14,15",
    "o 12,13,14,15 -> 0,1,2,3",
  ]);
  expect(graph.edgeCount).toBe(64);
  // MatMul holds a row per sender: node 12 is the first column of v, and the first row of o.
  expect(edgesOf(graph)["v"]).toMatch(/^0>12=1 1>12=5 2>12=9 3>12=13 0>13=2 /);
  expect(edgesOf(graph)["o"]).toMatch(/^12>0=1 13>0=5 14>0=9 15>0=13 12>1=2 /);
});

test("LSTM: gates are taps, its past is a recurrent block and no edge (hand)", async () => {
  const graph = await ofOnnx({
    inputs: { x: [7, "N", 1] },
    // Gates of unit 0: 3, 0, 4, 0; of unit 1: 0, 5, 0, 12.
    initializers: [
      tensor("W", [1, 8, 1], [3, 0, 0, 5, 4, 0, 0, 12]),
      counted("R", 1, 8, 2),
      counted("w", 2, 1),
      integers("first", [1]),
    ],
    nodes: [
      node("LSTM", ["x", "W", "R"], ["y"], { hidden_size: 2 }),
      node("Squeeze", ["y", "first"], ["s"]),
      node("MatMul", ["s", "w"], ["z"]),
    ],
  });
  expect(layersOf(graph)).toEqual(["x:1", "W:2", "w:1"]);
  expect(ends(graph.blocks)).toEqual(["W 0 -> 1,2 x4", "w 1,2 -> 3"]);
  expect(edgesOf(graph)).toEqual({ W: "0>1=5 0>2=13", w: "1>3=1 2>3=2" });
  expect(graph.edgeCount).toBe(2 + 2);
  expect(ends(graph.recurrentBlocks)).toEqual(["R 1,2 -> 1,2 x4"]);
  expect(graph.recurrentBlocks.map(({ kind }) => kind)).toEqual(["recurrent"]);
  // R[gate, unit, from] counts up: unit 1 hears unit 0 by 3, 7, 11, 15.
  const { collapsed } = graph.recurrentBlocks[0]!;
  expect([...collapsed!.positiveSum]).toEqual([1 + 5 + 9 + 13, 2 + 6 + 10 + 14, 36, 40]);
});

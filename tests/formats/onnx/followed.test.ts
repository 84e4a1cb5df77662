/** Neurons followed through what exporters put between weight layers; every expected wire is counted by hand. */
import { expect, test } from "vitest";
import { memorySource, readOnnx, type Model } from "../../../src/index.ts";
import { integers, node, onnxModel, tensor, type OnnxModelParts } from "../../helpers/onnxModel.ts";
import { wiresOf } from "../../helpers/topology.ts";

async function read(parts: OnnxModelParts): Promise<Model> {
  return readOnnx(memorySource(onnxModel(parts), "net.onnx"));
}

const matMul = (from: string, weight: string, to: string) => node("MatMul", [from, weight], [to]);
const tokens = { x: ["N", "T", 2] };

/** Queries, keys and values of two heads of two, keys turned by a rotary embedding, and the output's weight. */
function attention(between: OnnxModelParts["nodes"], values: string): OnnxModelParts {
  return {
    inputs: tokens,
    initializers: [
      ...["q", "k", "v"].map((name) => tensor(name, [2, 4])),
      tensor("o", [4, 2]),
      integers("heads", [0, 0, 2, 2]),
      integers("flat", [0, 0, 4]),
      ...["zero", "one", "two"].map((name, i) => integers(name, [i])),
      integers("last", [3]),
      ...(between.length > 0 ? [tensor("cos", [2])] : []),
    ],
    nodes: [
      ...["q", "k", "v"].flatMap((name) => [
        matMul("x", name, `${name}1`),
        node("Reshape", [`${name}1`, "heads"], [`${name}2`]),
        node("Transpose", [`${name}2`], [`${name}3`], {
          perm: name === "k" ? [0, 2, 3, 1] : [0, 2, 1, 3],
        }),
      ]),
      ...between,
      matMul("q3", "k3", "scores"),
      node("Softmax", ["scores"], ["shares"], { axis: -1 }),
      matMul("shares", values, "mixed"),
      node("Transpose", ["mixed"], ["together"], { perm: [0, 2, 1, 3] }),
      node("Reshape", ["together", "flat"], ["y"]),
      matMul("y", "o", "out"),
    ],
  };
}

const cases: readonly { name: string; parts: OnnxModelParts; wires: string[] }[] = [
  {
    name: "separate queries, keys and values stand side by side; the output reads the values",
    parts: attention([], "v3"),
    wires: [
      "q: x -> q [in2 out4]",
      "k: x -> k [in2 out4]",
      "v: x -> v [in2 out4]",
      "o: v -> o [in4 out2]",
    ],
  },
  {
    name: "a rotary embedding mixes neurons and makes none the other",
    parts: attention(
      [
        node("Slice", ["v3", "zero", "one", "last"], ["left"]),
        node("Slice", ["v3", "one", "two", "last"], ["right"]),
        node("Neg", ["right"], ["away"]),
        node("Concat", ["away", "left"], ["turned"], { axis: -1 }),
        node("Mul", ["turned", "cos"], ["part"]),
        node("Add", ["v3", "part"], ["v4"]),
      ],
      "v4",
    ),
    wires: [
      "q: x -> q [in2 out4]",
      "k: x -> k [in2 out4]",
      "v: x -> v [in2 out4]",
      "o: v -> o [in4 out2]",
    ],
  },
  {
    name: "one pair of keys and values for two heads: stretched, its neurons are met by both",
    parts: {
      inputs: tokens,
      initializers: [
        tensor("v", [2, 3]),
        tensor("o", [6, 2]),
        integers("one", [1]),
        integers("to", [1, 2, 1, 1]),
        integers("flat", [0, 0, 6]),
      ],
      nodes: [
        matMul("x", "v", "v1"),
        node("Unsqueeze", ["v1", "one"], ["v2"]),
        node("Expand", ["v2", "to"], ["v3"]),
        node("Transpose", ["v3"], ["v4"], { perm: [0, 2, 1, 3] }),
        node("Reshape", ["v4", "flat"], ["v5"]),
        matMul("v5", "o", "y"),
      ],
    },
    wires: ["v: x -> v [in2 out3]", "o: v -> o [tap2 in3 out2]"],
  },
  {
    name: "heads that share a matrix have it each",
    parts: {
      inputs: tokens,
      initializers: [
        tensor("a", [2, 6]),
        integers("heads", [0, 0, 2, 3]),
        tensor("b", [3, 1]),
        integers("flat", [0, 0, 2]),
        tensor("c", [2, 1]),
      ],
      nodes: [
        matMul("x", "a", "a1"),
        node("Reshape", ["a1", "heads"], ["a2"]),
        matMul("a2", "b", "b1"),
        node("Reshape", ["b1", "flat"], ["b2"]),
        matMul("b2", "c", "y"),
      ],
    },
    wires: [
      "a: x -> a [in2 out6]",
      "b: a -> b [in3 out1]",
      "b: a -> b [in3 out1]",
      "c: b -> c [in2 out1]",
    ],
  },
  {
    name: "a stack of matrices, one for each part",
    parts: {
      inputs: { x: ["N", 4] },
      initializers: [
        tensor("a", [4, 6]),
        integers("parts", [-1, 3, 2]),
        tensor("b", [3, 2, 5]),
        integers("flat", [-1, 15]),
        tensor("c", [15, 1]),
      ],
      nodes: [
        matMul("x", "a", "a1"),
        node("Reshape", ["a1", "parts"], ["a2"]),
        node("Transpose", ["a2"], ["a3"], { perm: [1, 0, 2] }),
        matMul("a3", "b", "b1"),
        node("Transpose", ["b1"], ["b2"], { perm: [1, 0, 2] }),
        node("Reshape", ["b2", "flat"], ["b3"]),
        matMul("b3", "c", "y"),
      ],
    },
    wires: ["a: x -> a [in4 out6]", "b: a -> b [group3 in2 out5]", "c: b -> c [in15 out1]"],
  },
  {
    name: "a stack read from one side: each matrix makes neurons of its own",
    parts: {
      inputs: { x: ["N", 1, "T", 4] },
      initializers: [tensor("a", [2, 4, 3]), integers("flat", [0, 0, 6]), tensor("b", [6, 1])],
      nodes: [
        matMul("x", "a", "a1"),
        node("Transpose", ["a1"], ["a2"], { perm: [0, 2, 1, 3] }),
        node("Reshape", ["a2", "flat"], ["a3"]),
        matMul("a3", "b", "y"),
      ],
    },
    wires: ["a: x -> a [out2 in4 out3]", "b: a -> b [in6 out1]"],
  },
  {
    name: "weights that change with the position are taps; the heads of the other side have them each",
    parts: {
      inputs: { x: ["N", 5, 4] },
      initializers: [
        tensor("a", [4, 4]),
        integers("heads", [0, 0, 2, 2]),
        tensor("r", [5, 2, 3]),
        integers("flat", [0, 0, 6]),
        tensor("b", [6, 1]),
      ],
      nodes: [
        matMul("x", "a", "a1"),
        node("Reshape", ["a1", "heads"], ["a2"]),
        node("Einsum", ["a2", "r"], ["r1"], { equation: "bthc,tck->bthk" }),
        node("Reshape", ["r1", "flat"], ["r2"]),
        matMul("r2", "b", "y"),
      ],
    },
    wires: [
      "a: x -> a [in4 out4]",
      "r: a -> r [tap5 in2 out3]",
      "r: a -> r [tap5 in2 out3]",
      "b: r -> b [in6 out1]",
    ],
  },
  {
    name: "Einsum of two activations keeps the values",
    parts: {
      inputs: { x: ["N", "T", 2], shares: ["N", "T", "T"] },
      initializers: [tensor("a", [2, 3]), tensor("b", [3, 1])],
      nodes: [
        node("Einsum", ["x", "a"], ["a1"], { equation: "...i,io->...o" }),
        node("Einsum", ["shares", "a1"], ["y"], { equation: "bij,bjd->bid" }),
        matMul("y", "b", "z"),
      ],
    },
    wires: ["a: x -> a [in2 out3]", "b: a -> b [in3 out1]"],
  },
  {
    name: "heads folded into a batch of unknown size",
    parts: {
      inputs: { x: ["N", "T", 4] },
      initializers: [
        tensor("v", [4, 4]),
        integers("zero", [0]),
        integers("two", [2]),
        integers("rest", [-1]),
        integers("heads", [0, 0, 2, 2]),
        tensor("o", [4, 1]),
        integers("flat", [4]),
      ],
      nodes: [
        matMul("x", "v", "v1"),
        node("Shape", ["v1"], ["shape"]),
        node("Gather", ["shape", "zero"], ["n"], { axis: 0 }),
        node("Mul", ["n", "two"], ["folded"]),
        node("Concat", ["folded", "rest", "two"], ["to"], { axis: 0 }),
        node("Reshape", ["v1", "heads"], ["v2"]),
        node("Transpose", ["v2"], ["v3"], { perm: [0, 2, 1, 3] }),
        node("Reshape", ["v3", "to"], ["v4"]),
        node("Transpose", ["v4"], ["k"], { perm: [0, 2, 1] }),
        matMul("v4", "k", "scores"),
        matMul("scores", "v4", "mixed"),
        node("Concat", ["n", "two", "rest", "two"], ["apart"], { axis: 0 }),
        node("Reshape", ["mixed", "apart"], ["m1"]),
        node("Transpose", ["m1"], ["m2"], { perm: [0, 2, 1, 3] }),
        node("Concat", ["n", "rest", "flat"], ["back"], { axis: 0 }),
        node("Reshape", ["m2", "back"], ["m3"]),
        matMul("m3", "o", "y"),
      ],
    },
    wires: ["v: x -> v [in4 out4]", "o: v -> o [in4 out1]"],
  },
  {
    name: "a vector that becomes a map: units of a channel are one neuron",
    parts: {
      inputs: { z: ["N", 5] },
      initializers: [
        tensor("a", [12, 5]),
        integers("map", [-1, 3, 2, 2]),
        tensor("scales", [4], [1, 1, 2, 2]),
        tensor("b", [3, 2, 3, 3]),
      ],
      nodes: [
        node("Gemm", ["z", "a"], ["a1"], { transB: 1 }),
        node("Reshape", ["a1", "map"], ["a2"]),
        node("Resize", ["a2", "", "scales"], ["a3"]),
        node("ConvTranspose", ["a3", "b"], ["y"]),
      ],
    },
    wires: ["a: z -> a [out3 tap4 in5]", "b: a -> b [group1 in3 out2 tap3 tap3]"],
  },
  {
    name: "a pixel shuffle makes four channels one, and parts one in four",
    parts: {
      inputs: { x: ["N", 1, 4, 4] },
      initializers: [
        tensor("a", [8, 1, 1, 1]),
        tensor("b", [3, 2, 1, 1]),
        tensor("c", [1, 12, 1, 1]),
      ],
      nodes: [
        node("Conv", ["x", "a"], ["a1"]),
        node("DepthToSpace", ["a1"], ["a2"], { blocksize: 2, mode: "CRD" }),
        node("Conv", ["a2", "b"], ["b1"]),
        node("SpaceToDepth", ["b1"], ["b2"], { blocksize: 2 }),
        node("Conv", ["b2", "c"], ["y"]),
      ],
    },
    wires: [
      "a: x -> a [group1 out2 tap4 in1 tap1 tap1]",
      "b: a -> b [group1 out3 in2 tap1 tap1]",
      "c: b -> c [group1 out1 tap4 in3 tap1 tap1]",
    ],
  },
  {
    name: "the last state of either direction",
    parts: {
      inputs: { x: ["T", "N", 2] },
      initializers: [
        tensor("w", [2, 8, 2]),
        tensor("r", [2, 8, 2]),
        integers("zero", [0], []),
        integers("one", [1], []),
        tensor("b", [4, 1]),
      ],
      nodes: [
        node("LSTM", ["x", "w", "r"], ["", "h"], { hidden_size: 2, direction: "bidirectional" }),
        node("Gather", ["h", "zero"], ["h0"], { axis: 0 }),
        node("Gather", ["h", "one"], ["h1"], { axis: 0 }),
        node("Concat", ["h1", "h0"], ["both"], { axis: 1 }),
        matMul("both", "b", "y"),
      ],
    },
    wires: [
      "w: x -> w [tap4 out2 in2]",
      "r: w ~> w [tap4 out2 in2]",
      "w: x -> w#2 [tap4 out2 in2]",
      "r: w#2 ~> w#2 [tap4 out2 in2]",
      "b: w#2+w -> b [in4 out1]",
    ],
  },
  {
    name: "a learned token among patches, folded with an unknown batch and back",
    parts: {
      inputs: { x: ["N", 3, 4, 4] },
      initializers: [
        tensor("p", [2, 3, 2, 2]),
        integers("rows", [0, 2, -1]),
        tensor("cls", [1, 1, 2]),
        integers("minus", [-1]),
        integers("two", [2]),
        tensor("a", [2, 2]),
        tensor("b", [2, 1]),
      ],
      nodes: [
        node("Conv", ["x", "p"], ["p1"], { strides: [2, 2] }),
        node("Reshape", ["p1", "rows"], ["p2"]),
        node("Transpose", ["p2"], ["p3"], { perm: [0, 2, 1] }),
        node("Concat", ["cls", "p3"], ["p4"], { axis: 1 }),
        node("Concat", ["minus", "two"], ["to"], { axis: 0 }),
        node("Reshape", ["p4", "to"], ["p5"]),
        node("Gemm", ["p5", "a"], ["a1"]),
        matMul("a1", "b", "y"),
      ],
    },
    wires: [
      "p: x -> p [group1 out2 in3 tap2 tap2]",
      "a: p -> a [in2 out2]",
      "b: a -> b [in2 out1]",
    ],
  },
];

test.each(cases)("$name", async ({ parts, wires }) => {
  const model = await read(parts);
  expect(wiresOf(model)).toEqual(wires);
  expect(model.warnings).toEqual([]);
  expect(model.tensors.filter(({ role }) => role === "unknown")).toEqual([]);
});

test("heads keep their order, and a shared matrix meets each by itself", async () => {
  const model = await read(cases.find(({ name }) => name.startsWith("heads that"))!.parts);
  const { wires } = model.topology;
  // x is 0 and 1, a 2 to 7, b 8 and 9.
  expect(wires.slice(1, 3).map(({ from, to }) => [...from, ...to])).toEqual([
    [2, 3, 4, 8],
    [5, 6, 7, 9],
  ]);
});

test("the middle and the width of boxes stay what they are", async () => {
  const model = await read({
    inputs: { x: ["N", 2] },
    initializers: [tensor("a", [4, 2]), integers("sizes", [2, 2])],
    nodes: [
      node("Gemm", ["x", "a"], ["y"], { transB: 1 }),
      node("Split", ["y", "sizes"], ["middle", "width"], { axis: 1 }),
      node("Sub", ["middle", "width"], ["left"]),
      node("Add", ["middle", "width"], ["right"]),
      node("Concat", ["left", "right"], ["boxes"], { axis: 1 }),
    ],
  });
  expect(model.topology.layers.map(({ size }) => size)).toEqual([2, 4]);
});

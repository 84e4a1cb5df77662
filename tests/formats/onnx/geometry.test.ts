import { describe, expect, test } from "vitest";
import { forEachUnrolledEdge, unrolledGraph } from "../../../src/graph/unrolledGraph.ts";
import { unrolledSize } from "../../../src/graph/unrolledSize.ts";
import { memorySource, openModel, readModel, type Model } from "../../../src/node.ts";
import { thrownBy } from "../../helpers/errors.ts";
import {
  integers,
  leNet,
  node,
  onnxModel,
  tensor,
  type GraphNode,
  type Tensor,
} from "../../helpers/onnxModel.ts";
import { runOnnx } from "../../helpers/onnxRuntime.ts";
import { hasSharedData, sharedPath } from "../../helpers/shared.ts";

const read = (bytes: Uint8Array): Promise<Model> => readModel(memorySource(bytes, "net.onnx"));

test("LeNet as an exporter writes it: 11,166 nodes, 658,024 edges (hand)", async () => {
  const size = unrolledSize(await read(leNet()));
  expect(size).toMatchObject({ nodes: 11_166, edges: 658_024 });
  expect(size.layers.map(({ name, positions }) => [name, ...positions])).toEqual([
    ["input", 32, 32],
    ["conv1.weight", 28, 28],
    ["p1", 14, 14],
    ["conv2.weight", 10, 10],
    ["p2", 5, 5],
    ["fc1.weight"],
    ["fc2.weight"],
    ["fc3.weight"],
  ]);
});

interface LinearRow {
  readonly name: string;
  readonly input: readonly number[];
  readonly nodes: readonly GraphNode[];
  readonly initializers: readonly Tensor[];
}

const conv = (attributes: Parameters<typeof node>[3], from = "x", to = "y"): GraphNode =>
  node("Conv", [from, "w"], [to], attributes);
const gemm = node("Gemm", ["f", "v"], ["y"], { transB: 1 });

/** Networks without biases and without anything bent: what they answer is what their edges add up to. */
const linear: readonly LinearRow[] = [
  { name: "Conv, strides, dilations, pads of four sizes", input: [2, 7, 6], nodes: [conv({ strides: [2, 1], dilations: [1, 2], pads: [1, 0, 2, 1] })], initializers: [tensor("w", [3, 2, 3, 2])] },
  { name: "Conv, groups", input: [4, 5], nodes: [conv({ group: 2 })], initializers: [tensor("w", [6, 2, 3])] },
  { name: "Conv, SAME_UPPER", input: [1, 6, 5], nodes: [conv({ auto_pad: "SAME_UPPER", strides: [2, 2] })], initializers: [tensor("w", [2, 1, 2, 3])] },
  { name: "Conv, SAME_LOWER", input: [1, 6, 5], nodes: [conv({ auto_pad: "SAME_LOWER", strides: [1, 2] })], initializers: [tensor("w", [2, 1, 2, 3])] },
  { name: "Conv, VALID", input: [1, 6], nodes: [conv({ auto_pad: "VALID", strides: [2] })], initializers: [tensor("w", [2, 1, 3])] },
  { name: "Conv of three axes", input: [2, 3, 4, 3], nodes: [conv({ pads: [1, 0, 0, 0, 1, 0] })], initializers: [tensor("w", [2, 2, 2, 3, 1])] },
  { name: "ConvTranspose", input: [2, 3, 4], nodes: [node("ConvTranspose", ["x", "w"], ["y"], { strides: [2, 3], pads: [1, 0, 0, 1], output_padding: [1, 0], dilations: [1, 2] })], initializers: [tensor("w", [2, 3, 3, 2])] },
  { name: "ConvTranspose, groups, SAME_UPPER", input: [4, 3], nodes: [node("ConvTranspose", ["x", "w"], ["y"], { strides: [2], group: 2, auto_pad: "SAME_UPPER" })], initializers: [tensor("w", [4, 1, 3])] },
  { name: "Pad before Conv", input: [1, 4, 4], nodes: [node("Pad", ["x", "p"], ["q"]), conv({ strides: [2, 2] }, "q")], initializers: [integers("p", [0, 0, 0, 1, 0, 0, 2, 1]), tensor("w", [2, 1, 3, 3])] },
  { name: "AveragePool", input: [2, 5, 5], nodes: [conv({}, "x", "c"), node("AveragePool", ["c"], ["y"], { kernel_shape: [2, 2], strides: [2, 2], pads: [1, 1, 0, 0] })], initializers: [tensor("w", [2, 2, 2, 2])] },
  { name: "AveragePool that counts padding", input: [2, 5, 5], nodes: [conv({}, "x", "c"), node("AveragePool", ["c"], ["y"], { kernel_shape: [2, 2], strides: [2, 2], pads: [1, 1, 0, 0], count_include_pad: 1 })], initializers: [tensor("w", [2, 2, 2, 2])] },
  { name: "AveragePool of the input, then Conv", input: [2, 6], nodes: [node("AveragePool", ["x"], ["c"], { kernel_shape: [3], strides: [2], ceil_mode: 1 }), conv({}, "c")], initializers: [tensor("w", [2, 2, 2])] },
  { name: "GlobalAveragePool, Flatten, Gemm", input: [2, 3, 3], nodes: [conv({}, "x", "c"), node("GlobalAveragePool", ["c"], ["g"]), node("Flatten", ["g"], ["f"]), gemm], initializers: [tensor("w", [3, 2, 2, 2]), tensor("v", [4, 3])] },
  { name: "ReduceMean over positions, Gemm", input: [2, 3, 3], nodes: [conv({}, "x", "c"), node("ReduceMean", ["c"], ["f"], { axes: [-1, 2], keepdims: 0 }), gemm], initializers: [tensor("w", [3, 2, 2, 2]), tensor("v", [4, 3])] },
  { name: "Squeeze after a mean", input: [2, 3, 3], nodes: [conv({}, "x", "c"), node("ReduceMean", ["c"], ["g"], { axes: [2, 3] }), node("Squeeze", ["g", "a"], ["f"]), gemm], initializers: [tensor("w", [3, 2, 2, 2]), tensor("v", [4, 3]), integers("a", [2, 3])] },
  { name: "Reshape to [0, -1], Gemm", input: [2, 3, 4], nodes: [conv({}, "x", "c"), node("Reshape", ["c", "s"], ["f"]), gemm], initializers: [tensor("w", [2, 2, 2, 2]), integers("s", [0, -1]), tensor("v", [3, 12])] },
  { name: "Flatten with channels last, Gemm", input: [2, 3, 4], nodes: [conv({}, "x", "c"), node("Transpose", ["c"], ["t"], { perm: [0, 2, 3, 1] }), node("Flatten", ["t"], ["f"]), gemm], initializers: [tensor("w", [2, 2, 2, 2]), tensor("v", [3, 12])] },
  { name: "an input that is flattened", input: [2, 3], nodes: [node("Flatten", ["x"], ["f"]), gemm], initializers: [tensor("v", [3, 6])] },
  { name: "MatMul at every position, channels last", input: [4, 3], nodes: [node("MatMul", ["x", "v"], ["m"]), node("Transpose", ["m"], ["t"], { perm: [0, 2, 1] }), conv({}, "t")], initializers: [tensor("v", [3, 2]), tensor("w", [2, 2, 2])] },
  {
    name: "Gemm, Reshape to a map, ConvTranspose",
    input: [3],
    nodes: [
      node("Gemm", ["x", "v"], ["d"], { transB: 1 }),
      node("Reshape", ["d", "s"], ["m"]),
      node("ConvTranspose", ["m", "w"], ["y"], { strides: [2, 2] }),
    ],
    initializers: [tensor("v", [12, 3]), integers("s", [-1, 2, 3, 2]), tensor("w", [2, 2, 2, 2])],
  },
  {
    name: "Gemm, Reshape to a map with channels last, Conv",
    input: [3],
    nodes: [
      node("Gemm", ["x", "v"], ["d"], { transB: 1 }),
      node("Reshape", ["d", "s"], ["m"]),
      node("Transpose", ["m"], ["t"], { perm: [0, 3, 1, 2] }),
      conv({}, "t"),
    ],
    initializers: [tensor("v", [12, 3]), integers("s", [0, 3, 2, -1]), tensor("w", [2, 2, 2, 2])],
  },
  {
    name: "Resize to nearest neighbours",
    input: [2, 3, 2],
    nodes: [
      node("Resize", ["x", "", "s"], ["r"], {
        nearest_mode: "floor",
        coordinate_transformation_mode: "asymmetric",
      }),
      conv({}, "r"),
    ],
    initializers: [tensor("s", [4], [1, 1, 2, 3]), tensor("w", [2, 2, 2, 2])],
  },
  {
    name: "Resize by its default",
    input: [1, 4],
    nodes: [conv({}, "x", "c"), node("Resize", ["c", "", "s"], ["y"])],
    initializers: [tensor("s", [3], [1, 1, 3]), tensor("w", [2, 1, 2])],
  },
  { name: "Concat of channels", input: [2, 5], nodes: [node("Conv", ["x", "u"], ["a"]), conv({}, "x", "b"), node("Concat", ["a", "b"], ["c"], { axis: 1 }), node("Conv", ["c", "v"], ["y"])], initializers: [tensor("u", [2, 2, 2]), tensor("w", [1, 2, 2]), tensor("v", [2, 3, 3])] },
]; // prettier-ignore

test.each(linear)(
  "$name: the edges add up to the answer (reference: onnxruntime)",
  async ({ input, nodes, initializers }) => {
    const bytes = onnxModel({ inputs: { x: ["N", ...input] }, nodes, initializers, opset: 13 });
    const graph = await unrolledGraph(await read(bytes));
    const size = input.reduce((a, b) => a * b, 1);
    const values = Array.from({ length: size }, (_, i) => Math.sin(i + 1));
    const { values: expected } = await runOnnx(bytes, { x: { dims: [1, ...input], values } });

    const found = new Float64Array(graph.nodeCount);
    // The input's channels are those on the axis that its first reader takes for them.
    const [channels, positions] = [graph.layers[0]!.channels, graph.layers[0]!.positions];
    const isLast = channels !== input[0] && positions.length > 0;
    const places = size / channels;
    values.forEach((value, i) => {
      found[isLast ? (i % channels) * places + Math.floor(i / channels) : i] = value;
    });
    forEachUnrolledEdge(graph, (from, to, weight) => (found[to]! += weight * found[from]!));
    const last = graph.layers.at(-1)!;
    expect(last.size).toBe(expected.length);
    expected.forEach((value, i) => expect(found[last.offset + i]!).toBeCloseTo(value, 4));
  },
);

describe("channels and positions", () => {
  const w = tensor("w", [2, 2, 3]);
  const sizeOf = async (
    nodes: GraphNode[],
    initializers: Tensor[] = [w],
    x: (number | string)[] | null = ["N", 2, 6],
  ) => unrolledSize(await read(onnxModel({ inputs: { x }, nodes, initializers, opset: 13 })));

  test("a residual sum is one node, a gate none (hand)", async () => {
    const size = await sizeOf([
      conv({ pads: [1, 1] }, "x", "c"),
      node("Sigmoid", ["c"], ["s"]),
      node("Mul", ["c", "s"], ["m"]),
      node("Add", ["m", "x"], ["r"]),
      node("Relu", ["r"], ["q"]),
      conv({}, "q"),
    ]);
    expect(size.layers.map(({ name, nodes }) => [name, nodes])).toEqual([
      ["x", 12],
      ["w", 8],
    ]);
  });

  test("a symbolic size is the caller's to state", async () => {
    const model = await read(
      onnxModel({ inputs: { x: ["N", 2, "T"] }, nodes: [conv({})], initializers: [w] }),
    );
    expect(thrownBy(() => unrolledSize(model), "GRAPH_POSITIONS_UNKNOWN").message).toContain(
      "x has no size",
    );
    expect(unrolledSize(model, { inputShape: [2, 5] }).edges).toBe(3 * 3 * 4);
  });

  test.each<{
    name: string;
    nodes: GraphNode[];
    more?: Tensor[];
    x?: (number | string)[] | null;
    reason: string;
  }>([
    {
      name: "Resize",
      nodes: [node("Resize", ["x", "", "s"], ["r"], { mode: "linear" }), conv({}, "r")],
      more: [tensor("s", [3], [1, 1, 2])],
      reason: "Resize",
    },
    {
      name: "Softmax is followed, CumSum is not",
      nodes: [node("Softmax", ["x"], ["s"]), node("CumSum", ["s", "a"], ["r"]), conv({}, "r")],
      more: [integers("a", [2])],
      reason: "CumSum",
    },
    { name: "no declared axes", x: null, nodes: [conv({})], reason: "axes of the input x" },
    {
      name: "a product of signals",
      nodes: [conv({ pads: [1, 1] }, "x", "a"), node("Mul", ["a", "x"], ["m"]), conv({}, "m")],
      reason: "Mul of two signals",
    },
    {
      name: "another reshape",
      nodes: [node("Reshape", ["x", "s"], ["r"]), conv({}, "r")],
      more: [integers("s", [0, 2, -1])],
      reason: "Reshape of a map to other axes",
    },
    {
      name: "a resize between whole numbers",
      nodes: [node("Resize", ["x", "", "s"], ["r"]), conv({}, "r")],
      more: [tensor("s", [3], [1, 1, 1.5])],
      reason: "Resize",
    },
    {
      name: "a resize of channels",
      nodes: [node("Resize", ["x", "", "s"], ["r"]), conv({}, "r")],
      more: [tensor("s", [3], [1, 2, 2])],
      reason: "Resize of channels",
    },
    {
      name: "a map that is turned round",
      x: ["N", 3],
      nodes: [
        node("Gemm", ["x", "v"], ["d"]),
        node("Reshape", ["d", "s"], ["m"]),
        node("Transpose", ["m"], ["t"], { perm: [0, 2, 1, 3] }),
        node("Conv", ["t", "u"], ["y"]),
      ],
      more: [tensor("v", [3, 12]), integers("s", [0, 2, 2, 3]), tensor("u", [2, 2, 1, 1])],
      reason: "m is turned in a way",
    },
    {
      name: "another transpose",
      nodes: [
        conv({}, "x", "c"),
        node("Transpose", ["c"], ["t"], { perm: [1, 0, 2] }),
        conv({}, "t"),
      ],
      reason: "Transpose",
    },
    {
      name: "padding by reflection",
      nodes: [node("Pad", ["x", "p"], ["q"], { mode: "reflect" }), conv({}, "q")],
      more: [integers("p", [0, 0, 1, 0, 0, 1])],
      reason: "Pad",
    },
    {
      name: "a mean over channels",
      nodes: [conv({}, "x", "c"), node("ReduceMean", ["c"], ["m"], { axes: [1] }), conv({}, "m")],
      reason: "ReduceMean over other axes",
    },
    {
      name: "a concatenation of positions",
      nodes: [conv({}, "x", "c"), node("Concat", ["c", "c"], ["d"], { axis: 2 }), conv({}, "d")],
      reason: "Concat along other axes",
    },
    {
      name: "an output shape of its own",
      nodes: [node("ConvTranspose", ["x", "w"], ["c"], { output_shape: [9] }), conv({}, "c")],
      reason: "output shape",
    },
    {
      name: "an LSTM",
      x: [5, 1, 3],
      nodes: [node("LSTM", ["x", "i", "h"], ["y"], { hidden_size: 2 })],
      more: [tensor("i", [1, 8, 3]), tensor("h", [1, 8, 2])],
      reason: "LSTM is not followed",
    },
  ])("$name", async ({ nodes, more = [], x, reason }) => {
    const error = await sizeOf(nodes, [w, ...more], x).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "GRAPH_POSITIONS_UNKNOWN" });
    expect((error as Error).message).toContain(reason);
  });
});

describe.skipIf(!hasSharedData)("real networks", () => {
  // reference: multiply-adds of SqueezeNet 1.0 as its authors count them are 0.8 billion for 1.0 and 0.35 billion for 1.1
  test.each([
    { file: "onnx/light_squeezenet.onnx", nodes: 3_071_056, edges: 340_545_192 },
    { file: "onnx/version-RFB-320.onnx", nodes: 3_323_480, edges: 98_500_976 },
    { file: "onnx/rfb320_simplified_fp16.onnx", nodes: 3_323_480, edges: 98_500_976 },
    { file: "onnx/mnist_mlp_qdq_perchannel.onnx", nodes: 842, edges: 25_760 },
  ])("$file", async ({ file, nodes, edges }) => {
    expect(unrolledSize(await openModel(sharedPath(file)))).toMatchObject({ nodes, edges });
  });

  test.each([
    { name: "test_Conv1d", batch: 2 },
    { name: "test_Conv3d", batch: 2 },
    { name: "test_Conv2d_groups", batch: 2 },
    { name: "test_ConvTranspose2d", batch: 1 },
  ])(
    "onnx/tiny/$name.onnx: a pixel's strength is what it adds to the answer (reference: onnxruntime)",
    async ({ name, batch }) => {
      const path = sharedPath(`onnx/tiny/${name}.onnx`);
      const graph = await unrolledGraph(await openModel(path));
      const [{ name: input, channels, positions, size }] = graph.layers as [
        (typeof graph.layers)[number],
      ];
      const answer = async (at: number): Promise<number> => {
        const values = Array.from({ length: batch * size }, (_, i) => (i % size === at ? 1 : 0));
        const dims = [batch, channels, ...positions];
        const { values: out } = await runOnnx(path, { [input]: { dims, values } });
        return out.reduce((sum, value) => sum + value, 0) / batch;
      };
      const none = await answer(-1);
      const sums = new Float64Array(graph.nodeCount);
      forEachUnrolledEdge(graph, (from, _, weight) => (sums[from]! += weight));
      for (let at = 0; at < size; at += Math.ceil(size / 7)) {
        expect(sums[at]!).toBeCloseTo((await answer(at)) - none, 3);
      }
    },
  );
});

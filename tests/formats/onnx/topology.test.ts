/** Who is connected to whom: built models, each with a graph that can be counted by hand. */
import { describe, expect, test } from "vitest";
import {
  layeredGraph,
  memorySource,
  readOnnx,
  type LayeredGraph,
  type Model,
} from "../../../src/index.ts";
import { openModel } from "../../../src/node.ts";
import { drawn } from "../../helpers/drawnGraph.ts";
import {
  graph,
  integers,
  leNet,
  node,
  onnxModel,
  tensor,
  type OnnxModelParts,
} from "../../helpers/onnxModel.ts";
import { hasSharedData, sharedPath } from "../../helpers/shared.ts";

async function read(parts: OnnxModelParts): Promise<{ model: Model; graph: LayeredGraph }> {
  const model = await readOnnx(memorySource(onnxModel(parts), "net.onnx"));
  return { model, graph: await layeredGraph(model) };
}

test("LeNet has 239 nodes and 12,954 edges (paper: doi 10.1145/3511808.3557628, rolled graph)", async () => {
  const model = await readOnnx(memorySource(leNet(), "lenet.onnx"));
  const built = await layeredGraph(model);
  expect(built.nodeCount).toBe(239);
  expect(built.edgeCount).toBe(12_954);
  expect(built.certainty).toBe("declared");
  expect(model.warnings).toEqual([]);
  expect(drawn(built)).toEqual({
    layers: [
      "input:3",
      "conv1.weight:6",
      "conv2.weight:16",
      "fc1.weight:120",
      "fc2.weight:84",
      "fc3.weight:10",
    ],
    wires: [
      "conv1.weight 0..2 -> 3..8 x25",
      "conv2.weight 3..8 -> 9..24 x25",
      "fc1.weight 9..24 -> 25..144 x25",
      "fc2.weight 25..144 -> 145..228",
      "fc3.weight 145..228 -> 229..238",
    ],
  });
});

const conv = (from: string, weight: string, to: string, attributes = {}): ReturnType<typeof node> =>
  node("Conv", [from, weight], [to], attributes);
const dense = (from: string, weight: string, to: string): ReturnType<typeof node> =>
  node("Gemm", [from, weight], [to], { transB: 1 });
const image = { x: ["N", 2, 4, 4] };

/** Origin of every expected value: counted by hand. */
const cases: readonly { name: string; parts: OnnxModelParts; layers: string[]; wires: string[] }[] =
  [
    {
      name: "a residual sum makes two layers one",
      parts: {
        inputs: image,
        initializers: [
          tensor("a", [3, 2, 1, 1]),
          tensor("b", [3, 3, 1, 1]),
          tensor("c", [2, 3, 1, 1]),
        ],
        nodes: [
          conv("x", "a", "y"),
          conv("y", "b", "z"),
          node("Add", ["y", "z"], ["s"]),
          conv("s", "c", "out"),
        ],
      },
      layers: ["x:2", "a:3", "c:2"],
      wires: ["a 0..1 -> 2..4", "b 2..4 -> 2..4", "c 2..4 -> 5..6"],
    },
    {
      name: "a residual sum with the input",
      parts: {
        inputs: { x: ["N", 3] },
        initializers: [tensor("a", [3, 3]), tensor("b", [1, 3])],
        nodes: [dense("x", "a", "y"), node("Add", ["y", "x"], ["s"]), dense("s", "b", "out")],
      },
      layers: ["x:3", "b:1"],
      wires: ["a 0..2 -> 0..2", "b 0..2 -> 3..3"],
    },
    {
      name: "a concatenation keeps who is who",
      parts: {
        inputs: image,
        initializers: [
          tensor("a", [3, 2, 1, 1]),
          tensor("b", [4, 2, 1, 1]),
          tensor("c", [1, 7, 1, 1]),
        ],
        nodes: [
          conv("x", "a", "y"),
          conv("x", "b", "z"),
          node("Concat", ["z", "y"], ["s"], { axis: 1 }),
          conv("s", "c", "out"),
        ],
      },
      layers: ["x:2", "a:3", "b:4", "c:1"],
      wires: ["a 0..1 -> 2..4", "b 0..1 -> 5..8", "c 5..4 -> 9..9"],
    },
    {
      name: "a split selects",
      parts: {
        inputs: image,
        initializers: [
          tensor("a", [4, 2, 1, 1]),
          tensor("b", [1, 1, 1, 1]),
          tensor("c", [1, 3, 1, 1]),
        ],
        nodes: [
          conv("x", "a", "y"),
          node("Split", ["y"], ["u", "v"], { axis: 1, split: [1, 3] }),
          conv("u", "b", "p"),
          conv("v", "c", "q"),
        ],
      },
      layers: ["x:2", "a:4", "b:1", "c:1"],
      wires: ["a 0..1 -> 2..5", "b 2..2 -> 6..6", "c 3..5 -> 7..7"],
    },
    {
      name: "a gather of channels selects, in its own order",
      parts: {
        inputs: image,
        initializers: [tensor("a", [4, 2, 1, 1]), integers("i", [3, 0]), tensor("b", [1, 2, 1, 1])],
        nodes: [
          conv("x", "a", "y"),
          node("Gather", ["y", "i"], ["u"], { axis: 1 }),
          conv("u", "b", "p"),
        ],
      },
      layers: ["x:2", "a:4", "b:1"],
      wires: ["a 0..1 -> 2..5", "b 5..2 -> 6..6"],
    },
    {
      name: "a grouped and a depthwise convolution",
      parts: {
        inputs: { x: ["N", 4, 4, 4] },
        initializers: [tensor("a", [6, 2, 3, 3]), tensor("b", [12, 1, 3, 3])],
        nodes: [conv("x", "a", "y", { group: 2 }), conv("y", "b", "z", { group: 6 })],
      },
      layers: ["x:4", "a:6", "b:12"],
      wires: ["a 0..3 -> 4..9 x9", "b 4..9 -> 10..21 x9"],
    },
    {
      name: "a flatten of channels last: positions come before the channel",
      parts: {
        inputs: image,
        initializers: [tensor("a", [3, 2, 1, 1]), tensor("b", [5, 48])],
        nodes: [
          conv("x", "a", "y"),
          node("Transpose", ["y"], ["t"], { perm: [0, 2, 3, 1] }),
          node("Flatten", ["t"], ["f"], { axis: 1 }),
          dense("f", "b", "out"),
        ],
      },
      layers: ["x:2", "a:3", "b:5"],
      wires: ["a 0..1 -> 2..4", "b 2..4 -> 5..9 x16"],
    },
    {
      name: "a flatten of an image of unknown size",
      parts: {
        inputs: { x: ["N", 2, "H", "W"] },
        initializers: [tensor("a", [3, 2, 1, 1]), tensor("b", [5, 48])],
        nodes: [conv("x", "a", "y"), node("Flatten", ["y"], ["f"]), dense("f", "b", "out")],
      },
      layers: ["x:2", "a:3", "b:5"],
      wires: ["a 0..1 -> 2..4", "b 2..4 -> 5..9 x16"],
    },
    {
      name: "a reshape to a shape computed at run time",
      parts: {
        inputs: image,
        initializers: [
          tensor("a", [3, 2, 1, 1]),
          tensor("b", [48, 5]),
          integers("zero", [0], []),
          integers("rest", [-1]),
        ],
        nodes: [
          conv("x", "a", "y"),
          node("Shape", ["y"], ["sh"]),
          node("Gather", ["sh", "zero"], ["n"], { axis: 0 }),
          node("Unsqueeze", ["n"], ["n1"], { axes: [0] }),
          node("Concat", ["n1", "rest"], ["to"], { axis: 0 }),
          node("Reshape", ["y", "to"], ["f"]),
          node("MatMul", ["f", "b"], ["out"]),
        ],
      },
      layers: ["x:2", "a:3", "b:5"],
      wires: ["a 0..1 -> 2..4", "b 2..4 -> 5..9 x16"],
    },
    {
      name: "a channel shuffle permutes",
      parts: {
        inputs: image,
        initializers: [
          tensor("a", [4, 2, 1, 1]),
          integers("apart", [-1, 2, 2, 4, 4]),
          integers("back", [-1, 4, 4, 4]),
          tensor("b", [4, 2, 1, 1]),
        ],
        nodes: [
          conv("x", "a", "y"),
          node("Reshape", ["y", "apart"], ["u"]),
          node("Transpose", ["u"], ["t"], { perm: [0, 2, 1, 3, 4] }),
          node("Reshape", ["t", "back"], ["v"]),
          conv("v", "b", "z", { group: 2 }),
        ],
      },
      layers: ["x:2", "a:4", "b:4"],
      wires: ["a 0..1 -> 2..5", "b 2..5 -> 6..9"],
    },
    {
      name: "a gate scales the main branch and is no neuron of it",
      parts: {
        inputs: image,
        initializers: [
          tensor("a", [3, 2, 1, 1]),
          tensor("g", [3, 3, 1, 1]),
          tensor("b", [1, 3, 1, 1]),
        ],
        nodes: [
          conv("x", "a", "y"),
          node("GlobalAveragePool", ["y"], ["p"]),
          conv("p", "g", "q"),
          node("Sigmoid", ["q"], ["s"]),
          node("Mul", ["s", "y"], ["m"]),
          conv("m", "b", "out"),
        ],
      },
      layers: ["x:2", "a:3", "g:3", "b:1"],
      wires: ["a 0..1 -> 2..4", "g 2..4 -> 5..7", "b 2..4 -> 8..8"],
    },
    {
      name: "one input read as channels and as features",
      parts: {
        inputs: image,
        initializers: [tensor("a", [1, 2, 1, 1]), tensor("b", [3, 32])],
        nodes: [conv("x", "a", "y"), node("Flatten", ["x"], ["f"]), dense("f", "b", "z")],
      },
      layers: ["x:2", "a:1", "x#2:32", "b:3"],
      wires: ["a 0..1 -> 2..2", "b 3..34 -> 35..37"],
    },
    {
      name: "both branches of an If feed what follows",
      parts: {
        inputs: { x: ["N", 2], c: [] },
        initializers: [tensor("b", [1, 3])],
        nodes: [
          node("If", ["c"], ["y"], {
            then_branch: {
              graph: graph({ initializers: [tensor("t", [3, 2])], nodes: [dense("x", "t", "ty")] }),
            },
            else_branch: {
              graph: graph({ initializers: [tensor("e", [3, 2])], nodes: [dense("x", "e", "ey")] }),
            },
          }),
          dense("y", "b", "out"),
        ],
      },
      layers: ["x:2", "t:3", "b:1"],
      wires: ["t 0..1 -> 2..4", "e 0..1 -> 2..4", "b 2..4 -> 5..5"],
    },
    {
      name: "a weight that is used twice is two layers",
      parts: {
        inputs: { x: ["N", 2] },
        initializers: [tensor("w", [2, 2])],
        nodes: [dense("x", "w", "y"), dense("y", "w", "z")],
      },
      layers: ["x:2", "w:2", "w#2:2"],
      wires: ["w 0..1 -> 2..3", "w 2..3 -> 4..5"],
    },
  ];

test.each(cases)("$name", async ({ parts, layers, wires }) => {
  const { model, graph: built } = await read(parts);
  expect(drawn(built)).toEqual({ layers, wires });
  expect(model.warnings).toEqual([]);
});

test("a shuffle's order is the transpose of groups and members", async () => {
  const shuffled = cases.find(({ name }) => name.startsWith("a channel shuffle"))!;
  const { graph: built } = await read(shuffled.parts);
  // Channels 0 1 | 2 3 become 0 2 1 3; nodes 2 to 5 are those of `a`.
  expect(Array.from(built.blocks[1]!.columnNodes)).toEqual([2, 4, 3, 5]);
});

test("positions before the channel are taps all the same: sums by hand", async () => {
  const { graph: built } = await read({
    inputs: { x: [1, 1, 1, 2] },
    initializers: [
      tensor("a", [2, 1, 1, 1]),
      // Rows are (position, channel): p0c0, p0c1, p1c0, p1c1.
      tensor("b", [4, 1], [1, 10, 100, 1000]),
    ],
    nodes: [
      conv("x", "a", "y"),
      node("Transpose", ["y"], ["t"], { perm: [0, 2, 3, 1] }),
      node("Flatten", ["t"], ["f"]),
      node("MatMul", ["f", "b"], ["z"]),
    ],
  });
  const { collapsed } = built.blocks[1]!;
  expect(Array.from(collapsed!.positiveSum)).toEqual([101, 1010]);
});

test("what cannot be followed is one warning, and the layer has senders of its own", async () => {
  const { model, graph: built } = await read({
    inputs: { x: ["N", 2] },
    initializers: [tensor("a", [3, 2]), tensor("b", [1, 3]), tensor("odd", [3, 3])],
    nodes: [
      dense("x", "a", "y"),
      node("Mystery", ["y", "odd"], ["z"]),
      dense("z", "b", "out"),
      dense("z", "b", "out2"),
    ],
  });
  expect(model.warnings.map(({ code }) => code)).toEqual(["OPERATOR_UNKNOWN", "TOPOLOGY_PARTIAL"]);
  expect(model.warnings[1]!.message).toContain("2 weight layer(s)");
  expect(drawn(built).layers).toEqual([
    "x:2",
    "a:3",
    "b (senders):3",
    "b:1",
    "b#2 (senders):3",
    "b#2:1",
  ]);
  expect(model.tensors.find(({ name }) => name === "odd")?.role).toBe("unknown");
});

test("an input without a declared shape has the neurons that its reader asks for", async () => {
  const { model, graph: built } = await read({
    inputs: { x: null },
    initializers: [tensor("half", [], [0.5]), tensor("a", [3, 2, 1, 1]), tensor("b", [4, 27])],
    nodes: [
      node("Mul", ["x", "half"], ["y"]),
      node("Transpose", ["y"], ["t"], { perm: [0, 3, 1, 2] }),
      conv("t", "a", "c"),
      node("Flatten", ["c"], ["f"]),
      dense("f", "b", "z"),
    ],
  });
  expect(drawn(built)).toEqual({
    layers: ["x:2", "a:3", "b:4"],
    wires: ["a 0..1 -> 2..4", "b 2..4 -> 5..8 x9"],
  });
  expect(model.warnings).toEqual([]);
});

test("a weight behind an operator that is not folded is not lost in silence", async () => {
  const { model } = await read({
    inputs: { x: ["N", 2] },
    initializers: [tensor("w", [1, 2]), integers("twice", [2, 1])],
    nodes: [node("Tile", ["w", "twice"], ["v"]), node("MatMul", ["x", "v"], ["y"])],
  });
  expect(model.warnings.map(({ code, message }) => [code, message.includes("Tile (1)")])).toEqual([
    ["OPERATOR_UNKNOWN", true],
  ]);
});

/** Reference: nodes and edges counted by hand from the operators of each file. */
describe.skipIf(!hasSharedData)("real models", () => {
  test.each([
    // 784 - 32 - 16 - 10.
    { file: "checkpoints/mnist_mlp/final.onnx", nodes: 842, edges: 25_760 },
    { file: "onnx/mnist_mlp_qdq_perchannel.onnx", nodes: 842, edges: 25_760 },
    // 2400 - 32 - 32 - 1.
    { file: "onnx/hello_deepa.onnx", nodes: 2465, edges: 77_856 },
    // 257 x 64, then 64 x 512 (its convolution reads four places of each of the 64 as channels), then 512 x 214.
    { file: "onnx/magika_standard_v3_3.onnx", nodes: 1047, edges: 158_784 },
    // SqueezeNet 1.1: its input and 26 convolutions, concatenations make no neurons.
    { file: "onnx/light_squeezenet.onnx", nodes: 3947, edges: 738_496 },
  ])("$file", async ({ file, nodes, edges }) => {
    const built = await layeredGraph(await openModel(sharedPath(file)));
    expect([built.nodeCount, built.edgeCount]).toEqual([nodes, edges]);
  });

  test("version-RFB-320: a node per channel of 52 convolutions, one sum of 64", async () => {
    const model = await openModel(sharedPath("onnx/version-RFB-320.onnx"));
    const built = await layeredGraph(model);
    const out = model.layers.reduce((sum, layer) => sum + layer.out, 0);
    expect(built.nodeCount).toBe(3 + out - 64);
    expect(built.edgeCount).toBe(
      model.layers.reduce(
        (sum, { layout }) => sum + layout.groups * layout.outPerGroup * layout.inPerGroup,
        0,
      ),
    );
    expect(model.warnings).toEqual([]);
  });
});

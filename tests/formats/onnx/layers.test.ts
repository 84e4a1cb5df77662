/** Which tensors are weights, and what the others are for. */
import { describe, expect, test } from "vitest";
import {
  coverageOf,
  memorySource,
  readOnnx,
  summariseLayers,
  type Model,
} from "../../../src/index.ts";
import {
  bytes,
  graph,
  integers,
  node,
  onnxModel,
  tensor,
  type GraphNode,
  type OnnxModelParts,
  type Tensor,
} from "../../helpers/onnxModel.ts";

function read(parts: OnnxModelParts): Promise<Model> {
  return readOnnx(memorySource(onnxModel(parts), "net.onnx"));
}

/** Layers as [name, op, kind, in, out, sum of values]. */
async function listed(model: Model): Promise<unknown[][]> {
  const layers = await summariseLayers(model);
  return layers.map(({ name, op, kind, in: from, out, sum }) => [name, op, kind, from, out, sum]);
}

describe("weight layers (hand)", () => {
  const square = tensor("w", [2, 2], [1, 2, 3, 4]);
  const x = { x: ["N", 2] } as const;
  const cases: readonly { name: string; parts: OnnxModelParts; layers: unknown[][] }[] = [
    {
      name: "weights behind Transpose, Reshape and Cast",
      parts: {
        inputs: x,
        initializers: [tensor("w", [3, 2], [1, 2, 3, 4, 5, 6]), integers("to", [2, -1])],
        nodes: [
          node("Transpose", ["w"], ["a"]),
          node("Cast", ["a"], ["b"], { to: 11 }),
          node("Reshape", ["b", "to"], ["c"]),
          node("MatMul", ["x", "c"], ["y"]),
        ],
      },
      layers: [["fold(fold(fold(w)))", "MatMul", "dense", 2, 3, 21]],
    },
    {
      name: "weights behind Slice, Squeeze, Unsqueeze and Concat",
      parts: {
        inputs: x,
        initializers: [
          tensor("w", [1, 4, 2], [1, 2, 3, 4, 5, 6, 7, 8]),
          integers("starts", [-1]),
          integers("ends", [-(2 ** 40)]),
          integers("axes", [1]),
          integers("steps", [-2]),
          integers("zero", [0]),
        ],
        nodes: [
          node("Slice", ["w", "starts", "ends", "axes", "steps"], ["a"]),
          node("Squeeze", ["a", "zero"], ["b"]),
          node("Unsqueeze", ["b", "zero"], ["c"]),
          node("Squeeze", ["c", "zero"], ["d"]),
          node("Concat", ["d", "d"], ["e"], { axis: 1 }),
          node("Gemm", ["x", "e"], ["y"]),
        ],
      },
      // Rows 3 and 1: (7 + 8 + 3 + 4) twice.
      layers: [
        ["fold(fold(fold(fold(fold(w)))),fold(fold(fold(fold(w)))))", "Gemm", "dense", 2, 4, 44],
      ],
    },
    {
      name: "an Identity is the weight itself",
      parts: {
        inputs: x,
        initializers: [square],
        nodes: [node("Identity", ["w"], ["a"]), node("MatMul", ["x", "a"], ["y"])],
      },
      layers: [["w", "MatMul", "dense", 2, 2, 10]],
    },
    {
      name: "a product of constants",
      parts: {
        inputs: x,
        initializers: [square, tensor("s", [2, 1], [10, 1])],
        nodes: [node("Mul", ["w", "s"], ["a"]), node("MatMul", ["x", "a"], ["y"])],
      },
      layers: [["fold(w,s)", "MatMul", "dense", 2, 2, 37]],
    },
    {
      name: "the constant may stand on the left",
      parts: {
        inputs: { x: [2, 5] },
        initializers: [tensor("w", [3, 2], [1, 1, 1, 1, 1, 1])],
        nodes: [node("MatMul", ["w", "x"], ["y"])],
      },
      layers: [["w", "MatMul", "dense", 2, 3, 6]],
    },
    {
      name: "a Constant node, and one inside a branch",
      parts: {
        inputs: { ...x, c: [] },
        nodes: [
          node("Constant", [], ["k"], { value: tensor("", [2, 2], [1, 1, 1, 1]) }),
          node("If", ["c"], ["y"], {
            then_branch: {
              graph: graph({
                nodes: [
                  node("Constant", [], ["in"], { value: square }),
                  node("MatMul", ["x", "in"], ["t"]),
                ],
              }),
            },
            else_branch: { graph: graph({ nodes: [node("MatMul", ["x", "k"], ["e"])] }) },
          }),
        ],
      },
      layers: [
        ["in", "MatMul", "dense", 2, 2, 10],
        ["k", "MatMul", "dense", 2, 2, 4],
      ],
    },
    {
      name: "initializers of a Loop's body",
      parts: {
        inputs: x,
        initializers: [integers("n", [3], [])],
        nodes: [
          node("Loop", ["n", "", "x"], ["y"], {
            body: {
              graph: graph({
                inputs: { i: [], c: [], h: ["N", 2] },
                initializers: [square],
                nodes: [node("MatMul", ["h", "w"], ["g"]), node("Identity", ["c"], ["d"])],
                outputs: ["d", "g"],
              }),
            },
          }),
        ],
      },
      layers: [["w", "MatMul", "dense", 2, 2, 10]],
    },
    {
      name: "ConstantOfShape",
      parts: {
        inputs: x,
        initializers: [integers("s", [2, 3])],
        nodes: [
          node("ConstantOfShape", ["s"], ["w"], { value: tensor("v", [1], [0.5]) }),
          node("MatMul", ["x", "w"], ["y"]),
        ],
      },
      layers: [["w", "MatMul", "dense", 2, 3, 3]],
    },
    {
      name: "GRU, a layer for W and R of each direction",
      parts: {
        inputs: { x: [7, "N", 2] },
        initializers: [
          tensor(
            "W",
            [2, 9, 2],
            Array.from({ length: 36 }, () => 1),
          ),
          tensor(
            "R",
            [2, 9, 3],
            Array.from({ length: 54 }, () => 1),
          ),
        ],
        nodes: [node("GRU", ["x", "W", "R"], ["y"], { hidden_size: 3 })],
      },
      layers: [
        ["W", "GRU", "recurrent_W", 2, 9, 18],
        ["R", "GRU", "recurrent_R", 3, 9, 27],
        ["W", "GRU", "recurrent_W", 2, 9, 18],
        ["R", "GRU", "recurrent_R", 3, 9, 27],
      ],
    },
    {
      name: "DequantizeLinear per axis, with a zero point",
      parts: {
        inputs: x,
        initializers: [
          bytes("w", [2, 2], [3, 5, 7, 9]),
          tensor("s", [2], [0.5, 2]),
          bytes("z", [2], [1, 1]),
        ],
        nodes: [
          node("DequantizeLinear", ["w", "s", "z"], ["a"], { axis: 0 }),
          node("MatMul", ["x", "a"], ["y"]),
        ],
      },
      layers: [["w", "MatMul", "dense", 2, 2, 1 + 2 + 12 + 16]],
    },
    {
      name: "DequantizeLinear in blocks",
      parts: {
        inputs: { x: ["N", 4] },
        initializers: [bytes("w", [4, 1], [1, 1, 1, 1]), tensor("s", [2, 1], [10, 100])],
        nodes: [
          node("DequantizeLinear", ["w", "s"], ["a"], { axis: 0, block_size: 2 }),
          node("MatMul", ["x", "a"], ["y"]),
        ],
      },
      layers: [["w", "MatMul", "dense", 4, 1, 220]],
    },
    {
      name: "MatMulInteger takes its scale from the product behind it",
      parts: {
        inputs: x,
        initializers: [
          bytes("w", [2, 2], [3, 5, 7, 9]),
          bytes("z", [], [1]),
          tensor("s", [1], [0.5]),
        ],
        nodes: [
          node("DynamicQuantizeLinear", ["x"], ["q", "qs", "qz"]),
          node("MatMulInteger", ["q", "w", "qz", "z"], ["i"]),
          node("Cast", ["i"], ["f"], { to: 1 }),
          node("Mul", ["qs", "s"], ["scale"]),
          node("Mul", ["f", "scale"], ["y"]),
        ],
      },
      layers: [["w", "MatMulInteger", "dense", 2, 2, 10]],
    },
    {
      name: "QLinearConv",
      parts: {
        inputs: { x: ["N", 1, 4, 4] },
        initializers: [
          bytes("w", [2, 1, 1, 1], [3, 5]),
          tensor("s", [2], [0.5, 2]),
          bytes("z", [2], [1, 1]),
          tensor("one", [], [1]),
          bytes("zero", [], [0]),
        ],
        nodes: [node("QLinearConv", ["x", "one", "zero", "w", "s", "z", "one", "zero"], ["y"])],
      },
      layers: [["w", "QLinearConv", "conv", 1, 2, 9]],
    },
    {
      name: "a function of the file, with an attribute of its caller",
      parts: {
        inputs: { x: ["N", 2] },
        initializers: [tensor("w", [3, 2], [1, 2, 3, 4, 5, 6])],
        functions: [
          {
            name: "Linear",
            domain: "mine",
            input: ["a", "b"],
            output: ["c"],
            node: [
              {
                opType: "Gemm",
                input: ["a", "b"],
                output: ["c"],
                attribute: [{ name: "transB", refAttrName: "flip" }],
              },
            ],
          },
        ],
        nodes: [{ ...node("Linear", ["x", "w"], ["y"], { flip: 1 }), domain: "mine" }],
      },
      layers: [["w", "Gemm", "dense", 2, 3, 21]],
    },
    {
      name: "an old file lists its initializers among the inputs",
      parts: {
        irVersion: 3,
        inputs: { x: ["N", 2], w: [2, 2] },
        initializers: [square],
        nodes: [node("MatMul", ["x", "w"], ["y"])],
      },
      layers: [["w", "MatMul", "dense", 2, 2, 10]],
    },
  ];

  test.each(cases)("$name", async ({ parts, layers }) => {
    const model = await read(parts);
    expect(await listed(model)).toEqual(layers);
    expect(model.warnings).toEqual([]);
    expect(coverageOf(model).share).toBe(1);
  });

  test("a grouped convolution does not say which sender an input axis means", async () => {
    const model = await read({
      inputs: { x: ["N", 4, 3, 3] },
      initializers: [tensor("w", [4, 2, 1, 1])],
      nodes: [node("Conv", ["x", "w"], ["y"], { group: 2 })],
    });
    const [layer] = await summariseLayers(model);
    expect([layer!.in, layer!.out, layer!.inStrength]).toEqual([4, 4, null]);
  });
});

test("what each tensor is for", async () => {
  const vector = (name: string): Tensor => tensor(name, [2]);
  const steps: GraphNode[] = [
    node("Gemm", ["x", "w", "b"], ["a"]),
    node("BatchNormalization", ["a", "scale", "shift", "mean", "var"], ["c"]),
    node("Mul", ["c", "gain"], ["d"]),
    node("Add", ["d", "offset"], ["e"]),
    node("Pow", ["e", "two"], ["f"]),
    node("Reshape", ["f", "shape"], ["g"]),
  ];
  const model = await read({
    inputs: { x: ["N", 2] },
    initializers: [
      tensor("w", [2, 2]),
      ...["b", "scale", "shift", "mean", "var", "gain", "offset", "spare"].map(vector),
      tensor("two", [], [2]),
      integers("shape", [-1, 2]),
    ],
    nodes: steps,
  });
  const roles = Object.fromEntries(model.tensors.map(({ name, role }) => [name, role]));
  expect(roles).toEqual({
    w: "weight",
    b: "bias",
    scale: "normalisation",
    shift: "normalisation",
    mean: "normalisation",
    var: "normalisation",
    gain: "normalisation",
    offset: "bias",
    spare: "unknown",
    two: "constant",
    shape: "constant",
  });
});

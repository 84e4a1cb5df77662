/** Blocks of real networks in TensorFlow graphs: normalisations, fused operators, odd ways for channels. */
import { describe, expect, test } from "vitest";
import { readModel, type Model } from "../../../src/index.ts";
import {
  constantNodes,
  graphNode as node,
  integers,
  placeholderNode,
  tfjsSource,
  type TfjsTensor,
} from "../../helpers/tfjs.ts";
import { wiresOf } from "../../helpers/topology.ts";

const read = (nodes: readonly object[], tensors: readonly TfjsTensor[]): Promise<Model> =>
  readModel(tfjsSource({ node: [...constantNodes(tensors), ...nodes] }, tensors));
const texts = (...values: readonly string[]): object => ({ list: { s: values.map(btoa) } });
const rolesOf = ({ tensors }: Model): Record<string, string> =>
  Object.fromEntries(tensors.map(({ name, role }) => [name, role]));

const image = placeholderNode("x", [-1, 4, 4, 3]);
const kernel = (name: string, into: number, out: number): TfjsTensor => ({
  name,
  shape: [1, 1, into, out],
});
const vector = (name: string): TfjsTensor => ({ name, shape: [2] });

describe("normalisations", () => {
  test.each([
    {
      name: "scale and offset behind a convolution",
      nodes: [node("Mul", "m", ["c", "a"]), node("AddV2", "s", ["m", "b"])],
      roles: { a: "normalisation", b: "normalisation" },
    },
    {
      name: "a bias, then scale and offset",
      nodes: [
        node("BiasAdd", "biased", ["c", "a"]),
        node("Mul", "m", ["biased", "b"]),
        node("AddV2", "s", ["m", "d"]),
      ],
      roles: { a: "bias", b: "normalisation", d: "normalisation" },
    },
    {
      name: "mean subtracted, then scaled",
      nodes: [
        node("Sub", "centred", ["c", "a"]),
        node("Mul", "m", ["centred", "b"]),
        node("AddV2", "s", ["m", "d"]),
      ],
      roles: { a: "normalisation", b: "normalisation", d: "normalisation" },
    },
    {
      name: "computed from variance, mean, gamma and beta",
      nodes: [
        node("AddV2", "stable", ["a", "epsilon"]),
        node("Rsqrt", "root", ["stable"]),
        node("Mul", "scale", ["root", "b"]),
        node("Mul", "m", ["c", "scale"]),
        node("Mul", "shifted", ["d", "scale"]),
        node("Sub", "offset", ["e", "shifted"]),
        node("AddV2", "s", ["m", "offset"]),
      ],
      roles: {
        a: "normalisation",
        b: "normalisation",
        d: "normalisation",
        e: "normalisation",
        epsilon: "constant",
      },
    },
    {
      name: "FusedBatchNormV3",
      nodes: [node("FusedBatchNormV3", "s", ["c", "a", "b", "d", "e"])],
      roles: { a: "normalisation", b: "normalisation", d: "normalisation", e: "normalisation" },
    },
    {
      name: "a slope per channel",
      nodes: [node("Prelu", "s", ["c", "a"])],
      roles: { a: "normalisation" },
    },
    {
      name: "a bias behind an activation",
      nodes: [node("Mul", "m", ["c", "a"]), node("Relu", "r", ["m"]), node("Add", "s", ["r", "b"])],
      roles: { a: "normalisation", b: "bias" },
    },
  ])("$name", async ({ nodes, roles }) => {
    const model = await read(
      [image, node("Conv2D", "c", ["x", "k"]), ...nodes, node("Conv2D", "c2", ["s", "k2"])],
      [
        kernel("k", 3, 2),
        kernel("k2", 2, 1),
        ...["a", "b", "d", "e"].map(vector),
        { name: "epsilon", shape: [] },
      ],
    );
    expect(rolesOf(model)).toMatchObject(roles);
    expect(wiresOf(model)).toEqual([
      "k: x -> k [tap1 tap1 in3 out2]",
      "k2: k -> k2 [tap1 tap1 in2 out1]",
    ]);
    expect(model.warnings).toEqual([]);
  });

  test("what the converter folded into a kernel, what the graph multiplies into one", async () => {
    const model = await read(
      [
        image,
        node("_FusedConv2D", "c", ["x", "a/Conv2D_weights", "a/Conv2D_bn_offset"], {
          fused_ops: texts("BiasAdd", "Relu"),
        }),
        node("Mul", "scaled", ["k", "scale"]),
        node("Conv2D", "c2", ["c", "scaled"]),
      ],
      [
        kernel("a/Conv2D_weights", 3, 2),
        vector("a/Conv2D_bn_offset"),
        kernel("k", 2, 2),
        vector("scale"),
      ],
    );
    expect(model.warnings.map(({ code }) => code)).toEqual([
      "WEIGHTS_COMPUTED",
      "NORMALISATION_FOLDED",
    ]);
    expect(rolesOf(model)).toEqual({
      "a/Conv2D_weights": "weight",
      "a/Conv2D_bn_offset": "bias",
      k: "weight",
      scale: "normalisation",
    });
    expect(model.layers.map(({ name }) => name)).toEqual(["a/Conv2D_weights", "k"]);
  });
});

interface Row {
  readonly name: string;
  readonly nodes: readonly object[];
  readonly tensors: readonly TfjsTensor[];
  readonly wires: readonly string[];
  readonly warnings?: readonly string[];
}

const rows: readonly Row[] = [
  {
    name: "a residual sum and a slope inside a fused convolution",
    nodes: [
      image,
      node("Conv2D", "c", ["x", "k"]),
      node("_FusedConv2D", "d", ["c", "k2", "bias", "c"], { fused_ops: texts("BiasAdd", "Add") }),
      node("_FusedConv2D", "e", ["d", "k3", "bias", "slope"], {
        fused_ops: texts("BiasAdd", "Prelu"),
      }),
    ],
    tensors: [
      kernel("k", 3, 2),
      kernel("k2", 2, 2),
      vector("bias"),
      kernel("k3", 2, 2),
      vector("slope"),
    ],
    wires: [
      "k: x -> k [tap1 tap1 in3 out2]",
      "k2: k -> k [tap1 tap1 in2 out2]",
      "k3: k -> k3 [tap1 tap1 in2 out2]",
    ],
  },
  {
    name: "channels padded to meet a wider layer",
    nodes: [
      image,
      node("Conv2D", "c", ["x", "k"]),
      node("Conv2D", "wide", ["c", "k2"]),
      node("Pad", "padded", ["c", "paddings"]),
      node("AddV2", "sum", ["wide", "padded"]),
      node("Conv2D", "d", ["sum", "k3"]),
    ],
    tensors: [
      kernel("k", 3, 2),
      kernel("k2", 2, 5),
      { ...integers("paddings", [0, 0, 0, 0, 0, 0, 1, 2]), shape: [4, 2] },
      kernel("k3", 5, 1),
    ],
    wires: [
      "k: x -> k [tap1 tap1 in3 out2]",
      "k2: k -> k2+k [tap1 tap1 in2 out5]",
      "k3: k2+k -> k3 [tap1 tap1 in5 out1]",
    ],
  },
  {
    name: "a dilated convolution, a convolution in one dimension",
    nodes: [
      placeholderNode("x", [-1, 8, 3]),
      node("ExpandDims", "wide", ["x", "one"]),
      node("SpaceToBatchND", "dealt", ["wide", "blocks", "none"]),
      node("Conv2D", "c", ["dealt", "k"]),
      node("BatchToSpaceND", "back", ["c", "blocks", "none"]),
      node("Squeeze", "narrow", ["back"], { squeeze_dims: { list: { i: ["1"] } } }),
      node("Conv1D", "d", ["narrow", "k2"]),
    ],
    tensors: [
      integers("one", [1]),
      integers("blocks", [1, 2]),
      { ...integers("none", [0, 0, 0, 0]), shape: [2, 2] },
      { name: "k", shape: [1, 3, 3, 2] },
      { name: "k2", shape: [2, 2, 1] },
    ],
    wires: ["k: x -> k [tap1 tap3 in3 out2]", "k2: k -> k2 [tap2 in2 out1]"],
  },
  {
    name: "space to depth and back: the same channels at other places",
    nodes: [
      image,
      node("Conv2D", "c", ["x", "k"]),
      node("SpaceToDepth", "deep", ["c"], { block_size: { i: "2" } }),
      node("Conv2D", "d", ["deep", "k2"]),
      node("DepthToSpace", "flat", ["d"], { block_size: { i: "2" } }),
      node("Conv2D", "e", ["flat", "k3"]),
    ],
    tensors: [kernel("k", 3, 2), kernel("k2", 8, 4), kernel("k3", 1, 1)],
    wires: [
      "k: x -> k [tap1 tap1 in3 out2]",
      "k2: k -> k2 [tap1 tap1 in8 tap4 out1]",
      "k3: k2 -> k3 [tap1 tap1 in1 out1]",
    ],
  },
  {
    name: "a constant beside a flow: neurons of its own; a slice takes some of them",
    nodes: [
      placeholderNode("x", [-1, 4]),
      node("MatMul", "a", ["x", "w1"]),
      node("ConcatV2", "both", ["a", "token", "last"]),
      node("Slice", "some", ["both", "begin", "size"]),
      node("MatMul", "b", ["some", "w2"]),
    ],
    tensors: [
      { name: "w1", shape: [4, 3] },
      { name: "token", shape: [1, 2] },
      integers("last", [1]),
      integers("begin", [0, 1]),
      integers("size", [-1, 3]),
      { name: "w2", shape: [3, 1] },
    ],
    wires: ["w1: x -> w1 [in4 out3]", "w2: w1+constants of both -> w2 [in3 out1]"],
  },
  {
    name: "a dense layer along the last of three axes: shapes computed in the graph",
    nodes: [
      placeholderNode("x", [-1, -1, 4]),
      node("Shape", "shape", ["x"]),
      node("GatherV2", "free", ["shape", "front", "zero"]),
      node("GatherV2", "summed", ["shape", "back", "zero"]),
      node("Prod", "rows", ["free", "zero"]),
      node("Prod", "columns", ["summed", "zero"]),
      node("Pack", "flatShape", ["rows", "columns"], { axis: { i: "0" } }),
      node("Reshape", "flat", ["x", "flatShape"]),
      node("MatMul", "product", ["flat", "w"]),
      node("ConcatV2", "outShape", ["free", "units", "zero"]),
      node("Reshape", "y", ["product", "outShape"]),
      node("Mean", "mean", ["y", "one"]),
      node("MatMul", "z", ["mean", "w2"]),
    ],
    tensors: [
      integers("front", [0, 1]),
      integers("back", [2]),
      { ...integers("zero", [0]), shape: [] },
      { ...integers("one", [1]), shape: [] },
      integers("units", [3]),
      { name: "w", shape: [4, 3] },
      { name: "w2", shape: [3, 1] },
    ],
    wires: ["w: x -> w [in4 out3]", "w2: w -> w2 [in3 out1]"],
  },
  {
    name: "words by number, an average of words, words by their code",
    nodes: [
      placeholderNode("ids", [-1, 7]),
      node("ResourceGather", "look", ["table", "ids"]),
      node("Mean", "mean", ["look", "one"]),
      node("MatMul", "a", ["mean", "w"]),
      node("OneHot", "code", ["ids", "depth", "on", "off"]),
      node("BatchMatMulV2", "b", ["code", "w2"]),
    ],
    tensors: [
      { name: "table", shape: [5, 2] },
      { ...integers("one", [1]), shape: [] },
      { name: "w", shape: [2, 1] },
      { ...integers("depth", [5]), shape: [] },
      { name: "on", shape: [] },
      { name: "off", shape: [] },
      { name: "w2", shape: [5, 3] },
    ],
    wires: [
      "table: words of table -> table [in5 out2]",
      "w: table -> w [in2 out1]",
      "w2: ids -> w2 [in5 out3]",
    ],
  },
  {
    name: "halves that gate each other are one neuron each",
    nodes: [
      placeholderNode("x", [-1, 4]),
      node("MatMul", "a", ["x", "w"]),
      node("Split", "halves", ["last", "a"], { num_split: { i: "2" } }),
      node("Sigmoid", "gate", ["halves:1"]),
      node("Mul", "gated", ["halves", "gate"]),
      node("MatMul", "b", ["gated", "w2"]),
    ],
    tensors: [{ name: "w", shape: [4, 6] }, integers("last", [1]), { name: "w2", shape: [3, 1] }],
    wires: ["w: x -> w [in4 tap2 out3]", "w2: w -> w2 [in3 out1]"],
  },
  {
    name: "weights cast before they are used; weights cut in the graph are told",
    nodes: [
      placeholderNode("x", [-1, 4]),
      node("Cast", "cast", ["w"]),
      node("StopGradient", "still", ["cast"]),
      node("MatMul", "a", ["x", "still"]),
      node("Split", "parts", ["axis", "w2"], { num_split: { i: "2" } }),
      node("MatMul", "b", ["a", "parts:1"]),
    ],
    tensors: [
      { name: "w", shape: [4, 3] },
      { name: "w2", shape: [3, 2] },
      { ...integers("axis", [1]), shape: [] },
    ],
    wires: ["w: x -> w [in4 out3]", "w2: w -> w2 [in3 out2]"],
    warnings: ["WEIGHTS_COMPUTED"],
  },
  {
    name: "a signal padded at its ends before it becomes a channel",
    nodes: [
      placeholderNode("x", [-1, 9]),
      node("MirrorPad", "padded", ["x", "paddings"]),
      node("ExpandDims", "deep", ["padded", "last"]),
      node("Conv1D", "c", ["deep", "k"]),
    ],
    tensors: [
      { ...integers("paddings", [0, 0, 2, 2]), shape: [2, 2] },
      integers("last", [-1]),
      { name: "k", shape: [3, 1, 2] },
    ],
    wires: ["k: x -> k [tap3 in1 out2]"],
  },
  {
    name: "operators nobody described are counted",
    nodes: [
      placeholderNode("x", [-1, 4]),
      node("Odd", "a", ["x"]),
      node("Odd", "b", ["a"]),
      node("Even", "c", ["b", "loose"]),
      node("MatMul", "d", ["c", "w"]),
    ],
    tensors: [{ name: "w", shape: [4, 1] }, vector("loose")],
    wires: ["w: x -> w [in4 out1]"],
    warnings: ["OPERATOR_UNKNOWN"],
  },
];

describe("wires of blocks (expected by hand)", () => {
  test.each(rows)("$name", async ({ nodes, tensors, wires, warnings = [] }) => {
    const model = await read(nodes, tensors);
    expect(wiresOf(model)).toEqual(wires);
    expect(model.warnings.map(({ code }) => code)).toEqual(warnings);
  });

  test("an unknown operator is named with its count, what it reads is unexplained", async () => {
    const { nodes, tensors } = rows.at(-1)!;
    const model = await read(nodes, tensors);
    expect(model.warnings[0]!.message).toContain("Odd (2 nodes), Even");
    expect(rolesOf(model)["loose"]).toBe("unknown");
  });
});

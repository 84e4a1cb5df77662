import { describe, expect, test } from "vitest";
import { readModel } from "../../../src/index.ts";
import { integers, tfjsSource, type TfjsTensor } from "../../helpers/tfjs.ts";
import { wiresOf } from "../../helpers/topology.ts";

const node = (op: string, name: string, input: readonly string[], attr: object = {}): object => ({
  name,
  op,
  input,
  attr,
});
const constants = (tensors: readonly TfjsTensor[]): object[] =>
  tensors.map(({ name }) => node("Const", name, []));
const image = node("Placeholder", "x", [], {
  shape: { shape: { dim: [{ size: "-1" }, { size: "4" }, { size: "4" }, { size: "3" }] } },
});
const vector = node("Placeholder", "x", [], {
  shape: { shape: { dim: [{ size: "-1" }, { size: "4" }] } },
});
const flag = (b: boolean): object => ({ b });

interface Row {
  readonly name: string;
  readonly nodes: readonly object[];
  readonly tensors: readonly TfjsTensor[];
  readonly wires: readonly string[];
  readonly warnings?: readonly string[];
}

const rows: readonly Row[] = [
  {
    name: "a residual sum, a mean, a flatten by Reshape",
    nodes: [
      image,
      node("Conv2D", "c1", ["x", "k1"]),
      node("Relu", "r1", ["c1"]),
      node("_FusedConv2D", "c2", ["r1", "k2", "b2"]),
      node("AddV2", "sum", ["r1", "c2"]),
      node("MaxPool", "pool", ["sum"]),
      node("Reshape", "flat", ["pool", "flatShape"]),
      node("MatMul", "fc", ["flat", "w"]),
      node("Identity", "out", ["fc"]),
    ],
    tensors: [
      { name: "k1", shape: [3, 3, 3, 2] },
      { name: "k2", shape: [1, 1, 2, 2] },
      { name: "b2", shape: [2] },
      integers("flatShape", [-1, 8]),
      { name: "w", shape: [8, 1] },
    ],
    wires: [
      "k1: x -> k1 [tap3 tap3 in3 out2]",
      "k2: k1 -> k1 [tap1 tap1 in2 out2]",
      "w: k1 -> w [tap4 in2 out1]",
    ],
  },
  {
    name: "channels in front: transposed, convolved, transposed back and flattened",
    nodes: [
      node("Placeholder", "x", [], {
        shape: { shape: { dim: [{ size: "-1" }, { size: "3" }, { size: "4" }, { size: "4" }] } },
      }),
      node("Transpose", "last", ["x", "toLast"]),
      node("Conv2D", "c1", ["last", "k1"]),
      node("Transpose", "first", ["c1", "toFirst"]),
      node("Reshape", "flat", ["first", "flatShape"]),
      node("MatMul", "fc", ["flat", "w"], { transpose_b: flag(true) }),
    ],
    tensors: [
      integers("toLast", [0, 2, 3, 1]),
      integers("toFirst", [0, 3, 1, 2]),
      { name: "k1", shape: [3, 3, 3, 2] },
      integers("flatShape", [-1, 8]),
      { name: "w", shape: [1, 8] },
    ],
    wires: ["k1: x -> k1 [tap3 tap3 in3 out2]", "w: k1 -> w [out1 in2 tap4]"],
  },
  {
    name: "weights behind Identity, Transpose and Reshape",
    nodes: [
      vector,
      node("Identity", "read", ["w1"]),
      node("Transpose", "turned", ["read", "swap"]),
      node("MatMul", "a", ["x", "turned"]),
      node("Reshape", "merged", ["w2", "mergedShape"]),
      node("MatMul", "b", ["a", "merged"]),
    ],
    tensors: [
      { name: "w1", shape: [3, 4] },
      integers("swap", [1, 0]),
      { name: "w2", shape: [3, 2, 2] },
      integers("mergedShape", [3, 4]),
    ],
    wires: ["w1: x -> w1 [out3 in4]", "w2: w1 -> w2 [in3 out2 out2]"],
  },
  {
    name: "depthwise, grouped and transposed convolutions, concatenated channels",
    nodes: [
      image,
      node("DepthwiseConv2dNative", "d", ["x", "kd"]),
      node("Conv2D", "g", ["d", "kg"]),
      node("ConcatV2", "both", ["g", "d", "axis"]),
      node("Conv2DBackpropInput", "up", ["size", "ku", "both"]),
    ],
    tensors: [
      { name: "kd", shape: [3, 3, 3, 2] },
      { name: "kg", shape: [1, 1, 3, 4] },
      integers("axis", [3]),
      integers("size", [1, 8, 8, 1]),
      { name: "ku", shape: [2, 2, 1, 10] },
    ],
    wires: [
      "kd: x -> kd [tap3 tap3 group3 out2]",
      "kg: kd -> kg [tap1 tap1 in3 group2 out2]",
      "ku: kg+kd -> ku [tap2 tap2 out1 in10]",
    ],
  },
  {
    name: "split, reduced, squeezed: channels keep their names",
    nodes: [
      image,
      node("Conv2D", "c", ["x", "k"]),
      node("Split", "halves", ["last", "c"], { num_split: { i: "2" } }),
      node("Mean", "mean", ["halves:1", "places"], { keep_dims: flag(false) }),
      node("ExpandDims", "wide", ["mean", "front"]),
      node("Squeeze", "narrow", ["wide"], { squeeze_dims: { list: { i: ["1"] } } }),
      node("MatMul", "fc", ["narrow", "w"]),
      node("GatherV2", "look", ["table", "ids", "zero"]),
      node("MatMul", "fc2", ["look", "w2"]),
    ],
    tensors: [
      { name: "k", shape: [1, 1, 3, 4] },
      integers("last", [-1]),
      integers("places", [1, 2]),
      integers("front", [1]),
      { name: "w", shape: [2, 1] },
      { name: "table", shape: [5, 2] },
      integers("zero", [0]),
      { name: "w2", shape: [2, 1] },
    ],
    wires: [
      "k: x -> k [tap1 tap1 in3 out4]",
      "w: k -> w [in2 out1]",
      "table: words of table -> table [in5 out2]",
      "w2: table -> w2 [in2 out1]",
    ],
  },
  {
    name: "an unknown operator, a lost axis, a loop",
    nodes: [
      vector,
      node("MatMul", "a", ["x", "w1"]),
      node("Strange", "s", ["a", "next"]),
      node("MatMul", "b", ["s", "w2"]),
      node("Sum", "lost", ["b", "last"], {}),
      node("MatMul", "c", ["lost", "w3"]),
      node("NextIteration", "next", ["s"]),
    ],
    tensors: [
      { name: "w1", shape: [4, 2] },
      { name: "w2", shape: [2, 3] },
      { name: "w3", shape: [1, 1] },
      integers("last", [-1]),
    ],
    wires: ["w1: x -> w1 [in4 out2]", "w2: w1 -> w2 [in2 out3]", "w3: before w3 -> w3 [in1 out1]"],
    warnings: ["OPERATOR_UNKNOWN", "TOPOLOGY_BROKEN"],
  },
];

describe("wires of a TensorFlow graph (expected by hand)", () => {
  test.each(rows)("$name", async ({ nodes, tensors, wires, warnings = [] }) => {
    const topology = { node: [...constants(tensors), ...nodes] };
    const model = await readModel(tfjsSource(topology, tensors));
    expect(wiresOf(model)).toEqual(wires);
    expect(model.format).toBe("tfjs-graph");
    expect(model.warnings.map(({ code }) => code)).toEqual(warnings);
  });
});

test("nodes may stand in any order", async () => {
  const { nodes, tensors, wires } = rows[0]!;
  const topology = { node: [...nodes, ...constants(tensors)].reverse() };
  expect(wiresOf(await readModel(tfjsSource(topology, tensors)))).toEqual(wires);
});

test("roles of what stands beside the weights", async () => {
  const { nodes, tensors } = rows[0]!;
  const model = await readModel(tfjsSource({ node: [...constants(tensors), ...nodes] }, tensors));
  const roles = Object.fromEntries(model.tensors.map(({ name, role }) => [name, role]));
  expect(roles).toEqual({
    k1: "weight",
    k2: "weight",
    b2: "bias",
    flatShape: "constant",
    w: "weight",
  });
  expect(model.layers.map(({ op }) => op)).toEqual(["Conv2D", "_FusedConv2D", "MatMul"]);
});

/** Loops, conditions and calls in TensorFlow graphs: an LSTM as the converter writes it, in both ways of writing a loop. */
import { describe, expect, test } from "vitest";
import { isWeightGraphError, readModel } from "../../../src/index.ts";
import {
  constantNodes,
  graphNode as node,
  placeholderNode,
  tfjsSource,
  type TfjsTensor,
} from "../../helpers/tfjs.ts";
import { functionAttribute, lstmGraphs, lstmTensors } from "../../helpers/tfjsGraphs.ts";
import { neuronLayersOf, wiresOf } from "../../helpers/topology.ts";

const { framed, functional } = lstmGraphs;

describe("an LSTM of two units (expected by hand)", () => {
  test.each([
    { name: "Enter to Exit", topology: framed },
    { name: "Enter to Exit, last node first", topology: { node: framed.node.toReversed() } },
    { name: "StatelessWhile", topology: functional },
  ])("$name", async ({ topology }) => {
    const model = await readModel(tfjsSource(topology, lstmTensors));
    expect(wiresOf(model)).toEqual(
      expect.arrayContaining([
        "k: x -> k [in3 tap4 out2]",
        "r: k ~> k [in2 tap4 out2]",
        "w: k -> w [in2 out1]",
      ]),
    );
    expect(neuronLayersOf(model)).toEqual({ x: 3, k: 2, w: 1 });
    expect(model.warnings).toEqual([]);
    expect(model.tensors.map(({ name, role }) => `${name} ${role}`).slice(0, 4)).toEqual([
      "k weight",
      "r weight",
      "b bias",
      "w weight",
    ]);
  });
});

const dense = (name: string, weight: string): object => ({
  signature: { name, inputArg: [{ name: "a" }, { name: weight }], outputArg: [{ name: "y" }] },
  nodeDef: [node("MatMul", "product", ["a", weight])],
  ret: { y: "product:product:0" },
});

test("both branches of a condition are walked, and what they put out is one layer", async () => {
  const own: TfjsTensor[] = [
    { name: "w1", shape: [4, 2] },
    { name: "w2", shape: [4, 2] },
    { name: "w3", shape: [2, 1] },
    { name: "pick", shape: [], dtype: "bool", bytes: Uint8Array.of(1) },
  ];
  const library = {
    function: [
      {
        ...dense("then", "w1"),
        signature: {
          name: "then",
          inputArg: [{ name: "a" }, { name: "w1" }, { name: "w2" }],
          outputArg: [{ name: "y" }],
        },
      },
      {
        ...dense("else", "w2"),
        signature: {
          name: "else",
          inputArg: [{ name: "a" }, { name: "w1" }, { name: "w2" }],
          outputArg: [{ name: "y" }],
        },
      },
      dense("last", "w3"),
    ],
  };
  const nodes = [
    placeholderNode("x", [-1, 4]),
    node("If", "choice", ["pick", "x", "w1", "w2"], {
      then_branch: functionAttribute("then"),
      else_branch: functionAttribute("else"),
    }),
    node("StatefulPartitionedCall", "call", ["choice", "w3"], { f: functionAttribute("last") }),
  ];
  const graph = { node: [...constantNodes(own), ...nodes], library };
  const model = await readModel(tfjsSource(graph, own));
  expect(wiresOf(model)).toEqual([
    "w1: x -> w1 [in4 out2]",
    "w2: x -> w1 [in4 out2]",
    "w3: w1 -> w3 [in2 out1]",
  ]);
  expect(model.warnings).toEqual([]);
});

test("a condition of two ways that meet again (Switch, Merge)", async () => {
  const own: TfjsTensor[] = [
    { name: "w1", shape: [4, 2] },
    { name: "w2", shape: [4, 2] },
    { name: "w3", shape: [2, 1] },
    { name: "pick", shape: [], dtype: "bool", bytes: Uint8Array.of(1) },
  ];
  const nodes = [
    placeholderNode("x", [-1, 4]),
    node("Switch", "way", ["x", "pick"]),
    node("MatMul", "a", ["way", "w1"]),
    node("MatMul", "b", ["way:1", "w2"]),
    node("Merge", "meet", ["a", "b"]),
    node("MatMul", "c", ["meet", "w3"]),
  ];
  const model = await readModel(tfjsSource({ node: [...constantNodes(own), ...nodes] }, own));
  expect(wiresOf(model)).toEqual([
    "w1: x -> w1 [in4 out2]",
    "w2: x -> w1 [in4 out2]",
    "w3: w1 -> w3 [in2 out1]",
  ]);
});

test.each([
  { name: "a function that calls itself", calls: ["f"] },
  { name: "functions that double at every level", calls: ["f", "f"] },
])("$name has no end and is refused", async ({ calls }) => {
  const f = {
    signature: { name: "f", inputArg: [{ name: "a" }], outputArg: [{ name: "y" }] },
    nodeDef: calls.map((name, i) =>
      node("PartitionedCall", `c${i}`, ["a"], { f: functionAttribute(name) }),
    ),
    ret: { y: "c0:output:0" },
  };
  const graph = {
    node: [placeholderNode("x", [-1, 4]), node("f", "call", ["x"])],
    library: { function: [f] },
  };
  const error: unknown = await readModel(tfjsSource(graph, [])).catch((e) => e);
  expect(isWeightGraphError(error, "FORMAT_LIMIT"), String(error)).toBe(true);
});

/** Loops, conditions and calls in TensorFlow graphs: an LSTM as the converter writes it, in both ways of writing a loop. */
import { describe, expect, test } from "vitest";
import { isWeightGraphError, readModel } from "../../../src/index.ts";
import {
  constantNodes,
  graphNode as node,
  integers,
  placeholderNode,
  tfjsSource,
  type TfjsTensor,
} from "../../helpers/tfjs.ts";
import { neuronLayersOf, wiresOf } from "../../helpers/topology.ts";

const func = (name: string): object => ({ func: { name } });
const tensors: readonly TfjsTensor[] = [
  { name: "k", shape: [3, 8] },
  { name: "r", shape: [2, 8] },
  { name: "b", shape: [8] },
  { name: "w", shape: [2, 1] },
  { name: "limit", shape: [], dtype: "int32" },
  { name: "one", shape: [], dtype: "int32" },
  integers("timeFirst", [1, 0, 2]),
  integers("batchFirst", [1, 0, 2]),
];

/** One round of an LSTM of two units: gates i, f, c, o. */
const cell = (at: {
  x: string;
  h: string;
  c: string;
  k: string;
  r: string;
  b: string;
}): object[] => [
  node("MatMul", "xk", [at.x, at.k]),
  node("MatMul", "hr", [at.h, at.r]),
  node("AddV2", "z", ["xk", "hr"]),
  node("BiasAdd", "zb", ["z", at.b]),
  node("Split", "gates", ["one", "zb"], { num_split: { i: "4" } }),
  node("Sigmoid", "i", ["gates"]),
  node("Sigmoid", "f", ["gates:1"]),
  node("Mul", "fc", ["f", at.c]),
  node("Tanh", "j", ["gates:2"]),
  node("Mul", "ij", ["i", "j"]),
  node("AddV2", "cNew", ["fc", "ij"]),
  node("Sigmoid", "o", ["gates:3"]),
  node("Tanh", "cTanh", ["cNew"]),
  node("Mul", "hNew", ["o", "cTanh"]),
];

const before = [
  placeholderNode("x", [-1, 5, 3]),
  node("Transpose", "xt", ["x", "timeFirst"]),
  node("TensorListFromTensor", "list", ["xt", "limit"]),
  node("Fill", "zeros", ["limit", "limit"]),
  node("TensorListReserve", "outList", ["limit", "limit"]),
];
const after = (list: string): object[] => [
  node("TensorListStack", "stack", [list, "limit"]),
  node("Transpose", "sequence", ["stack", "batchFirst"]),
  node("BatchMatMulV2", "y", ["sequence", "w"]),
];

const states = ["n", "h", "c", "out"];
const enters = { n: "limit", h: "zeros", c: "zeros", out: "outList" };
const framed = [
  ...before,
  ...Object.entries(enters).map(([name, from]) => node("Enter", `${name}Enter`, [from])),
  ...["k", "r", "b", "list"].map((name) => node("Enter", `${name}In`, [name])),
  ...states.map((name) => node("Merge", `${name}Merge`, [`${name}Enter`, `${name}Next`])),
  node("Less", "more", ["nMerge", "limit"]),
  node("LoopCond", "go", ["more"]),
  ...states.map((name) => node("Switch", `${name}Switch`, [`${name}Merge`, "go"])),
  ...states.map((name) => node("Identity", `${name}Now`, [`${name}Switch:1`])),
  node("TensorListGetItem", "item", ["listIn", "nNow", "limit"]),
  ...cell({ x: "item", h: "hNow", c: "cNow", k: "kIn", r: "rIn", b: "bIn" }),
  node("TensorListSetItem", "outNew", ["outNow", "nNow", "hNew"]),
  node("AddV2", "nNew", ["nNow", "one"]),
  ...states.map((name) => node("NextIteration", `${name}Next`, [`${name}New`])),
  ...states.map((name) => node("Exit", `${name}Exit`, [`${name}Switch`])),
  ...after("outExit"),
];

const argumentNames = ["n", "h", "c", "out", "list", "k", "r", "b"];
const body = {
  signature: {
    name: "body",
    inputArg: argumentNames.map((name) => ({ name })),
    outputArg: argumentNames.map((name) => ({ name: `${name}_out` })),
  },
  nodeDef: [
    node("Const", "one"),
    node("TensorListGetItem", "item", ["list", "n", "n"]),
    ...cell({ x: "item:item:0", h: "h", c: "c", k: "k", r: "r", b: "b" }),
    node("TensorListSetItem", "outNew", ["out", "n", "hNew:z:0"]),
    node("AddV2", "nNew", ["n", "one:output:0"]),
    node("Identity", "same", ["k"]),
  ],
  ret: {
    n_out: "nNew:z:0",
    h_out: "hNew:z:0",
    c_out: "cNew:z:0",
    out_out: "outNew:output_handle:0",
    list_out: "list",
    k_out: "same:output:0",
    r_out: "r",
    b_out: "b",
  },
};
const condition = {
  signature: { name: "cond", inputArg: [{ name: "n" }], outputArg: [{ name: "more" }] },
  nodeDef: [node("Less", "less", ["n", "n"])],
  ret: { more: "less:z:0" },
};
const functional = [
  ...before,
  node("StatelessWhile", "loop", ["limit", "zeros", "zeros", "outList", "list", "k", "r", "b"], {
    body: func("body"),
    cond: func("cond"),
  }),
  ...after("loop:3"),
];

describe("an LSTM of two units (expected by hand)", () => {
  test.each([
    { name: "Enter to Exit", topology: { node: framed } },
    { name: "Enter to Exit, last node first", topology: { node: framed.toReversed() } },
    {
      name: "StatelessWhile",
      topology: { node: functional, library: { function: [body, condition] } },
    },
  ])("$name", async ({ topology }) => {
    const graph = { ...topology, node: [...constantNodes(tensors), ...topology.node] };
    const model = await readModel(tfjsSource(graph, tensors));
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
      then_branch: func("then"),
      else_branch: func("else"),
    }),
    node("StatefulPartitionedCall", "call", ["choice", "w3"], { f: func("last") }),
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
    nodeDef: calls.map((name, i) => node("PartitionedCall", `c${i}`, ["a"], { f: func(name) })),
    ret: { y: "c0:output:0" },
  };
  const graph = {
    node: [placeholderNode("x", [-1, 4]), node("f", "call", ["x"])],
    library: { function: [f] },
  };
  const error: unknown = await readModel(tfjsSource(graph, [])).catch((e) => e);
  expect(isWeightGraphError(error, "FORMAT_LIMIT"), String(error)).toBe(true);
});

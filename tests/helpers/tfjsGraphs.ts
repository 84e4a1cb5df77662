/** TensorFlow graphs of some size: an LSTM as the converter writes it, in both ways of writing a loop, and an attention. */
import {
  constantNodes,
  graphNode as node,
  integers,
  placeholderNode,
  type TfjsTensor,
} from "./tfjs.ts";

export const functionAttribute = (name: string): object => ({ func: { name } });
export const lstmTensors: readonly TfjsTensor[] = [
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
    body: functionAttribute("body"),
    cond: functionAttribute("cond"),
  }),
  ...after("loop:3"),
];

/** Two units; the nodes in reading order, constants first. */
export const lstmGraphs: Readonly<Record<"framed" | "functional", GraphTopology>> = {
  framed: { node: [...constantNodes(lstmTensors), ...framed] },
  functional: {
    node: [...constantNodes(lstmTensors), ...functional],
    library: { function: [body, condition] },
  },
};

export interface GraphTopology {
  readonly node: readonly object[];
  readonly library?: { readonly function: readonly object[] };
}

export const attentionTensors: readonly TfjsTensor[] = [
  { name: "w", shape: [4, 12] },
  { name: "b", shape: [12], bytes: new Uint8Array(24), quantization: { dtype: "float16" } },
  { name: "wo", shape: [4, 1] },
  integers("three", [-1, 7, 3, 2, 2]),
  integers("toFront", [2, 0, 3, 1, 4]),
  integers("swap", [0, 2, 1, 3]),
  integers("join", [-1, 7, 4]),
];

/** Two heads from one matrix for query, key and value. */
export const attentionGraph: GraphTopology = {
  node: [
    ...constantNodes(attentionTensors),
    placeholderNode("x", [-1, 7, 4]),
    node("BatchMatMulV2", "qkv", ["x", "w"]),
    node("AddV2", "biased", ["qkv", "b"]),
    node("Reshape", "five", ["biased", "three"]),
    node("Transpose", "front", ["five", "toFront"]),
    node("Unpack", "parts", ["front"], { num: { i: "3" }, axis: { i: "0" } }),
    node("BatchMatMulV2", "scores", ["parts", "parts:1"], { adj_y: { b: true } }),
    node("Softmax", "shares", ["scores"]),
    node("BatchMatMulV2", "mix", ["shares", "parts:2"]),
    node("Transpose", "back", ["mix", "swap"]),
    node("Reshape", "joined", ["back", "join"]),
    node("BatchMatMulV2", "o", ["joined", "wo"]),
  ],
};

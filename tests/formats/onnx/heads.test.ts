/** Heads where activations meet in ONNX graphs: which rows and columns are whose, by hand. */
import { describe, expect, test } from "vitest";
import { memorySource, readModel } from "../../../src/index.ts";
import {
  apart,
  dense,
  end,
  headsOf,
  projected,
  separate,
  sizes,
  splitOf,
  squares,
  together,
} from "../../helpers/attention.ts";
import {
  integers,
  microsoftNode,
  node,
  onnxModel,
  tensor,
  type GraphNode,
  type Tensor,
} from "../../helpers/onnxModel.ts";

describe("ONNX (hand)", () => {
  test.each<{ name: string; initializers: Tensor[]; nodes: GraphNode[]; heads: string[] }>([
    {
      name: "products of activations, as PyTorch exports them",
      initializers: [...squares, ...sizes, end],
      nodes: [
        ...projected,
        ...apart([0, 2, 1, 3], ["q", "v"]),
        ...apart([0, 2, 3, 1], ["k"]),
        node("MatMul", ["q3", "k3"], ["s"]),
        node("Softmax", ["s"], ["a"]),
        node("MatMul", ["a", "v3"], ["y"]),
        ...together,
      ],
      heads: separate("0 1"),
    },
    {
      name: "Einsum, heads between positions and width",
      initializers: [...squares, ...sizes, end],
      nodes: [
        ...projected,
        ...["q", "k", "v"].map((name) => node("Reshape", [`${name}1`, "heads"], [`${name}2`])),
        node("Einsum", ["q2", "k2"], ["s"], { equation: "bthd,bshd->bhts" }),
        node("Softmax", ["s"], ["a"]),
        node("Einsum", ["a", "v2"], ["y1"], { equation: "bhts,bshd->bthd" }),
        node("Reshape", ["y1", "flat"], ["y2"]),
        dense("y2", "end", "out"),
      ],
      heads: separate("0 1"),
    },
    {
      name: "Einsum with the key on the left, its positions last, as Keras exports it",
      initializers: [...squares, ...sizes, end],
      nodes: [
        ...projected,
        ...["q", "k", "v"].map((name) => node("Reshape", [`${name}1`, "heads"], [`${name}2`])),
        node("Einsum", ["k2", "q2"], ["s"], { equation: "aecd,abcd->acbe" }),
        node("Softmax", ["s"], ["a"]),
        node("Einsum", ["a", "v2"], ["y1"], { equation: "acbe,aecd->abcd" }),
        node("Reshape", ["y1", "flat"], ["y2"]),
        dense("y2", "end", "out"),
      ],
      heads: separate("0 1"),
    },
    {
      name: "linear attention: keys meet values first",
      initializers: [...squares, ...sizes, end],
      nodes: [
        ...projected,
        ...apart([0, 2, 1, 3], ["q", "v"]),
        ...apart([0, 2, 3, 1], ["k"]),
        node("MatMul", ["k3", "v3"], ["m"]),
        node("MatMul", ["q3", "m"], ["y"]),
        ...together,
      ],
      heads: separate("0 1"),
    },
    {
      name: "Attention of com.microsoft: one matrix",
      initializers: [tensor("qkv", [4, 12]), tensor("b", [12]), end],
      nodes: [
        microsoftNode("Attention", ["x", "qkv", "b"], ["y"], { num_heads: 2 }),
        dense("y", "end", "out"),
      ],
      heads: [
        "qkv query head 0: 0 1",
        "qkv query head 1: 2 3",
        "qkv key head 0: 4 5",
        "qkv key head 1: 6 7",
        "qkv value head 0: 8 9",
        "qkv value head 1: 10 11",
        "end output head 0: 8 9",
        "end output head 1: 10 11",
      ],
    },
    {
      name: "MultiHeadAttention of com.microsoft",
      initializers: [...squares, end],
      nodes: [
        ...projected,
        microsoftNode("MultiHeadAttention", ["q1", "k1", "v1"], ["y"], { num_heads: 2 }),
        dense("y", "end", "out"),
      ],
      heads: separate("0 1"),
    },
    {
      name: "MultiHeadAttention with all three side by side in each head",
      initializers: [tensor("p", [4, 12]), integers("packed", [0, 0, 2, 3, 2]), end],
      nodes: [
        dense("x", "p", "p1"),
        node("Reshape", ["p1", "packed"], ["p2"]),
        microsoftNode("MultiHeadAttention", ["p2"], ["y"], { num_heads: 2 }),
        dense("y", "end", "out"),
      ],
      heads: [
        "p query head 0: 0 1",
        "p key head 0: 2 3",
        "p value head 0: 4 5",
        "p query head 1: 6 7",
        "p key head 1: 8 9",
        "p value head 1: 10 11",
        "end output head 0: 4 5",
        "end output head 1: 10 11",
      ],
    },
    {
      name: "GroupQueryAttention of one packed input",
      initializers: [tensor("p", [4, 16]), tensor("end", [8, 1])],
      nodes: [
        dense("x", "p", "p1"),
        microsoftNode("GroupQueryAttention", ["p1", "", ""], ["y"], {
          num_heads: 4,
          kv_num_heads: 2,
        }),
        dense("y", "end", "out"),
      ],
      heads: [
        "p query head 0: 0 1",
        "p query head 1: 2 3",
        "p query head 2: 4 5",
        "p query head 3: 6 7",
        "p key head 0: 8 9",
        "p key head 1: 10 11",
        "p value head 0: 12 13",
        "p value head 1: 14 15",
        "end output head 0: 12 13",
        "end output head 1: 12 13",
        "end output head 2: 14 15",
        "end output head 3: 14 15",
      ],
    },
    {
      name: "Attention of opset 23, its heads apart",
      initializers: [...squares, ...sizes, end],
      nodes: [
        ...projected,
        ...apart([0, 2, 1, 3], ["q", "k", "v"]),
        node("Attention", ["q3", "k3", "v3"], ["y"]),
        ...together,
      ],
      heads: separate("0 1"),
    },
    {
      name: "DecoderAttention",
      initializers: [tensor("q", [4, 4]), tensor("kv", [4, 8]), tensor("b", [12]), end],
      nodes: [
        microsoftNode("DecoderAttention", ["x", "x", "q", "kv", "b"], ["y"], { num_heads: 2 }),
        dense("y", "end", "out"),
      ],
      heads: [
        "q query head 0: 0 1",
        "q query head 1: 2 3",
        "kv key head 0: 0 1",
        "kv key head 1: 2 3",
        "kv value head 0: 4 5",
        "kv value head 1: 6 7",
        "end output head 0: 4 5",
        "end output head 1: 6 7",
      ],
    },
  ])("$name", async ({ initializers, nodes, heads }) => {
    const bytes = onnxModel({ inputs: { x: ["N", "T", 4] }, initializers, nodes });
    const model = await readModel(memorySource(bytes, "net.onnx"));
    expect(headsOf(await splitOf(model))).toEqual(heads);
  });

  test("values repeated by Expand, the target computed, as grouped queries are exported", async () => {
    const stretch = (name: string): GraphNode[] => [
      node("Unsqueeze", [`${name}3`, "two"], [`${name}4`]),
      node("Equal", ["target", "minus"], [`${name}5`]),
      node("Where", [`${name}5`, "ones", "target"], [`${name}6`]),
      node("Expand", [`${name}4`, `${name}6`], [`${name}7`]),
      node("Reshape", [`${name}7`, "all"], [`${name}8`]),
    ];
    const bytes = onnxModel({
      inputs: { x: [1, 3, 8] },
      initializers: [
        tensor("q", [8, 8]),
        tensor("k", [8, 4]),
        tensor("v", [8, 4]),
        tensor("o", [8, 1]),
        integers("queries", [1, 3, 4, 2]),
        integers("heads", [1, 3, 2, 2]),
        integers("two", [2]),
        integers("target", [1, 2, 2, 3, 2]),
        integers("minus", [-1, -1, -1, -1, -1]),
        integers("ones", [1, 1, 1, 1, 1]),
        integers("all", [1, 4, 3, 2]),
        integers("flat", [1, 3, 8]),
      ],
      nodes: [
        ...projected,
        node("Reshape", ["q1", "queries"], ["q2"]),
        node("Transpose", ["q2"], ["q3"], { perm: [0, 2, 1, 3] }),
        ...apart([0, 2, 1, 3], ["k", "v"]),
        ...stretch("k"),
        ...stretch("v"),
        node("Transpose", ["k8"], ["k9"], { perm: [0, 1, 3, 2] }),
        node("MatMul", ["q3", "k9"], ["s"]),
        node("Softmax", ["s"], ["a"]),
        node("MatMul", ["a", "v8"], ["y"]),
        node("Transpose", ["y"], ["y1"], { perm: [0, 2, 1, 3] }),
        node("Reshape", ["y1", "flat"], ["y2"]),
        dense("y2", "o", "out"),
      ],
    });
    const model = await readModel(memorySource(bytes, "net.onnx"));
    expect(model.warnings).toEqual([]);
    expect(headsOf(await splitOf(model)).slice(-6)).toEqual([
      "v value head 0: 0 1",
      "v value head 1: 2 3",
      "o output head 0: 0 1",
      "o output head 1: 0 1",
      "o output head 2: 2 3",
      "o output head 3: 2 3",
    ]);
  });

  test("positions of a channel and heads of one neuron are none", async () => {
    const bytes = onnxModel({
      inputs: { x: ["N", 4, 6] },
      initializers: [tensor("w", [3, 4, 1]), tensor("u", [3, 4, 1])],
      nodes: [
        node("Conv", ["x", "w"], ["a"]),
        node("Conv", ["x", "u"], ["b"]),
        node("Transpose", ["b"], ["c"], { perm: [0, 2, 1] }),
        node("MatMul", ["a", "c"], ["out"]),
      ],
    });
    const { topology } = await readModel(memorySource(bytes, "net.onnx"));
    expect(topology.attention).toBeUndefined();
  });
});

/** Attention, recurrent units, embeddings: networks on sequences, counted by hand. */
import { expect, test } from "vitest";
import { layeredGraph, memorySource, readOnnx } from "../../../src/index.ts";
import { drawn } from "../../helpers/drawnGraph.ts";
import { integers, node, onnxModel, tensor, type OnnxModelParts } from "../../helpers/onnxModel.ts";

const cases: readonly { name: string; parts: OnnxModelParts; layers: string[]; wires: string[] }[] =
  [
    {
      name: "attention: scores have no neurons, values keep theirs",
      parts: {
        inputs: { x: ["N", 5, 4] },
        initializers: ["q", "k", "v", "o"].map((name) => tensor(name, [4, 4])),
        nodes: [
          node("MatMul", ["x", "q"], ["xq"]),
          node("MatMul", ["x", "k"], ["xk"]),
          node("MatMul", ["x", "v"], ["xv"]),
          node("Transpose", ["xk"], ["kt"], { perm: [0, 2, 1] }),
          node("MatMul", ["xq", "kt"], ["scores"]),
          node("Softmax", ["scores"], ["p"]),
          node("MatMul", ["p", "xv"], ["mix"]),
          node("MatMul", ["mix", "o"], ["y"]),
          node("Add", ["y", "x"], ["out"]),
        ],
      },
      layers: ["x:4", "q:4", "k:4", "v:4"],
      wires: ["q 0..3 -> 4..7", "k 0..3 -> 8..11", "v 0..3 -> 12..15", "o 12..15 -> 0..3"],
    },
    {
      name: "heads by Einsum: in, apart and together again",
      parts: {
        inputs: { x: ["N", 5, 4] },
        initializers: [tensor("v", [4, 2, 3]), tensor("o", [2, 3, 4])],
        nodes: [
          node("Einsum", ["x", "v"], ["heads"], { equation: "btd,dhk->bhtk" }),
          node("Einsum", ["heads", "o"], ["y"], { equation: "bhtk, hko -> bto" }),
        ],
      },
      layers: ["x:4", "v:6", "o:4"],
      wires: ["v 0..3 -> 4..9", "o 4..9 -> 10..13"],
    },
    {
      name: "heads by Reshape and Transpose, as PyTorch exports them",
      parts: {
        inputs: { x: ["N", "T", 4] },
        initializers: [
          ...["q", "k", "v", "o"].map((name) => tensor(name, [4, 4])),
          integers("apart", [0, 0, 2, 2]),
          integers("together", [0, 0, 4]),
        ],
        nodes: [
          ...["q", "k", "v"].flatMap((name) => [
            node("MatMul", ["x", name], [`${name}1`]),
            node("Reshape", [`${name}1`, "apart"], [`${name}2`]),
            node("Transpose", [`${name}2`], [`${name}3`], {
              perm: name === "k" ? [0, 2, 3, 1] : [0, 2, 1, 3],
            }),
          ]),
          node("MatMul", ["q3", "k3"], ["scores"]),
          node("Softmax", ["scores"], ["p"]),
          node("MatMul", ["p", "v3"], ["mix"]),
          node("Transpose", ["mix"], ["back"], { perm: [0, 2, 1, 3] }),
          node("Reshape", ["back", "together"], ["joined"]),
          node("MatMul", ["joined", "o"], ["out"]),
        ],
      },
      layers: ["x:4", "q:4", "k:4", "v:4", "o:4"],
      wires: ["q 0..3 -> 4..7", "k 0..3 -> 8..11", "v 0..3 -> 12..15", "o 12..15 -> 16..19"],
    },
    {
      name: "tokens through an embedding",
      parts: {
        inputs: { ids: ["N", "T"] },
        initializers: [
          tensor("table", [7, 3]),
          tensor("positions", [1, 5, 3]),
          tensor("w", [3, 2]),
        ],
        nodes: [
          node("Gather", ["table", "ids"], ["e"]),
          node("Add", ["e", "positions"], ["s"]),
          node("MatMul", ["s", "w"], ["y"]),
        ],
      },
      layers: ["ids:7", "table:3", "w:2"],
      wires: ["table 0..6 -> 7..9", "w 7..9 -> 10..11"],
    },
    {
      name: "a recurrent unit: gates are taps, its past is no edge",
      parts: {
        inputs: { x: [7, "N", 2] },
        initializers: [
          tensor("W", [2, 12, 2]),
          tensor("R", [2, 12, 3]),
          integers("to", [0, 0, -1]),
          tensor("w", [6, 1]),
        ],
        nodes: [
          node("LSTM", ["x", "W", "R"], ["y"], { hidden_size: 3 }),
          node("Transpose", ["y"], ["t"], { perm: [0, 2, 1, 3] }),
          node("Reshape", ["t", "to"], ["r"]),
          node("MatMul", ["r", "w"], ["z"]),
        ],
      },
      layers: ["x:2", "W:3", "W#2:3", "w:1"],
      wires: ["W 0..1 -> 2..4 x4", "W 0..1 -> 5..7 x4", "w 2..7 -> 8..8"],
    },
    {
      name: "a normalisation written out in parts",
      parts: {
        inputs: { x: ["N", 2] },
        initializers: [tensor("a", [3, 2]), tensor("g", [3]), tensor("b", [1, 3])],
        nodes: [
          node("Gemm", ["x", "a"], ["y"], { transB: 1 }),
          node("ReduceMean", ["y"], ["m"], { axes: [-1] }),
          node("Sub", ["y", "m"], ["c"]),
          node("Mul", ["c", "c"], ["q"]),
          node("ReduceMean", ["q"], ["v"], { axes: [-1] }),
          node("Sqrt", ["v"], ["s"]),
          node("Div", ["c", "s"], ["n"]),
          node("Mul", ["n", "g"], ["h"]),
          node("Gemm", ["h", "b"], ["out"], { transB: 1 }),
        ],
      },
      layers: ["x:2", "a:3", "b:1"],
      wires: ["a 0..1 -> 2..4", "b 2..4 -> 5..5"],
    },
  ];

test.each(cases)("$name", async ({ parts, layers, wires }) => {
  const model = await readOnnx(memorySource(onnxModel(parts), "net.onnx"));
  expect(drawn(await layeredGraph(model))).toEqual({ layers, wires });
  expect(model.warnings).toEqual([]);
});

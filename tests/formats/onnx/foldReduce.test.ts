/** Weights behind sums, parts and bounds of constants; values by hand. */
import { expect, test } from "vitest";
import { memorySource, readOnnx } from "../../../src/index.ts";
import { integers, node, onnxModel, tensor, type OnnxModelParts } from "../../helpers/onnxModel.ts";
import { wiresOf } from "../../helpers/topology.ts";

const read = (parts: OnnxModelParts) => readOnnx(memorySource(onnxModel(parts), "net.onnx"));
const x = { x: ["N", 2] };
const v = tensor("v", [2, 2], [3, 4, 0, 5]);
const weighted = node("Gemm", ["x", "w"], ["y"], { transB: 1 });

const cases: readonly { name: string; parts: OnnxModelParts; values: number[] }[] = [
  {
    name: "weight normalisation: rows of length 5 scaled to 2 and 10",
    parts: {
      inputs: x,
      initializers: [v, tensor("g", [2, 1], [2, 10])],
      nodes: [
        node("ReduceL2", ["v"], ["length"], { axes: [1] }),
        node("Div", ["v", "length"], ["unit"]),
        node("Mul", ["unit", "g"], ["w"]),
        weighted,
      ],
    },
    values: [1.2, 1.6, 0, 10],
  },
  {
    name: "weights less the mean of their column",
    parts: {
      inputs: x,
      initializers: [v, integers("axes", [0])],
      nodes: [
        node("ReduceMean", ["v", "axes"], ["mean"], { keepdims: 0 }),
        node("Sub", ["v", "mean"], ["w"]),
        weighted,
      ],
    },
    values: [1.5, -0.5, -1.5, 0.5],
  },
  {
    name: "bounds",
    parts: {
      inputs: x,
      initializers: [v, tensor("low", [], [1]), tensor("high", [], [4])],
      nodes: [node("Clip", ["v", "low", "high"], ["w"]), weighted],
    },
    values: [3, 4, 1, 4],
  },
];

test.each(cases)("$name", async ({ parts, values }) => {
  const model = await read(parts);
  expect(model.warnings).toEqual([]);
  const own = await model.layers[0]!.tensor.read();
  values.forEach((value, i) => expect(own[i]).toBeCloseTo(value, 6));
});

test("a matrix that is split at run time is as many layers", async () => {
  const model = await read({
    inputs: x,
    initializers: [tensor("qkv", [2, 6], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])],
    nodes: [
      node("Split", ["qkv"], ["q", "k", "v"], { axis: 1 }),
      ...["q", "k", "v"].map((name) => node("MatMul", ["x", name], [`${name}1`])),
    ],
  });
  expect(model.layers.map((layer) => layer.out)).toEqual([2, 2, 2]);
  expect(Array.from(await model.layers[2]!.tensor.read())).toEqual([5, 6, 11, 12]);
});

test("a table of angles is no embedding, a table of words is", async () => {
  const angles = (turn: (angle: number) => number): number[] =>
    [0, 1, 2].flatMap((position) => [turn(position), turn(position / 100)]);
  const model = await read({
    inputs: { positions: ["T"], words: ["T"] },
    initializers: [
      tensor("cos", [3, 2], angles(Math.cos)),
      tensor("sin", [3, 2], angles(Math.sin)),
      tensor("table", [3, 2], [0, 0, 1, 2, 3, 4]),
    ],
    nodes: [
      node("Gather", ["table", "words"], ["e"]),
      node("Gather", ["cos", "positions"], ["c"]),
      node("Gather", ["sin", "positions"], ["s"]),
      node("Mul", ["e", "c"], ["ec"]),
      node("Mul", ["e", "s"], ["es"]),
    ],
  });
  expect(wiresOf(model)).toEqual(["table: words -> table [in3 out2]"]);
  expect(model.tensors.map(({ role }) => role)).toEqual(["constant", "constant", "weight"]);
});

/** Graphs in no good order, and graphs that would grow without end. */
import { expect, test } from "vitest";
import { isWeightGraphError, memorySource, readOnnx } from "../../../src/index.ts";
import { node, onnxModel, tensor, type OnnxModelParts } from "../../helpers/onnxModel.ts";
import { wiresOf } from "../../helpers/topology.ts";

const read = (parts: OnnxModelParts) => readOnnx(memorySource(onnxModel(parts), "net.onnx"));
const gemm = (from: string, weight: string, to: string) => node("MatMul", [from, weight], [to]);

test("nodes that stand before what they read from are put in order", async () => {
  const model = await read({
    inputs: { x: ["N", 2] },
    initializers: [tensor("a", [2, 3]), tensor("b", [3, 1])],
    nodes: [gemm("r", "b", "y"), node("Relu", ["m"], ["r"]), gemm("x", "a", "m")],
  });
  expect(wiresOf(model)).toEqual(["a: x -> a [in2 out3]", "b: a -> b [in3 out1]"]);
  expect(model.warnings).toEqual([]);
});

test.each<{ what: string; parts: OnnxModelParts }>([
  {
    what: "a cycle",
    parts: {
      inputs: { x: ["N", 2] },
      initializers: [tensor("a", [2, 2])],
      nodes: [gemm("r", "a", "m"), node("Relu", ["m"], ["r"])],
    },
  },
  {
    what: "a node that reads its own output",
    parts: { nodes: [node("Add", ["x", "y"], ["y"])], inputs: { x: [2] } },
  },
  {
    what: "two initializers of one name",
    parts: {
      inputs: { x: ["N", 2] },
      initializers: [tensor("a", [2, 2]), tensor("a", [2, 1])],
      nodes: [gemm("x", "a", "m")],
    },
  },
])("$what is refused", async ({ parts }) => {
  await expect(read(parts)).rejects.toSatisfy((error) =>
    isWeightGraphError(error, "FORMAT_MALFORMED"),
  );
});

test("concatenations of concatenations end before memory does", async () => {
  const count = 2 ** 12;
  const nodes = Array.from({ length: 60 }, (_, i) => [
    gemm("x", "w", `m${i}`),
    node(
      "Concat",
      [i === 0 ? "x" : `c${i - 1}`, ...new Array<string>(32).fill(`m${i}`)],
      [`c${i}`],
      {
        axis: 1,
      },
    ),
  ]).flat();
  const initializers = [tensor("w", [1, count], new Array<number>(count).fill(1))];
  await expect(read({ inputs: { x: ["N", 1] }, initializers, nodes })).rejects.toSatisfy((error) =>
    isWeightGraphError(error, "FORMAT_LIMIT"),
  );
});

test("lists of sizes that double with each node are given up", async () => {
  const doubled = Array.from({ length: 40 }, (_, i) =>
    node("Concat", [`s${i}`, `s${i}`], [`s${i + 1}`], { axis: 0 }),
  );
  const model = await read({
    inputs: { x: ["N", 2] },
    initializers: [tensor("a", [2, 1])],
    nodes: [node("Shape", ["x"], ["s0"]), ...doubled, gemm("x", "a", "y")],
  });
  expect(wiresOf(model)).toEqual(["a: x -> a [in2 out1]"]);
});

test("a kernel that the network scales before it is used is named, not called a normalisation", async () => {
  const model = await read({
    inputs: { x: ["N", 2, 4, 4], style: [1, 2, 1, 1] },
    initializers: [tensor("kernel", [3, 2, 3, 3]), tensor("scale", [2, 1, 1])],
    nodes: [
      node("Mul", ["kernel", "style"], ["own"]),
      node("Mul", ["x", "scale"], ["y"]),
      node("Conv", ["y", "own"], ["z"]),
    ],
  });
  expect(model.tensors.map(({ role }) => role)).toEqual(["unknown", "normalisation"]);
});

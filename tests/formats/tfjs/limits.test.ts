/** Graphs made to be slow or large: small files, sizes and steps without end. Each ends in a model or a typed error at once. */
import { expect, test } from "vitest";
import { isWeightGraphError, readModel } from "../../../src/index.ts";
import {
  constantNodes,
  graphNode as node,
  integers,
  placeholderNode,
  tfjsSource,
  type TfjsTensor,
} from "../../helpers/tfjs.ts";

const times = (count: number, make: (i: number) => object): object[] =>
  Array.from({ length: count }, (_, i) => make(i + 1));
const axis = integers("axis", [1]);
const weights: TfjsTensor = { name: "n0", shape: [1, 4096] };

const rows: readonly {
  readonly name: string;
  readonly nodes: readonly object[];
  readonly tensors: readonly TfjsTensor[];
  /** Null for a model. */
  readonly code: "FORMAT_LIMIT" | null;
}[] = [
  {
    name: "channels doubled sixty times",
    nodes: [
      placeholderNode("x", [-1, 1]),
      node("MatMul", "a0", ["x", "n0"]),
      ...times(60, (i) => node("ConcatV2", `a${i}`, [`a${i - 1}`, `a${i - 1}`, "axis"])),
    ],
    tensors: [weights, axis],
    code: null,
  },
  {
    name: "two wide layers summed and parted again and again",
    nodes: [
      placeholderNode("x", [-1, 1]),
      node("MatMul", "a0", ["x", "n0"]),
      ...times(60_000, (i) => node("ConcatV2", `a${i}`, [`a${i - 1}`, "axis"])),
    ],
    tensors: [weights, axis],
    code: "FORMAT_LIMIT",
  },
  {
    name: "constants added to themselves sixty times, and used as weights",
    nodes: [
      placeholderNode("x", [-1, 1]),
      ...times(60, (i) => node("AddV2", `n${i}`, [`n${i - 1}`, `n${i - 1}`])),
      node("MatMul", "y", ["x", "n60"]),
    ],
    tensors: [weights],
    code: null,
  },
  {
    name: "a list of sizes doubled sixty times",
    nodes: [
      placeholderNode("x", [-1, 1]),
      ...times(60, (i) => node("ConcatV2", `s${i}`, [`s${i - 1}`, `s${i - 1}`, "axis"])),
      node("Reshape", "y", ["x", "s60"]),
    ],
    tensors: [integers("s0", [2, 2]), axis],
    code: null,
  },
  {
    name: "a constant with ten thousand axes",
    nodes: times(10_000, (i) => node("ExpandDims", `n${i}`, [`n${i - 1}`, "axis"])),
    tensors: [weights, axis],
    code: null,
  },
  {
    name: "inputs of 2^40 neurons, joined",
    nodes: [
      placeholderNode("x", [-1, 2 ** 40]),
      placeholderNode("y", [-1, 2 ** 40]),
      node("ConcatV2", "both", ["x", "y", "axis"]),
      node("AddV2", "sum", ["x", "y"]),
    ],
    tensors: [axis],
    code: null,
  },
  {
    name: "weights without an element, between 2^40 neurons",
    nodes: [
      placeholderNode("x", [-1, 4]),
      node("MatMul", "y", ["x", "w"]),
      node("Conv2D", "z", ["y", "k"]),
    ],
    tensors: [
      { name: "w", shape: [2 ** 40, 0] },
      { name: "k", shape: [2 ** 20, 0, 2 ** 20, 2 ** 10] },
    ],
    code: null,
  },
  {
    name: "nodes with a million outputs and more",
    nodes: [
      placeholderNode("x", [-1, 4]),
      ...times(40, (i) => node("Split", `s${i}`, ["axis", "x"], { num_split: { i: "1000000" } })),
    ],
    tensors: [axis],
    code: "FORMAT_LIMIT",
  },
];

test.each(rows)("$name", { timeout: 10_000 }, async ({ nodes, tensors, code }) => {
  const graph = { node: [...constantNodes(tensors), ...nodes] };
  const result: unknown = await readModel(tfjsSource(graph, tensors)).catch((e) => e);
  if (code === null) expect(result).toHaveProperty("topology");
  else expect(isWeightGraphError(result, code), String(result)).toBe(true);
});

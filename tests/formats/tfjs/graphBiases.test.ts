import { describe, expect, test } from "vitest";
import { readModel } from "../../../src/index.ts";
import { addBiasNodes } from "../../../src/graph/addBiasNodes.ts";
import { layeredGraph } from "../../../src/graph/layeredGraph.ts";
import { openModel } from "../../../src/node.ts";
import { hasSharedData, sharedPath } from "../../helpers/shared.ts";
import {
  constantNodes,
  graphNode as node,
  integers,
  placeholderNode,
  tfjsSource,
} from "../../helpers/tfjs.ts";

const tensors = [
  { name: "k", shape: [1, 1, 2, 3] },
  { name: "b", shape: [3] },
  { name: "one", shape: [1] },
  integers("shape", [-1, 3]),
];
const conv = node("Conv2D", "c", ["x", "k"]);
const fusing = (...ops: readonly string[]): object => ({
  fused_ops: { list: { s: ops.map((op) => Buffer.from(op).toString("base64")) } },
});

describe("the bias of a convolution in a graph-model", () => {
  test.each([
    {
      name: "fused",
      nodes: [node("_FusedConv2D", "c", ["x", "k", "b"], fusing("BiasAdd"))],
      bias: "b",
    },
    {
      name: "fused with its activation",
      nodes: [node("_FusedConv2D", "c", ["x", "k", "b"], fusing("BiasAdd", "Relu"))],
      bias: "b",
    },
    { name: "BiasAdd behind it", nodes: [conv, node("BiasAdd", "y", ["c", "b"])], bias: "b" },
    { name: "a sum, the bias first", nodes: [conv, node("AddV2", "y", ["b", "c"])], bias: "b" },
    {
      name: "behind a reshape",
      nodes: [conv, node("Reshape", "r", ["c", "shape"]), node("BiasAdd", "y", ["r", "b"])],
      bias: "b",
    },
    { name: "none", nodes: [conv, node("Relu", "y", ["c"])], bias: null },
    {
      name: "none, behind a squeeze",
      nodes: [conv, node("Squeeze", "s", ["c"]), node("Relu", "y", ["s"])],
      bias: null,
    },
    {
      name: "none behind a reshape: not known",
      nodes: [conv, node("Reshape", "r", ["c", "shape"]), node("Relu", "y", ["r"])],
      bias: undefined,
    },
    {
      name: "none, a residual sum",
      nodes: [node("Conv2D", "a", ["x", "k"]), conv, node("AddV2", "y", ["c", "a"])],
      bias: null,
    },
    {
      name: "one number for all: not known",
      nodes: [conv, node("AddV2", "y", ["c", "one"])],
      bias: undefined,
    },
    {
      name: "fused without one that is named: not known",
      nodes: [node("_FusedConv2D", "c", ["x", "k", "b"])],
      bias: undefined,
    },
    {
      name: "added for one of two readers: not known",
      nodes: [conv, node("BiasAdd", "y", ["c", "b"]), node("Relu", "z", ["c"])],
      bias: undefined,
    },
    {
      name: "added behind an activation: not the convolution's",
      nodes: [conv, node("Relu", "r", ["c"]), node("BiasAdd", "y", ["r", "b"])],
      bias: null,
    },
  ])("$name", async ({ nodes, bias }) => {
    const all = [placeholderNode("x", [-1, 1, 1, 2]), ...nodes, ...constantNodes(tensors)];
    const model = await readModel(tfjsSource({ node: all, library: {}, versions: {} }, tensors));
    const own = model.layers.at(-1)!.bias;
    expect(own ? own.name : own).toBe(bias);
  });
});

describe.skipIf(!hasSharedData)("trained networks", () => {
  test("basic_pitch: a bias node for each of the six fused convolutions", async () => {
    const model = await openModel(sharedPath("tfjs-graph/basic_pitch/model.json"));
    const fused = model.layers.filter(({ op }) => op === "_FusedConv2D");
    expect(fused).toHaveLength(6);
    for (const { name, bias } of fused) {
      const prefix = name.slice(0, name.lastIndexOf("/Conv2D"));
      expect(bias?.name.startsWith(`${prefix}/`)).toBe(true);
    }
    const { graph } = await addBiasNodes(await layeredGraph(model), model);
    const blocks = graph.blocks.filter(({ kind }) => kind === "bias");
    expect(blocks.map(({ name }) => name)).toEqual(fused.map(({ name }) => `bias of ${name}`));
  });
});

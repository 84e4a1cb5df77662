import { describe, expect, test } from "vitest";
import { nodeStrength } from "../../src/analysis/nodeStrength.ts";
import { memorySource } from "../../src/bytes/source.ts";
import { readOnnx } from "../../src/formats/onnx/read.ts";
import { readSafetensors } from "../../src/formats/safetensors/read.ts";
import { writeSafetensors } from "../../src/formats/safetensors/write.ts";
import { addBiasNodes } from "../../src/graph/addBiasNodes.ts";
import { signedWeights } from "../../src/graph/block.ts";
import { layeredGraph } from "../../src/graph/layeredGraph.ts";
import { foldNormalisation } from "../../src/model/foldNormalisation.ts";
import type { Model } from "../../src/model/model.ts";
import { openModel } from "../../src/node.ts";
import { weightgraph, weightgraphJson } from "../helpers/commandLine.ts";
import { node, onnxModel, tensor, type GraphNode } from "../helpers/onnxModel.ts";
import { hasSharedData, sharedPath } from "../helpers/shared.ts";

/** A 1 x 1 convolution with a bias, what `between` makes of its output c, and a dense layer whose bias is added. */
function net(between: readonly GraphNode[], last: string): Promise<Model> {
  const file = onnxModel({
    inputs: { x: ["N", 2, 1, 1] },
    initializers: [
      tensor("w", [2, 2, 1, 1], [1, 2, 3, 4]),
      tensor("b", [2], [1, -1]),
      tensor("scale", [2], [4, 3]),
      tensor("shift", [2], [0, 5]),
      tensor("mean", [2], [1, 0]),
      tensor("var", [2], [3, 0]),
      tensor("d", [2, 1], [7, 8]),
      tensor("e", [1], [9]),
    ],
    nodes: [
      node("Conv", ["x", "w", "b"], ["c"]),
      ...between,
      node("Flatten", [last], ["f"]),
      node("MatMul", ["f", "d"], ["m"]),
      node("Add", ["m", "e"], ["y"]),
    ],
  });
  return readOnnx(memorySource(file, "net.onnx"));
}
const normalise = (from: string, to: string): GraphNode =>
  node("BatchNormalization", [from, "scale", "shift", "mean", "var"], [to], {
    epsilon: { float: 1 },
  });
const valuesOf = async (model: Model): Promise<unknown> => {
  const { blocks } = await layeredGraph(model);
  return blocks.map((block) => Array.from(signedWeights(block)));
};

describe("biases", () => {
  test("have a node per layer, behind all others (hand)", async () => {
    const model = await net([node("Relu", ["c"], ["r"])], "r");
    const { graph, unknown } = await addBiasNodes(await layeredGraph(model), model);
    expect(unknown).toEqual([]);
    expect(graph.layers.map(({ name, size, offset }) => `${name} ${offset}+${size}`)).toEqual([
      "x 0+2",
      "w 2+2",
      "d 4+1",
      "bias of w 5+1",
      "bias of d 6+1",
    ]);
    expect(
      graph.blocks.map(({ kind, rowNodes, columnNodes }) => [
        kind,
        [...rowNodes],
        [...columnNodes],
      ]),
    ).toEqual([
      [undefined, [2, 3], [0, 1]],
      [undefined, [4], [2, 3]],
      ["bias", [2, 3], [5]],
      ["bias", [4], [6]],
    ]);
    expect(graph.edgeCount).toBe(4 + 2 + 2 + 1);
    // In: 1 + 2 + 1, 3 + 4 - 1, 7 + 8 + 9.
    expect(Array.from(nodeStrength(graph, { direction: "in" }).values)).toEqual([
      0, 0, 4, 6, 24, 0, 0,
    ]);
  });

  test("of a state dict stand beside their weights; one of another size is not known", async () => {
    const model = await stateDict({
      "a.weight": [
        [2, 2],
        [1, 2, 3, 4],
      ],
      "a.bias": [[2], [5, 6]],
      "b.weight": [
        [1, 2],
        [7, 8],
      ],
      "b.bias": [[3], [1, 1, 1]],
      "c.weight": [[1, 1], [1]],
    });
    const byName = Object.fromEntries(model.layers.map(({ name, bias }) => [name, bias]));
    expect(byName["a.weight"]).toMatchObject({ name: "a.bias" });
    expect(byName).toMatchObject({ "b.weight": undefined, "c.weight": null });
    const { graph, unknown } = await addBiasNodes(await layeredGraph(model), model);
    expect(unknown).toEqual(["b.weight"]);
    expect(graph.layers.at(-1)!.name).toBe("bias of a.weight");
  });

  test("none is known: refused", async () => {
    const model = await net([], "c");
    const layers = model.layers.map(({ bias: _bias, ...layer }) => layer);
    await expect(
      addBiasNodes(await layeredGraph(model), { ...model, layers }),
    ).rejects.toMatchObject({
      code: "GRAPH_BIAS_UNKNOWN",
      details: { layers: ["w", "d"] },
    });
  });
});

describe("normalisation", () => {
  // Factors 4 / sqrt(3 + 1) = 2 and 3 / sqrt(0 + 1) = 3; biases 2 (1 - 1) + 0 and 3 (-1 - 0) + 5.
  test("is folded into the weights and the bias before it (hand)", async () => {
    const model = foldNormalisation(await net([normalise("c", "n")], "n"));
    expect(model.folded).toEqual(["w"]);
    expect(await valuesOf(model)).toEqual([
      [2, 4, 9, 12],
      [7, 8],
    ]);
    expect(await model.layers[0]!.bias!.read()).toEqual(Float64Array.of(0, 2));
    expect((await layeredGraph(model)).folded).toEqual(["w"]);
  });

  test.each([
    { name: "behind an activation", nodes: [node("Relu", ["c"], ["r"]), normalise("r", "n")] },
    {
      name: "of an output that is read elsewhere too",
      nodes: [normalise("c", "s"), node("Add", ["c", "s"], ["n"])],
    },
  ])("is not folded $name", async ({ nodes }) => {
    const model = await net(nodes, "n");
    expect(() => foldNormalisation(model)).toThrowError(
      expect.objectContaining({
        code: "NORMALISATION_UNKNOWN",
        details: { normalisation: ["scale", "shift", "mean", "var"] },
      }),
    );
  });

  test("of a state dict is tied by names, with a warning (hand)", async () => {
    const vectors = (name: string, size: number): Content => ({
      [`${name}.weight`]: [[size], Array(size).fill(4)],
      [`${name}.bias`]: [[size], Array(size).fill(1)],
      [`${name}.running_mean`]: [[size], Array(size).fill(2)],
      [`${name}.running_var`]: [[size], Array(size).fill(4 - 1e-5)],
    });
    const model = await stateDict({
      "conv1.weight": [
        [2, 1, 1, 1],
        [1, 3],
      ],
      ...vectors("bn1", 2),
      "conv2.weight": [
        [2, 2, 1, 1],
        [1, 2, 3, 4],
      ],
      ...vectors("other", 2),
      "head.0.weight": [
        [2, 2],
        [1, 1, 1, 1],
      ],
      ...vectors("head.1", 2),
      "head.3.weight": [
        [2, 2],
        [1, 1, 1, 1],
      ],
      ...vectors("head.5", 2),
    });
    const folded = foldNormalisation(model);
    expect(folded.folded).toEqual(["conv1.weight", "head.0.weight"]);
    const [{ message: left } = { message: "" }, { message: inferred } = { message: "" }] =
      folded.warnings.filter(({ code }) => code.startsWith("NORMALISATION"));
    expect(left).toContain("other.weight");
    expect(left).toContain("head.5.running_mean");
    expect(inferred).toContain("bn1.running_mean behind conv1.weight, epsilon 0.00001");
    const values = await folded.layers[0]!.tensor.read();
    [2, 6].forEach((expected, i) => expect(values[i]).toBeCloseTo(expected, 6));
    // bias 2 (0 - 2) + 1
    expect((await folded.layers[0]!.bias!.read())[0]).toBeCloseTo(-3, 6);
  });

  test("vectors of another length are refused when they are read", async () => {
    const model = await net([normalise("c", "n")], "n");
    const [first, ...others] = model.layers;
    const normalisation = { ...first!.normalisation!, mean: others[0]!.bias! };
    const wrong = foldNormalisation({
      ...model,
      layers: [{ ...first!, normalisation }, ...others],
    });
    await expect(layeredGraph(wrong)).rejects.toMatchObject({ code: "SHAPE_MISMATCH" });
  });
});

describe("on the command line", () => {
  const file = "fixtures/mnist-mlp/final.onnx";

  test("--bias-nodes", async () => {
    const plain = (await weightgraphJson(["analyze", file])) as Analysis;
    const biased = (await weightgraphJson(["analyze", file, "--bias-nodes"])) as Analysis;
    expect(plain.graph.biasNodes).toBe(0);
    expect(biased.graph.biasNodes).toBe(plain.graph.layers.length - 1);
    expect(biased.graph.nodes).toBe(plain.graph.nodes + biased.graph.biasNodes);
  });

  test.each([
    { argv: [file, "--fold-norm"], code: "NORMALISATION_UNKNOWN" },
    { argv: ["-", "--format", "matrix", "--bias-nodes"], code: "USAGE_INVALID_OPTION" },
    { argv: [file, "--graph", "unrolled", "--bias-nodes"], code: "USAGE_INVALID_OPTION" },
  ])("$argv is refused: $code", async ({ argv, code }) => {
    const stdin = JSON.stringify({ blocks: [{ from: "a", to: "b", weights: [[1]] }] });
    const { stderr } = await weightgraph(["analyze", ...argv], { stdin });
    expect(stderr).toContain(code);
  });
});

describe.skipIf(!hasSharedData)("trained networks", () => {
  test("a ResNet of a state dict: each normalisation behind its convolution", async () => {
    const model = await openModel(sharedPath("pytorch/resnet20-12fca82f.th"));
    const tied = model.layers.map(({ name, normalisation }) => [name, normalisation?.mean.name]);
    const convolutions = tied.filter(([name]) => /conv/.test(name!));
    expect(convolutions).toHaveLength(19);
    for (const [name, mean] of convolutions)
      expect(mean).toBe(name!.replace(/conv(\d)\.weight/, "bn$1.running_mean"));
    const folded = foldNormalisation(model);
    expect(folded.folded).toHaveLength(19);
    expect((await layeredGraph(folded)).nodeCount).toBe((await layeredGraph(model)).nodeCount);
  });
});

type Content = Record<string, readonly [shape: readonly number[], values: readonly number[]]>;

function stateDict(content: Content): Promise<Model> {
  const tensors = Object.entries(content).map(([name, [shape, values]]) => ({
    name,
    dtype: "float32" as const,
    shape,
    data: Float32Array.from(values),
  }));
  return readSafetensors(memorySource(writeSafetensors({ tensors }), "dict.safetensors"));
}

interface Analysis extends Record<string, unknown> {
  readonly graph: {
    readonly nodes: number;
    readonly layers: readonly unknown[];
    readonly biasNodes: number;
  };
}

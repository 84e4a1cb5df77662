import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { nodeStrength } from "../../src/analysis/nodeStrength.ts";
import { memorySource } from "../../src/bytes/source.ts";
import { readOnnx } from "../../src/formats/onnx/read.ts";
import { addBiasNodes } from "../../src/graph/addBiasNodes.ts";
import { addNormalisationNodes } from "../../src/graph/addNormalisationNodes.ts";
import { signedWeights, type Block } from "../../src/graph/block.ts";
import { layeredGraph, type LayeredGraph } from "../../src/graph/layeredGraph.ts";
import { foldNormalisation } from "../../src/model/foldNormalisation.ts";
import type { Model } from "../../src/model/model.ts";
import { openModel } from "../../src/node.ts";
import { weightgraph, weightgraphJson } from "../helpers/commandLine.ts";
import { node, onnxModel, tensor } from "../helpers/onnxModel.ts";
import { hasSharedData, sharedPath } from "../helpers/shared.ts";

/** Two convolutions, the second normalised and added to what the first puts out; a dense layer behind the sum. */
const file = onnxModel({
  inputs: { x: ["N", 1, 1, 1] },
  initializers: [
    tensor("v", [2, 1, 1, 1], [1, -2]),
    tensor("w", [2, 2, 1, 1], [1, 2, 3, 4]),
    tensor("b", [2], [1, -1]),
    tensor("scale", [2], [4, -3]),
    tensor("shift", [2], [0, 5]),
    tensor("mean", [2], [1, 0]),
    tensor("var", [2], [3, 0]),
    tensor("d", [2, 1], [7, 8]),
  ],
  nodes: [
    node("Conv", ["x", "v"], ["a"]),
    node("Conv", ["a", "w", "b"], ["c"]),
    node("BatchNormalization", ["c", "scale", "shift", "mean", "var"], ["n"], {
      epsilon: { float: 1 },
    }),
    node("Add", ["a", "n"], ["s"]),
    node("Flatten", ["s"], ["f"]),
    node("MatMul", ["f", "d"], ["y"]),
  ],
});
const residual = (): Promise<Model> => readOnnx(memorySource(file, "net.onnx"));
const laidOut = ({ blocks }: LayeredGraph): unknown =>
  blocks.map(({ name, kind, groups, rowNodes, columnNodes, ...block }) => [
    name,
    kind,
    groups,
    [...columnNodes],
    [...rowNodes],
    Array.from(signedWeights({ name, groups, rowNodes, columnNodes, ...block })),
  ]);
const strengthsIn = (graph: LayeredGraph): number[] =>
  Array.from(nodeStrength(graph, { direction: "in" }).values);

// Factors 4 / sqrt(3 + 1) = 2 and -3 / sqrt(0 + 1) = -3; offsets 0 - 2 * 1 and 5 + 3 * 0.
describe("normalisation nodes", () => {
  test("stand between the weights and what they are added to (hand)", async () => {
    const model = await residual();
    const { graph, warnings } = await addNormalisationNodes(await layeredGraph(model), model);
    expect(warnings).toEqual([]);
    expect(graph.layers.map(({ name, size, offset }) => `${name} ${offset}+${size}`)).toEqual([
      "x 0+1",
      "v 1+2",
      "d 3+1",
      "scale 4+2",
    ]);
    expect(laidOut(graph)).toEqual([
      ["v", undefined, 1, [0], [1, 2], [1, -2]],
      ["w", undefined, 1, [1, 2], [4, 5], [1, 2, 3, 4]],
      ["scale", "normalisation", 2, [4, 5], [1, 2], [2, -3]],
      ["d", undefined, 1, [1, 2], [3], [7, 8]],
    ]);
    expect([graph.nodeCount, graph.edgeCount]).toEqual([6, 2 + 4 + 2 + 2]);
    expect(strengthsIn(graph)).toEqual([0, 1 + 2, -2 - 3, 15, 3, 7]);
  });

  test("biases lead to them, and what they add is a bias behind (hand)", async () => {
    const model = await residual();
    const { graph } = await addNormalisationNodes(await layeredGraph(model), model);
    const biased = (await addBiasNodes(graph, model)).graph;
    expect((laidOut(biased) as unknown[]).slice(4)).toEqual([
      ["bias of w", "bias", 1, [6], [4, 5], [1, -1]],
      ["bias of scale", "bias", 1, [7], [1, 2], [-2, 5]],
    ]);
    const folded = await foldNormalisation(model).layers[1]!.bias!.read();
    expect(Array.from(folded)).toEqual([2 * 1 - 2, -3 * -1 + 5]);
  });

  test("strengths need no weights to be kept", async () => {
    const model = await residual();
    const kept = await addNormalisationNodes(await layeredGraph(model), model);
    const sums = await layeredGraph(model, { keep: "sums" });
    const streamed = await addNormalisationNodes(sums, model);
    expect(strengthsIn(streamed.graph)).toEqual(strengthsIn(kept.graph));
  });

  test("none where the model has none, or has it folded", async () => {
    const model = foldNormalisation(await residual());
    await expect(addNormalisationNodes(await layeredGraph(model), model)).rejects.toMatchObject({
      code: "NORMALISATION_UNKNOWN",
    });
  });

  test("the graph of another model, or one with bias nodes, is refused", async () => {
    const model = await residual();
    const { graph } = await addBiasNodes(await layeredGraph(model), model);
    await expect(addNormalisationNodes(graph, model)).rejects.toMatchObject({
      code: "GRAPH_MALFORMED",
    });
  });

  test("a variance below -epsilon is no number", async () => {
    const model = await residual();
    const layers = model.layers.map((layer) =>
      layer.normalisation
        ? { ...layer, normalisation: { ...layer.normalisation, epsilon: -5 } }
        : layer,
    );
    const graph = await layeredGraph(model);
    await expect(addNormalisationNodes(graph, { ...model, layers })).rejects.toMatchObject({
      code: "WEIGHTS_NOT_FINITE",
    });
  });
});

describe("on the command line", () => {
  let folder: string;
  let net: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "normalisation-"));
    net = join(folder, "net.onnx");
    await writeFile(net, file);
  });
  afterAll(() => rm(folder, { recursive: true }));

  test.each([
    { argv: [], nodes: 6 },
    { argv: ["--measures", "all"], nodes: 6 },
    { argv: ["--measures", "strength,degree"], nodes: 6 },
    { argv: ["--bias-nodes"], nodes: 8 },
    { argv: ["--edge-weight", "sum", "--transform", "layerNorm,top=3,absolute"], nodes: 6 },
    { argv: ["--null", "kaiming-normal", "--bias-nodes"], nodes: 8 },
    { argv: ["--null", "permuted"], nodes: 6 },
  ])("--norm-nodes $argv", async ({ argv, nodes }) => {
    const { graph } = (await weightgraphJson([
      "analyze",
      net,
      "--norm-nodes",
      ...argv,
    ])) as Analysis;
    expect(graph).toMatchObject({ nodes, normalisationNodes: 2, foldedNormalisation: [] });
  });

  test.each([
    { argv: ["--fold-norm"], code: "USAGE_INVALID_OPTION" },
    { argv: ["--graph", "unrolled"], code: "USAGE_INVALID_OPTION" },
  ])("--norm-nodes $argv is refused: $code", async ({ argv, code }) => {
    const { stderr } = await weightgraph(["analyze", net, "--norm-nodes", ...argv]);
    expect(stderr).toContain(code);
  });

  test("of a matrix is refused", async () => {
    const stdin = JSON.stringify({ blocks: [{ from: "a", to: "b", weights: [[1]] }] });
    const argv = ["analyze", "-", "--format", "matrix", "--norm-nodes"];
    expect((await weightgraph(argv, { stdin })).stderr).toContain("USAGE_INVALID_OPTION");
  });
});

describe.skipIf(!hasSharedData)("trained networks", () => {
  test.each([
    { file: "keras-h5/tiny_XCEPTION_KDEF.hdf5", layers: 14 },
    { file: "keras-h5/pretrainedResnet.h5", layers: 7 },
    { file: "pytorch/resnet20-12fca82f.th", layers: 19 },
  ])("$file: a path through a node has the folded weight (oracle)", async (row) => {
    const model = await openModel(sharedPath(row.file));
    const plain = await layeredGraph(model, { keep: "taps" });
    const { graph } = await addNormalisationNodes(plain, model);
    const folded = await layeredGraph(foldNormalisation(model), { keep: "taps" });
    const own = graph.blocks.filter(({ kind }) => kind === "normalisation");
    expect(own).toHaveLength(row.layers);
    const added = own.reduce((sum, { rows }) => sum + rows, 0);
    expect(graph.nodeCount).toBe(plain.nodeCount + added);
    expect(graph.edgeCount).toBe(plain.edgeCount + added);
    let place = 0;
    for (const [at, block] of graph.blocks.entries()) {
      if (block.kind === "normalisation") continue;
      const expected = folded.blocks[place++]!;
      const next = graph.blocks[at + 1];
      const behind = next?.kind === "normalisation" ? next : null;
      expect(behind?.rowNodes ?? block.rowNodes).toEqual(expected.rowNodes);
      expect(behind?.columnNodes ?? block.rowNodes).toEqual(block.rowNodes);
      expect(worstPath(block, behind, expected)).toBeLessThan(1e-6);
    }
    expect(place).toBe(folded.blocks.length);
  });

  test("what a node of one normalisation alone receives is its factor", async () => {
    const model = await openModel(sharedPath("pytorch/resnet20-12fca82f.th"));
    const { graph } = await addNormalisationNodes(await layeredGraph(model), model);
    const receives = new Int32Array(graph.nodeCount);
    for (const { rowNodes } of graph.blocks) for (const id of rowNodes) receives[id]!++;
    const { values } = nodeStrength(graph, { sign: "absolute", direction: "in" });
    let seen = 0;
    for (const { kind, rowNodes, weights } of graph.blocks) {
      if (kind !== "normalisation") continue;
      rowNodes.forEach((id, at) => {
        if (receives[id] !== 1) return;
        seen++;
        expect(values[id]).toBe(Math.abs(weights![at]!));
      });
    }
    expect(seen).toBeGreaterThan(100);
  });
});

/** Largest |weight times factor - folded weight|, relative to the largest folded weight: folded weights are rounded to float32. */
function worstPath(block: Block, behind: Block | null, folded: Block): number {
  const perRow = folded.weights!.length / block.rows;
  let [worst, largest] = [0, 0];
  folded.weights!.forEach((expected, at) => {
    const factor = behind?.weights![Math.floor(at / perRow)] ?? 1;
    worst = Math.max(worst, Math.abs(block.weights![at]! * factor - expected));
    largest = Math.max(largest, Math.abs(expected));
  });
  return worst / largest;
}

interface Analysis extends Record<string, unknown> {
  readonly graph: Readonly<Record<string, unknown>>;
}

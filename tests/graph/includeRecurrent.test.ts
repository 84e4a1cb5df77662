import { describe, expect, test } from "vitest";
import { measures } from "../../src/analysis/registry.ts";
import { eigenvectorCentrality } from "../../src/analysis/eigenvectorCentrality.ts";
import { weightedDegree } from "../../src/analysis/weightedDegree.ts";
import { memorySource } from "../../src/bytes/source.ts";
import { readOnnx } from "../../src/formats/onnx/read.ts";
import { includeRecurrent } from "../../src/graph/includeRecurrent.ts";
import { layeredGraph, type LayeredGraph } from "../../src/graph/layeredGraph.ts";
import { transformGraph } from "../../src/graph/transformGraph.ts";
import { openModel } from "../../src/node.ts";
import { jacobiEigen } from "../helpers/jacobi.ts";
import { symmetricMatrix } from "../helpers/methods.ts";
import { node, onnxModel, tensor } from "../helpers/onnxModel.ts";
import { hasSharedData, sharedPath } from "../helpers/shared.ts";
import { weightgraph, weightgraphJson } from "../helpers/commandLine.ts";

/** Two units of an LSTM: gates are taps. From its past: unit 0 to itself (3 4), 1 to 0 (0 2), 1 to itself (1 0), the rest zeros. */
async function lstm(keep: "edges" | "taps" = "edges"): Promise<LayeredGraph> {
  const zeros = [0, 0, 0, 0, 0, 0, 0, 0];
  const file = onnxModel({
    inputs: { x: ["T", "N", 2] },
    initializers: [
      tensor("w", [1, 8, 2], [1, 0, 0, 1, 0, 0, 0, 0, ...zeros]),
      tensor("r", [1, 8, 2], [3, 0, 0, 1, 4, 2, 0, 0, ...zeros]),
      tensor("b", [2, 1], [1, 1]),
      { name: "zero", dataType: 7, dims: [], int64Data: [0] },
    ],
    nodes: [
      node("LSTM", ["x", "w", "r"], ["", "h"], { hidden_size: 2 }),
      node("Gather", ["h", "zero"], ["h0"], { axis: 0 }),
      node("MatMul", ["h0", "b"], ["y"]),
    ],
  });
  return layeredGraph(await readOnnx(memorySource(file, "lstm.onnx")), { keep });
}

describe("recurrent blocks (hand)", () => {
  test("stand by themselves until they are included", async () => {
    const graph = await lstm();
    expect(graph.blocks.map(({ name }) => name)).toEqual(["w", "b"]);
    expect(graph.recurrentBlocks).toMatchObject([
      { name: "r", kind: "recurrent", rows: 2, columns: 2, taps: 4 },
    ]);
    expect(graph.edgeCount).toBe(6);
    expect(Array.from(weightedDegree(graph).values)).toEqual([1, 1, 2, 2, 2]);
    const whole = includeRecurrent(graph);
    expect(whole.edgeCount).toBe(10);
    // Unit 0 has 5 from and to itself, 2 from unit 1, which has 1 from and to itself.
    expect(Array.from(weightedDegree(whole).values)).toEqual([1, 1, 14, 6, 2]);
    expect(includeRecurrent(whole)).toBe(whole);
  });

  test("a graph without any is itself", async () => {
    const graph = await layeredGraph(await openModel("fixtures/mnist-mlp/final.onnx"));
    expect(includeRecurrent(graph)).toBe(graph);
  });

  test("the eigenvector of cycles and of edges to itself (oracle: Jacobi)", async () => {
    const whole = includeRecurrent(await lstm("taps"));
    const { values, vectors } = jacobiEigen(symmetricMatrix(whole));
    const centrality = eigenvectorCentrality(includeRecurrent(await lstm()));
    expect(centrality.eigenvalue).toBeCloseTo(values[0]!, 10);
    centrality.values.forEach((value, i) =>
      expect(value).toBeCloseTo(Math.abs(vectors[0]![i]!), 9),
    );
  });

  test.each(measures.map((measure) => [measure.id, measure] as const))(
    "%s takes them",
    async (_, measure) => {
      const { nodes } = measure.run(includeRecurrent(await lstm()));
      expect(nodes.some((value) => value !== null && value > 0)).toBe(true);
      expect(nodes).not.toEqual(measure.run(await lstm()).nodes);
    },
  );

  test("keep their kind through transforms", async () => {
    const { blocks } = transformGraph(includeRecurrent(await lstm()), ["threshold=3"]);
    expect(blocks.map(({ kind }) => kind)).toEqual([undefined, undefined, "recurrent"]);
    expect(Array.from(blocks[2]!.weights!)).toEqual([5, 0, 0, 0]);
  });
});

describe.skipIf(!hasSharedData)("a trained detector of speech with an LSTM", () => {
  const file = sharedPath("onnx/silero_vad_16k_op15.onnx");

  test("--recurrent makes edges of what is listed otherwise", async () => {
    const plain = (await weightgraphJson(["analyze", file, "--measures", "degree"])) as Analysis;
    const whole = (await weightgraphJson([
      "analyze",
      file,
      "--measures",
      "degree",
      "--recurrent",
    ])) as Analysis;
    // The file has the layer in both branches of an If.
    const layer = { rows: 128, columns: 128, groups: 1, taps: 4 };
    expect(plain.graph.recurrent).toEqual({
      included: false,
      blocks: [expect.objectContaining(layer), expect.objectContaining(layer)],
    });
    expect(whole.graph.recurrent).toEqual({ ...plain.graph.recurrent, included: true });
    expect(whole.graph.edges - plain.graph.edges).toBe(2 * 128 * 128);
    const { stderr } = await weightgraph(["analyze", file, "--measures", "degree"]);
    expect(stderr).toContain("2 recurrent blocks left out");
  });
});

interface Analysis extends Record<string, unknown> {
  readonly graph: {
    readonly edges: number;
    readonly recurrent: Record<string, unknown>;
  };
}

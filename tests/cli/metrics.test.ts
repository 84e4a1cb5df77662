import { describe, expect, test } from "vitest";
import { weightgraph, weightgraphJson } from "../helpers/commandLine.ts";

const file = "fixtures/mnist-mlp/final.onnx";
const stdin = JSON.stringify({
  blocks: [
    { from: "in", to: "hidden", weights: [[4, -2]] },
    { from: "hidden", to: "out", weights: [[1], [5]] },
  ],
});
const matrix = ["metrics", "-", "--format", "matrix"];

describe("metrics", () => {
  test("of a matrix, as one document (hand)", async () => {
    const flags = ["--metric", "betweenness,density,louvain", "--nodes"];
    const document = await weightgraphJson([...matrix, ...flags], { stdin });
    expect(document).toMatchObject({
      schema: "weightgraph.metrics",
      version: 1,
      graph: {
        name: "matrix",
        edges: 4,
        keptEdges: 4,
        keptShare: 1,
        simpleEdges: 4,
        layers: [
          { name: "in", size: 2 },
          { name: "hidden", size: 1 },
          { name: "out", size: 2 },
        ],
      },
      metrics: [
        { id: "betweenness", of: "nodes", type: "directed", summary: { count: 5, max: 4 / 12 } },
        { id: "density", of: "graph", figures: { density: 4 / 20 }, summary: null },
        { id: "louvain", type: "undirected" },
      ],
      nodes: { layer: [0, 0, 1, 2, 2], index: [0, 1, 0, 0, 1], betweenness: [0, 0, 4 / 12, 0, 0] },
      warnings: [],
    });
    expect(Object.keys(document["nodes"] as object)).not.toContain("density");
    expect((document["metrics"] as object[])[0]).not.toHaveProperty("nodes");
  });

  test("as tables, with what was kept on stderr", async () => {
    const flags = ["--metric", "betweenness,diameter", "--edges", "2"];
    const { code, stdout, stderr } = await weightgraph([...matrix, ...flags], { stdin });
    expect(code).toBe(0);
    expect(stdout.split("\n")[0]).toMatch(/^metric +edges +neurons +mean/);
    expect(stdout).toMatch(/diameter +undirected +–/);
    expect(stderr).toContain("2 of 4 edges, 75.00 % of |w|");
    const every = await weightgraph([...matrix, "--nodes"], { stdin });
    expect(every.stdout).toMatch(/layer +neuron +betweenness +closeness\n/);
    expect(every.stdout.trim().split("\n")).toHaveLength(6);
  });

  test("of a trained network, after a reduction; transforms are recorded", async () => {
    const flags = ["--metric", "pagerank,hubs", "--edges", "1000", "--transform", "positive"];
    const document = await weightgraphJson(["metrics", file, ...flags]);
    expect(document["graph"]).toMatchObject({
      edges: 25760,
      keptEdges: 1000,
      transforms: ["positive"],
    });
    const [pagerank] = document["metrics"] as { summary: { mean: number } }[];
    expect(pagerank!.summary.mean).toBeCloseTo(1 / 842, 9);
  });

  test("what takes long says so before it starts", async () => {
    const { stderr } = await weightgraph(["metrics", file, "--metric", "hubs", "--edges", "25760"]);
    expect(stderr).not.toContain("steps");
    const wide = { from: "a", to: "b", weights: Array.from({ length: 4500 }, (_, i) => [i % 2]) };
    const stdinOfWide = JSON.stringify({ blocks: [wide] });
    const long = await weightgraph([...matrix, "--metric", "closeness"], { stdin: stdinOfWide });
    expect(long.stderr).toContain("closeness: O(n · m), about 3e+7 steps");
  });

  test.each([
    { flags: ["--metric", "clustering"], code: 2, says: "USAGE_UNKNOWN_MEASURE" },
    { flags: ["--metric", "hubs", "--type", "undirected"], code: 2, says: "USAGE_INVALID_OPTION" },
    { flags: ["--metric", "eigenvector"], code: 1, says: "ANALYSIS_NOT_CONVERGED" },
  ])("$flags ends in $says", async ({ flags, code, says }) => {
    const large = stdin.replace("4,-2", "4000,-2000").replace("[5]", "[5000]");
    const result = await weightgraph([...matrix, ...flags], { stdin: large });
    expect([result.code, result.stderr]).toEqual([code, expect.stringContaining(says)]);
  });
});

import { mkdtemp, readFile } from "node:fs/promises";
import type { SerializedGraph } from "graphology-types";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DirectedGraph } from "graphology";
import { expect, test } from "vitest";
import { weightgraph, weightgraphJson } from "../helpers/commandLine.ts";

const file = "fixtures/mnist-mlp/final.onnx";

test("graphology JSON imports into graphology, with measures on its nodes", async () => {
  const { code, stdout } = await weightgraph(["export", file, "--measures", "core"]);
  expect(code).toBe(0);
  const graph = DirectedGraph.from(JSON.parse(stdout) as SerializedGraph);
  expect([graph.order, graph.size]).toEqual([842, 25760]);
  expect(graph.getNodeAttribute(0, "core")).toBeGreaterThan(0);
});

test("a graph over the budget is refused, or reduced with its share stated", async () => {
  const refused = await weightgraph(["export", file, "--edges", "100"]);
  expect(refused.code).toBe(5);
  expect(refused.stderr).toContain("GRAPH_TOO_LARGE");
  const document = await weightgraphJson(["export", file, "--edges", "100", "--reduce"]);
  expect(document["facts"]).toMatchObject({ edges: 25760, keptEdges: 100 });
});

test("GEXF and CSV go to files", async () => {
  const folder = await mkdtemp(join(tmpdir(), "weightgraph-export-"));
  for (const [to, begins] of [
    ["gexf", "<?xml"],
    ["nodes", "node,layer"],
    ["edges", "from,to,weight"],
  ] as const) {
    const out = join(folder, to);
    expect((await weightgraph(["export", file, "--to", to, "--out", out])).code).toBe(0);
    expect((await readFile(out, "utf8")).startsWith(begins)).toBe(true);
  }
});

test("what was done to the weights is in every target", async () => {
  const flags = ["--edge-weight", "sum", "--transform", "threshold=0.1,top=50"];
  const document = await weightgraphJson(["export", file, ...flags]);
  const recorded = { edgeWeight: "sum", transforms: ["threshold=0.1", "top=50"] };
  expect(document["facts"]).toMatchObject({ ...recorded, keptEdges: 150 });
  expect(document["content"]).toMatchObject({ attributes: recorded });
  const { stdout } = await weightgraph(["export", file, "--to", "gexf", ...flags]);
  expect(stdout).toContain("weight is sum over taps, then threshold");
});

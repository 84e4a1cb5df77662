import { existsSync } from "node:fs";
import { copyFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tableFromIPC } from "@uwdata/flechette";
import type { SerializedGraph } from "graphology-types";
import { parquetMetadata, parquetReadObjects } from "hyparquet";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DirectedGraph } from "graphology";
import { describe, expect, test } from "vitest";
import type { HifDocument } from "../../src/index.ts";
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
  const hypergraph = await weightgraphJson(["export", file, "--to", "hif", ...flags]);
  expect(hypergraph["facts"]).toMatchObject({ transforms: recorded.transforms, keptEdges: 150 });
});

describe("two tables are two files, clearly named", () => {
  test.each(["csv", "parquet", "arrow"])("%s", async (to) => {
    const folder = await mkdtemp(join(tmpdir(), "weightgraph-export-"));
    const argv = ["export", file, "--to", to, "--edges", "500", "--reduce", "--measures", "core"];
    const out = join(folder, `net.${to}`);
    const [nodes, edges] = ["nodes", "edges"].map((part) => join(folder, `net.${part}.${to}`));
    const document = await weightgraphJson([...argv, "--out", out]);
    expect(document).toMatchObject({
      schema: "weightgraph.export",
      to,
      written: [nodes, edges],
      facts: { edges: 25760, keptEdges: 500 },
    });
    // Both or none: the edges are there already, so the nodes are not written again.
    await rm(nodes!);
    const again = await weightgraph([...argv, "--out", out]);
    expect(again.stderr).toContain("FILE_EXISTS");
    expect(existsSync(nodes!)).toBe(false);
    const forced = await weightgraph([...argv, "--out", out, "--force"]);
    expect(forced.stderr).toContain(`wrote ${nodes}`);
    expect(forced.stderr).toContain("500 of 25,760 edges");

    const [ofNodes, ofEdges] = [await readFile(nodes!), await readFile(edges!)];
    if (to === "csv") {
      expect(ofNodes.toString().split("\n")[0]).toBe("node,layer,rank,index,core");
      expect(ofEdges.toString().trim().split("\n")).toHaveLength(501);
    } else if (to === "parquet") {
      expect(await parquetReadObjects({ file: buffer(ofEdges) })).toHaveLength(500);
      expect(parquetMetadata(buffer(ofNodes)).num_rows).toBe(842n);
    } else {
      expect(tableFromIPC(ofEdges).numRows).toBe(500);
      expect(tableFromIPC(ofNodes).names).toEqual(["node", "layer", "rank", "index", "core"]);
    }
  });

  test("they need a name", async () => {
    const { code, stderr } = await weightgraph(["export", file, "--to", "parquet"]);
    expect(code).toBe(2);
    expect(stderr).toContain("--out net.parquet writes net.nodes.parquet and net.edges.parquet");
  });

  test("a name without ending works, a name with a folder of dots too", async () => {
    const folder = await mkdtemp(join(tmpdir(), "weightgraph.export."));
    const argv = ["export", "-", "--format", "matrix", "--to", "csv", "--out", join(folder, "net")];
    const stdin = JSON.stringify({ blocks: [{ from: "a", to: "b", weights: [[2]] }] });
    expect((await weightgraph(argv, { stdin })).code).toBe(0);
    expect(await readFile(join(folder, "net.edges"), "utf8")).toContain("0,1,2,a to b");
  });
});

describe("HIF", () => {
  test("to stdout, to a file, by side and sign", async () => {
    const argv = ["export", file, "--to", "hif", "--measures", "strength"];
    const { stdout } = await weightgraph([...argv, "--side", "out", "--sign", "positive"]);
    const document = JSON.parse(stdout) as HifDocument;
    expect(document.metadata).toMatchObject({ side: "out", sign: "positive", edges: 25760 });
    expect(document.incidences.every(({ weight }) => weight > 0)).toBe(true);
    const folder = await mkdtemp(join(tmpdir(), "weightgraph-export-"));
    const out = join(folder, "net.hif.json");
    expect((await weightgraph([...argv, "--out", out])).code).toBe(0);
    const written = JSON.parse(await readFile(out, "utf8")) as HifDocument;
    expect(written.edges[0]).toMatchObject({ edge: 784, attrs: { rank: 1, index: 0 } });
    const inside = await weightgraphJson(argv);
    expect(inside["content"]).toEqual(written);
    expect(inside["facts"]).toEqual(written.metadata);
  });

  test("sides and signs are of hypergraphs only", async () => {
    const { code, stderr } = await weightgraph(["export", file, "--side", "in"]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("--to hif only")]);
  });
});

test("an output never overwrites the input, even by force", async () => {
  const folder = await mkdtemp(join(tmpdir(), "weightgraph-export-"));
  const copy = join(folder, "net.onnx");
  await copyFile(file, copy);
  const { code, stderr } = await weightgraph(["export", copy, "--out", copy, "--force"]);
  expect([code, stderr]).toEqual([2, expect.stringContaining("overwrite the input")]);
});

function buffer(bytes: Buffer): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}

/** The graph as other libraries see it: their own algorithms must find what ours find. */
import {
  DirectedGraph,
  MultiDirectedGraph,
  MultiUndirectedGraph,
  UndirectedGraph,
} from "graphology";
import { op } from "arquero";
import { parse } from "graphology-gexf";
import { weightedDegree as theirDegree } from "graphology-metrics/node/weighted-degree.js";
import { describe, expect, test } from "vitest";
import { nodeStrength } from "../../src/analysis/nodeStrength.ts";
import { weightedDegree } from "../../src/analysis/weightedDegree.ts";
import { toGexf } from "../../src/export/toGexf.ts";
import { toGraphology } from "../../src/export/toGraphology.ts";
import { toNgraph } from "../../src/export/toNgraph.ts";
import { toTable } from "../../src/export/toTable.ts";
import { graphFromMatrix } from "../../src/graph/matrix.ts";

const document = {
  blocks: [
    {
      from: "in",
      to: "hidden",
      weights: [
        [1, -2],
        [0, 3],
        [4, 0.5],
      ],
    },
    { from: "hidden", to: "out", weights: [[-1, 2, 5]] },
  ],
};
const graph = graphFromMatrix(document);
const twice = graphFromMatrix({ blocks: [...document.blocks, document.blocks[1]!] });
const depth = [0, 0, 1, null, 1, 2];

describe("graphology", () => {
  test("keys are node numbers, attributes say what they are", () => {
    const exported = toGraphology(graph, { measures: { depth } });
    expect(exported).toBeInstanceOf(DirectedGraph);
    expect(exported.nodes()).toEqual(["0", "1", "2", "3", "4", "5"]);
    expect(exported.getNodeAttributes(2)).toMatchObject({ label: "hidden[0]", depth: 1 });
    expect(exported.getEdgeAttributes(1, 2)).toEqual({ weight: -2, block: "in to hidden" });
    expect(exported.hasEdge(0, 3)).toBe(false);
    expect(exported.getAttributes()).toMatchObject({ edges: 9, keptEdges: 8, keptShare: 1 });
  });

  test.each([
    { options: {}, input: graph, type: DirectedGraph },
    { options: {}, input: twice, type: MultiDirectedGraph },
    { options: { type: "undirected" as const }, input: graph, type: UndirectedGraph },
    { options: { type: "undirected" as const }, input: twice, type: MultiUndirectedGraph },
  ])("is a $type.name where it must be", ({ options, input, type }) => {
    const exported = toGraphology(input, options);
    expect(exported).toBeInstanceOf(type);
    expect(exported.size).toBe(input === twice ? 11 : 8);
  });

  test("its JSON imports to the same graph", () => {
    const exported = toGraphology(twice, { measures: { depth } });
    const again = MultiDirectedGraph.from(JSON.parse(JSON.stringify(exported.export())));
    expect(again.export()).toEqual(exported.export());
  });

  test("graphology-metrics finds our strength and weighted degree", () => {
    const signed = toGraphology(twice);
    const strength = nodeStrength(twice).values;
    signed.forEachNode((key) => expect(theirDegree(signed, key)).toBe(strength[Number(key)]));
    const absolute = toGraphology(twice, { weight: "absolute", type: "undirected" });
    const degree = weightedDegree(twice).values;
    absolute.forEachNode((key) => expect(theirDegree(absolute, key)).toBe(degree[Number(key)]));
  });
});

describe("ngraph", () => {
  test("nodes and links carry the same data", () => {
    const exported = toNgraph(graph, { measures: { depth } });
    expect(exported.getNodeCount()).toBe(6);
    expect(exported.getLinkCount()).toBe(8);
    expect(exported.getNode(2)?.data).toMatchObject({ label: "hidden[0]", rank: 1, depth: 1 });
    expect(exported.getLink(1, 2)?.data).toEqual({ weight: -2, block: "in to hidden" });
  });

  test("parallel edges stay apart", () => {
    expect(toNgraph(twice).getLinkCount()).toBe(11);
  });
});

describe("arquero", async () => {
  const tables = await toTable(graph, { measures: { depth } });

  test("one row per node, with null where a measure has no value", () => {
    expect(tables.nodes.columnNames()).toEqual(["node", "layer", "rank", "index", "depth"]);
    expect(tables.nodes.array("depth")).toEqual(depth);
    expect(tables.nodes.object(4)).toEqual({
      node: 4,
      layer: "hidden",
      rank: 1,
      index: 2,
      depth: 1,
    });
  });

  test("edges can be grouped: strengths by layer come out (hand)", () => {
    const strength = tables.edges
      .join(tables.nodes, ["to", "node"])
      .groupby("layer")
      .rollup({ sum: (row: { weight: number[] }) => op.sum(row.weight) });
    expect(strength.objects()).toEqual([
      { layer: "hidden", sum: 6.5 },
      { layer: "out", sum: 6 },
    ]);
  });

  test("layers are a table of their own", () => {
    expect(tables.layers.objects()).toEqual([
      { layer: "in", rank: 0, first: 0, size: 2 },
      { layer: "hidden", rank: 1, first: 2, size: 3 },
      { layer: "out", rank: 2, first: 5, size: 1 },
    ]);
  });
});

describe("GEXF", () => {
  test("reads back as the same graph (reference: graphology-gexf's parser)", () => {
    const xml = toGexf(graph, { measures: { depth } });
    expect(xml).toContain('<gexf version="1.3" xmlns="http://gexf.net/1.3"');
    expect(xml).toContain(
      "<description>matrix: 8 of 9 edges, 100 % of the absolute weights; weight is L2 norm over taps",
    );
    expect(toGexf(graph, { measures: { depth } })).toBe(xml);
    const again = parse(DirectedGraph, xml);
    const exported = toGraphology(graph, { measures: { depth } });
    expect(again.nodes()).toEqual(exported.nodes());
    exported.forEachNode((key, attributes) =>
      expect(again.getNodeAttributes(key)).toEqual(attributes),
    );
    exported.forEachEdge((_edge, attributes, from, to) =>
      expect(again.getEdgeAttributes(from, to)).toMatchObject(attributes),
    );
  });

  test("in version 1.2 for networkx, with the same content", () => {
    const older = toGexf(graph, { measures: { depth }, version: "1.2" });
    expect(older).toContain('<gexf version="1.2" xmlns="http://www.gexf.net/1.2draft"');
    const newer = toGexf(graph, { measures: { depth } });
    expect(parse(DirectedGraph, older).export()).toEqual(parse(DirectedGraph, newer).export());
  });

  test("any name gives a document that can be read", () => {
    const name = `<a b="c">&'\u0000\u001f\ud800 \u{1f600}]]>`;
    const odd = graphFromMatrix({ blocks: [{ from: name, to: "out", weights: [[1]] }] });
    const xml = toGexf(odd);
    expect(parse(DirectedGraph, xml).getNodeAttribute(0, "layer")).toBe(
      `<a b="c">&'\ufffd\ufffd\ufffd \u{1f600}]]>`,
    );
  });
});

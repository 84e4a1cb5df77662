/** What edges carry beside their weight; every value by hand. */
import { parse } from "graphology-gexf";
import { DirectedGraph } from "graphology";
import { tableFromIPC } from "@uwdata/flechette";
import * as fc from "fast-check";
import { parquetReadObjects } from "hyparquet";
import { describe, expect, test } from "vitest";
import { exportedGraph } from "../../src/export/exportedGraph.ts";
import { toArrow, toParquet } from "../../src/export/tableFiles.ts";
import { toGexf } from "../../src/export/toGexf.ts";
import { toGraphology } from "../../src/export/toGraphology.ts";
import { toNgraph } from "../../src/export/toNgraph.ts";
import { toTable } from "../../src/export/toTable.ts";
import { edgeWeights, type Block } from "../../src/graph/block.ts";
import { weighEdges } from "../../src/graph/edgeWeight.ts";
import { includeRecurrent } from "../../src/graph/includeRecurrent.ts";
import { assembleGraph, type LayeredGraph } from "../../src/graph/layeredGraph.ts";
import { transformGraph } from "../../src/graph/transformGraph.ts";
import { weightgraph, weightgraphJson } from "../helpers/commandLine.ts";
import { chainGraph } from "../helpers/methods.ts";

const nodes = (...ids: readonly number[]): Int32Array => Int32Array.from(ids);

/** Two channels in groups of one and two taps, a recurrent edge, a bias node; `keep` says how the taps are kept. */
function mixed(keep: "taps" | "collapsed"): LayeredGraph {
  const shape = { rows: 2, columns: 2, groups: 2, taps: 2 };
  const taps: Block = {
    name: "conv",
    weights: Float32Array.of(3, -4, 6, 8),
    ...shape,
    rowNodes: nodes(2, 3),
    columnNodes: nodes(0, 1),
  };
  const collapsed = {
    norm: Float64Array.of(5, 10),
    positiveSum: Float64Array.of(3, 14),
    negativeSum: Float64Array.of(4, 0),
  };
  const one = { groups: 1, taps: 1, rows: 1, columns: 1 };
  const past: Block = {
    name: "past",
    kind: "recurrent",
    weights: Float32Array.of(-2),
    ...one,
    rowNodes: nodes(2),
    columnNodes: nodes(3),
  };
  const bias: Block = {
    name: "bias of conv",
    kind: "bias",
    weights: Float32Array.of(0, 7),
    ...one,
    rows: 2,
    rowNodes: nodes(2, 3),
    columnNodes: nodes(4),
  };
  const layers = [
    { name: "x", size: 2 },
    { name: "conv", size: 2 },
    { name: "bias of conv", size: 1 },
  ];
  const conv = keep === "taps" ? taps : { ...taps, weights: null, collapsed };
  const graph = assembleGraph("net", layers, [conv, bias], "declared");
  return includeRecurrent({ ...graph, recurrentBlocks: [past] });
}

const expected = [
  {
    from: 0,
    to: 2,
    weight: -5,
    block: "conv",
    kind: "forward",
    taps: 2,
    positive: 3,
    negative: 4,
    norm: 5,
  },
  {
    from: 1,
    to: 3,
    weight: 10,
    block: "conv",
    kind: "forward",
    taps: 2,
    positive: 14,
    negative: 0,
    norm: 10,
  },
  {
    from: 4,
    to: 3,
    weight: 7,
    block: "bias of conv",
    kind: "bias",
    taps: 1,
    positive: 7,
    negative: 0,
    norm: 7,
  },
  {
    from: 3,
    to: 2,
    weight: -2,
    block: "past",
    kind: "recurrent",
    taps: 1,
    positive: 0,
    negative: 2,
    norm: 2,
  },
] as const;

type Row = Record<string, unknown>;

const rows: Record<string, (graph: LayeredGraph) => Row[] | Promise<Row[]>> = {
  graphology: (graph) =>
    toGraphology(graph, { edgeAttributes: true }).mapEdges((_key, attributes, from, to) => ({
      from: Number(from),
      to: Number(to),
      ...attributes,
    })),
  ngraph: (graph) => {
    const links: Row[] = [];
    toNgraph(graph, { edgeAttributes: true }).forEachLink(({ fromId, toId, data }) => {
      links.push({ from: fromId, to: toId, ...data });
    });
    return links;
  },
  gexf: (graph) =>
    parse(DirectedGraph, toGexf(graph, { edgeAttributes: true })).mapEdges(
      (_key, attributes, from, to) => ({ from: Number(from), to: Number(to), ...attributes }),
    ),
  table: async (graph) => (await toTable(graph, { edgeAttributes: true })).edges.objects() as Row[],
  parquet: async (graph) => {
    const { edges } = await toParquet(graph, { edgeAttributes: true });
    return parquetReadObjects({ file: edges.slice().buffer });
  },
  arrow: async (graph) => {
    const { edges } = await toArrow(graph, { edgeAttributes: true });
    return tableFromIPC(edges).toArray();
  },
};

describe.each(["taps", "collapsed"] as const)("with %s kept", (keep) => {
  test.each(Object.keys(rows))("%s", async (target) => {
    expect(await rows[target]!(mixed(keep))).toEqual(expected);
  });
});

test("without the option an edge has its weight and its block", async () => {
  expect(exportedGraph(mixed("taps")).edgeOf(0)).toEqual({ weight: -5, block: "conv" });
  const { edges } = await toTable(mixed("taps"));
  expect(edges.columnNames()).toEqual(["from", "to", "weight", "block"]);
});

test("a reduction tells of the edges that it keeps", () => {
  const options = { edgeAttributes: true, edgeBudget: 3, reduce: true } as const;
  const { edges, edgeOf } = exportedGraph(mixed("collapsed"), options);
  expect(Array.from(edges.from, (_, edge) => edgeOf(edge).positive)).toEqual([14, 7, 0]);
});

test("of other edge weights only the sums are known; a transform leaves one tap", () => {
  const sums = weighEdges(mixed("taps"), "sum");
  const edge = { block: "conv", kind: "forward" };
  const first = (graph: LayeredGraph): unknown =>
    exportedGraph(graph, { edgeAttributes: true }).edgeOf(0);
  expect(first(sums)).toEqual({ ...edge, weight: -1, taps: 2, positive: 3, negative: 4 });
  const changed = transformGraph(mixed("taps"), ["absolute"]);
  expect(first(changed)).toEqual({
    ...edge,
    weight: 5,
    taps: 1,
    positive: 5,
    negative: 0,
    norm: 5,
  });
});

test("one edge at a time or a whole block: the same numbers (oracle: edgeWeights)", () => {
  const row = fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), {
    minLength: 6,
    maxLength: 6,
  });
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 4 }), (weights) => {
      const graph = chainGraph([{ rows: weights, taps: 3 }]);
      const [block] = graph.blocks;
      const { edges, edgeOf } = exportedGraph(graph, { edgeAttributes: true });
      const whole = {
        norm: edgeWeights(block!, "norm"),
        positive: edgeWeights(block!, "positiveSum"),
        negative: edgeWeights(block!, "negativeSum"),
      };
      edges.from.forEach((from, i) => {
        const { norm, positive, negative } = edgeOf(i);
        const place = (edges.to[i]! - block!.columns) * block!.columns + from;
        expect([norm, positive, negative]).toEqual([
          whole.norm[place],
          whole.positive[place],
          whole.negative[place],
        ]);
      });
    }),
  );
});

describe("on the command line", () => {
  const file = "fixtures/mnist-mlp/final.onnx";
  test("--edge-attributes", async () => {
    const few = ["--edges", "5", "--reduce", "--edge-attributes", "--measures", "strength"];
    const { stdout } = await weightgraph(["export", file, "--to", "edges", ...few]);
    const [head, first] = stdout.split("\n");
    expect(head).toBe("from,to,weight,block,kind,taps,positive,negative,norm");
    expect(first).toContain(",forward,1,");
    const document = await weightgraphJson(["export", file, ...few]);
    const { edges } = document["content"] as { edges: { attributes: Row }[] };
    for (const { attributes } of edges) {
      const { weight, positive, negative } = attributes as Record<string, number>;
      expect(positive! - negative!).toBe(weight);
    }
  });

  test.each(["hif", "nodes"])("--to %s has no edges to say more of", async (to) => {
    const { code, stderr } = await weightgraph(["export", file, "--to", to, "--edge-attributes"]);
    expect(code).toBe(2);
    expect(stderr).toContain("USAGE_INVALID_OPTION");
  });
});

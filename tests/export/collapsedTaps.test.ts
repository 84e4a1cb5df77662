/** A graph that keeps only what its taps come to leaves the house as the same graph. */
import type { Link } from "ngraph.graph";
import { describe, expect, test } from "vitest";
import { fromGraphology } from "../../src/export/fromGraphology.ts";
import { nodeEdges } from "../../src/export/nodeEdges.ts";
import { toGexf } from "../../src/export/toGexf.ts";
import { toGraphology } from "../../src/export/toGraphology.ts";
import { toNgraph } from "../../src/export/toNgraph.ts";
import { toTable } from "../../src/export/toTable.ts";
import type { Block, LayeredGraph } from "../../src/graph/layeredGraph.ts";
import { rolledToy } from "../helpers/methods.ts";

const graph = rolledToy();
const collapsed: LayeredGraph = { ...graph, blocks: graph.blocks.map(collapse) };

/** What the taps of each edge come to, by definition. */
function collapse(block: Block): Block {
  const { weights, taps } = block;
  if (taps === 1) return block;
  const each = Array.from({ length: weights!.length / taps }, (_, edge) =>
    Array.from(weights!.subarray(edge * taps, (edge + 1) * taps)),
  );
  const sum = (values: number[]): number => values.reduce((a, b) => a + b, 0);
  return {
    ...block,
    weights: null,
    collapsed: {
      norm: Float64Array.from(each, (own) => Math.sqrt(sum(own.map((w) => w * w)))),
      positiveSum: Float64Array.from(each, (own) => sum(own.filter((w) => w > 0))),
      negativeSum: Float64Array.from(each, (own) => -sum(own.filter((w) => w < 0))),
    },
  };
}

describe("collapsed taps", () => {
  test("graphology, and back", () => {
    expect(toGraphology(collapsed).export()).toEqual(toGraphology(graph).export());
    expect(fromGraphology(toGraphology(collapsed))).toEqual(fromGraphology(toGraphology(graph)));
  });

  test("ngraph: an edge is the norm of its taps with the sign of their sum (hand)", () => {
    const links = (of: LayeredGraph): unknown[] => {
      const found: unknown[] = [];
      toNgraph(of).forEachLink((link: Link<unknown>) => {
        found.push([link.fromId, link.toId, link.data]);
      });
      return found;
    };
    expect(links(collapsed)).toEqual(links(graph));
    expect(links(collapsed).slice(0, 2)).toEqual([
      [0, 2, { weight: 5, block: "block0" }],
      [1, 2, { weight: 2, block: "block0" }],
    ]);
    expect(toNgraph(collapsed).getLink(1, 4)?.data.weight).toBe(-5);
  });

  test("tables, GEXF and the edges of a node", async () => {
    const edges = async (of: LayeredGraph): Promise<unknown> => (await toTable(of)).edges.objects();
    expect(await edges(collapsed)).toEqual(await edges(graph));
    expect(toGexf(collapsed)).toBe(toGexf(graph));
    for (let node = 0; node < graph.nodeCount; node++) {
      expect(nodeEdges(collapsed, node)).toEqual(nodeEdges(graph, node));
    }
  });
});

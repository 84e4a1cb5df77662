import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { columnSpan, type Block } from "../../src/graph/block.ts";
import { connectedComponents } from "../../src/graph/components.ts";
import { assembleGraph, type LayeredGraph } from "../../src/graph/layeredGraph.ts";
import { graphFromMatrix } from "../../src/graph/matrix.ts";
import { transformGraph } from "../../src/graph/transformGraph.ts";
import type { GraphTransform } from "../../src/graph/weighting.ts";

describe("slow oracles over the list of edges", () => {
  interface Edge {
    readonly from: number;
    readonly to: number;
    readonly weight: number;
  }
  const edgesOf = (graph: LayeredGraph): Edge[] =>
    graph.blocks.flatMap((block) =>
      Array.from({ length: block.rows }, (_, row) => row).flatMap((row) => {
        const { first, count } = columnSpan(block, row);
        return Array.from({ length: count }, (_, c) => ({
          from: block.columnNodes[first + c]!,
          to: block.rowNodes[row]!,
          weight: block.weights![row * count + c]!,
        }));
      }),
    );
  /** Index of each edge among the non-zero ones of its node, strongest first, earlier first. */
  const rankAt = (edges: readonly Edge[], edge: number, end: "from" | "to"): number => {
    const own = edges
      .map((other, index) => ({ ...other, index }))
      .filter((other) => other[end] === edges[edge]![end] && other.weight !== 0);
    own.sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight) || a.index - b.index);
    return own.findIndex(({ index }) => index === edge);
  };
  const chance = (
    edges: readonly Edge[],
    { weight, ...edge }: Edge,
    end: "from" | "to",
  ): number => {
    const own = edges.filter((other) => other[end] === edge[end] && other.weight !== 0);
    const strength = own.reduce((sum, other) => sum + Math.abs(other.weight), 0);
    return (1 - Math.abs(weight) / strength) ** (own.length - 1);
  };

  const entry = fc.oneof(
    fc.integer({ min: -3, max: 3 }),
    fc.double({ min: -9, max: 9, noNaN: true }),
  );
  const rows = (count: number, width: number): fc.Arbitrary<number[][]> =>
    fc.array(fc.array(entry, { minLength: width, maxLength: width }), {
      minLength: count,
      maxLength: count,
    });
  // a -> b twice (parallel edges), a -> c past b, and b -> c in two groups.
  const drawn = fc
    .tuple(rows(4, 3), rows(4, 3), rows(2, 3), rows(2, 2))
    .map(([ab, again, ac, bc]): LayeredGraph => {
      const graph = graphFromMatrix({
        blocks: [
          { from: "a", to: "b", weights: ab },
          { from: "a", to: "b", weights: again },
          { from: "a", to: "c", weights: ac },
        ],
      });
      const node = (name: string): Int32Array => {
        const { offset, size } = graph.layers.find((layer) => layer.name === name)!;
        return Int32Array.from({ length: size }, (_, i) => offset + i);
      };
      const grouped: Block = {
        name: "b to c",
        weights: Float64Array.from(bc.flat()),
        rows: 2,
        columns: 4,
        groups: 2,
        taps: 1,
        rowNodes: node("c"),
        columnNodes: node("b"),
      };
      return assembleGraph("drawn", graph.layers, [...graph.blocks, grouped], "declared");
    });
  const kept = (graph: LayeredGraph, keep: (edge: Edge, index: number) => boolean): number[] =>
    edgesOf(graph).map((edge, index) => (edge.weight !== 0 && keep(edge, index) ? edge.weight : 0));
  const found = (graph: LayeredGraph, transform: GraphTransform): number[] =>
    edgesOf(transformGraph(graph, [transform])).map(({ weight }) => weight + 0);

  test("the N strongest per node", () => {
    fc.assert(
      fc.property(drawn, fc.integer({ min: 1, max: 6 }), (graph, n) => {
        const edges = edgesOf(graph);
        const received = (_: Edge, index: number): boolean => rankAt(edges, index, "to") < n;
        const sent = (_: Edge, index: number): boolean => rankAt(edges, index, "from") < n;
        expect(found(graph, `topPerReceiver=${n}`)).toEqual(kept(graph, received));
        expect(found(graph, `topPerSender=${n}`)).toEqual(kept(graph, sent));
        expect(found(graph, `topPerNode=${n}`)).toEqual(
          kept(graph, (edge, index) => received(edge, index) || sent(edge, index)),
        );
      }),
    );
  });

  test("the disparity backbone", () => {
    fc.assert(
      fc.property(drawn, fc.double({ min: 0.01, max: 1, noNaN: true }), (graph, alpha) => {
        const edges = edgesOf(graph);
        const chances = edges.map((edge) =>
          edge.weight === 0 ? 1 : Math.min(chance(edges, edge, "to"), chance(edges, edge, "from")),
        );
        // A chance at the level itself may fall on either side of it by rounding.
        fc.pre(chances.every((own) => Math.abs(own - alpha) > 1e-12));
        expect(found(graph, `disparity=${alpha}`)).toEqual(
          kept(graph, (_, index) => chances[index]! < alpha),
        );
      }),
    );
  });

  test("selections done twice are selections done once, and never add an edge", () => {
    const selection = fc.constantFrom<GraphTransform>(
      "threshold=1",
      "top=3",
      "topPerReceiver=2",
      "positive",
    );
    fc.assert(
      fc.property(drawn, selection, (graph, transform) => {
        const once = transformGraph(graph, [transform]);
        const twice = transformGraph(once, [transform]);
        expect(twice.blocks).toEqual(once.blocks);
        expect(twice.transforms).toEqual([transform, transform]);
        const [before, after] = [connectedComponents(graph), connectedComponents(once)];
        expect(after.nonZeroEdges).toBeLessThanOrEqual(before.nonZeroEdges);
        expect(after.sizes.length).toBeGreaterThanOrEqual(before.sizes.length);
      }),
    );
  });
});

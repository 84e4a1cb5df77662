import { existsSync, readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  bipartiteClustering,
  type BipartiteClusteringOptions,
} from "../../src/analysis/bipartiteClustering.ts";
import { nullable } from "../../src/analysis/nodeValues.ts";
import { layeredGraph, type LayeredGraph } from "../../src/graph/layeredGraph.ts";
import { openModel } from "../../src/node.ts";
import { thrownBy } from "../helpers/errors.ts";
import { chainGraph, symmetricMatrix } from "../helpers/methods.ts";

const clustering = (graph: LayeredGraph, options: BipartiteClusteringOptions = {}) =>
  nullable(bipartiteClustering(graph, options));

describe("by hand", () => {
  const path = chainGraph([{ rows: [[1]] }, { rows: [[-2]] }, { rows: [[3]] }]);
  test("the path of four: an end shares one neighbour with a node of two", () => {
    expect(clustering(path)).toEqual([0.5, 0.5, 0.5, 0.5]);
    expect(clustering(path, { overlap: "min" })).toEqual([1, 1, 1, 1]);
    expect(clustering(path, { overlap: "max" })).toEqual([0.5, 0.5, 0.5, 0.5]);
    // Without the negative edge two pairs are left that share no neighbour with anybody.
    expect(clustering(path, { positiveOnly: true })).toEqual([null, null, null, null]);
  });

  test("a full layer: all neighbourhoods are the same", () => {
    expect(
      clustering(
        chainGraph([
          {
            rows: [
              [1, 2, 3],
              [4, 5, 6],
            ],
          },
        ]),
      ),
    ).toEqual([1, 1, 1, 1, 1]);
  });

  test("three senders, two receivers, one edge missing", () => {
    // N(0) = {3, 4}, N(1) = {3, 4}, N(2) = {3}; N(3) = {0, 1, 2}, N(4) = {0, 1}.
    const graph = chainGraph([
      {
        rows: [
          [1, 1, 1],
          [1, 1, 0],
        ],
      },
    ]);
    expect(clustering(graph)).toEqual([0.75, 0.75, 0.5, 2 / 3, 2 / 3]);
    expect(clustering(graph, { direction: "out" })).toEqual([0.75, 0.75, 0.5, null, null]);
    expect(clustering(graph, { direction: "in" })).toEqual([null, null, null, 2 / 3, 2 / 3]);
  });

  test("taps that cancel are no positive edge, but an edge", () => {
    const graph = chainGraph([
      {
        rows: [
          [1, -1, 2, 2],
          [1, 1, 1, 0],
        ],
        taps: 2,
      },
    ]);
    expect(clustering(graph)).toEqual([1, 1, 1, 1]);
    expect(clustering(graph, { positiveOnly: true })).toEqual([0.5, 0.5, 0.5, 0.5]);
  });
});

/** Sets, pair by pair (oracle). */
function naive(graph: LayeredGraph, overlap: string): (number | null)[] {
  const sets = symmetricMatrix(graph).map(
    (row) => new Set(row.flatMap((weight, j) => (weight === 0 ? [] : [j]))),
  );
  return sets.map((own, u) => {
    const shares = sets.flatMap((other, v) => {
      const common = [...own].filter((node) => other.has(node)).length;
      if (u === v || common === 0) return [];
      const union = own.size + other.size - common;
      const by = { dot: union, max: Math.max(own.size, other.size) }[overlap];
      return [common / (by ?? Math.min(own.size, other.size))];
    });
    return shares.length === 0 ? null : shares.reduce((a, b) => a + b) / shares.length;
  });
}

const rows = (m: number, n: number) =>
  fc.array(fc.array(fc.integer({ min: 0, max: 1 }), { minLength: n, maxLength: n }), {
    minLength: m,
    maxLength: m,
  });
const size = fc.integer({ min: 1, max: 40 });

test("equals sets compared pair by pair (oracle)", () => {
  const chain = fc
    .tuple(size, size, size)
    .chain(([a, b, c]) => fc.tuple(rows(b, a), rows(c, b)))
    .map((blocks) => chainGraph(blocks.map((own) => ({ rows: own }))));
  fc.assert(
    fc.property(chain, fc.constantFrom("dot", "max", "min"), (graph, overlap) => {
      const found = clustering(graph, { overlap });
      naive(graph, overlap).forEach((expected, node) => {
        if (expected === null) expect(found[node]).toBeNull();
        else expect(found[node]).toBeCloseTo(expected, 12);
      });
    }),
    { numRuns: 40 },
  );
});

test("graphs of too many pairs are refused; so are graphs without blocks", () => {
  const { blocks, ...graph } = chainGraph([{ rows: [[1]] }]);
  const large = { ...graph, blocks, nodeCount: 70_000 };
  thrownBy(() => bipartiteClustering(large), "ANALYSIS_TOO_LARGE");
  thrownBy(() => bipartiteClustering(chainGraph([])), "GRAPH_NO_EDGES");
});

type Sampled = { readonly sum: number; readonly nodes: Readonly<Record<string, number>> };
type Golden = {
  readonly clustering?: Readonly<Record<"dot" | "max" | "min", Record<string, Sampled>>>;
};
const root = new URL("../../", import.meta.url);
const { models } = JSON.parse(
  readFileSync(new URL("fixtures/golden/spectral.json", root), "utf8"),
) as { models: Record<string, Golden> };

describe.each(Object.entries(models).filter(([, golden]) => golden.clustering !== undefined))(
  "%s: networkx, positive edges",
  (path, golden) => {
    const file = new URL(path, root);
    const cases = Object.entries(golden.clustering!).flatMap(([overlap, by]) =>
      Object.entries(by).map(([direction, sampled]) => ({ overlap, direction, sampled })),
    );
    test.each(cases)("$overlap, $direction", async ({ overlap, direction, sampled }) => {
      if (!existsSync(file)) return;
      const graph = await layeredGraph(await openModel(file.pathname));
      const options = { overlap, direction, positiveOnly: true } as BipartiteClusteringOptions;
      const { values } = bipartiteClustering(graph, options);
      const sum = values.reduce((total, value) => total + value, 0);
      expect(Math.abs(sum - sampled.sum)).toBeLessThanOrEqual(1e-10 * sampled.sum);
      for (const [node, expected] of Object.entries(sampled.nodes))
        expect(values[Number(node)]).toBeCloseTo(expected, 11);
    });
  },
);

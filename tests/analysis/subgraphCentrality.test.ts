import { existsSync, readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nullable } from "../../src/analysis/nodeValues.ts";
import {
  subgraphCentrality,
  type SubgraphCentralityOptions,
} from "../../src/analysis/subgraphCentrality.ts";
import { layeredGraph, type LayeredGraph } from "../../src/graph/layeredGraph.ts";
import { graphFromMatrix } from "../../src/graph/matrix.ts";
import { openModel } from "../../src/node.ts";
import { thrownBy } from "../helpers/errors.ts";
import { jacobiEigen } from "../helpers/jacobi.ts";
import { chainGraph, rolledToy, symmetricMatrix } from "../helpers/methods.ts";

const logs = (graph: LayeredGraph, options: SubgraphCentralityOptions = {}) =>
  nullable(subgraphCentrality(graph, options)) as number[];

const full = (m: number, n: number, weight = 1): LayeredGraph =>
  chainGraph([{ rows: Array.from({ length: m }, () => Array.from({ length: n }, () => weight)) }]);

describe("closed forms", () => {
  test.each([
    [1, 1],
    [2, 3],
    [7, 4],
  ])("K(%i, %i): 1 + (cosh sqrt(mn) - 1) over the size of the side (hand)", (m, n) => {
    const value = (side: number): number => 1 + (Math.cosh(Math.sqrt(m * n)) - 1) / side;
    const found = logs(full(m, n));
    found.forEach((log, node) => {
      expect(log).toBeCloseTo(Math.log(value(node < n ? n : m)), 11);
    });
    const values = nullable(subgraphCentrality(full(m, n), { form: "value" }));
    expect(values[0]! / value(n)).toBeCloseTo(1, 11);
  });

  test("weights of 1000 leave float64, logarithms do not: w sqrt(mn) - ln(2 side) (hand)", () => {
    const graph = full(3, 4, 1000);
    const found = subgraphCentrality(graph, { weighted: true }).values;
    const root = 1000 * Math.sqrt(12);
    expect(Math.abs(found[0]! / (root - Math.log(8)) - 1)).toBeLessThan(1e-12);
    expect(Math.abs(found[4]! / (root - Math.log(6)) - 1)).toBeLessThan(1e-12);
    const call = () => subgraphCentrality(graph, { weighted: true, form: "value" });
    thrownBy(call, "ANALYSIS_UNDEFINED");
  });

  test("one edge of weight w: cosh(beta w); parallel edges add, or join once (hand)", () => {
    const graph = graphFromMatrix({
      blocks: [
        { from: "a", to: "b", weights: [[2]] },
        { from: "a", to: "b", weights: [[-0.5]] },
      ],
    });
    expect(logs(graph)[0]).toBeCloseTo(Math.log(Math.cosh(1)), 13);
    expect(logs(graph, { weighted: true })[0]).toBeCloseTo(Math.log(Math.cosh(2.5)), 13);
    expect(logs(graph, { weighted: true, beta: 0.5 })[1]).toBeCloseTo(
      Math.log(Math.cosh(1.25)),
      13,
    );
    expect(logs(graph, { weighted: true, positiveOnly: true })[0]).toBeCloseTo(
      Math.log(Math.cosh(2)),
      13,
    );
    for (const log of logs(graph, { beta: 0 })) expect(log).toBeCloseTo(0, 14);
  });

  test("a neuron without edges has the empty walk alone", () => {
    const graph = chainGraph([
      {
        rows: [
          [0, 1],
          [0, 1],
        ],
      },
    ]);
    expect(logs(graph)[0]).toBe(0);
    expect(nullable(subgraphCentrality(graph, { form: "value" }))[0]).toBe(1);
  });

  test.each([1e-300, 1e-9, 1e5])("weights of %d are no trouble", (weight) => {
    const [found] = logs(full(2, 2, weight), { weighted: true });
    // K(2, 2): 1 + (cosh 2w - 1) / 2.
    const expected = weight < 1 ? Math.log1p(weight * weight) : 2 * weight - Math.log(4);
    expect(found).toBeCloseTo(expected, 9);
  });
});

test("neurons with the very same edges are taken once, others are not taken for them", () => {
  // From a unit vector three steps tell all of a full layer; there are two kinds of neurons.
  expect(subgraphCentrality(full(40, 60, 1)).steps).toBeLessThanOrEqual(6);
  const graph = chainGraph([
    {
      rows: [
        [1, 1, 0],
        [1, 1, 0],
        [0, 1, 1],
      ],
    },
  ]);
  // The first two rows and, of the columns, none are alike.
  const found = logs(graph);
  expect(new Set(found).size).toBe(5);
  const matrix = [
    [0, 0, 0, 1, 1, 0],
    [0, 0, 0, 1, 1, 1],
    [0, 0, 0, 0, 0, 1],
    [1, 1, 0, 0, 0, 0],
    [1, 1, 0, 0, 0, 0],
    [0, 1, 1, 0, 0, 0],
  ];
  naive(matrix).forEach((value, i) => expect(found[i]).toBeCloseTo(value, 12));
});

/** By all eigenvectors (oracle). */
function naive(matrix: readonly (readonly number[])[]): number[] {
  const { values, vectors } = jacobiEigen(matrix);
  return matrix.map((_, i) =>
    Math.log(values.reduce((sum, value, k) => sum + vectors[k]![i]! ** 2 * Math.exp(value), 0)),
  );
}

const rows = (m: number, n: number) =>
  fc.array(fc.array(fc.integer({ min: -3, max: 3 }), { minLength: n, maxLength: n }), {
    minLength: m,
    maxLength: m,
  });
const side = fc.integer({ min: 1, max: 6 });

test("equals the sum over all eigenvectors (oracle)", () => {
  const chain = fc
    .tuple(side, side, side)
    .chain(([a, b, c]) => fc.tuple(rows(b, a), rows(c, b)))
    .map((blocks) => chainGraph(blocks.map((own) => ({ rows: own }))));
  fc.assert(
    fc.property(chain, (graph) => {
      const weights = symmetricMatrix(graph);
      const found = logs(graph, { weighted: true });
      naive(weights).forEach((expected, i) => expect(found[i]).toBeCloseTo(expected, 9));
      const counted = logs(graph);
      const ones = weights.map((row) => row.map((weight) => +(weight !== 0)));
      naive(ones).forEach((expected, i) => expect(counted[i]).toBeCloseTo(expected, 9));
    }),
    { numRuns: 50 },
  );
});

test("says how far the bounds are apart", () => {
  const { gap, steps, covered } = subgraphCentrality(rolledToy(), { weighted: true });
  expect(gap).toBeLessThanOrEqual(1e-9);
  expect(steps).toBeGreaterThanOrEqual(9);
  expect(covered.every((own) => own === 1)).toBe(true);
});

test("graphs of too much work are refused; so are graphs without blocks", () => {
  const { blocks, ...graph } = full(2, 2);
  const large = { ...graph, blocks, nodeCount: 8192, edgeCount: 4096 * 4096 };
  thrownBy(() => subgraphCentrality(large), "ANALYSIS_TOO_LARGE");
  thrownBy(() => subgraphCentrality(chainGraph([])), "GRAPH_NO_EDGES");
});

type Sampled = { readonly sum: number; readonly nodes: Readonly<Record<string, number>> };
type Golden = {
  readonly subgraph?: Readonly<Record<"unweighted" | "weighted" | "positive", Sampled>>;
};
const root = new URL("../../", import.meta.url);
const { models } = JSON.parse(
  readFileSync(new URL("fixtures/golden/spectral.json", root), "utf8"),
) as { models: Record<string, Golden> };
const forms = {
  unweighted: {},
  weighted: { weighted: true },
  positive: { weighted: true, positiveOnly: true },
};

describe.each(Object.entries(models).filter(([, golden]) => golden.subgraph !== undefined))(
  "%s: networkx and LAPACK",
  (path, golden) => {
    const file = new URL(path, root);
    test.each(Object.entries(golden.subgraph!))("%s", async (form, sampled) => {
      if (!existsSync(file)) return;
      const graph = await layeredGraph(await openModel(file.pathname));
      const { values } = subgraphCentrality(graph, forms[form as keyof typeof forms]);
      const sum = values.reduce((total, value) => total + value, 0);
      // networkx sums over all eigenvectors: entries far from the largest eigenvector lose digits there.
      expect(Math.abs(sum / sampled.sum - 1)).toBeLessThan(1e-9);
      for (const [node, expected] of Object.entries(sampled.nodes))
        expect(Math.abs(values[Number(node)]! - expected)).toBeLessThan(
          1e-8 * Math.max(1, expected),
        );
    });
  },
);

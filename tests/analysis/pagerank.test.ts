import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nullable } from "../../src/analysis/nodeValues.ts";
import { pagerank, type PagerankOptions } from "../../src/analysis/pagerank.ts";
import { edgeWeightNames, weighEdges } from "../../src/graph/edgeWeight.ts";
import type { LayeredGraph } from "../../src/graph/layeredGraph.ts";
import { expectClose } from "../helpers/expectClose.ts";
import { denseSolve, directedMatrix } from "../helpers/directedMatrix.ts";
import { thrownBy } from "../helpers/errors.ts";
import { chainGraph, rolledToy, transposed } from "../helpers/methods.ts";
import { cyclicGraph, variedGraphs } from "../helpers/variedGraphs.ts";

/** x = G x as a linear system over the neurons that stand in a block (oracle). */
function dense(
  graph: LayeredGraph,
  { damping = 0.85, reverse = false }: PagerankOptions = {},
): (number | null)[] {
  const inBlock = new Set(graph.blocks.flatMap((b) => [...b.rowNodes, ...b.columnNodes]));
  const nodes = [...inBlock].sort((a, b) => a - b);
  const matrix = directedMatrix(graph);
  const towards = reverse ? transposed(matrix) : matrix;
  const n = nodes.length;
  const sums = nodes.map((from) => nodes.reduce((sum, to) => sum + towards[to]![from]!, 0));
  const equations = nodes.map((to, i) =>
    nodes.map((from, j) => {
      const chance = sums[j] === 0 ? 1 / n : towards[to]![from]! / sums[j]!;
      return (i === j ? 1 : 0) - damping * chance;
    }),
  );
  const x = denseSolve(
    equations,
    nodes.map(() => (1 - damping) / n),
  );
  const values = Array.from<number | null>({ length: graph.nodeCount }).fill(null);
  nodes.forEach((node, i) => (values[node] = x[i]!));
  return values;
}

describe("golden: the rolled toy", () => {
  // reference (networkx 2.8.8, pagerank, tol=1e-17)
  test.each<{ options: PagerankOptions; expected: readonly number[] }>([
    {
      options: {},
      expected: [
        0.05052865606407033, 0.05052865606407033, 0.08059320642219217, 0.0720033348913002,
        0.08488814218763815, 0.15764895577118454, 0.14527033733291703, 0.12518898807644022,
        0.2333497231901868,
      ],
    },
    {
      options: { damping: 0.5 },
      expected: [
        0.07142857142857142, 0.07142857142857142, 0.09642857142857142, 0.08928571428571429, 0.1,
        0.14781037414965986, 0.13790391156462584, 0.11288885345804987, 0.1728254322562358,
      ],
    },
    {
      options: { reverse: true },
      expected: [
        0.18086671549701902, 0.19794361056856116, 0.0815144020210033, 0.10324106164049524,
        0.13750798474095052, 0.08640641105602495, 0.10763341955244723, 0.05244319746174923,
        0.05244319746174923,
      ],
    },
  ])("%o", ({ options, expected }) => {
    const { values, residual, iterations, dangling } = pagerank(rolledToy(), options);
    expectClose([...values], expected);
    expect(residual).toBeLessThan(1e-15);
    expect(iterations).toBe(1);
    expect(dangling).toBe(2);
  });
});

describe("closed forms", () => {
  test.each([
    [1, 1],
    [1, 7],
    [3, 4],
    [40, 25],
  ])("K(%d,%d): receivers hold what senders pass on", (m, n) => {
    const rows = Array.from({ length: m }, () => Array.from({ length: n }, () => -2));
    const { values } = pagerank(chainGraph([{ rows }]));
    const total = n + m + 0.85 * n;
    const expected = [
      ...rows[0]!.map(() => 1 / total),
      ...rows.map(() => (1 + (0.85 * n) / m) / total),
    ];
    expectClose([...values], expected);
  });

  test("a path: partial sums of the geometric series", () => {
    const { values } = pagerank(chainGraph(Array.from({ length: 30 }, () => ({ rows: [[3]] }))));
    const partial = Array.from({ length: 31 }, (_, i) => (1 - 0.85 ** (i + 1)) / 0.15);
    const total = partial.reduce((sum, value) => sum + value, 0);
    expectClose(
      [...values],
      partial.map((value) => value / total),
    );
  });

  test("a star towards its centre, and the same in reverse from it", () => {
    const star = chainGraph([{ rows: [[1, 2, 3, 4]] }]);
    const inward = [1, 1, 1, 1, 1 + 4 * 0.85].map((value) => value / (5 + 4 * 0.85));
    expectClose([...pagerank(star).values], inward);
    const outward = [1, 2, 3, 4].map((weight) => 1 + (0.85 * weight) / 10);
    expectClose(
      [...pagerank(star, { reverse: true }).values],
      [...outward, 1].map((v) => v / 5.85),
    );
  });

  test("no damping is everywhere alike; full damping counts the ways that end somewhere", () => {
    const graph = chainGraph([{ rows: [[1, 3]] }, { rows: [[1], [1]] }]);
    expectClose([...pagerank(graph, { damping: 0 }).values], [0.2, 0.2, 0.2, 0.2, 0.2]);
    expectClose(
      [...pagerank(graph, { damping: 1 }).values],
      [1 / 10, 1 / 10, 3 / 10, 1 / 4, 1 / 4],
    );
  });
});

describe.each(variedGraphs)("equals a dense solver: $name (oracle)", ({ graph: read }) => {
  test.each(edgeWeightNames)("%s", (edgeWeight) => {
    const graph = weighEdges(read, edgeWeight);
    for (const reverse of [false, true]) {
      for (const damping of [0.85, 0.3]) {
        const options = { reverse, damping };
        expectClose(nullable(pagerank(graph, options)), dense(graph, options));
      }
    }
  });
});

describe("weights far apart", () => {
  test.each([1e-300, 1e300, 5e-324, 1.7e308])("times %d changes nothing", (scale) => {
    const plain = pagerank(
      chainGraph([
        {
          rows: [
            [1, 1],
            [1, 1],
            [0, 1],
          ],
        },
      ]),
    ).values;
    const scaled = [
      [scale, scale],
      [scale, scale],
      [0, scale],
    ];
    expectClose([...pagerank(chainGraph([{ rows: scaled }])).values], [...plain]);
  });

  test("a neuron of denormal weights beside one of large ones", () => {
    const rows = [
      [5e-324, 1e200],
      [1.5e-323, 3e200],
    ];
    const { values } = pagerank(chainGraph([{ rows }]));
    expectClose(
      [...values],
      [1, 1, 1 + 0.85 / 2, 1 + 0.85 * 1.5].map((value) => value / 5.7),
    );
  });

  test("beyond what float64 can divide", () => {
    const rows = [[5e-324, 1.7e308]];
    thrownBy(() => pagerank(chainGraph([{ rows }])), "ANALYSIS_UNDEFINED");
  });
});

const integerRows = fc.array(
  fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 4, maxLength: 4 }),
  { minLength: 1, maxLength: 6 },
);

describe("properties", () => {
  test("sums to 1, none below what a new start brings; scaling leaves all alone, relabelling permutes", () => {
    fc.assert(
      fc.property(integerRows, fc.constantFrom(1e-9, 0.3, 1e7), (rows, factor) => {
        const { values } = pagerank(chainGraph([{ rows }]));
        expect(values.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 13);
        expect(Math.min(...values)).toBeGreaterThanOrEqual((0.15 / values.length) * (1 - 1e-14));
        const other = rows.map((row) => row.map((w) => w * factor)).reverse();
        const back = pagerank(chainGraph([{ rows: other }])).values;
        expectClose([...back.slice(0, 4), ...back.slice(4).reverse()], [...values]);
      }),
    );
  });

  test("reverse is the PageRank of the graph turned round", () => {
    fc.assert(
      fc.property(integerRows, (rows) => {
        const { values } = pagerank(chainGraph([{ rows }]), { reverse: true });
        const turned = pagerank(chainGraph([{ rows: transposed(rows) }])).values;
        const count = rows.length;
        expectClose([...values], [...turned.slice(count), ...turned.slice(0, count)]);
      }),
    );
  });
});

describe("refuses", () => {
  test.each<PagerankOptions>([
    { damping: 1.1 },
    { damping: Number.NaN },
    { tolerance: -1 },
    { maxIterations: 0 },
  ])("%o", (options) => {
    thrownBy(() => pagerank(rolledToy(), options), "USAGE_INVALID_OPTION");
  });

  test("a graph of nothing", () => {
    thrownBy(() => pagerank(chainGraph([])), "GRAPH_NO_EDGES");
  });

  test("to stop too early, and to walk for ever", () => {
    const error = thrownBy(
      () => pagerank(cyclicGraph(), { maxIterations: 3 }),
      "ANALYSIS_NOT_CONVERGED",
    );
    expect(error.details).toMatchObject({ iterations: 3 });
    const round = cyclicGraph();
    const endless = { ...round, blocks: round.blocks.slice(0, 2) };
    thrownBy(() => pagerank(endless, { damping: 1 }), "ANALYSIS_NOT_CONVERGED");
  });
});

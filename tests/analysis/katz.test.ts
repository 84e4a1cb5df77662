import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { eigenvectorCentrality } from "../../src/analysis/eigenvectorCentrality.ts";
import { katz, type KatzOptions } from "../../src/analysis/katz.ts";
import { nullable } from "../../src/analysis/nodeValues.ts";
import { edgeWeightNames, weighEdges } from "../../src/graph/edgeWeight.ts";
import type { LayeredGraph } from "../../src/graph/layeredGraph.ts";
import { denseSolve, directedMatrix } from "../helpers/directedMatrix.ts";
import { thrownBy } from "../helpers/errors.ts";
import { expectClose } from "../helpers/expectClose.ts";
import { chainGraph, rolledToy, transposed } from "../helpers/methods.ts";
import { cyclicGraph, variedGraphs } from "../helpers/variedGraphs.ts";

/** (1 - alpha W) x = 1 over the neurons that stand in a block (oracle). */
function dense(
  graph: LayeredGraph,
  { alpha, reverse, undirected }: KatzOptions,
): (number | null)[] {
  const nodes = [...new Set(graph.blocks.flatMap((b) => [...b.rowNodes, ...b.columnNodes]))];
  const matrix = directedMatrix(graph);
  const turned = transposed(matrix);
  const weight = (to: number, from: number): number => {
    if (undirected) return matrix[to]![from]! + turned[to]![from]!;
    return (reverse ? turned : matrix)[to]![from]!;
  };
  const equations = nodes.map((to) =>
    nodes.map((from) => (to === from ? 1 : 0) - alpha! * weight(to, from)),
  );
  const x = denseSolve(
    equations,
    nodes.map(() => 1),
  );
  const values = Array.from<number | null>({ length: graph.nodeCount }).fill(null);
  nodes.forEach((node, i) => (values[node] = x[i]!));
  return values;
}

describe("golden: the rolled toy", () => {
  // reference (networkx 2.8.8, katz_centrality_numpy; alpha = 0.9 / numpy's largest eigvalsh where none is given)
  test.each<{ options: KatzOptions; expected: readonly number[] }>([
    {
      options: { alpha: 0.05, unnormalised: true },
      expected: [1, 1, 1.35, 1.25, 1.4, 1.655, 1.8925, 1.272, 1.62675],
    },
    {
      options: {},
      expected: [
        0.21150329083131084, 0.21150329083131084, 0.30606258761800814, 0.2790456456789518,
        0.3195710585875363, 0.4000797679949664, 0.470802146409891, 0.29719510259725634,
        0.40843954718613984,
      ],
    },
    {
      options: { alpha: 0.05, reverse: true, unnormalised: true },
      expected: [1.71975, 1.7815, 1.245, 1.43, 1.77, 1.2, 1.3, 1, 1],
    },
    {
      options: { undirected: true },
      expected: [
        0.25586219039373925, 0.29642360131149936, 0.24551091857190743, 0.28557693819993923,
        0.5430146569664478, 0.2950434508159997, 0.5083931806597037, 0.12072065532789422,
        0.22334979522909093,
      ],
    },
  ])("$options", ({ options, expected }) => {
    const { values, residual } = katz(rolledToy(), options);
    expectClose([...values], expected);
    expect(residual).toBeLessThan(1e-14);
  });

  test("says which alpha was taken, and of which eigenvalue", () => {
    const { alpha, eigenvalue, iterations } = katz(rolledToy());
    expect(eigenvalue).toBeCloseTo(14.091377342229894, 12);
    expect(alpha * eigenvalue!).toBeCloseTo(0.9, 14);
    expect(iterations).toBe(1);
    expect(katz(rolledToy(), { alpha: 3 })).toMatchObject({ alpha: 3, eigenvalue: null });
  });
});

describe("closed forms", () => {
  test.each([
    [1, 1],
    [1, 9],
    [12, 30],
  ])("K(%d,%d), directed and undirected", (m, n) => {
    const rows = Array.from({ length: m }, () => Array.from({ length: n }, () => -2));
    const graph = chainGraph([{ rows }]);
    const alpha = 0.3 / Math.sqrt(m * n);
    const common = { alpha, unnormalised: true } as const;
    expectClose(
      [...katz(graph, common).values],
      [...rows[0]!.map(() => 1), ...rows.map(() => 1 + 2 * alpha * n)],
    );
    // s = 1 + 2 alpha m t, t = 1 + 2 alpha n s
    const sender = (1 + 2 * alpha * m) / (1 - 4 * alpha * alpha * m * n);
    expectClose(
      [...katz(graph, { ...common, undirected: true }).values],
      [...rows[0]!.map(() => sender), ...rows.map(() => 1 + 2 * alpha * n * sender)],
    );
  });

  test("a path, any alpha: powers add up", () => {
    const path = chainGraph([{ rows: [[2]] }, { rows: [[-3]] }, { rows: [[5]] }]);
    const { values } = katz(path, { alpha: 100, unnormalised: true });
    expectClose([...values], [1, 201, 60_301, 30_150_501]);
  });

  test("alpha 0 makes all alike", () => {
    const { values } = katz(rolledToy(), { alpha: 0 });
    expectClose(
      [...values],
      Array.from({ length: 9 }, () => 1 / 3),
    );
  });
});

describe.each(variedGraphs.filter(({ name }) => name !== "zeros"))(
  "equals a dense solver: $name (oracle)",
  ({ graph: read }) => {
    test.each(edgeWeightNames)("%s", (edgeWeight) => {
      const graph = weighEdges(read, edgeWeight);
      for (const direction of [{}, { reverse: true }, { undirected: true }]) {
        const options = { ...direction, unnormalised: true };
        const found = katz(graph, options);
        const expected = dense(graph, { ...options, alpha: found.alpha });
        expectClose(nullable(found), expected);
        const again = katz(graph, { ...options, alpha: found.alpha });
        expectClose([...again.values], [...found.values]);
        const length = Math.hypot(...found.values);
        const unit = katz(graph, { ...options, unnormalised: false }).values;
        expectClose(
          [...unit],
          Array.from(found.values, (value) => value / length),
        );
      }
    });
  },
);

test("undirected, close to the limit", () => {
  const graph = variedGraphs[0]!.graph;
  const alpha = 0.999_999 / eigenvectorCentrality(graph).eigenvalue;
  const options = { alpha, undirected: true, unnormalised: true };
  expectClose([...katz(graph, options).values], dense(graph, options), 1e-8);
});

describe("scales", () => {
  test.each([1e-300, 1e-150, 1e150, 1e300])("times %d: the same values", (scale) => {
    for (const undirected of [false, true]) {
      const rows = [
        [3, 0],
        [0, -3],
        [4, 4],
      ];
      const plain = katz(chainGraph([{ rows }]), { undirected }).values;
      const scaled = chainGraph([{ rows: rows.map((row) => row.map((w) => w * scale)) }]);
      expectClose([...katz(scaled, { undirected }).values], [...plain]);
    }
  });

  test("values near the end of float64 are normalised, beyond it refused", () => {
    const path = chainGraph([{ rows: [[1e150]] }, { rows: [[1e150]] }]);
    expectClose([...katz(path, { alpha: 1 }).values], [1e-300, 1e-150, 1]);
    thrownBy(() => katz(path, { alpha: 1e10 }), "ANALYSIS_UNDEFINED");
    thrownBy(() => katz(chainGraph([{ rows: [[5e-324]] }])), "ANALYSIS_UNDEFINED");
  });
});

const integerRows = fc
  .array(fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 4, maxLength: 4 }), {
    minLength: 1,
    maxLength: 6,
  })
  .filter((rows) => rows.flat().some((w) => w !== 0));

test("scaling leaves the default alone, relabelling permutes; unit norm, all positive", () => {
  fc.assert(
    fc.property(
      integerRows,
      fc.constantFrom(1e-9, 0.3, 1e7),
      fc.boolean(),
      (rows, factor, undirected) => {
        const { values } = katz(chainGraph([{ rows }]), { undirected });
        expect(Math.hypot(...values)).toBeCloseTo(1, 13);
        expect(Math.min(...values)).toBeGreaterThan(0);
        const other = rows.map((row) => row.map((w) => w * factor)).reverse();
        const back = katz(chainGraph([{ rows: other }]), { undirected }).values;
        expectClose([...back.slice(0, 4), ...back.slice(4).reverse()], [...values], 1e-11);
      },
    ),
  );
});

describe("refuses", () => {
  test.each<KatzOptions>([
    { alpha: -1 },
    { alpha: Number.NaN },
    { alpha: Infinity },
    { tolerance: -1 },
    { maxIterations: 0 },
    { reverse: true, undirected: true },
  ])("%o", (options) => {
    thrownBy(() => katz(rolledToy(), options), "USAGE_INVALID_OPTION");
  });

  test("a graph of nothing, and zeros where an eigenvalue is needed", () => {
    thrownBy(() => katz(chainGraph([]), { alpha: 1 }), "GRAPH_NO_EDGES");
    const zeros = chainGraph([{ rows: [[0, 0]] }]);
    thrownBy(() => katz(zeros), "GRAPH_NO_EDGES");
    const third = 1 / Math.sqrt(3);
    expectClose([...katz(zeros, { alpha: 5 }).values], [third, third, third]);
  });

  test("alpha at or above the limit, undirected", () => {
    const graph = rolledToy();
    const limit = 1 / eigenvectorCentrality(graph).eigenvalue;
    for (const alpha of [limit * 1.0001, 1e3]) {
      const error = thrownBy(() => katz(graph, { alpha, undirected: true }), "ANALYSIS_UNDEFINED");
      expect(error.details).toMatchObject({ alpha });
    }
  });

  test("paths round a cycle that grow, and to stop too early", () => {
    for (const alpha of [0.5, 1e200]) {
      const error = thrownBy(() => katz(cyclicGraph(), { alpha }), "ANALYSIS_UNDEFINED");
      expect(error.message).toContain("cycle");
    }
    const few = { maxIterations: 2 };
    thrownBy(() => katz(cyclicGraph(), few), "ANALYSIS_NOT_CONVERGED");
    thrownBy(() => katz(rolledToy(), { ...few, undirected: true }), "ANALYSIS_NOT_CONVERGED");
  });
});

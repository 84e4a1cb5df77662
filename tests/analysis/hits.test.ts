import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hits, type HitsOptions } from "../../src/analysis/hits.ts";
import { nullable } from "../../src/analysis/nodeValues.ts";
import { edgeWeightNames, weighEdges } from "../../src/graph/edgeWeight.ts";
import type { LayeredGraph } from "../../src/graph/layeredGraph.ts";
import { directedMatrix } from "../helpers/directedMatrix.ts";
import { thrownBy } from "../helpers/errors.ts";
import { expectClose } from "../helpers/expectClose.ts";
import { jacobiEigen } from "../helpers/jacobi.ts";
import { chainGraph, rolledToy, transposed } from "../helpers/methods.ts";
import { variedGraphs } from "../helpers/variedGraphs.ts";

interface Pair {
  readonly singularValue: number;
  readonly hubs: ReadonlyMap<number, number>;
  readonly authorities: ReadonlyMap<number, number>;
}

/** Each part found by walking, its singular pair by an eigensolver on Wᵀ W and W Wᵀ (oracle). */
function dense(graph: LayeredGraph): Pair[] {
  const matrix = directedMatrix(graph);
  const seen = new Set<number>();
  const pairs: Pair[] = [];
  for (let first = 0; first < graph.nodeCount; first++) {
    if (seen.has(first) || matrix.every((row) => row[first] === 0)) continue;
    const senders = new Set([first]);
    const receivers = new Set<number>();
    for (let before = 0; before < senders.size + receivers.size;) {
      before = senders.size + receivers.size;
      matrix.forEach((row, r) => {
        if (row.some((w, c) => w !== 0 && senders.has(c))) receivers.add(r);
      });
      for (const r of receivers) matrix[r]!.forEach((w, c) => w !== 0 && senders.add(c));
    }
    for (const sender of senders) seen.add(sender);
    const part = [...receivers].map((r) => [...senders].map((c) => matrix[r]![c]!));
    pairs.push({
      singularValue: Math.sqrt(jacobiEigen(gram(part)).values[0]!),
      hubs: leading([...senders], gram(transposed(part))),
      authorities: leading([...receivers], gram(part)),
    });
  }
  return pairs;
}

const gram = (rows: readonly (readonly number[])[]): number[][] =>
  rows.map((a) => rows.map((b) => a.reduce((sum, w, i) => sum + w * b[i]!, 0)));

function leading(nodes: readonly number[], square: number[][]): Map<number, number> {
  const vector = jacobiEigen(square).vectors[0]!.map(Math.abs);
  const total = vector.reduce((sum, entry) => sum + entry, 0);
  return new Map(nodes.map((node, i) => [node, vector[i]! / total]));
}

describe("golden: the rolled toy", () => {
  // reference (networkx 2.8.8, hits, tol=0): all but the second pair of layers are 0 to 1e-16
  const hub = [0, 0, 0.1303911126584841, 0.23681379550454426, 0.6327950918369716, 0, 0, 0, 0];
  const authority = [0, 0, 0, 0, 0, 0.29068761077304583, 0.709312389226954, 0, 0];
  test.each([
    { role: "hub", expected: hub },
    { role: "authority", expected: authority },
  ] as const)("$role as networkx", ({ role, expected }) => {
    const { values, residual } = hits(rolledToy(), { role, compat: "networkx" });
    expectClose([...values], expected, 1e-14);
    expect(residual).toBeLessThan(1e-14);
  });

  test("every pair of layers has its own; outputs are no hubs, inputs no authorities", () => {
    const hubs = nullable(hits(rolledToy(), { role: "hub" }));
    expect(hubs.slice(7)).toEqual([null, null]);
    expectClose(hubs.slice(2, 5), hub.slice(2, 5), 1e-14);
    const { components, singularValue, ...result } = hits(rolledToy());
    expect(nullable(result).slice(0, 2)).toEqual([null, null]);
    expectClose(nullable(result).slice(5, 7), authority.slice(5, 7), 1e-14);
    expect(components.map((part) => [part.hubs, part.authorities])).toEqual([
      [2, 3],
      [3, 2],
      [2, 2],
    ]);
    // [[1, 2], [3, 4]] has the singular value sqrt(15 + sqrt(221)) (hand).
    expect(components[2]!.singularValue).toBeCloseTo(Math.sqrt(15 + Math.sqrt(221)), 13);
    expect(singularValue).toBe(components[1]!.singularValue);
  });
});

describe("closed forms", () => {
  test.each([
    [1, 1],
    [1, 7],
    [30, 40],
  ])("K(%d,%d): all alike, singular value sqrt(mn)", (m, n) => {
    const rows = Array.from({ length: m }, () => Array.from({ length: n }, () => -2));
    const graph = chainGraph([{ rows }]);
    const hub = hits(graph, { role: "hub" });
    expectClose(nullable(hub), [...rows[0]!.map(() => 1 / n), ...rows.map(() => null)]);
    expect(hub.singularValue / (2 * Math.sqrt(m * n))).toBeCloseTo(1, 13);
    expectClose(nullable(hits(graph)), [...rows[0]!.map(() => null), ...rows.map(() => 1 / m)]);
  });

  test("a star: hubs in proportion to their weights", () => {
    const star = chainGraph([{ rows: [[1, -2, 3, 4]] }]);
    expectClose(nullable(hits(star, { role: "hub" })), [0.1, 0.2, 0.3, 0.4, null]);
    expectClose(nullable(hits(star)), [null, null, null, null, 1]);
  });

  test("a path: every neuron the only one of its part", () => {
    const path = chainGraph([{ rows: [[2]] }, { rows: [[-3]] }, { rows: [[1]] }]);
    expectClose(nullable(hits(path, { role: "hub" })), [1, 1, 1, null]);
    const { values, components } = hits(path, { compat: "networkx" });
    expectClose([...values], [0, 0, 1, 0]);
    const found = components.map(({ singularValue }) => singularValue);
    expectClose(found, [2, 3, 1]);
  });
});

describe.each(variedGraphs.filter(({ name }) => name !== "zeros"))(
  "equals a dense solver: $name (oracle)",
  ({ graph: read }) => {
    test.each(edgeWeightNames)("%s", (edgeWeight) => {
      const graph = weighEdges(read, edgeWeight);
      const pairs = dense(graph);
      for (const [role, side] of [
        ["hub", "hubs"],
        ["authority", "authorities"],
      ] as const) {
        const result = hits(graph, { role });
        const expected = Array.from({ length: graph.nodeCount }, (_, node) => {
          const own = pairs.find((pair) => pair[side].has(node));
          return own?.[side].get(node) ?? null;
        });
        nullable(result).forEach((value, node) => {
          if (expected[node] === null) expect(value).toBeNull();
          else expect(value).toBeCloseTo(expected[node]!, 10);
        });
        result.components.forEach(({ singularValue }, i) => {
          expect(singularValue / pairs[i]!.singularValue).toBeCloseTo(1, 12);
        });
      }
    });
  },
);

describe("parts that tie", () => {
  const graph = chainGraph([
    {
      rows: [
        [3, 0, 0],
        [0, 1, 2],
        [0, 2, 1],
      ],
    },
  ]);

  test("each has its values by default (hand)", () => {
    expectClose(nullable(hits(graph)), [null, null, null, 1, 0.5, 0.5]);
  });

  test("have no leading vector together", () => {
    const error = thrownBy(() => hits(graph, { compat: "networkx" }), "ANALYSIS_UNDEFINED");
    expect(error.details).toMatchObject({ tied: 2 });
    expect((error.details as { singularValue: number }).singularValue).toBeCloseTo(3, 13);
  });

  test("a part that leads by 1e-9 leads", () => {
    const rows = [
      [3 * (1 + 1e-9), 0],
      [0, 3],
    ];
    const { values } = hits(chainGraph([{ rows }]), { compat: "networkx" });
    expect([...values]).toEqual([0, 0, 1, 0]);
  });
});

test("compat gives 0 to whoever stands in a block, nothing to others", () => {
  const graph = variedGraphs.find(({ name }) => name === "groups")!.graph;
  const values = nullable(hits(graph, { compat: "networkx" }));
  expect(values.at(-1)).toBeNull();
  expect(values.slice(0, -1).every((value) => value !== null)).toBe(true);
  expect(values.filter((value) => value === 0)).toHaveLength(4 + 3);
});

const integerRows = fc
  .array(fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 4, maxLength: 4 }), {
    minLength: 1,
    maxLength: 6,
  })
  .filter((rows) => rows.flat().some((w) => w !== 0));

describe("properties", () => {
  test("sums to the number of parts; scaling leaves all alone, relabelling permutes", () => {
    fc.assert(
      fc.property(integerRows, fc.constantFrom(1e-200, 0.3, 1e200), (rows, factor) => {
        for (const role of ["hub", "authority"] as const) {
          const { values, components } = hits(chainGraph([{ rows }]), { role });
          const sum = values.reduce((total, value) => total + value, 0);
          expect(sum).toBeCloseTo(components.length, 12);
          expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
          const other = rows.map((row) => row.map((w) => w * factor)).reverse();
          const back = hits(chainGraph([{ rows: other }]), { role }).values;
          [...back.slice(0, 4), ...back.slice(4).reverse()].forEach((value, node) => {
            expect(value).toBeCloseTo(values[node]!, 9);
          });
        }
      }),
    );
  });

  test("hubs are the authorities of the graph turned round", () => {
    fc.assert(
      fc.property(integerRows, (rows) => {
        const { values } = hits(chainGraph([{ rows }]), { role: "hub" });
        const turned = hits(chainGraph([{ rows: transposed(rows) }])).values;
        turned.slice(rows.length).forEach((value, i) => {
          expect(value).toBeCloseTo(values[i]!, 9);
        });
      }),
    );
  });
});

describe("refuses", () => {
  test.each<HitsOptions>([
    { role: "spoke" as "hub" },
    { compat: "igraph" as "none" },
    { tolerance: 2 },
    { maxIterations: 0.5 },
  ])("%o", (options) => {
    thrownBy(() => hits(rolledToy(), options), "USAGE_INVALID_OPTION");
  });

  test("graphs of nothing, and of zeros", () => {
    thrownBy(() => hits(chainGraph([])), "GRAPH_NO_EDGES");
    thrownBy(() => hits(chainGraph([{ rows: [[0, 0]] }])), "GRAPH_NO_EDGES");
  });

  test("to stop too early", () => {
    thrownBy(() => hits(rolledToy(), { maxIterations: 1 }), "ANALYSIS_NOT_CONVERGED");
  });
});

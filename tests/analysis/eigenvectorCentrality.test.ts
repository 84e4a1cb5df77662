import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  eigenvectorCentrality,
  type ComponentCentrality,
} from "../../src/analysis/eigenvectorCentrality.ts";
import { blockProducts } from "../../src/analysis/blockProducts.ts";
import { nullable } from "../../src/analysis/nodeValues.ts";
import type { LayeredGraph } from "../../src/graph/layeredGraph.ts";
import { graphFromMatrix } from "../../src/graph/matrix.ts";
import { connectedComponents } from "../../src/graph/components.ts";
import { createRandom } from "../../src/random.ts";
import { denseGraph, draws } from "../helpers/denseGraph.ts";
import { thrownBy } from "../helpers/errors.ts";
import { jacobiEigen } from "../helpers/jacobi.ts";
import { chainGraph, rolledToy, symmetricMatrix, type Rows } from "../helpers/methods.ts";

const random = createRandom(7);
const normalRows = (rows: number, columns: number, scale = 1): number[][] =>
  Array.from({ length: rows }, () =>
    Array.from({ length: columns }, () => scale * random.normal()),
  );
const farthest = (a: ArrayLike<number>, b: readonly number[]): number =>
  b.reduce((most, value, i) => Math.max(most, Math.abs(value - a[i]!)), 0);

describe("golden: the rolled toy", () => {
  test("reference (numpy 2.4.6, linalg.eigh)", () => {
    const { values, eigenvalue, residual } = eigenvectorCentrality(rolledToy());
    expect(eigenvalue).toBeCloseTo(14.091377342229894, 12);
    expect(residual).toBeLessThan(1e-14);
    const reference = [
      0.238461502977, 0.291196474657, 0.222225662077, 0.268889305363, 0.570448032976,
      0.275022155287, 0.531698729401, 0.09498146147, 0.209479975717,
    ];
    expect(farthest(values, reference)).toBeLessThan(1e-12);
  });

  test("plain power iteration still moves an entry by 0.0125 a step after 2001 steps (reference, numpy 2.4.6)", () => {
    const matrix = symmetricMatrix(rolledToy());
    let vector = matrix.map(() => 1 / 3);
    let moved = 0;
    for (let step = 0; step < 2001; step++) {
      const image = matrix.map((row) => row.reduce((sum, w, j) => sum + w * vector[j]!, 0));
      const length = Math.hypot(...image);
      const next = image.map((entry) => entry / length);
      moved = farthest(next, vector);
      vector = next;
    }
    expect(moved).toBeCloseTo(0.0125, 4);
  });
});

describe("closed forms", () => {
  test.each([
    [1, 1],
    [1, 500],
    [3, 4],
    [40, 40],
  ])("K(%d,%d): eigenvalue sqrt(mn), each side holds half of the norm", (m, n) => {
    const rows = Array.from({ length: m }, () => Array.from({ length: n }, () => -1));
    const { values, eigenvalue } = eigenvectorCentrality(chainGraph([{ rows }]));
    expect(eigenvalue / Math.sqrt(m * n)).toBeCloseTo(1, 13);
    expect(values[0]).toBeCloseTo(1 / Math.sqrt(2 * n), 13);
    expect(values[n]).toBeCloseTo(1 / Math.sqrt(2 * m), 13);
  });

  test("a path of 200 nodes: sines, gap 4e-4", () => {
    const path = chainGraph(Array.from({ length: 199 }, () => ({ rows: [[1]] })));
    const { values, eigenvalue } = eigenvectorCentrality(path);
    expect(eigenvalue).toBeCloseTo(2 * Math.cos(Math.PI / 201), 13);
    const sines = Array.from(
      { length: 200 },
      (_, i) => Math.sqrt(2 / 201) * Math.sin(((i + 1) * Math.PI) / 201),
    );
    expect(farthest(values, sines)).toBeLessThan(1e-11);
  });

  test("parallel edges add, an edge to itself counts twice", () => {
    const graph = chainGraph([{ rows: [[3]] }]);
    const [block] = graph.blocks;
    const doubled = { ...graph, blocks: [block!, block!] };
    expect(eigenvectorCentrality(doubled).eigenvalue).toBeCloseTo(6, 13);
    const loop = { ...block!, rowNodes: Int32Array.of(0) };
    const looped = { ...graph, blocks: [loop] };
    const result = eigenvectorCentrality(looped);
    expect(result.eigenvalue).toBeCloseTo(6, 13);
    expect(nullable(result)).toEqual([1, null]);
  });

  test("far beyond the square root of float64", () => {
    for (const scale of [1e150, 1e-150, 1e300, 1e-300]) {
      const rows = [
        [3 * scale, 0],
        [0, 3 * scale],
        [4 * scale, 4 * scale],
      ];
      const { values, eigenvalue } = eigenvectorCentrality(chainGraph([{ rows }]));
      expect(eigenvalue / scale).toBeCloseTo(Math.sqrt(41), 12);
      expect(values[0]).toBeCloseTo(0.5, 13);
    }
  });
});

/** Blocks of one graph per row; every gap is 1e-9 or more. */
const hard: { name: string; graph: LayeredGraph; within: number }[] = [
  {
    name: "three dense layers",
    graph: chainGraph([{ rows: normalRows(12, 20) }, { rows: normalRows(9, 12) }]),
    within: 1e-13,
  },
  {
    name: "block scales from 1e-6 to 1e6",
    graph: chainGraph([
      { rows: normalRows(8, 10, 1e-6) },
      { rows: normalRows(6, 8, 1e6) },
      { rows: normalRows(5, 6) },
    ]),
    within: 1e-13,
  },
  {
    name: "shortcut: odd cycles, so not bipartite",
    graph: graphFromMatrix({
      blocks: [
        { from: "a", to: "b", weights: normalRows(6, 6) },
        { from: "b", to: "c", weights: normalRows(6, 6) },
        { from: "a", to: "c", weights: normalRows(6, 6) },
      ],
    }),
    within: 1e-13,
  },
  { name: "two halves that differ by 1e-4, bridged by 1e-6", graph: bridged(1e-6), within: 1e-10 },
];

function bridged(bridge: number): LayeredGraph {
  const half = normalRows(8, 8);
  const rows = Array.from({ length: 16 }, (_, r) =>
    Array.from({ length: 16 }, (_, c) => {
      if (r < 8 && c < 8) return half[r]![c]!;
      return r >= 8 && c >= 8 ? half[r - 8]![c - 8]! * 1.0001 : 0;
    }),
  );
  rows[0]![8] = bridge;
  return chainGraph([{ rows }]);
}

test.each(hard)("equals a dense solver: $name (oracle)", ({ graph, within }) => {
  const { values, eigenvalue } = eigenvectorCentrality(graph);
  const { values: spectrum, vectors } = jacobiEigen(symmetricMatrix(graph));
  expect(eigenvalue / spectrum[0]!).toBeCloseTo(1, 13);
  expect(farthest(values, vectors[0]!.map(Math.abs))).toBeLessThan(within);
});

test("small entries are accurate in themselves, not only beside the large ones", () => {
  const scales = [1, 1e-5, 1e-5, 1e-5, 1e-5];
  const { values } = eigenvectorCentrality(
    chainGraph(scales.map((scale) => ({ rows: [[scale]] }))),
  );
  // Perturbation to first order: each further node holds the share 1e-5 of the one before.
  [Math.SQRT1_2, Math.SQRT1_2, 1e-5, 1e-10, 1e-15, 1e-20].forEach((expected, i) => {
    const share = i < 2 ? expected : expected * Math.SQRT1_2;
    expect(values[i]! / share).toBeCloseTo(1, 8);
  });
});

describe("a target above rounding", () => {
  const graph = chainGraph([{ rows: normalRows(40, 60) }, { rows: normalRows(30, 40) }]);
  const exact = eigenvectorCentrality(graph);

  test.each([1e-4, 1e-8])(
    "%d: fewer steps, and the residual that is told is the vector's",
    (target) => {
      const found = eigenvectorCentrality(graph, { target });
      expect(found.iterations).toBeLessThan(exact.iterations);
      expect(found.residual).toBeLessThanOrEqual(target);
      expect(found.residual).toBeGreaterThan(0);
      const squares = symmetricMatrix(graph).map((row, i) => {
        const image = row.reduce((sum, weight, j) => sum + weight * found.values[j]!, 0);
        return (image / found.eigenvalue - found.values[i]!) ** 2;
      });
      const measured = Math.sqrt(squares.reduce((a, b) => a + b));
      // Both to rounding, 1e-15 of a vector of norm 1.
      expect(Math.abs(measured - found.residual)).toBeLessThan(1e-14);
      expect(Math.abs(found.eigenvalue / exact.eigenvalue - 1)).toBeLessThanOrEqual(target);
    },
  );

  const sizes = { wide: [80, 300], tall: [300, 80], square: [200, 200] } as const;
  const laws = Object.keys(draws).filter((law) => law !== "zeros") as (keyof typeof draws)[];
  describe.each(Object.entries(sizes))("in float32 kernels, %s", (_, [rows, columns]) => {
    test.each(laws)("%s: the residual that is told is never below the vector's", (law) => {
      const draw = draws[law];
      const whole = denseGraph(
        rows + columns + 50,
        [
          { from: [0, columns], to: [columns, columns + rows], draw },
          {
            from: [columns, columns + rows],
            to: [columns + rows, columns + rows + 50],
            draw,
          },
        ],
        { inKernels: true },
      );
      const target = 1e-8;
      const found = eigenvectorCentrality(whole, { target });
      const product = blockProducts(whole).both;
      for (const [nodes, component] of partsOfGraph(whole, found.components)) {
        const x = new Float64Array(whole.nodeCount);
        for (const node of nodes) x[node] = found.values[node]!;
        const image = new Float64Array(whole.nodeCount);
        product(x, image);
        const rest = image.map((entry, i) => entry / component.eigenvalue - x[i]!);
        expect(component.residual).toBeLessThanOrEqual(target);
        expect(Math.hypot(...rest)).toBeLessThanOrEqual(component.residual + 1e-14);
      }
    });
  });

  test("what is no share is refused", () => {
    expect(() => eigenvectorCentrality(graph, { target: 2 })).toThrow(
      expect.objectContaining({ code: "USAGE_INVALID_OPTION" }),
    );
  });
});

/** The nodes of each component that has an edge, beside what is told of it. */
function partsOfGraph(
  graph: LayeredGraph,
  told: readonly ComponentCentrality[],
): [number[], ComponentCentrality][] {
  const { of, sizes } = connectedComponents(graph);
  const nodes = Array.from(sizes, (): number[] => []);
  of.forEach((component, node) => nodes[component]!.push(node));
  return nodes.filter((own) => own.length > 1).map((own, i) => [own, told[i]!]);
}

describe("components", () => {
  const graph = chainGraph([
    {
      rows: [
        [2, 0, 0, 0],
        [0, 1, 1, 0],
      ],
    },
  ]);
  const result = eigenvectorCentrality(graph);

  test("each has its own vector and eigenvalue; a neuron without edges has none (hand)", () => {
    const half = Math.SQRT1_2;
    const expected = [half, 0.5, 0.5, null, half, half];
    nullable(result).forEach((value, node) => {
      if (expected[node] === null) expect(value).toBeNull();
      else expect(value).toBeCloseTo(expected[node]!, 14);
    });
    expect(result.components.map(({ size }) => size)).toEqual([2, 3]);
    expect(result.components[0]!.eigenvalue).toBeCloseTo(2, 14);
    expect(result.components[1]!.eigenvalue).toBeCloseTo(Math.SQRT2, 14);
    expect(result.eigenvalue).toBe(result.components[0]!.eigenvalue);
    expect(result.iterations).toBe(
      result.components.reduce((sum, { iterations }) => sum + iterations, 0),
    );
  });
});

describe('compat "networkx"', () => {
  const plus = (a: number[], b: number[]): number[] => a.map((value, i) => value + b[i]!);

  /** Power iteration with A + 1 from equal values, for as long as anything moves (oracle). */
  function powerIteration(graph: LayeredGraph): number[] {
    const matrix = symmetricMatrix(graph);
    let vector = matrix.map(() => 1 / Math.sqrt(matrix.length));
    for (let step = 0; step < 200_000; step++) {
      const image = matrix.map((row) => row.reduce((sum, w, j) => sum + w * vector[j]!, 0));
      const sum = plus(image, vector);
      const next = sum.map((entry) => entry / Math.hypot(...sum));
      const rests = farthest(next, vector) < 1e-16;
      vector = next;
      if (rests) break;
    }
    return vector;
  }

  test.each<{ name: string; rows: Rows }>([
    {
      name: "the largest eigenvalue has it all",
      rows: [
        [2, 0, 0, 0],
        [0, 1, 1, 0],
      ],
    },
    {
      name: "two components of one eigenvalue share by their sums",
      rows: [
        [2, 0, 0, 0, 0],
        [0, 1.2, 1.6, 0, 0],
        [0, 0, 0, 1, 0],
      ],
    },
    { name: "one component", rows: normalRows(5, 7) },
  ])("$name (oracle)", ({ rows }) => {
    const graph = chainGraph([{ rows }]);
    const { values, covered } = eigenvectorCentrality(graph, { compat: "networkx" });
    expect(farthest(values, powerIteration(graph))).toBeLessThan(1e-12);
    expect(Math.hypot(...values)).toBeCloseTo(1, 14);
    expect(covered.every((one) => one === 1)).toBe(true);
  });

  test("one component: the values that it has by default, neurons in no block none", () => {
    const toy = rolledToy();
    const unused = { name: "unused", offset: toy.nodeCount, size: 1 };
    const graph = { ...toy, layers: [...toy.layers, unused], nodeCount: toy.nodeCount + 1 };
    const whole = nullable(eigenvectorCentrality(graph, { compat: "networkx" }));
    const plain = nullable(eigenvectorCentrality(graph));
    expect(whole.at(-1)).toBeNull();
    whole.slice(0, -1).forEach((value, node) => expect(value).toBeCloseTo(plain[node]!, 14));
  });
});

const rows = (maxRows: number): fc.Arbitrary<Rows> =>
  fc.array(fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 4, maxLength: 4 }), {
    minLength: 1,
    maxLength: maxRows,
  });

describe("properties", () => {
  const nonZero = rows(6).filter((r) => r.flat().some((w) => w !== 0));
  test("reversing the outputs reverses their values; scaling leaves all alone", () => {
    fc.assert(
      fc.property(nonZero, fc.constantFrom(1e-9, 0.3, 1e7), (r, factor) => {
        const plain = nullable(eigenvectorCentrality(chainGraph([{ rows: r }])));
        const scaled = r.map((row) => row.map((w) => w * factor)).reverse();
        const other = nullable(eigenvectorCentrality(chainGraph([{ rows: scaled }])));
        const back = [...other.slice(0, 4), ...other.slice(4).reverse()];
        back.forEach((value, i) => {
          if (plain[i] === null) expect(value).toBeNull();
          else expect(value).toBeCloseTo(plain[i]!, 9);
        });
      }),
    );
  });

  test("non-negative, unit norm per component, residual as promised", () => {
    fc.assert(
      fc.property(nonZero, (r) => {
        const { values, components, residual } = eigenvectorCentrality(chainGraph([{ rows: r }]));
        expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
        expect(Math.hypot(...values)).toBeCloseTo(Math.sqrt(components.length), 12);
        expect(residual).toBeLessThan(1e-12);
      }),
    );
  });
});

describe("refuses", () => {
  test("a graph of zeros, a graph of nothing", () => {
    thrownBy(() => eigenvectorCentrality(chainGraph([{ rows: [[0, 0]] }])), "GRAPH_NO_EDGES");
    thrownBy(() => eigenvectorCentrality(chainGraph([])), "GRAPH_NO_EDGES");
  });

  test.each([
    { tolerance: Number.NaN },
    { tolerance: -1 },
    { maxIterations: 0 },
    { compat: "igraph" as "none" },
  ])("%o", (options) => {
    thrownBy(() => eigenvectorCentrality(rolledToy(), options), "USAGE_INVALID_OPTION");
  });

  test("to stop too early", () => {
    const error = thrownBy(
      () => eigenvectorCentrality(rolledToy(), { maxIterations: 2 }),
      "ANALYSIS_NOT_CONVERGED",
    );
    expect(error.details).toMatchObject({ size: 9, iterations: 2 });
  });

  test("an eigenvalue beyond float64", () => {
    const rows = [[1.5e308, 1.5e308]];
    thrownBy(() => eigenvectorCentrality(chainGraph([{ rows }])), "ANALYSIS_UNDEFINED");
  });
});

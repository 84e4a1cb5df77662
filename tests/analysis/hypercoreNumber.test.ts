import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  hypercoreNumber,
  hypercoreOfMatrix,
  type HypercoreOptions,
} from "../../src/analysis/hypercoreNumber.ts";
import { nullable } from "../../src/analysis/nodeValues.ts";
import { isWeightGraphError } from "../../src/errors.ts";
import {
  chainGraph,
  conv3x2x2x2,
  dense4x5,
  matrixOf,
  transposed,
  type Rows,
} from "../helpers/methods.ts";

/** Members of hyperedges over vertices 1..6, as a matrix with a row per hyperedge. */
const toy: Rows = [
  [1, 2, 3],
  [1, 2, 4],
  [1, 3, 4],
  [2, 3],
  [4, 5],
  [5, 6],
].map((members) => [1, 2, 3, 4, 5, 6].map((vertex) => +members.includes(vertex)));

const cores = (rows: Rows, options: HypercoreOptions): number[] =>
  Array.from(hypercoreOfMatrix(matrixOf(rows), options));

describe("golden", () => {
  test.each([
    // hand, step by step for l = 2: 6 goes, {5,6} dies, 5 goes, {4,5} dies, 4 goes at degree 2, the rest keep 3
    { name: "toy, l = 2", options: { l: 2 }, expected: [3, 3, 3, 2, 1, 1] },
    { name: "toy, l = 3", options: { l: 3 }, expected: [2, 2, 2, 2, 0, 0] },
    { name: "toy, l = 2, t = 1", options: { l: 2, t: 1 }, expected: [2, 2, 2, 2, 1, 1] },
    { name: "toy, l = 2, t = 0.6", options: { l: 2, t: 0.6 }, expected: [3, 3, 3, 2, 1, 1] },
  ])("$name (hand)", ({ options, expected }) => {
    expect(cores(toy, { ...options, unweighted: true })).toEqual(expected);
    expect(cores(toy, options)).toEqual(expected);
  });

  test.each([
    // hand, whole numbers, so exact
    { sign: "positive", l: 2, expected: [7, 7, 7, 2, 4] },
    { sign: "positive", l: 3, expected: [4, 1, 4, 1, 4] },
    { sign: "positive", l: 4, expected: [0, 0, 0, 0, 0] },
    { sign: "negative", l: 2, expected: [3, 3, 5, 3, 5] },
    { sign: "negative", l: 3, expected: [0, 0, 0, 0, 0] },
    { sign: "negative", l: 4, expected: [0, 0, 0, 0, 0] },
    { sign: "absolute", l: 2, expected: [12, 12, 12, 5, 10] },
    { sign: "absolute", l: 3, expected: [12, 12, 12, 5, 10] },
    { sign: "absolute", l: 4, expected: [6, 6, 6, 5, 6] },
  ] as const)("dense 4x5, $sign, l = $l (hand)", ({ sign, l, expected }) => {
    expect(cores(dense4x5, { sign, l })).toEqual(expected);
    expect(cores(transposed(dense4x5), { sign, l, side: "out" })).toEqual(expected);
  });

  test.each([
    { sign: "positive", expected: [12, 12, 5, 11, 12, 10, 12, 6] },
    { sign: "negative", expected: [4, 10, 10, 0, 10, 4, 0, 10] },
  ] as const)("conv 3x2x2x2 flattened, $sign, l = 2 (hand)", ({ sign, expected }) => {
    expect(cores(conv3x2x2x2, { sign, l: 2 })).toEqual(expected);
  });
});

describe("graph level", () => {
  test("channels add the parts of their taps (hand)", () => {
    const graph = chainGraph([{ rows: conv3x2x2x2, taps: 4 }]);
    const parts = (sign: 1 | -1): number[][] =>
      conv3x2x2x2.map((row) =>
        [row.slice(0, 4), row.slice(4)].map((taps) =>
          taps.reduce((sum, tap) => sum + Math.max(0, sign * tap), 0),
        ),
      );
    const positive = hypercoreNumber(graph, { sign: "positive" });
    expect(nullable(positive)).toEqual([...cores(parts(1), {}), null, null, null]);
    const negative = hypercoreNumber(graph, { sign: "negative" });
    expect(nullable(negative)).toEqual([...cores(parts(-1), {}), null, null, null]);
  });

  test("a chain falls apart into its blocks, and the last layer sends to nobody", () => {
    const second = [
      [1, -2, 3, 4],
      [2, 2, -2, 1],
    ];
    const graph = chainGraph([{ rows: dense4x5 }, { rows: second }]);
    expect(nullable(hypercoreNumber(graph))).toEqual([
      ...cores(dense4x5, {}),
      ...cores(second, {}),
      null,
      null,
    ]);
    const out = nullable(hypercoreNumber(graph, { side: "out" }));
    expect(out).toEqual([
      ...dense4x5[0]!.map(() => null),
      ...cores(dense4x5, { side: "out" }),
      ...cores(second, { side: "out" }),
    ]);
  });

  test("two blocks between the same layers count as one membership of added weight (hand)", () => {
    const graph = chainGraph([{ rows: [[1, 2]] }]);
    const [block] = graph.blocks;
    const doubled = { ...graph, blocks: [block!, block!], edgeCount: 4 };
    expect(nullable(hypercoreNumber(doubled, { l: 2 }))).toEqual([2, 2, null]);
    expect(nullable(hypercoreNumber(doubled, { l: 2, unweighted: true }))).toEqual([1, 1, null]);
    expect(nullable(hypercoreNumber(doubled, { l: 3 }))).toEqual([0, 0, null]);
  });
});

/** Oracle: the largest least degree over all vertex sets that hold v. Exponential. */
function oracle(rows: Rows, { l = 2, t = null, unweighted = false }: HypercoreOptions): number[] {
  const vertexCount = rows[0]!.length;
  const best = Array.from({ length: vertexCount }, () => 0);
  for (let set = 1; set < 2 ** vertexCount; set++) {
    const inside = best.flatMap((_, v) => (set & (1 << v) ? [v] : []));
    const alive = rows.filter((row) => {
      const initial = row.filter((w) => w !== 0).length;
      const left = inside.filter((v) => row[v] !== 0).length;
      return left >= l && (t === null || left / initial >= t) && initial > 0;
    });
    const degree = (v: number): number =>
      alive.reduce((sum, row) => sum + (unweighted ? +(row[v] !== 0) : Math.abs(row[v]!)), 0);
    const least = Math.min(...inside.map(degree));
    for (const v of inside) best[v] = Math.max(best[v]!, least);
  }
  return best;
}

const smallMatrix = fc
  .tuple(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 7 }))
  .chain(([rows, columns]) =>
    fc.array(
      fc.array(fc.integer({ min: -4, max: 9 }), { minLength: columns, maxLength: columns }),
      { minLength: rows, maxLength: rows },
    ),
  );
const sparse = smallMatrix.map((rows) => rows.map((row) => row.map((w) => (w > 4 ? 0 : w))));
const anyOptions = fc.record({
  l: fc.integer({ min: 1, max: 4 }),
  t: fc.constantFrom(null, 0, 0.3, 0.5, 0.55, 0.6, 0.9, 1),
  unweighted: fc.boolean(),
});

describe("properties", () => {
  test("equals the exponential oracle on small hypergraphs", () => {
    fc.assert(
      fc.property(sparse, anyOptions, (rows, options) => {
        expect(cores(rows, options)).toEqual(oracle(rows, options));
      }),
      { numRuns: 300 },
    );
  });

  test("permuting inputs permutes, permuting outputs changes nothing, scaling scales", () => {
    fc.assert(
      fc.property(smallMatrix, anyOptions, (rows, options) => {
        const plain = cores(rows, options);
        expect(cores([...rows].reverse(), options)).toEqual(plain);
        const mirrored = rows.map((row) => [...row].reverse());
        expect(cores(mirrored, options)).toEqual([...plain].reverse());
        const scaled = rows.map((row) => row.map((w) => w * 0.25));
        expect(cores(scaled, options)).toEqual(
          options.unweighted ? plain : plain.map((core) => core * 0.25),
        );
      }),
    );
  });

  test.each(["positive", "negative", "absolute"] as const)(
    "never exceeds the %s strength",
    (sign) => {
      const part = {
        positive: (w: number) => Math.max(w, 0),
        negative: (w: number) => Math.max(-w, 0),
        absolute: Math.abs,
      }[sign];
      fc.assert(
        fc.property(smallMatrix, anyOptions, (rows, options) => {
          const strengths = transposed(rows).map((column) =>
            column.reduce((sum, w) => sum + (options.unweighted ? +(part(w) > 0) : part(w)), 0),
          );
          cores(rows, { ...options, sign }).forEach((core, v) =>
            expect(core).toBeLessThanOrEqual(strengths[v]!),
          );
        }),
      );
    },
  );

  test("l = 2 on a full |W| layer: the strengths, the largest clipped to the second", () => {
    const full = smallMatrix
      .filter((rows) => rows[0]!.length > 1)
      .map((rows) => rows.map((row) => row.map((w) => (w === 0 ? 1 : w))));
    fc.assert(
      fc.property(full, (rows) => {
        const strengths = transposed(rows).map((column) =>
          column.reduce((sum, w) => sum + Math.abs(w), 0),
        );
        const second = [...strengths].sort((a, b) => b - a)[1]!;
        expect(cores(rows, { l: 2 })).toEqual(strengths.map((s) => Math.min(s, second)));
      }),
    );
  });

  test("no drift: what is left after many deaths is exactly zero", () => {
    const rows = Array.from({ length: 40 }, (_, r) =>
      Array.from({ length: 40 }, (_, c) => Math.sin(1 + r * 40 + c) * 10 ** ((r + c) % 7)),
    );
    expect(cores(rows, { l: 41 })).toEqual(rows.map(() => 0));
  });
});

test.each([
  { name: "signed", options: { sign: "signed" } },
  { name: "l = 0", options: { l: 0 } },
  { name: "l = 1.5", options: { l: 1.5 } },
  { name: "t = 2", options: { t: 2 } },
  { name: "t = NaN", options: { t: Number.NaN } },
  { name: "side", options: { side: "left" } },
])("refuses $name", ({ options }) => {
  const call = (): unknown => hypercoreOfMatrix(matrixOf([[1]]), options as HypercoreOptions);
  expect(call).toThrow(expect.toSatisfy((e) => isWeightGraphError(e, "USAGE_INVALID_OPTION")));
});

test("one weight: a hyperedge of one vertex (hand)", () => {
  expect(cores([[-5]], { l: 1 })).toEqual([5]);
  expect(cores([[-5]], { l: 2 })).toEqual([0]);
  expect(cores([[-5]], { l: 1, sign: "positive" })).toEqual([0]);
});

test("a large float32 matrix, copied to the kernels' memory, has the numbers of its float64 twin", () => {
  const weights = Float32Array.from({ length: 150 * 130 }, (_, i) => ((i * 7919) % 61) - 30);
  const matrix = { weights, rows: 150, columns: 130 };
  const twin = { ...matrix, weights: Float64Array.from(weights) };
  for (const options of [{ l: 60 }, { sign: "positive", side: "out", t: 0.5 }] as const)
    expect(hypercoreOfMatrix(matrix, options)).toEqual(hypercoreOfMatrix(twin, options));
});

test("no hyperedge reaches a size beyond 32 bits", () => {
  expect(cores(dense4x5, { l: 2 ** 32 + 2 })).toEqual([0, 0, 0, 0, 0]);
});

test("a graph without edges has no hypercore", () => {
  expect(() => hypercoreOfMatrix(matrixOf([]))).toThrow(
    expect.toSatisfy((e) => isWeightGraphError(e, "GRAPH_NO_EDGES")),
  );
});

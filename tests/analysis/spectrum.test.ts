import { existsSync, readFileSync } from "node:fs";
import * as fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { spectrumMeasure, spectrum, type BlockSpectrum } from "../../src/analysis/spectrum.ts";
import { layeredGraph, type LayeredGraph } from "../../src/graph/layeredGraph.ts";
import { openModel } from "../../src/node.ts";
import { createRandom } from "../../src/random.ts";
import { thrownBy } from "../helpers/errors.ts";
import { chainGraph, rolledToy, type Rows } from "../helpers/methods.ts";

const ofRows = (rows: Rows, taps = 1): LayeredGraph => chainGraph([{ rows, taps }]);
const only = (graph: LayeredGraph, options = {}): BlockSpectrum =>
  spectrum(graph, options).blocks[0]!;
const diagonal = (...entries: number[]): number[][] =>
  entries.map((entry, i) => entries.map((_, j) => (i === j ? entry : 0)));

describe("closed forms", () => {
  test("a diagonal matrix (hand)", () => {
    expect(only(ofRows(diagonal(3, -4, 0)))).toMatchObject({
      eigenvalues: 3,
      frobeniusNorm: 5,
      spectralNorm: 4,
      stableRank: 25 / 16,
      logNorm: Math.log10(25),
      logSpectralNorm: Math.log10(16),
      alpha: null,
    });
  });

  test("a full layer of ones, m x n: one singular value, sqrt(mn) (hand)", () => {
    const found = only(
      ofRows(Array.from({ length: 12 }, () => Array.from({ length: 27 }, () => 1))),
    );
    expect(found.spectralNorm).toBeCloseTo(18, 12);
    expect(found.stableRank).toBeCloseTo(1, 12);
    // Eleven eigenvalues are zero but for rounding, and are not fitted.
    expect(found.alpha).toBeNull();
  });

  test("a Hadamard matrix of 16: every eigenvalue is 16, and equal ones are no tail (hand)", () => {
    const bits = (x: number): number => (x === 0 ? 0 : (x & 1) + bits(x >> 1));
    const side = Array.from({ length: 16 }, (_, i) => i);
    const found = only(ofRows(side.map((i) => side.map((j) => (bits(i & j) % 2 === 0 ? 1 : -1)))));
    expect(found).toMatchObject({ frobeniusNorm: 16, alpha: null });
    expect(found.spectralNorm).toBeCloseTo(4, 14);
    expect(found.stableRank).toBeCloseTo(16, 12);
  });

  test("a diagonal whose squares are Pareto quantiles of alpha 3 (hand)", () => {
    const n = 150;
    const entries = Array.from({ length: n }, (_, i) => (1 - i / n) ** (-1 / 4));
    const { alpha, alphaHat, logSpectralNorm, distance } = only(ofRows(diagonal(...entries)));
    expect(Math.abs(alpha! - 3)).toBeLessThan(0.15);
    expect(distance).toBeLessThan(0.01);
    expect(alphaHat).toBe(alpha! * logSpectralNorm!);
  });

  test("a kernel of two taps: slices are pooled, flattened they are one matrix (hand)", () => {
    // Slices diag(1, 2) and diag(3, 0); flattened, rows (1 3 0 0) and (0 0 2 0).
    const graph = ofRows(
      [
        [1, 3, 0, 0],
        [0, 0, 2, 0],
      ],
      2,
    );
    expect(only(graph)).toMatchObject({ matrices: 2, eigenvalues: 4, spectralNorm: 3 });
    expect(only(graph).stableRank).toBeCloseTo(14 / 9, 14);
    const flat = only(graph, { kernels: "flatten" });
    expect(flat).toMatchObject({ matrices: 1, eigenvalues: 2 });
    expect(flat.spectralNorm).toBeCloseTo(Math.sqrt(10), 14);
    expect(only(graph, { kernels: "sum" }).spectralNorm).toBeCloseTo(4, 14);
    expect(only(graph, { kernels: "norm" }).spectralNorm).toBeCloseTo(Math.sqrt(10), 14);
  });

  test("groups are matrices of their own (hand)", () => {
    const [block] = ofRows([[3], [5]]).blocks;
    const graph = ofRows([
      [3, 0],
      [0, 5],
    ]);
    const grouped = {
      ...block!,
      groups: 2,
      columns: 2,
      columnNodes: Int32Array.of(0, 1),
      rowNodes: Int32Array.of(2, 3),
    };
    expect(only({ ...graph, blocks: [grouped] })).toEqual({ ...only(graph), matrices: 2 });
  });
});

describe("edge cases", () => {
  test("zeros have norms, and nothing else", () => {
    const found = only(
      ofRows([
        [0, 0],
        [0, 0],
      ]),
    );
    expect(found).toMatchObject({ frobeniusNorm: 0, spectralNorm: 0 });
    for (const name of ["stableRank", "logNorm", "logSpectralNorm", "alpha", "alphaHat"] as const)
      expect(found[name]).toBeNull();
  });

  test.each([
    { name: "1 x 1", rows: [[-7]], norm: 7 },
    { name: "1 x n", rows: [[3, 0, 4]], norm: 5 },
    { name: "n x 1", rows: [[3], [0], [4]], norm: 5 },
    { name: "the least denormals", rows: [[3 * 5e-324, 4 * 5e-324]], norm: 5 * 5e-324 },
    { name: "near the end of float64", rows: [[3e307, 4e307]], norm: 5e307 },
    {
      name: "one huge weight among small ones",
      rows: [
        [1e200, 0],
        [0, 1e-200],
      ],
      norm: 1e200,
    },
  ])("$name", ({ rows, norm }) => {
    const found = only(ofRows(rows));
    expect(found.spectralNorm / norm).toBeCloseTo(1, 12);
    expect(found.frobeniusNorm / norm).toBeCloseTo(1, 12);
    expect(found.logSpectralNorm).toBeCloseTo(2 * Math.log10(norm), 10);
  });

  test("norms beyond float64 are refused", () => {
    thrownBy(() => only(ofRows([[1.5e308, 1.5e308]])), "ANALYSIS_UNDEFINED");
  });

  test("collapsed taps tell sums and norms, but no slices", () => {
    const graph = rolledToy();
    const blocks = graph.blocks.map(({ weights, ...block }) => {
      const edges = Array.from({ length: weights!.length / block.taps }, (_, edge) =>
        Array.from(weights!.subarray(edge * block.taps, (edge + 1) * block.taps)),
      );
      const sum = (part: (w: number) => number): Float64Array =>
        Float64Array.from(edges, (taps) => taps.reduce((total, w) => total + part(w), 0));
      const collapsed = {
        norm: sum((w) => w * w).map(Math.sqrt),
        positiveSum: sum((w) => Math.max(0, w)),
        negativeSum: sum((w) => Math.max(0, -w)),
      };
      return block.taps === 1 ? { ...block, weights } : { ...block, weights: null, collapsed };
    });
    const error = thrownBy(() => spectrum({ ...graph, blocks }), "GRAPH_NO_TAPS");
    expect(error.hint).toContain("taps");
    for (const kernels of ["sum", "norm"] as const)
      expect(spectrum({ ...graph, blocks }, { kernels })).toEqual(spectrum(graph, { kernels }));
  });

  test("no block is no graph; options are checked", () => {
    thrownBy(() => spectrum(chainGraph([])), "GRAPH_NO_EDGES");
    thrownBy(() => spectrumMeasure.run(rolledToy(), { kernels: "conv" }), "USAGE_INVALID_OPTION");
    thrownBy(() => spectrumMeasure.run(rolledToy(), { minEigenvalue: -1 }), "USAGE_INVALID_OPTION");
    thrownBy(() => spectrumMeasure.run(rolledToy(), { maxDimension: 1.5 }), "USAGE_INVALID_OPTION");
  });
});

describe("large matrices", () => {
  const random = createRandom(3);
  const rows = Array.from({ length: 40 }, () => Array.from({ length: 70 }, () => random.normal()));
  test.each([rows, rows.map((row) => row.slice(0, 20))])(
    "the largest eigenvalue alone",
    (...own) => {
      const graph = ofRows(own);
      const whole = only(graph);
      const top = only(graph, { maxDimension: 10 });
      for (const name of ["spectralNorm", "stableRank", "logNorm", "logSpectralNorm"] as const)
        expect(top[name]! / whole[name]!).toBeCloseTo(1, 10);
      expect(top.frobeniusNorm).toBe(whole.frobeniusNorm);
      expect(whole.alpha).not.toBeNull();
      for (const name of ["alpha", "alphaHat", "logAlphaNorm", "xmin", "tail"] as const)
        expect(top[name]).toBeNull();
    },
  );

  test("a matrix whose rows cancel is no trap for the start vector", () => {
    expect(
      only(
        ofRows([
          [1, -1],
          [2, -2],
        ]),
        { maxDimension: 0 },
      ).spectralNorm,
    ).toBeCloseTo(Math.sqrt(10), 12);
  });
});

const matrix = fc
  .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }))
  .chain(([m, n]) =>
    fc.array(fc.array(fc.integer({ min: -9, max: 9 }), { minLength: n, maxLength: n }), {
      minLength: m,
      maxLength: m,
    }),
  );

describe("properties", () => {
  test("bounds: spectral norm <= Frobenius norm, 1 <= stable rank <= smaller side", () => {
    fc.assert(
      fc.property(matrix, (rows) => {
        const found = only(ofRows(rows));
        expect(found.spectralNorm).toBeLessThanOrEqual(found.frobeniusNorm * (1 + 1e-12));
        if (found.stableRank === null) return;
        expect(found.stableRank).toBeGreaterThanOrEqual(1 - 1e-12);
        expect(found.stableRank).toBeLessThanOrEqual(found.eigenvalues + 1e-9);
      }),
    );
  });

  test("order of neurons, transposition and signs of rows change nothing; scaling scales", () => {
    fc.assert(
      fc.property(matrix, (rows) => {
        const found = only(ofRows(rows));
        const turned = rows[0]!.map((_, j) => rows.map((row, i) => (i % 2 ? -1 : 1) * row[j]!));
        const others = [
          { rows: rows.toReversed().map((row) => row.toReversed()), factor: 1 },
          { rows: turned, factor: 1 },
          { rows: rows.map((row) => row.map((w) => 8 * w)), factor: 8 },
        ];
        for (const other of others) {
          const same = only(ofRows(other.rows));
          expect(same.spectralNorm).toBeCloseTo(other.factor * found.spectralNorm, 9);
          if (found.stableRank === null) expect(same.stableRank).toBeNull();
          else expect(same.stableRank).toBeCloseTo(found.stableRank, 9);
        }
      }),
    );
  });
});

type Golden = {
  readonly spectrum: Record<
    "slices" | "flatten",
    readonly (Readonly<Record<string, number>> | null)[]
  >;
};
const root = new URL("../../", import.meta.url);
const golden = JSON.parse(readFileSync(new URL("fixtures/golden/spectral.json", root), "utf8")) as {
  models: Record<string, Golden>;
};

describe.each(Object.entries(golden.models))("%s: numpy's SVD", (path, expected) => {
  const file = new URL(path, root);
  if (!existsSync(file)) {
    test.skip(`absent: ${file.pathname}`, () => {});
    return;
  }
  let graph: LayeredGraph;
  beforeAll(async () => {
    graph = await layeredGraph(await openModel(file.pathname), { keep: "taps" });
  });

  test.each(["slices", "flatten"] as const)("%s", (kernels) => {
    const { blocks } = spectrum(graph, { kernels });
    expect(blocks).toHaveLength(expected.spectrum[kernels].length);
    expected.spectrum[kernels].forEach((figures, i) => {
      if (figures === null) return expect(blocks[i]!.frobeniusNorm).toBe(0);
      // A Gram matrix squares the condition: 1e-9 of a figure, seen 1e-12. The fit takes what eigenvalues near xmin give it.
      for (const [name, value] of Object.entries(figures)) {
        const own = blocks[i]![name as keyof BlockSpectrum]!;
        expect(
          Math.abs(own - value),
          `${graph.blocks[i]!.name} ${name}: ${own} for ${value}`,
        ).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(value)));
      }
      if (!("alpha" in figures)) expect(blocks[i]!.alpha).toBeNull();
    });
  });
});

test("as a measure: the parameters, means over the blocks, a column per figure", () => {
  const { summary, blocks } = spectrumMeasure.run(ofRows(diagonal(3, 4)), { kernels: "flatten" });
  expect(summary).toEqual({
    parameters: { kernels: "flatten", minEigenvalue: 1e-5, maxDimension: 4096 },
    mean: {
      stableRank: 25 / 16,
      logNorm: Math.log10(25),
      logSpectralNorm: Math.log10(16),
      alpha: null,
      alphaHat: null,
    },
  });
  const names = spectrumMeasure.outputs.map(({ name }) => name);
  expect(Object.keys(blocks[0]!)).toEqual(expect.arrayContaining(names));
});

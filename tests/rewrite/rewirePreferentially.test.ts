import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { variance } from "../../src/numeric/variance.ts";
import { createRandom, type Random } from "../../src/random.ts";
import {
  rewirePreferentially,
  type RewireOptions,
} from "../../src/rewrite/rewirePreferentially.ts";
import { kaimingNormal, orthogonal } from "../helpers/initialWeights.ts";
import { thrownBy } from "../helpers/errors.ts";

// Hand: quarters, so exact in every float type and without ties. Rows are outputs.
const byHand = {
  rows: 4,
  columns: 3,
  weights: Float64Array.of(2.25, -0.5, 0.75, 1, -1.5, 0.25, -0.75, 2, 1.25, 1.75, 0, -1),
};
const afterRows = [2.25, -0.5, 0.75, -1.5, 1, 0.25, 1.25, 2, -0.75, 0, -1, 1.75];
const afterBoth = [2.25, -1, -0.75, -1.5, 2, 1.75, 1.25, -0.5, 0.75, 0, 1, 0.25];
const varianceBefore = { inputs: 4.770833333333, outputs: 1.854166666667 };

describe("deterministic (hand)", () => {
  test.each([Float64Array, Float32Array])("both passes in %o", (Floats) => {
    const matrix = { ...byHand, weights: Floats.from(byHand.weights) };
    const rewired = rewirePreferentially(matrix, { method: "deterministic" });
    expect(rewired.weights).toEqual(Floats.from(afterBoth));
    expect(matrix.weights).toEqual(Floats.from(byHand.weights));
    expect(rewired.before.inputs).toBeCloseTo(varianceBefore.inputs, 11);
    expect(rewired.before.outputs).toBeCloseTo(varianceBefore.outputs, 11);
    const [rows, columns] = rewired.passes;
    expect(rows).toMatchObject({ pass: "rows", before: rewired.before });
    expect(rows!.after.inputs).toBeCloseTo(0.083333333333, 11);
    expect(rows!.after.outputs).toBeCloseTo(1.854166666667, 11);
    expect(columns).toMatchObject({ pass: "columns", before: rows!.after, after: rewired.after });
    expect(rewired.after.inputs).toBeCloseTo(0.083333333333, 11);
    expect(rewired.after.outputs).toBeCloseTo(0.520833333333, 11);
    expect(rewired.after.mean).toBeCloseTo((0.083333333333 + 0.520833333333) / 2, 11);
  });

  test("one pass alone, and the columns' pass is the rows' pass of the transpose", () => {
    const rows = rewirePreferentially(byHand, { method: "deterministic", passes: ["rows"] });
    expect(Array.from(rows.weights)).toEqual(afterRows);
    const next = { ...byHand, weights: Float64Array.from(afterRows) };
    const columns = rewirePreferentially(next, { method: "deterministic", passes: ["columns"] });
    expect(Array.from(columns.weights)).toEqual(afterBoth);
  });

  test("no pass changes nothing", () => {
    expect(rewirePreferentially(byHand, { passes: [] }).weights).toEqual(byHand.weights);
  });
});

test("a sampler's orders are obeyed and its probabilities are p (hand)", () => {
  const orders = [
    [1, 0, 2],
    [2, 1, 0],
    [0, 2, 1],
  ];
  const offered: number[][] = [];
  const { weights } = rewirePreferentially(byHand, {
    passes: ["rows"],
    sampler: (probabilities) => {
      offered.push(Array.from(probabilities));
      return orders[offered.length - 1]!;
    },
  });
  expect(Array.from(weights)).toEqual([
    2.25, -0.5, 0.75, 0.25, -1.5, 1, 2, 1.25, -0.75, -1, 1.75, 0,
  ]);
  const expected = [
    [0.535714285714, 0.142857142857, 0.321428571429],
    [0.488888888889, 0.088888888889, 0.422222222222],
    [0.625, 0.1, 0.275],
  ];
  expect(offered).toHaveLength(3);
  offered.flat().forEach((p, i) => expect(p).toBeCloseTo(expected.flat()[i]!, 11));
});

test("first step follows the exact law (hand: Plackett-Luce of (3.75, 1, 2.25) / 7)", () => {
  // With row 1 sorted as -1.5, 0.25, 1, the row that comes out tells the order drawn.
  const law: Readonly<Record<string, number>> = {
    "-1.5,0.25,1": 0.164835164835,
    "-1.5,1,0.25": 0.370879120879,
    "0.25,-1.5,1": 0.089285714286,
    "1,-1.5,0.25": 0.053571428571,
    "0.25,1,-1.5": 0.253759398496,
    "1,0.25,-1.5": 0.067669172932,
  };
  const random = createRandom(20);
  const draws = 200_000;
  const counts: Record<string, number> = {};
  const sums = [0, 0, 0];
  const matrix = { rows: 2, columns: 3, weights: byHand.weights.slice(0, 6) };
  for (let draw = 0; draw < draws; draw++) {
    const { weights } = rewirePreferentially(matrix, {
      passes: ["rows"],
      seed: random.fork(`${draw}`),
    });
    const row = weights.subarray(3);
    const key = row.join(",");
    counts[key] = (counts[key] ?? 0) + 1;
    row.forEach((weight, column) => (sums[column]! += weight / draws));
  }
  expect(Object.keys(counts).sort()).toEqual(Object.keys(law).sort());
  for (const [key, probability] of Object.entries(law)) {
    expect(Math.abs(counts[key]! / draws - probability)).toBeLessThan(0.003);
  }
  [-0.59657, 0.468479, -0.121909].forEach((mean, column) =>
    expect(Math.abs(sums[column]! - mean)).toBeLessThan(0.006),
  );
});

// Reference: the authors' algorithm run in numpy, mean and sd of after / before over 30 seeds. Tolerance 4 sd / sqrt(30). The
// deterministic ratios were given without sd, rounded to 1e-4: there, 4 standard errors of the difference of two such means.
const effects: {
  name: string;
  rows: number;
  columns: number;
  draw: (rows: number, columns: number, random: Random) => Float64Array;
  inputs: [number, number];
  outputs: [number, number];
  deterministic: [number, number];
}[] = [
  {
    name: "64x64 Kaiming normal",
    rows: 64,
    columns: 64,
    draw: kaimingNormal,
    inputs: [0.114, 0.036],
    outputs: [0.108, 0.027],
    deterministic: [0.0053, 0.005],
  },
  {
    name: "64x64 orthogonal",
    rows: 64,
    columns: 64,
    draw: orthogonal,
    inputs: [0.133, 0.03],
    outputs: [0.133, 0.03],
    deterministic: [0.0046, 0.0062],
  },
  {
    name: "256x128 Kaiming normal",
    rows: 256,
    columns: 128,
    draw: kaimingNormal,
    inputs: [0.035, 0.006],
    outputs: [0.07, 0.01],
    deterministic: [0.0011, 0.0024],
  },
  {
    name: "256x128 orthogonal",
    rows: 256,
    columns: 128,
    draw: orthogonal,
    inputs: [0.056, 0.009],
    outputs: [0.117, 0.012],
    deterministic: [0.001, 0.0027],
  },
  {
    name: "64x576 Kaiming normal",
    rows: 64,
    columns: 576,
    draw: kaimingNormal,
    inputs: [0.249, 0.019],
    outputs: [0.026, 0.008],
    deterministic: [0.0024, 0.0007],
  },
];

test.each(effects)("size of the effect: $name", ({ rows, columns, draw, ...expected }) => {
  const seeds = 30;
  const ratios = (options: RewireOptions): Record<"inputs" | "outputs", number[]> => {
    const runs = Array.from({ length: seeds }, (_, seed) => {
      const weights = draw(rows, columns, createRandom(seed));
      return rewirePreferentially({ weights, rows, columns }, { ...options, seed: 100 + seed });
    });
    return {
      inputs: runs.map(({ before, after }) => after.inputs / before.inputs),
      outputs: runs.map(({ before, after }) => after.outputs / before.outputs),
    };
  };
  const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / seeds;
  const stochastic = ratios({});
  const deterministic = ratios({ method: "deterministic" });
  for (const [index, side] of (["inputs", "outputs"] as const).entries()) {
    const [expectedMean, sd] = expected[side];
    expect(Math.abs(mean(stochastic[side]) - expectedMean)).toBeLessThan(
      (4 * sd) / Math.sqrt(seeds),
    );
    const standardError = Math.sqrt((2 * variance(deterministic[side], 1)) / seeds);
    expect(Math.abs(mean(deterministic[side]) - expected.deterministic[index]!)).toBeLessThan(
      4 * standardError + 0.00005,
    );
  }
});

test("a relative shift makes the result independent of the weights' scale", () => {
  const weights = kaimingNormal(32, 24, createRandom(3));
  const rewire = (scale: number): Float64Array =>
    rewirePreferentially(
      { weights: weights.map((w) => w * scale), rows: 32, columns: 24 },
      { shift: "relative", seed: 5 },
    ).weights.map((w) => w / scale);
  expect(rewire(2 ** -10)).toEqual(rewire(2 ** 6));
});

describe("properties", () => {
  const matrices = fc
    .record({ rows: fc.integer({ min: 1, max: 9 }), columns: fc.integer({ min: 1, max: 9 }) })
    .chain(({ rows, columns }) =>
      fc
        .array(fc.float({ noNaN: true, min: -8, max: 8 }), {
          minLength: rows * columns,
          maxLength: rows * columns,
        })
        .map((values) => ({ rows, columns, weights: Float32Array.from(values) })),
    );
  const options = fc.record({
    method: fc.constantFrom("stochastic" as const, "deterministic" as const),
    visit: fc.constantFrom("given" as const, "shuffled" as const),
    shift: fc.constantFrom(1, 0.25, "relative" as const),
    seed: fc.nat(),
  });
  const sorted = (values: Float32Array): Float32Array => values.slice().sort();

  test("the pass `rows` keeps each row's multiset; in the given order it keeps row 0", () => {
    fc.assert(
      fc.property(matrices, options, (matrix, options) => {
        const { weights } = rewirePreferentially(matrix, { ...options, passes: ["rows"] });
        for (let row = 0; row < matrix.rows; row++) {
          const span = [row * matrix.columns, (row + 1) * matrix.columns] as const;
          const before = matrix.weights.subarray(...span);
          const after = weights.subarray(...span);
          expect(sorted(after)).toEqual(sorted(before));
          if (row === 0 && options.visit === "given") expect(after).toEqual(before);
        }
      }),
    );
  });

  test("the pass `columns` keeps each column's multiset", () => {
    fc.assert(
      fc.property(matrices, options, (matrix, options) => {
        const { weights } = rewirePreferentially(matrix, { ...options, passes: ["columns"] });
        const column = (values: Float32Array, of: number): Float32Array =>
          values.filter((_, at) => at % matrix.columns === of);
        for (let c = 0; c < matrix.columns; c++) {
          expect(sorted(column(weights, c))).toEqual(sorted(column(matrix.weights, c)));
        }
      }),
    );
  });

  test("both passes keep all weights; the same seed gives the same bytes", () => {
    fc.assert(
      fc.property(matrices, options, (matrix, options) => {
        const { weights } = rewirePreferentially(matrix, options);
        expect(sorted(weights)).toEqual(sorted(matrix.weights));
        expect(rewirePreferentially(matrix, options).weights).toEqual(weights);
      }),
    );
  });
});

describe("what makes no sense is refused", () => {
  test.each<{ name: string; options: RewireOptions }>([
    { name: "a shift of 0", options: { shift: 0 } },
    { name: "a shift that is no number", options: { shift: NaN } },
    { name: "an unknown pass", options: { passes: ["diagonals" as "rows"] } },
    { name: "an unknown method", options: { method: "random" as "stochastic" } },
    { name: "an unknown order of rows", options: { visit: "backwards" as "given" } },
    { name: "a sampler that repeats a column", options: { sampler: () => [0, 0, 1] } },
    { name: "a sampler that stops early", options: { sampler: () => [0, 1] } },
    { name: "a sampler that leaves the matrix", options: { sampler: () => [0, 1, 3] } },
  ])("$name", ({ options }) => {
    const run = (): unknown => rewirePreferentially(byHand, options);
    thrownBy(run, "USAGE_INVALID_OPTION");
  });

  test("a matrix that its weights do not fill, and weights that are not finite", () => {
    thrownBy(() => rewirePreferentially({ ...byHand, rows: 5 }), "SHAPE_MISMATCH");
    const broken = { rows: 1, columns: 2, weights: Float32Array.of(1, NaN) };
    thrownBy(() => rewirePreferentially(broken), "WEIGHTS_NOT_FINITE");
  });
});

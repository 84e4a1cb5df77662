/** The kernels on blocks of weights against the plain TypeScript that they stand for. */
import { describe, expect, test } from "vitest";
import { arenaProducts, plainProducts, roughError } from "../../src/kernels/products.ts";
import { arenaStrengths, plainStrengths } from "../../src/kernels/strengthSums.ts";
import { allocateWeights, arenaOf, type WeightArena } from "../../src/kernels/weightArena.ts";
import { createRandom } from "../../src/random.ts";

type Fill = (at: number, count: number) => number;

const random = createRandom(7);
const fills: Readonly<Record<string, Fill>> = {
  random: () => random.normal(),
  "heavy tails": () => random.normal() / Math.abs(random.normal()),
  zeros: () => 0,
  "many zeros": () => (random.uniform() < 0.9 ? 0 : random.normal()),
  ties: (at) => ((at % 3) - 1) * 0.5,
  "one huge weight": (at, count) => (at === count >> 1 ? -3e38 : random.normal()),
  denormals: (at) => (at % 2 === 0 ? 1e-45 : -3e-42),
  "whole numbers": (at) => (at % 17) - 8,
};
const shapes = [
  [1, 1],
  [1, 7],
  [7, 1],
  [2, 3],
  [5, 5],
  [33, 515],
  [64, 1024],
  [1030, 617],
] as const;

function placed(rows: number, columns: number, fill: Fill, threads = 1) {
  const scratch = 2 ** 20 + 512 * (rows + columns);
  // A neighbour makes the arena large enough to be one.
  const [weights] = allocateWeights([rows * columns, 2 ** 14], scratch, { threads });
  weights!.forEach((_, at) => (weights![at] = fill(at, rows * columns)));
  const arena = arenaOf(weights!)!;
  expect(arena).not.toBeNull();
  return { arena, weights: weights!, rows, columns };
}

/** Sums in another order: 1e-14 of the sum of magnitudes, which is what rounding allows. */
function expectClose(actual: Float64Array, expected: Float64Array, scale: Float64Array): void {
  expect(actual).toHaveLength(expected.length);
  const far = actual.findIndex((value, i) => Math.abs(value - expected[i]!) > 1e-14 * scale[i]!);
  expect(far).toBe(-1);
}

describe.each(Object.entries(fills))("%s", (_, fill) => {
  test.each(shapes)("strengths, %i x %i", (rows, columns) => {
    const matrix = placed(rows, columns, fill);
    const sums = arenaStrengths(matrix)!;
    const plain = plainStrengths(matrix.weights, rows, columns);
    for (const side of ["rows", "columns"] as const) {
      for (const part of ["positive", "negative"] as const) {
        expectClose(sums[side][part], plain[side][part], plain[side][part]);
        expect(sums[side][part].every((sum) => sum >= 0 && !Object.is(sum, -0))).toBe(true);
      }
    }
  });

  test.each(shapes)("products, %i x %i", (rows, columns) => {
    const matrix = placed(rows, columns, fill);
    const u = Float64Array.from({ length: columns }, () => random.uniform());
    const x = Float64Array.from({ length: rows }, () => random.uniform());
    const vectors = () => ({
      u,
      x,
      forRows: new Float64Array(rows).fill(1),
      forColumns: new Float64Array(columns).fill(2),
    });
    const own = vectors();
    const plain = vectors();
    expect(arenaProducts(matrix, own)).toBe(true);
    plainProducts(matrix.weights, plain);
    expectClose(own.forRows, plain.forRows, plain.forRows);
    expectClose(own.forColumns, plain.forColumns, plain.forColumns);
  });

  test.each(shapes)("rough products, off by no more than they may be, %i x %i", (rows, columns) => {
    const matrix = placed(rows, columns, fill);
    // Small enough for the largest weight to leave float32 room.
    const u = Float64Array.from({ length: columns }, () => random.normal() / 64);
    const x = Float64Array.from({ length: rows }, () => random.normal() / 64);
    const zeros = { u: new Float64Array(columns), x: new Float64Array(rows) };
    const sums = () => ({
      forRows: new Float64Array(rows),
      forColumns: new Float64Array(columns),
    });
    const [own, plain, most] = [sums(), sums(), sums()];
    for (const one of [
      { ...zeros, u },
      { ...zeros, x },
    ]) {
      expect(arenaProducts(matrix, { ...one, ...own }, { isRough: true })).toBe(true);
      plainProducts(matrix.weights, { ...one, ...plain });
    }
    plainProducts(matrix.weights, { u: u.map(Math.abs), x: x.map(Math.abs), ...most });
    for (const side of ["forRows", "forColumns"] as const) {
      const far = own[side].findIndex((sum, i) => {
        // Below the normal numbers of float32 digits are lost, of a term at most so much.
        const lost = 2 ** -149 * (rows + columns);
        return !(Math.abs(sum - plain[side][i]!) <= roughError * most[side][i]! + lost);
      });
      expect(far).toBe(-1);
    }
  });

  test.each(shapes)("zeros and the largest magnitude, %i x %i", (rows, columns) => {
    const { arena, weights } = placed(rows, columns, fill);
    arena.kernels.scan(weights.byteOffset, weights.length, arena.scratch);
    const zeros = weights.reduce((count, weight) => count + (weight === 0 ? 1 : 0), 0);
    const largest = weights.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0);
    expect(Array.from(new Float64Array(arena.buffer, arena.scratch, 2))).toEqual([zeros, largest]);
  });
});

test.each(shapes)("what is not finite is found wherever it is, %i x %i", (rows, columns) => {
  const { arena, weights } = placed(rows, columns, () => random.normal());
  const find = () => arena.kernels.firstNotFinite(weights.byteOffset, weights.length);
  expect(find()).toBe(-1);
  for (const at of [0, weights.length >> 1, weights.length - 1]) {
    for (const value of [NaN, Infinity, -Infinity]) {
      const before = weights[at]!;
      weights[at] = value;
      expect(find()).toBe(at);
      arena.kernels.scan(weights.byteOffset, weights.length, arena.scratch);
      expect(new Float64Array(arena.buffer, arena.scratch, 2)[1]).not.toBeLessThan(Infinity);
      weights[at] = before;
    }
  }
});

test("one thread and two give the same bytes", () => {
  const [rows, columns] = [1501, 1023];
  const values = Float32Array.from({ length: rows * columns }, () => random.normal());
  const answers = [1, 2, 3].map((threads) => {
    const matrix = placed(rows, columns, (at) => values[at]!, threads);
    const { threads: own }: WeightArena = matrix.arena;
    expect(own.count).toBe(threads);
    // Again and again, so that threads which start late take part too.
    const runs = Array.from({ length: 20 }, () => {
      const { rows: r, columns: c } = arenaStrengths(matrix)!;
      const vectors = {
        u: new Float64Array(columns).fill(0.3),
        x: new Float64Array(rows).fill(0.7),
        forRows: new Float64Array(rows),
        forColumns: new Float64Array(columns),
      };
      arenaProducts(matrix, vectors);
      const zeros = { u: new Float64Array(columns), x: new Float64Array(rows) };
      const rough = {
        forRows: new Float64Array(rows),
        forColumns: new Float64Array(columns),
      };
      arenaProducts(matrix, { ...vectors, ...rough, x: zeros.x }, { isRough: true });
      arenaProducts(matrix, { ...vectors, ...rough, u: zeros.u }, { isRough: true });
      const sums = [vectors.forRows, vectors.forColumns, rough.forRows, rough.forColumns];
      return [r.positive, r.negative, c.positive, c.negative, ...sums];
    });
    for (const run of runs) expect(run).toEqual(runs[0]);
    return runs[0];
  });
  expect(answers[1]).toEqual(answers[0]);
  expect(answers[2]).toEqual(answers[0]);
});

test("weights elsewhere, and graphs too small for an arena, have none", () => {
  expect(arenaOf(new Float32Array(10))).toBeNull();
  expect(arenaOf(new Float64Array(10))).toBeNull();
  expect(arenaOf(null)).toBeNull();
  expect(arenaOf(allocateWeights([10], 0)[0]!)).toBeNull();
});

test("without room for the vectors the plain way is left", () => {
  const [weights] = allocateWeights([2 ** 15], 0);
  const matrix = { arena: arenaOf(weights!)!, weights: weights!, rows: 1, columns: 2 ** 15 };
  expect(arenaStrengths(matrix)).toBeNull();
  const one = new Float64Array(1);
  const many = new Float64Array(2 ** 15);
  expect(arenaProducts(matrix, { u: many, x: one, forRows: one, forColumns: many })).toBe(false);
});

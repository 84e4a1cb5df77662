/**
 * The kernel against the plain way, bit for bit. Float64 weights always take the plain way, and float32 ones are exact in float64,
 * so that the same call on a copy in float64 is the oracle.
 */
import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRandom } from "../../src/random.ts";
import { rewireByKernel } from "../../src/rewrite/rewireByKernel.ts";
import {
  rewirePreferentially,
  type RewireOptions,
} from "../../src/rewrite/rewirePreferentially.ts";

const bitsOf = (weights: Float32Array): Uint32Array => new Uint32Array(weights.buffer);

function expectSameBytes(
  weights: Float32Array,
  [rows, columns]: readonly [number, number],
  options: RewireOptions,
): void {
  const own = rewirePreferentially({ weights, rows, columns }, options);
  const plain = rewirePreferentially(
    { weights: Float64Array.from(weights), rows, columns },
    options,
  );
  expect(bitsOf(own.weights)).toEqual(bitsOf(Float32Array.from(plain.weights)));
  const { weights: _, ...report } = own;
  const { weights: __, ...plainReport } = plain;
  expect(report).toEqual(plainReport);
}

type Draw = (random: ReturnType<typeof createRandom>, at: number) => number;
const kinds: Readonly<Record<string, Draw>> = {
  gaussian: (random) => random.normal() * 0.02,
  "heavy-tailed": (random) => random.normal() / random.uniform() ** 2,
  "few values": (random) => random.integer(3) - 1,
  zeros: () => 0,
  "zeros of both signs": (random) => [0, -0, 0.5][random.integer(3)]!,
  equal: () => 0.25,
  denormals: (random) => random.normal() * 1e-42,
  "one huge weight": (random, at) => (at === 777 ? 3e38 : random.normal()),
  "one huge negative weight": (random, at) => (at === 40 ? -3e38 : random.normal() * 1e-3),
  "beyond the range of a difference": (random) => random.normal() * 1e38,
  "nearly equal": (random) => 1 + random.integer(2 ** 9) * 2 ** -23,
  sorted: (_, at) => at,
};
const shapes = [
  [3, 16],
  [33, 17],
  [70, 64],
  [5, 1500],
  [40, 259],
] as const;

describe.each(Object.entries(kinds))("%s", (_, draw) => {
  test.each(shapes)("%i x %i", (rows, columns) => {
    const random = createRandom(rows);
    const weights = Float32Array.from({ length: rows * columns }, (_, at) =>
      Math.max(-3.4e38, Math.min(3.4e38, draw(random, at))),
    );
    expectSameBytes(weights, [rows, columns], { seed: 1 });
    expectSameBytes(weights, [rows, columns], { method: "deterministic" });
    expectSameBytes(weights, [rows, columns], { seed: 2, visit: "shuffled", shift: "relative" });
    expectSameBytes(weights, [rows, columns], { passes: ["columns", "rows"], shift: 0.01 });
  });
});

test("any bits of finite floats, any size", () => {
  const sizes = fc.record({
    rows: fc.integer({ min: 1, max: 40 }),
    columns: fc.integer({ min: 1, max: 90 }),
  });
  fc.assert(
    fc.property(
      sizes,
      fc.nat(),
      fc.constantFrom("stochastic" as const, "deterministic" as const),
      ({ rows, columns }, seed, method) => {
        const random = createRandom(seed);
        const bits = Uint32Array.from({ length: rows * columns }, () => {
          const drawn = random.integer(2 ** 32);
          // Exponents up to 2^100: none is infinite or NaN, and no variance overflows.
          return (drawn & 0x7fffffff) >= 227 * 2 ** 23 ? drawn & 0x8fffffff : drawn;
        });
        expectSameBytes(new Float32Array(bits.buffer), [rows, columns], { seed, method });
      },
    ),
  );
});

test("it serves rows of 16 weights and more, and says what it leaves to the plain way", () => {
  const served = (rows: number, columns: number): boolean => {
    const matrix = { weights: new Float32Array(rows * columns), rows, columns };
    const visits = Uint32Array.from({ length: rows }, (_, row) => row);
    const pass = { pass: "rows", method: "stochastic", visits, shiftOf: () => 1 } as const;
    return rewireByKernel(matrix, pass, createRandom(0)) !== null;
  };
  expect(served(3, 16)).toBe(true);
  expect(served(3, 15)).toBe(false);
  expect(served(2, 16)).toBe(false);
  expect(served(3, 2 ** 21)).toBe(true);
  expect(served(3, 2 ** 21 + 1)).toBe(false);
});

test("the bytes of a seed do not change (recorded before there was a kernel)", () => {
  const random = createRandom(1);
  const weights = Float32Array.from({ length: 1024 ** 2 }, () => random.normal() * 0.02);
  const rewired = rewirePreferentially({ weights, rows: 1024, columns: 1024 }, { seed: 1 });
  const digest = createHash("sha256").update(bitsOf(rewired.weights)).digest("hex");
  expect(digest.slice(0, 16)).toBe("484771c733578e54");
});

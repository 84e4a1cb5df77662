import { expect, test } from "vitest";
import { createRandom, logarithm, shuffle } from "../src/random.ts";

test("the same seed gives the same stream, pinned so that no release changes it by accident", () => {
  const random = createRandom(42);
  const drawn = [random.uniform(), random.normal(), random.exponential(), random.integer(1000)];
  const again = createRandom(42);
  expect([again.uniform(), again.normal(), again.exponential(), again.integer(1000)]).toEqual(
    drawn,
  );
  expect(createRandom(43).uniform()).not.toBe(drawn[0]);
});

test("forks are independent of how much their parent has drawn", () => {
  const parent = createRandom(7);
  const early = parent.fork("a").uniform();
  parent.uniform();
  expect(parent.fork("a").uniform()).toBe(early);
  expect(parent.fork("b").uniform()).not.toBe(early);
});

test("moments of the laws (hand: mean and variance; tolerance 5 standard errors)", () => {
  const random = createRandom(1);
  const n = 200_000;
  const draws = {
    uniform: () => random.uniform(),
    normal: () => random.normal(),
    exponential: () => random.exponential(),
  };
  const expected = { uniform: [1 / 2, 1 / 12], normal: [0, 1], exponential: [1, 1] } as const;
  for (const law of ["uniform", "normal", "exponential"] as const) {
    const values = Array.from({ length: n }, draws[law]);
    const mean = values.reduce((a, b) => a + b, 0) / n;
    const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / n;
    expect(Math.abs(mean - expected[law][0])).toBeLessThan(5 * Math.sqrt(expected[law][1] / n));
    expect(Math.abs(variance - expected[law][1])).toBeLessThan(0.05 * expected[law][1]);
  }
});

test("logarithm agrees with Math.log to a few ulp (reference: the engine's own)", () => {
  const random = createRandom(3);
  for (let i = 0; i < 10_000; i++) {
    const x = random.uniform() * 10 ** (random.integer(30) - 15) + 1e-300;
    const expected = Math.log(x);
    expect(Math.abs(logarithm(x) - expected)).toBeLessThanOrEqual(
      1e-15 * Math.max(1, Math.abs(expected)),
    );
  }
});

test("shuffle keeps the multiset", () => {
  const shuffled = shuffle(
    Uint32Array.from({ length: 100 }, (_, i) => i),
    createRandom(5),
  );
  expect(Array.from(shuffled).sort((a, b) => a - b)).toEqual(
    Array.from({ length: 100 }, (_, i) => i),
  );
  expect(Array.from(shuffled)).not.toEqual(Array.from({ length: 100 }, (_, i) => i));
});

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { compensatedSum, sumVector } from "../../src/numeric/sum.ts";

test.each([
  { name: "cancels", values: [1, 1e100, 1, -1e100], expected: 2 },
  { name: "ten tenths", values: Array.from({ length: 10 }, () => 0.1), expected: 1 },
  { name: "nothing", values: [], expected: 0 },
])("$name (hand)", ({ values, expected }) => {
  expect(compensatedSum(values)).toBe(expected);
});

test("what was added and taken away leaves nothing", () => {
  const value = fc.float({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 });
  fc.assert(
    fc.property(fc.array(value), (values) => {
      const sums = sumVector(1);
      for (const v of values) sums.add(0, v);
      for (const v of values) sums.add(0, -v);
      expect(Math.abs(sums.value(0))).toBeLessThan(1e-20);
      sums.reset(0);
      expect(sums.value(0)).toBe(0);
    }),
  );
});

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { kthLargest, median } from "../../src/numeric/quantile.ts";

test.each([
  { name: "odd", values: [3, 1, 2], expected: 2 },
  { name: "even", values: [4, 1, 3, 2], expected: 2.5 },
  { name: "one", values: [7], expected: 7 },
  { name: "huge", values: [1e308, 1.5e308], expected: 1.25e308 },
  { name: "none", values: [], expected: NaN },
])("median, $name (hand)", ({ values, expected }) => {
  expect(median(Float64Array.from(values))).toBe(expected);
});

test("k-th largest equals a full sort (oracle)", () => {
  const values = fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(values, fc.nat(), (list, at) => {
      const k = (at % list.length) + 1;
      const sorted = [...list].sort((a, b) => b - a);
      expect(kthLargest(Float64Array.from(list), k)).toBe(sorted[k - 1]);
    }),
  );
});

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { argsort, argsortSpace } from "../../src/numeric/argsort.ts";

const numbers = fc.array(fc.double({ noNaN: true }), { maxLength: 70 });
const fewValues = fc.array(fc.integer({ min: -3, max: 3 }), { maxLength: 70 });

test("argsort is the stable order (oracle: Array.prototype.sort on pairs)", () => {
  fc.assert(
    fc.property(fc.oneof(numbers, fewValues), (values) => {
      const expected = values
        .map((value, index) => ({ value, index }))
        .sort((a, b) => (a.value < b.value ? -1 : a.value > b.value ? 1 : a.index - b.index))
        .map(({ index }) => index);
      expect(Array.from(argsort(Float64Array.from(values)))).toEqual(expected);
    }),
  );
});

test("a space that has served before gives the same answer", () => {
  const space = argsortSpace(5);
  argsort(Float64Array.of(5, 4, 3, 2, 1), space);
  expect(Array.from(argsort(Float64Array.of(0.5, -1, 2, -1, 0), space))).toEqual([1, 3, 4, 0, 2]);
});

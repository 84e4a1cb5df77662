import { expect, test } from "vitest";
import {
  fromCanonical,
  toCanonical,
  weightLayout,
  type AxisRole,
} from "../../src/tensor/layout.ts";

const counting = (length: number): Float32Array => Float32Array.from({ length }, (_, i) => i);

test("a TensorFlow kernel [h, w, in, out] becomes [out, in, taps]", () => {
  const layout = weightLayout([2, 1, 2, 3], ["tap", "tap", "in", "out"]);
  expect(layout).toMatchObject({ groups: 1, outPerGroup: 3, inPerGroup: 2, taps: 2 });
  expect(Array.from(toCanonical(counting(12), layout))).toEqual([
    0, 6, 3, 9, 1, 7, 4, 10, 2, 8, 5, 11,
  ]);
});

test("a dense layer after a channel-last flatten gets its positions as taps", () => {
  const layout = weightLayout([2, 2, 2], ["out", "tap", "in"]);
  expect(Array.from(toCanonical(counting(8), layout))).toEqual([0, 2, 1, 3, 4, 6, 5, 7]);
});

test("nothing is copied when nothing moves", () => {
  const values = counting(24);
  expect(toCanonical(values, weightLayout([4, 3, 2, 1], ["out", "in", "tap", "tap"]))).toBe(values);
});

test.each<{ split: number[]; roles: AxisRole[] }>([
  { split: [3, 4, 5], roles: ["in", "tap", "out"] },
  { split: [2, 3, 4, 2], roles: ["group", "in", "out", "tap"] },
  { split: [2, 2, 6, 2], roles: ["tap", "tap", "group", "out"] },
  { split: [1, 7, 1, 2], roles: ["tap", "in", "tap", "out"] },
])("fromCanonical undoes toCanonical: $split $roles", ({ split, roles }) => {
  const layout = weightLayout(split, roles);
  const values = counting(split.reduce((a, b) => a * b, 1));
  expect(Array.from(fromCanonical(toCanonical(values, layout), layout))).toEqual(
    Array.from(values),
  );
});

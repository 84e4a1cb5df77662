import * as fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalRuns, isCanonical, scatterCanonical } from "../../src/model/canonicalRuns.ts";
import { elementCount } from "../../src/tensor/shape.ts";
import { toCanonical, weightLayout, type AxisRole } from "../../src/tensor/layout.ts";

const roles = fc.constantFrom<AxisRole>("group", "out", "in", "tap");
const layouts = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 5 }), roles), { minLength: 1, maxLength: 5 })
  .map((axes) =>
    weightLayout(
      axes.map(([size]) => size),
      axes.map(([, role]) => role),
    ),
  );

test("spans put in place one by one are the layout turned as a whole (oracle: toCanonical)", () => {
  fc.assert(
    fc.property(layouts, fc.array(fc.nat(700), { maxLength: 4 }), (layout, cuts) => {
      const stored = Float64Array.from({ length: elementCount(layout.split) }, (_, i) => i + 1);
      const placed = new Float64Array(stored.length);
      const put = scatterCanonical(layout, placed);
      const ends = [...cuts.filter((cut) => cut < stored.length), stored.length];
      let start = 0;
      for (const end of ends.toSorted((a, b) => a - b)) {
        put(stored.subarray(start, end), start);
        start = end;
      }
      const turned = toCanonical(stored, layout);
      expect(placed).toEqual(turned);
      expect(isCanonical(layout)).toBe(turned.every((value, i) => value === stored[i]));

      const sums = new Float64Array(stored.length / layout.taps);
      canonicalRuns(layout, { taps: false })(0, stored.length, (at, count, place, step) => {
        for (let i = 0; i < count; i++) sums[place + i * step]! += stored[at + i]!;
      });
      const expected = sums.map((_, edge) =>
        turned.subarray(edge * layout.taps, (edge + 1) * layout.taps).reduce((a, b) => a + b, 0),
      );
      expect(sums).toEqual(expected);
    }),
  );
});

test("a transposed matrix wider than a tile, cut within rows", () => {
  const layout = weightLayout([70, 45], ["in", "out"]);
  const stored = Float32Array.from({ length: 70 * 45 }, (_, i) => i);
  const placed = new Float32Array(stored.length);
  const put = scatterCanonical(layout, placed);
  put(stored.subarray(0, 1000), 0);
  put(stored.subarray(1000), 1000);
  expect(placed).toEqual(toCanonical(stored, layout));
});

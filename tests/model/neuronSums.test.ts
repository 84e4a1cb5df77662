import * as fc from "fast-check";
import { expect, test } from "vitest";
import { neuronSums } from "../../src/model/neuronSums.ts";
import { toCanonical, weightLayout, type AxisRole } from "../../src/tensor/layout.ts";

/** Oracle: the canonical order, summed as its definition says. */
function oracle(values: Float64Array, layout: ReturnType<typeof weightLayout>): number[][] {
  const { groups, outPerGroup, inPerGroup, taps } = layout;
  const canonical = toCanonical(values, layout);
  const into = new Array<number>(groups * outPerGroup).fill(0);
  const outOf = new Array<number>(groups * inPerGroup).fill(0);
  let at = 0;
  for (let group = 0; group < groups; group++)
    for (let row = 0; row < outPerGroup; row++)
      for (let column = 0; column < inPerGroup; column++)
        for (let tap = 0; tap < taps; tap++, at++) {
          into[group * outPerGroup + row]! += canonical[at]!;
          outOf[group * inPerGroup + column]! += canonical[at]!;
        }
  return [into, outOf];
}

const role = fc.constantFrom<AxisRole>("group", "out", "in", "tap");
const layouts = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 4 }), role), { minLength: 0, maxLength: 5 })
  .map((axes) =>
    weightLayout(
      axes.map(([size]) => size),
      axes.map(([, own]) => own),
    ),
  );

test("sums of any layout, in any cuts, are those of its canonical order", () => {
  fc.assert(
    fc.property(layouts, fc.integer({ min: 1, max: 50 }), (layout, cut) => {
      const count = layout.split.reduce((product, size) => product * size, 1);
      // Whole numbers: their sums are exact in any order.
      const values = Float64Array.from({ length: count }, (_, i) => ((i * 37) % 101) - 50);
      const sums = neuronSums(layout);
      for (let start = 0; start < count; start += cut) {
        sums.add(values.subarray(start, start + cut), start);
      }
      expect([[...sums.into], [...sums.outOf]]).toEqual(oracle(values, layout));
    }),
    { numRuns: 300 },
  );
});

import { expect, test } from "vitest";
import { weightHistogram } from "../../../cli/report/layerPlots.ts";

test.each([
  { name: "all the same", values: [0.02, 0.02, 0.02], low: 0.01, high: 0.03, at: 24, count: 3 },
  { name: "all negative and the same", values: [-4], low: -6, high: -2, at: 24, count: 1 },
  { name: "all zero", values: [0, 0], low: -0.5, high: 0.5, at: 24, count: 2 },
  { name: "the largest is in the last bin", values: [0, 48], low: 0, high: 48, at: 47, count: 1 },
])("weights $name (hand)", ({ name, values, low, high, at, count }) => {
  const histogram = weightHistogram(name, values);
  expect(histogram.low).toBeCloseTo(low, 12);
  expect(histogram.high).toBeCloseTo(high, 12);
  expect(histogram.counts[at]).toBe(count);
  expect(histogram.counts.reduce((sum, own) => sum + own, 0)).toBe(values.length);
});

import { describe, expect, test } from "vitest";
import { signatureStatistics, summarise } from "../../src/analysis/summarise.ts";
import { thrownBy } from "../helpers/errors.ts";

const degrees = Float64Array.of(10, 10, 11, 12, 20, 14, 19, 3, 7);

describe("degrees of the rolled toy", () => {
  test("reference (numpy 2.4.6, scipy 1.17.1: mean, median, std ddof 0, skew and kurtosis biased)", () => {
    const summary = summarise(degrees);
    const five = signatureStatistics.map((statistic) => summary[statistic]);
    [11.777777777778, 11, 5.072316538006, 0.124705200822, -0.684692990374].forEach((value, i) =>
      expect(five[i]).toBeCloseTo(value, 11),
    );
    expect(summary).toMatchObject({ min: 3, max: 20, count: 9 });
  });

  test.each([
    { name: "std with ddof 1", statistic: "std", other: 5.38000413 },
    { name: "unbiased skewness", statistic: "skewness", other: 0.15116555 },
    { name: "unbiased kurtosis", statistic: "kurtosis", other: -0.16131998 },
  ] as const)("is not the $name", ({ statistic, other }) => {
    expect(Math.abs(summarise(degrees)[statistic] - other)).toBeGreaterThan(0.02);
  });
});

test("no values have no summary", () => {
  thrownBy(() => summarise(new Float64Array(0)), "ANALYSIS_UNDEFINED");
});

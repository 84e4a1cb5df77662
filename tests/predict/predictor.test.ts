import { describe, expect, test } from "vitest";
import {
  applyPredictor,
  fitPredictor,
  parsePredictor,
  type Predictor,
} from "../../src/predict/predictor.ts";
import { thrownBy } from "../helpers/errors.ts";

/** target = 2 a - b, exactly. */
const runs = Array.from({ length: 20 }, (_, i) => {
  const features = { a: i % 5, b: (i * 7) % 11 };
  return { features, target: 2 * features.a - features.b };
});
const predictor = fitPredictor(runs, { target: "accuracy", lambda: 0.01, settings: { epochs: 3 } });

describe("a fitted predictor", () => {
  test("says where a new run ends, and on which side of the median", () => {
    const high = applyPredictor(predictor, { a: 6, b: 1 });
    expect(high.value).toBeCloseTo(11, 1);
    expect(high.probability).toBeGreaterThan(0.9);
    const low = applyPredictor(predictor, { b: 9, a: 0 });
    expect(low.value).toBeCloseTo(-9, 1);
    expect(low.probability).toBeLessThan(0.1);
    expect(high.threshold).toBe(low.threshold);
  });

  test("survives JSON", () => {
    const again = parsePredictor(JSON.parse(JSON.stringify(predictor)));
    expect(again).toEqual(predictor);
    expect(again).toMatchObject({
      schema: "weightgraph.predictor",
      version: 1,
      target: "accuracy",
      features: ["a", "b"],
      runs: 20,
      settings: { epochs: 3 },
    });
  });

  test("refuses a run with other features", () => {
    thrownBy(() => applyPredictor(predictor, { a: 1 }), "SERIES_MISMATCH");
  });
});

describe("what is no predictor is refused, with the path", () => {
  const broken = (change: Record<string, unknown>): unknown => ({ ...predictor, ...change });
  test.each<{ name: string; input: unknown; path: string[] }>([
    { name: "a list", input: [], path: ["schema"] },
    { name: "another schema", input: broken({ schema: "weightgraph.layers" }), path: ["schema"] },
    { name: "features of another kind", input: broken({ features: [1] }), path: ["features"] },
    { name: "no target", input: broken({ target: null }), path: ["target"] },
    { name: "settings that are a list", input: broken({ settings: [] }), path: ["settings"] },
    {
      name: "a coefficient too few",
      input: broken({ regression: { ...predictor.regression, coefficients: [1] } }),
      path: ["regression", "coefficients"],
    },
    {
      name: "an intercept that is a word",
      input: broken({ classification: { ...predictor.classification, intercept: "1" } }),
      path: ["classification", "intercept"],
    },
    {
      name: "no threshold",
      input: broken({ classification: predictor.regression satisfies Predictor["regression"] }),
      path: ["classification", "threshold"],
    },
  ])("$name", ({ input, path }) => {
    expect(thrownBy(() => parsePredictor(input), "FORMAT_MALFORMED").path).toEqual(path);
  });

  test("another version", () => {
    thrownBy(() => parsePredictor(broken({ version: 2 })), "FORMAT_UNSUPPORTED");
  });
});

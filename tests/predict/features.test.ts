import { describe, expect, test } from "vitest";
import { temporalSignature } from "../../src/analysis/temporalSignature.ts";
import {
  curveFeatures,
  featureTable,
  hyperparameterFeatures,
  signatureFeatures,
} from "../../src/predict/features.ts";
import { thrownBy } from "../helpers/errors.ts";
import { rolledToy } from "../helpers/methods.ts";

describe("signature", () => {
  const graphs = [
    { epoch: 1, graph: rolledToy() },
    { epoch: 2, graph: rolledToy(2) },
  ];

  test("five numbers per epoch and measure, by name (hand: degrees of the rolled toy)", async () => {
    const row = signatureFeatures(await temporalSignature(graphs, { measures: ["degree"] }));
    expect(Object.keys(row)).toHaveLength(10);
    expect(row["degree@1.mean"]).toBeCloseTo(11.777777777778, 10);
    expect(row["degree@2.std"]).toBeCloseTo(5.597618541249, 10);
  });

  test("layer by layer", async () => {
    const signature = await temporalSignature(graphs, { measures: ["degree"], scope: "layer" });
    expect(signatureFeatures(signature)["degree[layer3]@1.mean"]).toBeCloseTo(5, 12);
  });
});

test("learning curve", () => {
  expect(
    curveFeatures([
      { epoch: 1, metrics: { loss: 0.5, accuracy: 0.8 } },
      { epoch: 2, metrics: { loss: 0.25, accuracy: 0.9 } },
    ]),
  ).toEqual({ "loss@1": 0.5, "accuracy@1": 0.8, "loss@2": 0.25, "accuracy@2": 0.9 });
});

test("hyper-parameters: numbers, logarithms of positive ones, indicators of words", () => {
  expect(
    hyperparameterFeatures([
      { lr: 0.1, dropout: 0, optimizer: "sgd" },
      { lr: 0.01, dropout: 0.5, optimizer: "adam" },
    ]),
  ).toEqual([
    { lr: 0.1, "log10(lr)": -1, dropout: 0, "optimizer=sgd": 1, "optimizer=adam": 0 },
    { lr: 0.01, "log10(lr)": -2, dropout: 0.5, "optimizer=sgd": 0, "optimizer=adam": 1 },
  ]);
});

describe("table", () => {
  test("columns follow the first row, whatever the order in the others", () => {
    const { names, rows } = featureTable([
      { a: 1, b: 2 },
      { b: 4, a: 3 },
    ]);
    expect(names).toEqual(["a", "b"]);
    expect(rows).toEqual([Float64Array.of(1, 2), Float64Array.of(3, 4)]);
  });

  test.each([
    { name: "a feature too few", row: { a: 1 }, feature: "b" },
    { name: "a feature too many", row: { a: 1, b: 2, c: 3 }, feature: "c" },
  ])("refused: $name", ({ row, feature }) => {
    const error = thrownBy(() => featureTable([{ a: 1, b: 2 }, row]), "SERIES_MISMATCH");
    expect(error.path).toEqual([1, feature]);
  });

  test("refused: a value that is not finite", () => {
    const error = thrownBy(() => featureTable([{ a: 1 }, { a: NaN }]), "ANALYSIS_UNDEFINED");
    expect(error.path).toEqual([1, "a"]);
  });
});

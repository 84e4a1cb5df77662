/** Every real model of a format that is read, against EXPECTED.json (reference: onnx 1.12, numpy 1.24, torch 1.13, h5py 3.7). */
import { describe, expect, test } from "vitest";
import { coverageOf, openModel, summariseLayers, type LayerSummary } from "../../src/node.ts";
import {
  expectedModels,
  hasSharedData,
  sharedPath,
  type ExpectedLayer,
} from "../helpers/shared.ts";

/** Folders of ../shared/data whose format has a reader. */
const folders: readonly string[] = [
  // one per line
  "safetensors/",
  "checkpoints/mnist_mlp/final.onnx",
  "onnx/",
  "tfjs-layers/",
  "tfjs-graph/",
  "tfjs-manifest/",
  "keras-h5/",
  "keras-v3/",
  "pytorch/",
  "checkpoints/mini_xception/",
  "checkpoints/mnist_mlp/epoch_",
];

interface ExpectedArray extends Pick<
  ExpectedLayer,
  "name" | "shape" | "numel" | "sum" | "sum_abs"
> {
  readonly axis_sums: readonly Readonly<Record<"mean" | "std" | "min" | "max", number>>[];
}

/** Field of ours, field of theirs. */
const exact = [
  ["name", "name"],
  ["kind", "kind"],
  ["in", "in"],
  ["out", "out"],
  ["numel", "numel"],
  ["nonzero", "nonzero"],
  ["dtype", "dtype"],
] as const;
const close = [
  ["sum", "sum"],
  ["sumAbs", "sum_abs"],
  ["min", "min"],
  ["max", "max"],
  ["l2", "l2"],
] as const;

/** The contract: 1e-5 relative, 1e-6 absolute near zero. */
function expectClose(
  actual: number | null | undefined,
  expected: number,
  scale: number,
  what: string,
): void {
  const limit = Math.max(1e-5 * Math.abs(expected), 1e-6 * Math.max(1, scale));
  expect(
    Math.abs((actual ?? NaN) - expected),
    `${what}: ${actual} for ${expected}`,
  ).toBeLessThanOrEqual(limit);
}

function compareLayer(actual: LayerSummary, expected: ExpectedLayer): void {
  for (const [ours, theirs] of exact)
    expect(actual[ours], `${expected.name} ${ours}`).toBe(expected[theirs]);
  expect(actual.shape, `${expected.name} shape`).toEqual(expected.shape);
  if (expected.op !== undefined) expect(actual.op, `${expected.name} op`).toBe(expected.op);
  for (const [ours, theirs] of close)
    expectClose(actual[ours], expected[theirs], 1, `${expected.name} ${ours}`);
  for (const key of ["mean", "std", "min", "max"] as const) {
    expectClose(
      actual.outStrength?.[key],
      expected.out_strength[key],
      1,
      `${expected.name} outStrength.${key}`,
    );
    if (expected.in_strength)
      expectClose(
        actual.inStrength?.[key],
        expected.in_strength[key],
        1,
        `${expected.name} inStrength.${key}`,
      );
  }
  if (!expected.in_strength) expect(actual.inStrength, `${expected.name} inStrength`).toBeNull();
}

/** Arrays without an orientation: both sums by axis are given, ours are of rows and of columns, one way or the other. */
function compareArray(actual: LayerSummary, expected: ExpectedArray): void {
  const { name, shape, numel, sum, sum_abs: sumAbs, axis_sums: axisSums } = expected;
  expect(actual).toMatchObject({ name, shape, numel });
  expectClose(actual.sum, sum, 1, `${name} sum`);
  expectClose(actual.sumAbs, sumAbs, 1, `${name} sumAbs`);
  const isTurned =
    actual.out !== shape[0] || Math.abs(actual.outStrength!.min - axisSums[0]!.min) > 1e-4;
  const [out, into] = isTurned ? axisSums.toReversed() : axisSums;
  for (const key of ["mean", "std", "min", "max"] as const) {
    expectClose(actual.outStrength?.[key], out![key], 1, `${name} outStrength.${key}`);
    expectClose(actual.inStrength?.[key], into![key], 1, `${name} inStrength.${key}`);
  }
}

const arrays = Object.entries(expectedModels()).filter(([file]) => file.endsWith(".npz"));

describe.skipIf(!hasSharedData || arrays.length === 0)("arrays agree with EXPECTED.json", () => {
  test.each(arrays)("%s", async (file, { layers: theirs }) => {
    const ours = await summariseLayers(await openModel(sharedPath(file)));
    expect(ours.map(({ name }) => name)).toEqual(theirs.map(({ name }) => name));
    theirs.forEach((layer, i) => compareArray(ours[i]!, layer as unknown as ExpectedArray));
  });
});

const cases = Object.entries(expectedModels()).filter(([file]) =>
  folders.some((folder) => file.startsWith(folder) && !file.endsWith(".npz")),
);

describe.skipIf(!hasSharedData || cases.length === 0)("layers agree with EXPECTED.json", () => {
  test.each(cases)("%s", async (file, expected) => {
    const model = await openModel(sharedPath(file));
    if (model.topology.certainty === "declared") {
      expect(coverageOf(model).share).toBeGreaterThanOrEqual(0.99);
    }
    const layers = await summariseLayers(model);
    const key = (layer: { name: string; shape: readonly number[]; sum: number | null }): string =>
      `${layer.name} ${layer.shape.join("x")} ${layer.sum?.toPrecision(4)}`;
    const ours = [...layers].sort((a, b) => (key(a) < key(b) ? -1 : 1));
    const theirs = [...expected.layers].sort((a, b) => (key(a) < key(b) ? -1 : 1));
    expect(ours.map((layer) => layer.name)).toEqual(theirs.map((layer) => layer.name));
    theirs.forEach((layer, i) => compareLayer(ours[i]!, layer));
  });
});

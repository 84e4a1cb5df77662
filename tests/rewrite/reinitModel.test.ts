import { describe, expect, test } from "vitest";
import { reinitModel, type ReinitModelOptions } from "../../src/rewrite/reinitModel.ts";
import { weightLayout } from "../../src/tensor/layout.ts";
import { memoryModel } from "../helpers/memoryModel.ts";

// Hand: 3 out, 2 in, 2 x 2, stored [out, in, h, w].
const kernel = {
  name: "conv",
  kind: "conv",
  values: Float32Array.from(
    [
      [10, -10, 5, 5, -2, 4, 6, -8],
      [-4, 12, -6, 2, 14, -4, 2, 6],
      [8, 2, -12, 4, -10, 6, 4, -2],
    ].flat(),
  ),
  layout: weightLayout([3, 2, 2, 2], ["out", "in", "tap", "tap"]),
} as const;
const scoresOf = async (options: ReinitModelOptions): Promise<unknown> =>
  (await reinitModel(memoryModel([kernel]), options)).layers[0]!.report.groups[0]!.scores;

describe("a convolution", () => {
  test("flattened: every (channel, tap) has its cores (hand)", async () => {
    expect(await scoresOf({})).toEqual({
      positive: Float64Array.of(12, 12, 5, 11, 12, 10, 12, 6),
      negative: Float64Array.of(4, 10, 10, 0, 10, 4, 0, 10),
    });
  });

  test("by channel: the parts of each sign added (hand)", async () => {
    expect(await scoresOf({ convolution: "channel", from: "strength" })).toEqual({
      positive: Float64Array.of(20 + 14 + 14, 10 + 22 + 10),
      negative: Float64Array.of(10 + 10 + 12, 10 + 4 + 12),
    });
  });

  test("the new kernel is drawn around the means of its own columns", async () => {
    const options = { alpha: 1, guard: false, seed: 4 };
    const { model, layers, changes } = await reinitModel(memoryModel([kernel]), options);
    const { means } = layers[0]!.report.groups[0]!;
    const plain = await reinitModel(memoryModel([kernel]), { ...options, alpha: 0 });
    const { sigma } = layers[0]!.report.groups[0]!;
    const drawn = changes.get("conv.weight")!;
    const noise = plain.changes.get("conv.weight")!;
    const plainSigma = plain.layers[0]!.report.groups[0]!.sigma;
    drawn.forEach((weight, at) =>
      expect(weight).toBeCloseTo(means[at % 8]! + (noise[at]! / plainSigma) * sigma, 6),
    );
    expect(await model.layers[0]!.tensor.read()).toBe(drawn);
  });
});

test("each group of a grouped convolution is scored and drawn on its own", async () => {
  const grouped = {
    ...kernel,
    values: Float32Array.of(1, -2, 3, 4, 10, -20, 30, 40),
    layout: weightLayout([2, 2, 2], ["group", "out", "in"]),
  };
  const { layers } = await reinitModel(memoryModel([grouped]), { from: "strength" });
  expect(layers[0]!.report.groups.map(({ scores }) => Array.from(scores.positive))).toEqual([
    [4, 4],
    [40, 40],
  ]);
});

test("a shuffled model differs from its own cores in the places only", async () => {
  const sorted = async (options: ReinitModelOptions): Promise<unknown> =>
    ((await scoresOf(options)) as { positive: Float64Array }).positive.slice().sort();
  expect(await scoresOf({ from: "shuffled", seed: 1 })).not.toEqual(await scoresOf({}));
  expect(await sorted({ from: "shuffled", seed: 1 })).toEqual(await sorted({}));
});

test("an unknown ranking or reading of kernels is refused", async () => {
  const refused = { code: "USAGE_INVALID_OPTION" };
  const from = "luck" as "shuffled";
  await expect(reinitModel(memoryModel([kernel]), { from })).rejects.toMatchObject(refused);
  const convolution = "pixel" as "channel";
  await expect(reinitModel(memoryModel([kernel]), { convolution })).rejects.toMatchObject(refused);
});

import { describe, expect, test } from "vitest";
import type { ParameterValues } from "../../src/analysis/measure.ts";
import { nullSampler, type NullModel } from "../../src/analysis/nullModel.ts";
import { nullTally, type MeasureScores, type NullRun } from "../../src/analysis/nullTally.ts";
import { anyMeasureById } from "../../src/analysis/registry.ts";
import { layeredGraph, type LayeredGraph } from "../../src/graph/layeredGraph.ts";
import { openModel } from "../../src/node.ts";
import { createRandom } from "../../src/random.ts";
import { thrownBy } from "../helpers/errors.ts";
import { hasSharedData, sharedPath } from "../helpers/shared.ts";
import { chainGraph, rolledToy, type Rows } from "../helpers/methods.ts";

const ofRows = (...blocks: Rows[]): LayeredGraph => chainGraph(blocks.map((rows) => ({ rows })));

function runOf(graph: LayeredGraph, id: string, parameters: ParameterValues = {}): NullRun {
  const measure = anyMeasureById(id);
  return measure.of === "nodes"
    ? { measure, parameters, result: measure.run(graph, parameters) }
    : { measure, parameters, result: measure.run(graph, parameters) };
}

function against(run: NullRun, samples: readonly LayeredGraph[]): MeasureScores {
  const tally = nullTally([run]);
  for (const sample of samples) tally.add(0, sample);
  return tally.scores()[0]!;
}

function nodesOf(scores: MeasureScores): Extract<MeasureScores, { of: "nodes" }>["nodes"] {
  if (scores.of !== "nodes") return expect.fail("a measure of blocks");
  return scores.nodes;
}

interface Draw {
  readonly model?: NullModel;
  readonly count?: number;
  readonly seed?: number;
}

/** Samples one at a time, since they share their memory. */
function score(
  graph: LayeredGraph,
  run: NullRun,
  { model = "permuted", count = 40, seed = 0 }: Draw = {},
): MeasureScores {
  const sampleOf = nullSampler(graph, { model, seed });
  const tally = nullTally([run]);
  for (let i = 0; i < count; i++) tally.add(0, sampleOf(i));
  return tally.scores()[0]!;
}

/** Normal weights, float64. */
function normalRows(rows: number, columns: number, seed = 11): number[][] {
  const random = createRandom(seed);
  return Array.from({ length: rows }, () => Array.from({ length: columns }, () => random.normal()));
}

describe("by hand", () => {
  test("mean 2, unbiased deviation 1, z 2", () => {
    const run = runOf(ofRows([[4]]), "strength", { direction: "in" });
    const scores = against(run, [ofRows([[1]]), ofRows([[2]]), ofRows([[3]])]);
    const { mean, std, z } = nodesOf(scores);
    expect([mean[1], std[1], z[1]]).toEqual([2, 1, 2]);
    expect(scores.summary["max"]).toEqual({ mean: 2, std: 1, z: 2 });
    // The sending neuron has 0: the spread of the two is half the weight, and they have no skewness.
    expect(scores.summary["std"]).toEqual({ mean: 1, std: 0.5, z: 2 });
    expect(scores.summary["min"]).toEqual({ mean: 0, std: 0, z: null });
    expect(scores.summary["skewness"]).toEqual({ mean: 0, std: 0, z: null });
  });

  test("persistence of blocks, and of the graph", () => {
    // Persistences of [[1, w]] with w <= 1, p = 1: 1 - w. Samples 0.25 and 0.75: mean 0.5, deviation sqrt(1/8).
    const rows = (weight: number): LayeredGraph => ofRows([[1, weight]]);
    const run = runOf(rows(0), "persistence", { p: 1 });
    const scores = against(run, [rows(0.75), rows(0.25)]);
    if (scores.of !== "blocks") return expect.fail("a measure of nodes");
    const std = Math.sqrt(1 / 8);
    expect(scores.blocks[0]!["persistence"]).toEqual({ mean: 0.5, std, z: 0.5 / std });
    expect(scores.blocks[0]!["pairs"]).toEqual({ mean: 2, std: 0, z: null });
    expect(scores.summary["normalised"]).toEqual({ mean: 0.25, std: std / 2, z: 0.5 / std });
  });

  test("no value in the graph, or in one sample, is no score", () => {
    const zeros = ofRows([[0, 0]]);
    const ones = ofRows([[1, 0.5]]);
    for (const [graph, samples] of [
      [zeros, [ones, ones]],
      [ones, [ones, zeros]],
    ] as const) {
      const scores = against(runOf(graph, "persistence"), samples);
      if (scores.of !== "blocks") return expect.fail("a measure of nodes");
      expect(scores.blocks[0]!["persistence"]).toEqual({ mean: null, std: null, z: null });
      expect(scores.summary["normalised"]).toEqual({ mean: null, std: null, z: null });
    }
  });

  test("fewer than two samples are no null model", () => {
    const graph = ofRows([[1, 2]]);
    thrownBy(() => against(runOf(graph, "degree"), [graph]), "USAGE_INVALID_OPTION");
  });

  test("values whose squares leave float64 have a mean, but no deviation", () => {
    const graph = ofRows([[1e300]]);
    const scores = nodesOf(
      against(runOf(graph, "strength"), [ofRows([[-1e300]]), ofRows([[1e300]])]),
    );
    expect(scores).toEqual({ mean: [0, 0], std: [null, null], z: [null, null] });
  });
});

test("running moments are those of all samples at once", () => {
  const graph = rolledToy();
  const run = runOf(graph, "degree");
  const { mean, std, z } = nodesOf(score(graph, run, { model: "kaiming-normal", count: 15 }));
  const sampleOf = nullSampler(graph, { model: "kaiming-normal" });
  const drawn = Array.from({ length: 15 }, (_, i) => {
    const { result } = runOf(sampleOf(i), "degree");
    return "nodes" in result ? result.nodes : [];
  });
  const own = "nodes" in run.result ? run.result.nodes : [];
  for (let node = 0; node < graph.nodeCount; node++) {
    const values = drawn.map((nodes) => nodes[node]!);
    const average = values.reduce((sum, value) => sum + value, 0) / 15;
    const squares = values.reduce((sum, value) => sum + (value - average) ** 2, 0);
    const deviation = Math.sqrt(squares / 14);
    expect(mean[node]).toBeCloseTo(average, 12);
    expect(std[node]).toBeCloseTo(deviation, 12);
    expect(z[node]).toBeCloseTo((own[node]! - average) / deviation, 9);
  }
});

describe("what scores say", () => {
  test.each(["strength", "degree", "eigenvector", "pagerank"])(
    "a neuron that takes the large weights stands out: %s",
    (id) => {
      const rows = normalRows(30, 30).map((row, r) =>
        row.map((weight) => (r === 4 ? 4 + Math.abs(weight) : weight)),
      );
      const graph = ofRows(rows);
      const { z } = nodesOf(score(graph, runOf(graph, id)));
      const hub = z[34]!;
      expect(hub).toBeGreaterThan(5);
      expect(z.filter((other) => Math.abs(other!) >= hub)).toHaveLength(1);
    },
  );

  test.each<NullModel>(["permuted", "kaiming-normal", "xavier-uniform", "matched"])(
    "a graph of the null model itself does not: %s",
    (model) => {
      const graph = ofRows(normalRows(20, 20), normalRows(20, 20, 12));
      const sample = nullSampler(graph, { model, seed: 5 })(0);
      const { z } = nodesOf(score(graph, runOf(sample, "strength"), { model, count: 60 }));
      const scores = z.map((value) => value!);
      const meanSquare = scores.reduce((sum, value) => sum + value * value, 0) / scores.length;
      // 60 nodes, z near Student's t: the mean square is 1.03 with a deviation of about 0.2.
      expect(meanSquare).toBeGreaterThan(0.4);
      expect(meanSquare).toBeLessThan(2);
      expect(Math.max(...scores.map(Math.abs))).toBeLessThan(5);
    },
  );

  test("what permuting leaves as it is has deviation 0 and no z, whatever the rounding", () => {
    // Strengths add to twice the sum of the weights, in any order: their mean is constant.
    const graph = ofRows(normalRows(17, 23));
    const { summary } = score(graph, runOf(graph, "strength"));
    expect(summary["mean"]).toMatchObject({ std: 0, z: null });
    expect(summary["std"]!.z).not.toBeNull();
    // One receiving neuron keeps the sum of its row.
    const row = ofRows(normalRows(1, 50));
    const { std, z } = nodesOf(score(row, runOf(row, "strength")));
    expect(std[50]).toBe(0);
    expect(z[50]).toBeNull();
    expect(z[0]).not.toBeNull();
  });

  test("scores do not depend on the scale of the weights", () => {
    const rows = normalRows(6, 5);
    const graph = ofRows(rows);
    const scaled = ofRows(rows.map((row) => row.map((weight) => 1024 * weight)));
    const one = nodesOf(score(graph, runOf(graph, "degree")));
    const other = nodesOf(score(scaled, runOf(scaled, "degree")));
    expect(other.z).toEqual(one.z);
  });

  test("equal seeds give equal bytes", () => {
    const graph = rolledToy();
    const text = (seed: number): string =>
      JSON.stringify(score(graph, runOf(graph, "spectrum"), { model: "matched", count: 4, seed }));
    expect(text(3)).toBe(text(3));
    expect(text(3)).not.toBe(text(4));
  });
});

/** reference: LeNets that PyTorch itself drew, before training and after (golden-training, torch's default initialiser). */
describe.skipIf(!hasSharedData)("a LeNet against the initialiser that drew it", () => {
  test.each([
    ["lenet5.sgd-momentum.b64.init", 0.7, 1.5],
    ["lenet5.adam.b64.init", 0.7, 1.5],
    ["lenet5.adam.b64.final", 10, 100],
  ])("%s: mean square z of weighted degrees", async (name, least, most) => {
    const model = await openModel(sharedPath(`golden-training/${name}.safetensors`));
    const graph = await layeredGraph(model);
    const scores = score(graph, runOf(graph, "degree"), { model: "torch-default", count: 60 });
    const z = nodesOf(scores).z.flatMap((one) => one ?? []);
    expect(z).toHaveLength(237);
    const meanSquare = z.reduce((sum, one) => sum + one * one, 0) / z.length;
    expect(meanSquare).toBeGreaterThan(least);
    expect(meanSquare).toBeLessThan(most);
  });
});

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  nullModels,
  nullSampler,
  type NullModel,
  type NullModelOptions,
} from "../../src/analysis/nullModel.ts";
import { nodeStrength } from "../../src/analysis/nodeStrength.ts";
import { edgeWeights } from "../../src/graph/block.ts";
import { blockPattern } from "../../src/graph/blockPattern.ts";
import { assembleGraph, type Block, type LayeredGraph } from "../../src/graph/layeredGraph.ts";
import { transformGraph } from "../../src/graph/transformGraph.ts";
import { arenaOf } from "../../src/kernels/weightArena.ts";
import { moments } from "../../src/numeric/moments.ts";
import { createRandom } from "../../src/random.ts";
import { thrownBy } from "../helpers/errors.ts";
import { chainGraph, rolledToy } from "../helpers/methods.ts";

interface Shape {
  readonly rows: number;
  readonly columns: number;
  readonly groups?: number;
  readonly taps?: number;
}

/** One block of normal weights, a fifth of them 0: float32 unless `wide`. */
function oneBlock({ rows, columns, groups = 1, taps = 1 }: Shape, wide = false): LayeredGraph {
  const random = createRandom(7);
  const count = (rows * columns * taps) / groups;
  const weights = wide ? new Float64Array(count) : new Float32Array(count);
  for (let i = 0; i < count; i++) weights[i] = random.uniform() < 0.2 ? 0 : 0.5 + random.normal();
  const rowNodes = Int32Array.from({ length: rows }, (_, i) => columns + i);
  const columnNodes = Int32Array.from({ length: columns }, (_, i) => i);
  const block = { name: "w", weights, rows, columns, groups, taps, rowNodes, columnNodes };
  const layers = [
    { name: "in", size: columns },
    { name: "out", size: rows },
  ];
  return assembleGraph("one", layers, [block], "declared");
}

/** As `layeredGraph` keeps a convolution unless asked for taps. */
function collapsed(graph: LayeredGraph): LayeredGraph {
  const wide = (block: Block, of: "norm" | "positiveSum" | "negativeSum"): Float64Array =>
    Float64Array.from(edgeWeights(block, of));
  const blocks = graph.blocks.map((block) => ({
    ...block,
    weights: null,
    collapsed: {
      norm: wide(block, "norm"),
      positiveSum: wide(block, "positiveSum"),
      negativeSum: wide(block, "negativeSum"),
    },
  }));
  return { ...graph, blocks };
}

/** Copies, since samples share their memory. */
const weightsOf = (graph: LayeredGraph, index: number, options?: NullModelOptions): number[] =>
  Array.from(nullSampler(graph, options)(index).blocks[0]!.weights!);

const sorted = (values: Iterable<number>): number[] => Array.from(values).sort((a, b) => a - b);

const drawnModels = nullModels.filter((model) => model !== "permuted");

describe("permuted", () => {
  test.each([
    ["float32", oneBlock({ rows: 8, columns: 6 })],
    ["float64", oneBlock({ rows: 8, columns: 6 }, true)],
    ["in groups, of many taps", oneBlock({ rows: 8, columns: 6, groups: 2, taps: 9 })],
    ["in the kernels' memory", oneBlock({ rows: 160, columns: 128 })],
  ])("keeps weights and how many edges there are: %s", (_, graph) => {
    const block = graph.blocks[0]!;
    const before = Array.from(block.weights!);
    const sample = nullSampler(graph)(0).blocks[0]!;
    expect(sample.weights).not.toEqual(block.weights);
    expect(sample.weights!.constructor).toBe(block.weights!.constructor);
    expect(sorted(sample.weights!)).toEqual(sorted(before));
    expect(sorted(edgeWeights(sample, "norm"))).toEqual(sorted(edgeWeights(block, "norm")));
    expect(blockPattern(sample).nonZero).toBe(blockPattern(block).nonZero);
    expect(Array.from(block.weights!)).toEqual(before);
  });

  test("collapsed taps stay together, and land where kept taps would", () => {
    const graph = oneBlock({ rows: 6, columns: 4, groups: 2, taps: 4 });
    const kept = nullSampler(graph, { seed: 3 })(5).blocks[0]!;
    const sample = nullSampler(collapsed(graph), { seed: 3 })(5).blocks[0]!;
    expect(sample.weights).toBeNull();
    for (const of of ["norm", "positiveSum", "negativeSum", "sum"] as const) {
      expect(Array.from(edgeWeights(sample, of))).toEqual(Array.from(edgeWeights(kept, of)));
    }
  });

  test("every order of three weights comes about equally often", () => {
    const sampleOf = nullSampler(chainGraph([{ rows: [[1, 2, 3]] }]));
    const counts = new Map<string, number>();
    for (let i = 0; i < 1200; i++) {
      const order = sampleOf(i).blocks[0]!.weights!.join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    // 200 each; the standard deviation of a count is 13.
    for (const count of counts.values()) expect(Math.abs(count - 200)).toBeLessThan(65);
  });

  test("any chain: blocks keep their own weights, strengths their total", () => {
    const rows = fc
      .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }))
      .chain(([height, width]) => {
        const weight = fc.integer({ min: -9, max: 9 });
        const row = fc.array(weight, { minLength: width, maxLength: width });
        return fc.array(row, { minLength: height, maxLength: height });
      });
    fc.assert(
      fc.property(rows, fc.nat(), (matrix, seed) => {
        const graph = chainGraph([{ rows: matrix }]);
        const total = (of: LayeredGraph): number =>
          nodeStrength(of).values.reduce((sum, value) => sum + value, 0);
        const sample = nullSampler(graph, { seed })(0);
        expect(sorted(sample.blocks[0]!.weights!)).toEqual(sorted(matrix.flat()));
        expect(total(sample)).toBe(total(graph));
      }),
    );
  });
});

describe("drawn", () => {
  const shape = { rows: 40, columns: 60, groups: 2, taps: 9 };
  const graph = oneBlock(shape);
  const own = moments(Float64Array.from(graph.blocks[0]!.weights!));

  /** hand: fan-in 30 columns x 9 taps = 270, fan-out 20 rows x 9 taps = 180. */
  test.each<[NullModel, { mean: number; std: number; kurtosis: number }]>([
    ["kaiming-normal", { mean: 0, std: Math.sqrt(2 / 270), kurtosis: 0 }],
    ["kaiming-uniform", { mean: 0, std: Math.sqrt(2 / 270), kurtosis: -1.2 }],
    ["xavier-normal", { mean: 0, std: Math.sqrt(2 / 450), kurtosis: 0 }],
    ["xavier-uniform", { mean: 0, std: Math.sqrt(2 / 450), kurtosis: -1.2 }],
    ["torch-default", { mean: 0, std: Math.sqrt(1 / 810), kurtosis: -1.2 }],
    ["matched", { mean: own.mean, std: own.std, kurtosis: 0 }],
  ])("%s: mean, spread and shape of the law", (model, law) => {
    // 10,800 weights: standard errors of 1 % of the spread for the mean, 0.7 % for the spread, 0.05 for the kurtosis.
    const found = moments(Float64Array.from(weightsOf(graph, 0, { model })));
    expect(Math.abs(found.mean - law.mean)).toBeLessThan(0.04 * law.std);
    expect(Math.abs(found.std / law.std - 1)).toBeLessThan(0.03);
    expect(Math.abs(found.kurtosis - law.kurtosis)).toBeLessThan(0.2);
    if (law.kurtosis < 0) {
      const bound = Math.sqrt(3) * law.std * (1 + 1e-6);
      expect(Math.max(...weightsOf(graph, 1, { model }))).toBeLessThan(bound);
    }
  });

  test.each(drawnModels)("%s: taps are drawn, then collapsed", (model) => {
    const kept = nullSampler(graph, { model })(2).blocks[0]!;
    const sample = nullSampler(collapsed(graph), { model })(2).blocks[0]!;
    expect(sample.weights).toBeNull();
    for (const of of ["norm", "positiveSum", "negativeSum"] as const) {
      const want = edgeWeights(kept, of);
      // Only the spread of `matched` is rounded otherwise, when it is worked out from collapsed taps.
      edgeWeights(sample, of).forEach((value, i) =>
        expect(Math.abs(value - want[i]!)).toBeLessThan(1e-5),
      );
    }
  });

  test("initialisers start biases from 0; matched ones are weights as others", () => {
    const chain = chainGraph([{ rows: [[1], [2], [4]] }]);
    const biases = { ...chain, blocks: chain.blocks.map((b) => ({ ...b, kind: "bias" as const })) };
    for (const model of drawnModels.filter((one) => one !== "matched")) {
      const sample = nullSampler(biases, { model })(0).blocks[0]!;
      expect(sample.kind).toBe("bias");
      expect(Array.from(sample.weights!)).toEqual([0, 0, 0]);
      expect(weightsOf(chain, 0, { model })).not.toContain(0);
    }
    expect(weightsOf(biases, 0, { model: "matched" })).not.toContain(0);
  });

  test.each([
    ["zeros", 0],
    ["one value", 3],
    ["denormal", 5e-324],
    ["huge", 1e300],
  ])("matched to a block without spread draws its value: %s", (_, value) => {
    const rows = [
      [value, value],
      [value, value],
    ];
    const sample = weightsOf(chainGraph([{ rows }]), 0, { model: "matched" });
    expect(sample).toEqual([value, value, value, value]);
  });
});

describe("streams and memory", () => {
  test.each(nullModels)("%s: equal seeds give equal bytes, in any order of samples", (model) => {
    const graph = rolledToy();
    const samples = (seed: number, indices: number[]): number[][] => {
      const sampleOf = nullSampler(graph, { model, seed });
      return indices.map((index) =>
        sampleOf(index).blocks.flatMap(({ weights }) => Array.from(weights!)),
      );
    };
    const [first, second] = samples(1, [0, 1]);
    expect(samples(1, [1, 0])).toEqual([second, first]);
    expect(second).not.toEqual(first);
    expect(samples(2, [0])[0]).not.toEqual(first);
  });

  test("samples lie where kernels reach them, once for all, and nothing is remembered of the last", () => {
    const graph = oneBlock({ rows: 160, columns: 128 });
    const sampleOf = nullSampler(graph);
    const first = sampleOf(0);
    const { weights } = first.blocks[0]!;
    expect(arenaOf(weights)).not.toBeNull();
    const strengths = [nodeStrength(first).values];
    const second = sampleOf(1);
    expect(second.blocks[0]!.weights).toBe(weights);
    strengths.push(nodeStrength(second).values);
    expect(strengths[1]).not.toEqual(strengths[0]);
    const plain = { ...second.blocks[0]!, weights: Float64Array.from(weights!) };
    nodeStrength({ ...second, blocks: [plain] }).values.forEach((value, node) =>
      expect(strengths[1]![node]).toBeCloseTo(value, 9),
    );
  });
});

describe("refusals", () => {
  const graph = chainGraph([{ rows: [[1, -2]] }]);

  test.each(nullModels)("%s: a block of sums only has no weights to change", (model) => {
    const sums = { ...graph, blocks: graph.blocks.map((block) => ({ ...block, weights: null })) };
    expect(thrownBy(() => nullSampler(sums, { model }), "GRAPH_WEIGHTS_NOT_KEPT").path).toEqual([
      "block0",
    ]);
  });

  test("weights are not drawn for transformed edges, which may be permuted", () => {
    const squared = transformGraph(graph, ["square"]);
    thrownBy(() => nullSampler(squared, { model: "matched" }), "USAGE_INVALID_OPTION");
    thrownBy(
      () => nullSampler({ ...graph, edgeWeight: "sum" }, { model: "xavier-normal" }),
      "USAGE_INVALID_OPTION",
    );
    // square keeps no sign.
    expect(sorted(nullSampler(squared)(0).blocks[0]!.weights!)).toEqual([1, 4]);
  });

  test("options and samples that are none", () => {
    thrownBy(() => nullSampler(graph, { model: "rewired" as never }), "USAGE_INVALID_OPTION");
    thrownBy(() => nullSampler(graph, { seed: -1 }), "USAGE_INVALID_OPTION");
    thrownBy(() => nullSampler(graph)(0.5), "USAGE_INVALID_OPTION");
  });
});

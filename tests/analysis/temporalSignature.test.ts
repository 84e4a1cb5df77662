import { describe, expect, test } from "vitest";
import {
  snapshotRecords,
  temporalSignature,
  type SignatureOptions,
} from "../../src/analysis/temporalSignature.ts";
import { chainGraph, rolledToy } from "../helpers/methods.ts";

/** The second snapshot is the first with its last layer doubled. */
const run = [
  { epoch: 1, graph: rolledToy() },
  { epoch: 2, graph: rolledToy(2) },
];

/** Reference (numpy 2.4.6, scipy 1.17.1: mean, median, std ddof 0, skew and kurtosis biased). */
const reference = {
  degree: [
    [11.777777777778, 11, 5.072316538006, 0.124705200822, -0.684692990374],
    [14, 12, 5.597618541249, 0.592957328498, -0.634902670892],
  ],
  eigenvector: [
    [0.300267033325, 0.268889305363, 0.144743980218, 0.804602069777, -0.444739711818],
    [0.302467597069, 0.22718299755, 0.140087343591, 0.694664827478, -0.981039751243],
  ],
};

describe("golden", () => {
  test.each(["degree", "eigenvector"] as const)("%s over two snapshots", async (measure) => {
    const { vector } = await temporalSignature(run, { measures: [measure] });
    const expected = reference[measure].flat();
    expect(vector).toHaveLength(10);
    vector.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 10));
  });

  test("features follow one another, each over all its snapshots", async () => {
    const { vector, columns, records } = await temporalSignature(run);
    const expected = [...reference.degree.flat(), ...reference.eigenvector.flat()];
    vector.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 10));
    expect(columns[0]).toEqual({ measure: "degree", layer: null, epoch: 1, statistic: "mean" });
    expect(columns[6]).toEqual({ measure: "degree", layer: null, epoch: 2, statistic: "median" });
    expect(columns).toHaveLength(20);
    expect(records.map(({ epoch, measure }) => `${epoch} ${measure}`)).toEqual([
      "1 degree",
      "1 eigenvector",
      "2 degree",
      "2 eigenvector",
    ]);
    expect(records[0]).toMatchObject({ count: 9, min: 3, max: 20 });
  });
});

describe("scope and normalisation (hand)", () => {
  test("layer by layer", () => {
    const records = snapshotRecords(run[0]!, { measures: ["degree"], scope: "layer" });
    expect(records.map(({ layer, mean }) => [layer, mean])).toEqual([
      ["layer0", 10],
      ["layer1", (11 + 12 + 20) / 3],
      ["layer2", 16.5],
      ["layer3", 5],
    ]);
    expect(records[0]).toMatchObject({ std: 0, skewness: 0, kurtosis: 0 });
  });

  test.each([
    { normalise: "mean", mean: 1, max: 20 / (106 / 9) },
    { normalise: "max", mean: 106 / 9 / 20, max: 1 },
  ] as const)("by $normalise", ({ normalise, mean, max }) => {
    const [record] = snapshotRecords(run[0]!, { measures: ["degree"], normalise });
    expect(record!.mean).toBeCloseTo(mean, 14);
    expect(record!.max).toBeCloseTo(max, 14);
    expect(record!.skewness).toBeCloseTo(0.124705200822, 11);
  });

  test("zeros stay zeros; parameters reach the measure; uncovered nodes are left out", () => {
    const graph = chainGraph([{ rows: [[0, 0]] }]);
    const [zeros] = snapshotRecords({ epoch: 0, graph }, { measures: ["core"], normalise: "max" });
    expect(zeros).toMatchObject({ mean: 0, max: 0, count: 3 });
    const measures = [{ id: "hypercore", parameters: { l: 1 } }];
    const [vertices] = snapshotRecords(run[0]!, { measures });
    expect(vertices).toMatchObject({ count: 7 });
  });

  test("scaling all weights leaves a normalised signature alone", async () => {
    const scaled = run.map(({ epoch, graph }) => ({
      epoch,
      graph: {
        ...graph,
        blocks: graph.blocks.map((b) => ({ ...b, weights: b.weights!.map((w) => 4 * w) })),
      },
    }));
    const options: SignatureOptions = { normalise: "mean", measures: ["degree"] };
    const plain = await temporalSignature(run, options);
    expect((await temporalSignature(scaled, options)).vector).toEqual(plain.vector);
  });
});

describe("refuses", () => {
  const other = { epoch: 3, graph: chainGraph([{ rows: [[1]] }]) };
  const dead = { epoch: 4, graph: chainGraph([{ rows: [[0]] }]) };
  test.each<{ name: string; graphs: typeof run; options?: object; code: string; path: string[] }>([
    { name: "no snapshots", graphs: [], code: "SERIES_EMPTY", path: [] },
    {
      name: "another network",
      graphs: [...run, other],
      code: "SERIES_MISMATCH",
      path: ["epoch 3"],
    },
    {
      name: "a network of zeros",
      graphs: [dead],
      code: "GRAPH_NO_EDGES",
      path: ["epoch 4", "chain"],
    },
    {
      name: "a layer without values",
      graphs: run,
      options: { scope: "layer", measures: ["hypercore"] },
      code: "ANALYSIS_UNDEFINED",
      path: ["epoch 1", "hypercore", "layer3"],
    },
    {
      name: "a scope",
      graphs: run,
      options: { scope: "node" },
      code: "USAGE_INVALID_OPTION",
      path: ["scope"],
    },
    {
      name: "a divisor",
      graphs: run,
      options: { normalise: "sum" },
      code: "USAGE_INVALID_OPTION",
      path: ["normalise"],
    },
    {
      name: "a measure",
      graphs: run,
      options: { measures: ["x"] },
      code: "USAGE_UNKNOWN_MEASURE",
      path: [],
    },
  ])("$name", async ({ graphs, options, code, path }) => {
    await expect(temporalSignature(graphs, options)).rejects.toMatchObject({ code, path });
  });
});

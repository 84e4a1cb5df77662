import { describe, expect, test } from "vitest";
import { weightgraph, weightgraphJson } from "../helpers/commandLine.ts";

/** The first receiving neuron takes the large weights. */
const hub = JSON.stringify({
  blocks: [
    {
      from: "in",
      to: "out",
      weights: [
        [9, 8, 9, 7, 8],
        [1, 0, 2, 1, 0],
        [0, 1, 1, 2, 1],
        [2, 1, 0, 0, 1],
      ],
    },
  ],
});

const argv = (...flags: string[]): string[] => ["analyze", "-", "--format", "matrix", ...flags];
const permuted = argv("--null", "permuted", "--measures", "degree,persistence", "--top", "2");

interface Score {
  readonly mean: number | null;
  readonly std: number | null;
  readonly z: number | null;
}
interface NullDocument {
  readonly model: string;
  readonly samples: number;
  readonly seed: number;
  readonly measures: Record<
    string,
    {
      readonly summary: Record<string, Score>;
      readonly extremes?: readonly (Score & { layer: number; index: number; value: number })[];
      readonly nodes?: Record<keyof Score, (number | null)[]>;
      readonly blocks?: readonly Record<string, Score>[];
    }
  >;
}

async function nullOf(...flags: string[]): Promise<NullDocument> {
  const document = await weightgraphJson([...permuted, ...flags], { stdin: hub });
  expect(document).toMatchObject({ schema: "weightgraph.analysis", version: 1 });
  return document["null"] as NullDocument;
}

describe("analyze --null", () => {
  test("scores the neurons of largest |z|, summaries and blocks", async () => {
    const { measures, ...about } = await nullOf();
    expect(about).toEqual({ model: "permuted", samples: 20, seed: 0 });
    const { degree, persistence } = measures;
    expect(degree!.extremes).toHaveLength(2);
    expect(degree!.extremes![0]).toMatchObject({ layer: 1, index: 0, value: 41 });
    expect(degree!.extremes![0]!.z).toBeGreaterThan(2);
    expect(degree!.nodes).toBeUndefined();
    // The weights add to 54, in any order; 9 neurons share twice that.
    expect(degree!.summary["mean"]).toEqual({ mean: 12, std: 0, z: null });
    expect(persistence!.blocks).toHaveLength(1);
    expect(persistence!.blocks![0]!["persistence"]!.std).toBeGreaterThan(0);
    expect(persistence!.summary["normalised"]!.z).not.toBeNull();
  });

  test("gives a column per neuron with --nodes", async () => {
    const { measures } = await nullOf("--nodes");
    const { nodes, extremes } = measures["degree"]!;
    expect(extremes).toBeUndefined();
    for (const column of ["mean", "std", "z"] as const) expect(nodes![column]).toHaveLength(9);
  });

  test("repeats itself for a seed, and not for another", async () => {
    const first = await nullOf("--seed", "4", "--null-samples", "3");
    expect(first).toMatchObject({ samples: 3, seed: 4 });
    expect(await nullOf("--seed", "4", "--null-samples", "3")).toEqual(first);
    const other = await nullOf("--seed", "5", "--null-samples", "3");
    expect(other.measures).not.toEqual(first.measures);
  });

  test("weighs and transforms the samples as the graph", async () => {
    // Every edge that is left is 7 or more, in the graph and in each sample: degrees add to 2 x 41.
    const { measures } = await nullOf("--transform", "threshold=6");
    expect(measures["degree"]!.summary["mean"]).toEqual({ mean: 82 / 9, std: 0, z: null });
    const flags = ["--transform", "square", "--edge-weight", "sum", "--null", "xavier-normal"];
    const { stdout, code } = await weightgraph(argv(...flags, "--json"), { stdin: hub });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ null: { model: "xavier-normal" } });
  });

  test("prints a table per measure", async () => {
    const { stdout, code } = await weightgraph(permuted, { stdin: hub });
    expect(code).toBe(0);
    expect(stdout).toContain("Null model permuted, 20 samples, seed 0");
    expect(stdout).toMatch(/largest \|z\|\nneuron +degree +null mean +null sd +z\nout\[0\] +41 /);
    expect(stdout).toMatch(/block +figure +persistence +null mean +null sd +z\n/);
  });

  test("without it there is no null in the document", async () => {
    const document = await weightgraphJson(argv(), { stdin: hub });
    expect(document).not.toHaveProperty("null");
  });

  test.each([
    ["an unrolled graph", ["analyze", "none.onnx", "--graph", "unrolled", "--null", "permuted"]],
    ["samples of nothing", argv("--null-samples", "9")],
    ["a seed of nothing", argv("--seed", "9")],
    ["one sample", argv("--null", "matched", "--null-samples", "1")],
  ])("refuses %s", async (_, flags) => {
    const { code, stdout, stderr } = await weightgraph(flags, { stdin: hub });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("USAGE_INVALID_OPTION");
  });

  test("refuses a model that it does not know", async () => {
    const { code, stderr } = await weightgraph(argv("--null", "rewired"), { stdin: hub });
    expect(code).toBe(2);
    expect(stderr).toContain("kaiming-normal");
  });

  test("stops between samples when interrupted", async () => {
    const controller = new AbortController();
    const flags = argv("--null", "permuted", "--null-samples", "1000000", "--measures", "degree");
    const running = weightgraph(flags, { stdin: hub, signal: controller.signal });
    setTimeout(() => controller.abort(), 200);
    const { code, stdout } = await running;
    expect({ code, stdout }).toEqual({ code: 130, stdout: "" });
  });
});

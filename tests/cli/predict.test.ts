import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { weightgraph, weightgraphJson } from "../helpers/commandLine.ts";

let folder: string;
let runs: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "weightgraph-predict-"));
  runs = join(folder, "runs");
  const network = ["--model", "mlp", "--hidden", "8", "--data", "fixtures/mnist"];
  const grid = ["--optimizer", "sgd", "--lr", "0.0003,0.003,0.03,0.3", "--seeds", "3"];
  await weightgraph(["train", ...network, ...grid, "--epochs", "3", "--out", runs]);
});

interface Comparison {
  readonly sets: readonly {
    set: string;
    featureCount: number;
    regression: { r2: { mean: number } };
  }[];
  readonly runs: readonly { name: string; target: number }[];
}

describe("predict", () => {
  test("compares the signature with a baseline, the curve and the hyper-parameters", async () => {
    const document = await weightgraphJson(["predict", runs, "--epochs", "1", "--folds", "3"]);
    expect(document).toMatchObject({ schema: "weightgraph.prediction", version: 1 });
    const { sets, runs: named } = document as unknown as Comparison;
    expect(named).toHaveLength(12);
    expect(sets.map(({ set }) => set)).toEqual([
      "baseline",
      "signature",
      "curve",
      "hyperparameters",
    ]);
    expect(sets[1]?.featureCount).toBe(2 * 2 * 5);
    // Learning rates over three decades: any early trace of them beats the mean.
    expect(sets[1]!.regression.r2.mean).toBeGreaterThan(sets[0]!.regression.r2.mean);
  });

  test("the same seed gives the same document", async () => {
    const argv = ["predict", runs, "--epochs", "1", "--folds", "3", "--seed", "4"];
    expect(await weightgraphJson(argv)).toEqual(await weightgraphJson(argv));
  });

  test("saves a predictor and applies it to a run", async () => {
    const save = join(folder, "predictor.json");
    expect((await weightgraph(["predict", runs, "--folds", "3", "--save", save])).code).toBe(0);
    expect(JSON.parse(await readFile(save, "utf8"))).toMatchObject({
      schema: "weightgraph.predictor",
      version: 1,
      target: "test_acc",
      runs: 12,
    });
    const run = join(runs, "lr0.03-seed1");
    const { prediction } = await weightgraphJson(["predict", run, "--with", save]);
    expect((prediction as { value: number }).value).toBeGreaterThan(0.2);
  });

  test.each([
    { name: "a folder without runs", argv: ["docs"], code: 3, says: "SERIES_EMPTY" },
    { name: "too few runs", argv: ["--folds", "50"], code: 3, says: "PREDICT_TOO_FEW" },
    { name: "an unknown metric", argv: ["--target", "fame"], code: 3, says: "fame" },
    { name: "epochs that are the end", argv: ["--epochs", "3"], code: 3, says: "it ended" },
  ])("$name: exit code $code", async ({ argv, code, says }) => {
    const line = argv[0]!.startsWith("--") ? ["predict", runs, ...argv] : ["predict", ...argv];
    const result = await weightgraph(line);
    expect(result.stderr).toContain(says);
    expect(result.code).toBe(code);
  });

  test("a file that is no predictor is refused", async () => {
    const { code, stderr } = await weightgraph(["predict", runs, "--with", "package.json"]);
    expect(stderr).toContain("FORMAT_MALFORMED");
    expect(code).toBe(4);
  });
});

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { hasSharedData, sharedPath } from "../helpers/shared.ts";
import { weightgraph, weightgraphJson } from "../helpers/commandLine.ts";

interface Epochs {
  readonly epochs: readonly { epoch: number; metrics: Record<string, number> }[];
  readonly records: readonly {
    epoch: number;
    measure: string;
    layer: string | null;
    mean: number;
  }[];
  readonly signature: { columns: unknown[]; values: number[] };
}

const epochs = async (...argv: string[]): Promise<Epochs> =>
  (await weightgraphJson(["epochs", ...argv])) as unknown as Epochs;

describe("epochs", () => {
  test("a row per epoch with its logged metrics, five numbers per measure", async () => {
    const document = await epochs("fixtures/mnist-mlp");
    expect(document).toMatchObject({ schema: "weightgraph.epochs", version: 1 });
    expect(document.epochs.map(({ epoch }) => epoch)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(document.epochs[6]?.metrics).toEqual({ test_acc: 0.9449, test_loss: 0.18507 });
    expect(document.signature.values).toHaveLength(7 * 2 * 5);
    expect(document.signature.columns).toHaveLength(7 * 2 * 5);
    const degrees = document.records.filter(({ measure }) => measure === "degree");
    const means = degrees.map(({ mean }) => mean);
    expect(means).toEqual([...means].sort((a, b) => a - b));
  });

  test("--plot writes the curves, never over another file unasked", async () => {
    const folder = await mkdtemp(join(tmpdir(), "weightgraph-epochs-"));
    const picture = join(folder, "epochs.svg");
    const plot = ["epochs", "fixtures/mnist-mlp", "--plot", picture];
    expect((await weightgraph(plot)).code).toBe(0);
    expect(await readFile(picture, "utf8")).toMatch(/^<svg xmlns=/);
    expect(await weightgraph(plot)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("FILE_EXISTS") as string,
    });
    expect((await weightgraph([...plot, "--force"])).code).toBe(0);
    await rm(folder, { recursive: true });
  });

  test("per layer, a record for each layer of neurons", async () => {
    const { records } = await epochs(
      "fixtures/mnist-mlp",
      "--scope",
      "layer",
      "--measures",
      "degree",
    );
    expect(records).toHaveLength(7 * 4);
    expect(new Set(records.map(({ layer }) => layer)).size).toBe(4);
  });

  test("in words: a table and curves", async () => {
    const { code, stdout, stderr } = await weightgraph(["epochs", "fixtures/mnist-mlp"]);
    expect(code).toBe(0);
    expect(stdout).toContain("degree.mean");
    expect(stdout).toMatch(/test_acc by epoch\n.*[┼┤]/);
    expect(stderr).toContain("final.onnx");
  });

  test("a folder without checkpoints is nothing to analyse", async () => {
    const { code, stderr } = await weightgraph(["epochs", "docs"]);
    expect(code).toBe(3);
    expect(stderr).toContain("SERIES_EMPTY");
  });

  test.skipIf(!hasSharedData)("a folder with every epoch in four formats", async () => {
    const { epochs: rows } = await epochs(sharedPath("checkpoints/mnist_mlp"));
    expect(rows).toHaveLength(7);
  });
});

import { mkdtemp, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { conversionTargets, layeredGraph, nodeStrength, openModel } from "../../src/node.ts";
import { weightgraph, weightgraphJson } from "../helpers/commandLine.ts";
import { hasSharedData, sharedPath } from "../helpers/shared.ts";

const mlp = "fixtures/mnist-mlp/final.onnx";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "weightgraph-convert-"));
});

/** Signed strengths, layer by layer. */
async function strengths(file: string): Promise<number[][]> {
  const graph = await layeredGraph(await openModel(file));
  const { values } = nodeStrength(graph);
  return graph.layers.map(({ offset, size }) => [...values.subarray(offset, offset + size)]);
}

const targets = Object.keys(conversionTargets);

test.each(targets)("the same graph as %s", async (target) => {
  const out = join(folder, "out.bin");
  const document = await weightgraphJson(["convert", mlp, "--to", target, "--out", out]);
  expect(document).toMatchObject({
    schema: "weightgraph.convert",
    version: 1,
    model: { format: "onnx" },
    to: target,
    layers: 3,
  });
  expect((document["written"] as string[])[0]).toBe(out);
  const [ours, theirs] = [await strengths(out), await strengths(mlp)];
  expect(ours.map((layer) => layer.length)).toEqual(theirs.map((layer) => layer.length));
  ours.forEach((layer, i) => {
    layer.forEach((value, node) => expect(value).toBeCloseTo(theirs[i]![node]!, 5));
  });
});

test("equal inputs, equal bytes", async () => {
  for (const name of ["a.npz", "b.npz"]) {
    await weightgraphJson(["convert", mlp, "--out", join(folder, name)]);
  }
  expect(await readFile(join(folder, "a.npz"))).toEqual(await readFile(join(folder, "b.npz")));
});

describe.skipIf(!hasSharedData)("weights of [in, out]", () => {
  test("are turned, and said to be", async () => {
    const file = sharedPath("keras-v3/nlf-classifier_model.keras");
    const out = join(folder, "nlf.safetensors");
    const { warnings } = await weightgraphJson(["convert", file, "--out", out]);
    expect(warnings).toMatchObject([{ code: "WEIGHTS_TURNED" }]);
    const sizes = (layers: readonly { readonly shape: readonly number[] }[]): number[][] =>
      layers.map(({ shape }) => [...shape]);
    const own = (await openModel(file)).layers.map(({ tensor }) => tensor);
    const turned = (await openModel(out)).layers.map(({ tensor }) => tensor);
    expect(sizes(turned)).toEqual(sizes(own).map((shape) => shape.toReversed()));
  });
});

describe("nothing is written", () => {
  test.each([
    { what: "in a dry run", argv: ["x.npz", "--dry-run"], code: 0 },
    { what: "to an ending of no format", argv: ["x.docx"], code: 2 },
    { what: "to a format of no writer", argv: ["x.npz", "--to", "gguf"], code: 2 },
  ])("$what", async ({ argv: [out, ...rest], code }) => {
    const argv = ["convert", mlp, "--out", join(folder, out!), ...rest];
    expect((await weightgraph(argv)).code).toBe(code);
    expect(await readdir(folder)).toEqual([]);
  });

  test("over an existing file without --force", async () => {
    const out = join(folder, "x.npz");
    expect((await weightgraph(["convert", mlp, "--out", out])).code).toBe(0);
    const before = await readFile(out);
    const again = await weightgraph(["convert", mlp, "--out", out]);
    expect(again.code).toBe(2);
    expect(again.stderr).toContain("FILE_EXISTS");
    expect(await readFile(out)).toEqual(before);
  });
});

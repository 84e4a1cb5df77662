import { mkdtemp, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { openModel, writeSafetensors } from "../../src/node.ts";
import { weightgraph, weightgraphJson } from "../helpers/commandLine.ts";

const onnx = "fixtures/mnist-mlp/final.onnx";
const first = "fixtures/mnist-mlp/epoch_000.safetensors";
const last = "fixtures/mnist-mlp/epoch_006.safetensors";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "weightgraph-patch-"));
});

interface Document {
  readonly tensors: readonly {
    readonly tensor: string;
    readonly numel: number;
    readonly changed: number;
    readonly before: { readonly sum: number };
    readonly after: { readonly sum: number };
  }[];
  readonly written: readonly string[];
  readonly files: readonly { readonly bytes: number; readonly newBytes: number }[];
}

const patched = async (...argv: string[]): Promise<Document> =>
  (await weightgraphJson(["patch", ...argv])) as unknown as Document;

test("one tensor from another epoch: its bytes change, and no others", async () => {
  const out = join(folder, "a.safetensors");
  const argv = ["--from", first, "--tensors", "2.weight", "--out", out];
  const { tensors, written, files } = await patched(last, ...argv);
  expect(tensors.map(({ tensor, numel }) => [tensor, numel])).toEqual([["2.weight", 512]]);
  expect(written).toEqual([out]);
  expect(files).toMatchObject([{ bytes: 103_752, newBytes: 2048 }]);
  const [before, after] = [await readFile(last), await readFile(out)];
  const { tensor } = (await openModel(last)).layers.find(({ name }) => name === "2.weight")!;
  const { offset, byteLength } = tensor.location!;
  expect(after.length).toBe(before.length);
  const differing = [...after.keys()].filter((i) => after[i] !== before[i]);
  expect(differing.length).toBeGreaterThan(0);
  expect(differing.every((i) => i >= offset && i < offset + byteLength)).toBe(true);
  const theirs = (await openModel(first)).layers.find(({ name }) => name === "2.weight")!;
  const ours = (await openModel(out)).layers.find(({ name }) => name === "2.weight")!;
  expect(await ours.tensor.read()).toEqual(await theirs.tensor.read());
});

test("equal weights of another format: nothing changes", async () => {
  const out = join(folder, "same.onnx");
  const { tensors } = await patched(onnx, "--from", last, "--match", "order", "--out", out);
  expect(tensors.every(({ changed }) => changed === 0)).toBe(true);
  expect(await readFile(out)).toEqual(await readFile(onnx));
});

test("the table says before and after", async () => {
  const argv = ["patch", onnx, "--from", first, "--match", "order"];
  const { stdout, stderr } = await weightgraph([...argv, "--out", join(folder, "b.onnx")]);
  expect(stdout).toContain("largest change");
  expect(stderr).toContain("3 of 3 matched tensors change");
});

describe("nothing is written", () => {
  test("by a dry run, which still says what it would do", async () => {
    const out = join(folder, "dry.onnx");
    const argv = ["--from", first, "--match", "order", "--out", out, "--dry-run"];
    const { written, files } = await patched(onnx, ...argv);
    expect(written).toEqual([]);
    expect(files).toMatchObject([{ bytes: (await stat(onnx)).size }]);
    expect(await readdir(folder)).toEqual([]);
  });

  test.each([
    { what: "over the input", code: 2, argv: [onnx, "--from", first, "--out", onnx, "--force"] },
    { what: "without a partner", code: 2, argv: [onnx, "--from", first, "--tensors", "none"] },
    { what: "from a missing file", code: 2, argv: [onnx, "--from", "none.npz"] },
    {
      what: "from another network",
      code: 4,
      argv: ["fixtures/mnist-mlp/final.onnx", "--from", "other.safetensors", "--match", "order"],
    },
  ])("$what", async ({ argv, code }) => {
    const other = join(folder, "other.safetensors");
    const data = new Float32Array(6);
    const tensors = [{ name: "w", dtype: "float32" as const, shape: [2, 3], data }];
    await writeFile(other, writeSafetensors({ tensors }));
    const placed = argv.map((part) => (part === "other.safetensors" ? other : part));
    const rest = placed.includes("--out") ? [] : ["--out", join(folder, "x.onnx")];
    const matched = placed.includes("--match") ? [] : ["--match", "name"];
    const result = await weightgraph(["patch", ...placed, ...rest, ...matched]);
    expect(result.code, result.stderr).toBe(code);
    expect(await readdir(folder)).toEqual(["other.safetensors"]);
  });
});

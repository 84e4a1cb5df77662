import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { writeSafetensors } from "../../src/index.ts";
import { hasSharedData, sharedPath } from "../helpers/shared.ts";
import { weightgraph, weightgraphJson } from "../helpers/commandLine.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "weightgraph-layers-"));
});

const tensor = (name: string, shape: number[], values: number[]) => ({
  name,
  dtype: "float32" as const,
  shape,
  data: Float32Array.from(values),
});

async function fileOf(name: string, content: Uint8Array | string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

test("the document has the fields that programs rely on", async () => {
  const document = await weightgraphJson(["layers", "fixtures/mnist-mlp/final.onnx"]);
  expect(document).toMatchObject({
    schema: "weightgraph.layers",
    version: 1,
    model: { format: "onnx", producer: "pytorch 1.13.0", parameters: 25818, weights: 25760 },
    coverage: { parameters: 25818, explained: 25818, share: 1 },
  });
  const [first] = document["layers"] as Record<string, unknown>[];
  expect(Object.keys(first!)).toEqual([
    "name",
    "op",
    "kind",
    "shape",
    "dtype",
    "quantisation",
    "in",
    "out",
    "numel",
    "nonzero",
    "nonfinite",
    "sum",
    "sumAbs",
    "min",
    "max",
    "l2",
    "outStrength",
    "inStrength",
  ]);
  expect(first).toMatchObject({ op: "Gemm", kind: "dense", shape: [32, 784], in: 784, out: 32 });
});

test("in words: a line per layer, and what is covered", async () => {
  const { code, stdout, stderr } = await weightgraph(["layers", "fixtures/mnist-mlp/final.onnx"]);
  expect(code).toBe(0);
  expect(stdout.trim().split("\n")).toHaveLength(4);
  expect(stderr).toContain("coverage: 25,818 of 25,818 parameters explained (100 %)");
});

test("weights that are not finite are counted, never summed; measuring them is refused", async () => {
  const tensors = [tensor("w", [2, 2], [1, NaN, Infinity, 0])];
  const file = await fileOf("nan.safetensors", writeSafetensors({ tensors }));
  const { layers } = await weightgraphJson(["layers", file]);
  expect(layers).toMatchObject([
    { nonfinite: 2, nonzero: 3, sum: null, sumAbs: null, l2: null, outStrength: null },
  ]);
  const refused = await weightgraph(["analyze", file]);
  expect(refused.code).toBe(4);
  expect(refused.stderr).toContain("WEIGHTS_NOT_FINITE");
});

test("names cannot drive the terminal", async () => {
  const tensors = [tensor("w\u001b[2J\u202e", [1, 1], [1])];
  const file = await fileOf("names.safetensors", writeSafetensors({ tensors }));
  const { stdout, stderr } = await weightgraph(["layers", file]);
  expect(stdout + stderr).not.toContain("\u001b");
  expect(stdout + stderr).not.toContain("\u202e");
  expect(stdout).toContain("w\\u{1b}[2J\\u{202e}");
});

describe("what is refused, and how it ends", () => {
  test.each([
    { name: "an empty file", content: "", code: 4, says: "FORMAT_TRUNCATED" },
    {
      name: "a git-lfs pointer",
      content: "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
      code: 4,
      says: "FORMAT_LFS_POINTER",
    },
    { name: "plain text", content: "hello\n", code: 4, says: "FORMAT_UNKNOWN" },
    {
      name: "a file of biases",
      content: writeSafetensors({ tensors: [tensor("bias", [3], [1, 2, 3])] }),
      code: 3,
      says: "FORMAT_NO_WEIGHTS",
    },
    {
      name: "a header that says 2^60 bytes",
      content: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 16, 0x7b, 0x7d),
      code: 4,
      says: "FORMAT_TRUNCATED",
    },
  ])("$name: $says, exit code $code", async ({ name, content, code, says }) => {
    const file = await fileOf(`${name.replaceAll(" ", "-")}.bin`, content);
    const result = await weightgraph(["layers", file, "--json"]);
    expect(result.stderr).toContain(says);
    expect(result.code).toBe(code);
    expect(result.stdout).toBe("");
  });

  test("a folder is not a model file", async () => {
    const { code, stderr } = await weightgraph(["layers", folder]);
    expect(code).toBe(4);
    expect(stderr).toContain("FILE_NOT_READABLE");
  });
});

test.skipIf(!hasSharedData)("parameters are covered for each real file with topology", async () => {
  for (const file of [
    "onnx/version-RFB-320.onnx",
    "onnx/silero_vad_16k_op15.onnx",
    "onnx/ch_ppocr_mobile_v2.0_cls_infer.onnx",
    "onnx/hello_deepa_ext/hello_deepa_ext.onnx",
    "tfjs-layers/doodlenet/model.json",
    "tfjs-graph/basic_pitch/model.json",
  ]) {
    const { coverage } = await weightgraphJson(["layers", sharedPath(file)]);
    expect((coverage as { share: number }).share, file).toBeGreaterThanOrEqual(0.99);
  }
});

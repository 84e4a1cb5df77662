import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { writeSafetensors, type SafetensorsTensor } from "../../src/index.ts";
import { weightgraph, weightgraphJson } from "../helpers/commandLine.ts";
import { floatArray, zipBytes } from "../helpers/numpy.ts";
import { numpyOps, op, pickled } from "../helpers/pickler.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "weightgraph-doctor-"));
});

const tensor = (name: string, data: number[]): SafetensorsTensor => ({
  name,
  dtype: "float32",
  shape: [2, data.length / 2],
  data: Float32Array.from(data),
});

async function fileOf(name: string, tensors: readonly SafetensorsTensor[]): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, writeSafetensors({ tensors }));
  return path;
}

test("a sound model: what it is, what is covered, nothing found", async () => {
  expect(await weightgraphJson(["doctor", "fixtures/mnist-mlp/final.onnx"])).toMatchObject({
    schema: "weightgraph.doctor",
    version: 1,
    file: { name: "final.onnx", bytes: 103_917, format: "onnx", files: [] },
    readable: true,
    error: null,
    model: { layers: 3, kinds: { dense: 3 }, dtypes: { float32: 6 }, topology: "declared" },
    coverage: { parameters: 25_818, share: 1 },
    findings: [],
  });
});

describe("findings", () => {
  const cases = [
    {
      code: "WEIGHTS_NOT_FINITE",
      name: "a.safetensors",
      tensors: [tensor("w", [1, NaN])],
      exit: 0,
    },
    { code: "WEIGHTS_ALL_ZERO", name: "b.safetensors", tensors: [tensor("w", [0, 0])], exit: 0 },
    { code: "NAME_MISLEADS", name: "c.onnx", tensors: [tensor("w", [1, 2])], exit: 0 },
    {
      code: "NAME_CONTROL_CHARACTERS",
      name: "d.safetensors",
      tensors: [tensor("w\u202e", [1, 2])],
      exit: 1,
    },
  ];
  test.each(cases)("$code, exit code $exit", async ({ code, name, tensors, exit }) => {
    const path = await fileOf(name, tensors);
    const result = await weightgraph(["doctor", path, "--json"]);
    const { findings } = JSON.parse(result.stdout) as { findings: { code: string }[] };
    expect(findings.map((finding) => finding.code)).toContain(code);
    expect(result.code).toBe(exit);
    if (exit === 1) expect(result.stderr).toContain("FILE_SUSPICIOUS");
    const text = await weightgraph(["doctor", path]);
    expect(text.stderr).toContain(code);
    expect(text.stdout + text.stderr).not.toContain("\u202e");
  });
});

/** Files that are read, and that no honest tool writes. */
const suspicious: Readonly<Record<string, () => Promise<Uint8Array>>> = {
  async PICKLE_GLOBALS() {
    const weights = [...op.text("0.weight"), ...numpyOps([1, 2], Float32Array.of(1, 2))];
    const call = [...op.global("os", "system"), ...op.text("true"), ...op.tuple1, ...op.reduce];
    return pickled(op.mark, weights, op.text("x"), call, op.dict);
  },
  UNSAFE_NAMES: () => zipBytes({ "../w.npy": floatArray([2, 2]) }),
};

test.each([
  { what: "a pickle that would run something", code: "PICKLE_GLOBALS" },
  { what: "an archive with a name that climbs", code: "UNSAFE_NAMES" },
])("$what is suspicious", async ({ code }) => {
  const path = join(folder, code);
  await writeFile(path, await suspicious[code]!());
  const result = await weightgraph(["doctor", path, "--json"]);
  const { findings } = JSON.parse(result.stdout) as { findings: object[] };
  expect(findings).toContainEqual(expect.objectContaining({ severity: "suspicious", code }));
  expect(result.code).toBe(1);
});

test("a file that cannot be read is described as far as it goes", async () => {
  const whole = writeSafetensors({ tensors: [tensor("w", [1, 2, 3, 4])] });
  const path = join(folder, "cut.safetensors");
  await writeFile(path, whole.subarray(0, whole.length - 4));
  const { code, stdout } = await weightgraph(["doctor", path, "--json"]);
  expect(code).toBe(4);
  expect(JSON.parse(stdout)).toMatchObject({
    file: { format: "safetensors" },
    readable: false,
    error: { code: "FORMAT_TRUNCATED" },
    model: null,
  });
});

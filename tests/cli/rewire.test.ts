import { mkdtemp, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { openModel } from "../../src/node.ts";
import { hasSharedData, sharedPath } from "../helpers/shared.ts";
import { weightgraph, weightgraphJson } from "../helpers/commandLine.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "weightgraph-rewire-"));
});

test("rewire - --format matrix: the deterministic variant (hand)", async () => {
  const weights = [
    [2.25, -0.5, 0.75],
    [1, -1.5, 0.25],
    [-0.75, 2, 1.25],
    [1.75, 0, -1],
  ];
  const stdin = JSON.stringify({ blocks: [{ from: "a", to: "b", weights }] });
  const argv = ["rewire", "-", "--format", "matrix", "--method", "deterministic"];
  const document = await weightgraphJson(argv, { stdin });
  expect(document).toMatchObject({
    schema: "weightgraph.rewire",
    version: 1,
    blocks: [
      {
        from: "a",
        to: "b",
        weights: [
          [2.25, -1, -0.75],
          [-1.5, 2, 1.75],
          [1.25, -0.5, 0.75],
          [0, 1, 0.25],
        ],
      },
    ],
  });
  const rows = await weightgraphJson([...argv, "--passes", "rows"], { stdin });
  expect((rows as { blocks: { weights: number[][] }[] }).blocks[0]?.weights[1]).toEqual([
    -1.5, 1, 0.25,
  ]);
});

/** Byte ranges [first, last] where two files differ. */
function differences(a: Uint8Array, b: Uint8Array): number[] {
  expect(a.byteLength).toBe(b.byteLength);
  return Array.from(a.keys()).filter((i) => a[i] !== b[i]);
}

describe.each(["final.onnx", "epoch_006.safetensors"])("rewire %s", (name) => {
  const file = `fixtures/mnist-mlp/${name}`;

  test("writes a file that differs only in the rewired tensor, with lower variance", async () => {
    const out = join(folder, name);
    const argv = ["rewire", file, "--layers", "0.weight", "--seed", "7", "--out", out];
    const { layers } = (await weightgraphJson(argv)) as {
      layers: { before: { mean: number }; after: { mean: number } }[];
    };
    expect(layers).toHaveLength(1);
    expect(layers[0]!.after.mean).toBeLessThan(layers[0]!.before.mean);

    const tensor = (await openModel(file)).tensors.find((each) => each.name === "0.weight");
    const { offset, byteLength } = tensor!.location!;
    const changed = differences(await readFile(file), await readFile(out));
    expect(changed.length).toBeGreaterThan(byteLength / 2);
    expect(changed.every((at) => at >= offset && at < offset + byteLength)).toBe(true);
    expect((await openModel(out)).layers).toHaveLength(3);

    const again = await weightgraph(argv);
    expect(again.code).toBe(2);
    expect(again.stderr).toContain("FILE_EXISTS");
  });

  test("the same seed writes the same bytes; without --out nothing is written", async () => {
    const outs = ["1", "2", "3"].map((each) => join(folder, `${each}-${name}`));
    for (const [i, out] of outs.entries()) {
      const seed = i === 2 ? "2" : "1";
      expect((await weightgraph(["rewire", file, "--seed", seed, "--out", out])).code).toBe(0);
    }
    const [one, same, other] = await Promise.all(outs.map((out) => readFile(out)));
    expect(one!.equals(same!)).toBe(true);
    expect(one!.equals(other!)).toBe(false);

    const before = await readdir("fixtures/mnist-mlp");
    expect((await weightgraph(["rewire", file])).stderr).toContain("nothing written");
    expect(await readdir("fixtures/mnist-mlp")).toEqual(before);
  });

  test("never overwrites its input, even when forced", async () => {
    const { code, stderr } = await weightgraph(["rewire", file, "--out", file, "--force"]);
    expect(code).toBe(2);
    expect(stderr).toContain("would overwrite the input");
  });
});

test("reinit writes safetensors from another format, and reports its means", async () => {
  const out = join(folder, "reinit.safetensors");
  const document = await weightgraphJson([
    "reinit",
    "fixtures/mnist-mlp/final.onnx",
    "--out",
    out,
    "--seed",
    "3",
  ]);
  expect(document).toMatchObject({ schema: "weightgraph.reinit", version: 1, written: [out] });
  const { layers } = document as { layers: { layer: string; groups: { means: number[] }[] }[] };
  expect(layers.map(({ layer }) => layer)).toEqual(["0.weight", "2.weight", "4.weight"]);
  expect(layers[0]!.groups[0]!.means).toHaveLength(784);
  expect((await openModel(out)).format).toBe("safetensors");
});

test.skipIf(!hasSharedData)("a file whose weights cannot be written back is refused", async () => {
  const out = join(folder, "quantised.onnx");
  const file = sharedPath("onnx/mnist_mlp_qdq_perchannel.onnx");
  const { code, stderr } = await weightgraph(["rewire", file, "--out", out]);
  expect(code).toBe(4);
  expect(stderr).toMatch(/FORMAT_UNSUPPORTED[^]*quantised/);
  await expect(readFile(out)).rejects.toThrow();
});

test.each([
  ["--passes", "diagonals"],
  ["--shift", "0"],
  ["--layers", "nope"],
  ["--seed", "-1"],
])("rewire %s %s is a usage error", async (flag, value) => {
  const argv = ["rewire", "fixtures/mnist-mlp/epoch_006.safetensors", flag, value];
  expect((await weightgraph(argv)).code).toBe(2);
});

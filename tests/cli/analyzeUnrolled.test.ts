import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { weightgraph, weightgraphJson } from "../helpers/commandLine.ts";
import { leNet, node, onnxModel, tensor } from "../helpers/onnxModel.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "unrolled-"));
  const pixels = {
    initializers: [tensor("w", [1, 1, 2, 2], [1, -2, 3, 4])],
    nodes: [node("Conv", ["x", "w"], ["y"])],
  };
  await writeFile(join(folder, "lenet.onnx"), leNet());
  await writeFile(
    join(folder, "pixels.onnx"),
    onnxModel({ ...pixels, inputs: { x: [1, 1, 3, 3] } }),
  );
  await writeFile(
    join(folder, "open.onnx"),
    onnxModel({ ...pixels, inputs: { x: [1, 1, "H", "W"] } }),
  );
});
afterAll(() => rm(folder, { recursive: true }));

const unrolled = (file: string, ...flags: string[]): string[] => [
  "analyze",
  join(folder, file),
  "--graph",
  "unrolled",
  ...flags,
];

interface Analysis {
  readonly graph: Record<string, unknown>;
  readonly nodes: Record<string, number[]>;
}

test("3 x 3 pixels: every measure, a column each (hand)", async () => {
  const document = (await weightgraphJson(
    unrolled("pixels.onnx", "--nodes", "--measures", "strength,degree,core,eigenvector"),
  )) as unknown as Analysis;
  expect(document.graph).toMatchObject({
    kind: "unrolled",
    layers: [
      { name: "x", size: 9, channels: 1, positions: [3, 3] },
      { name: "w", size: 4, channels: 1, positions: [2, 2] },
    ],
    nodes: 13,
    edges: 16,
    components: 1,
  });
  const { strength, degree, core, eigenvector } = document.nodes;
  expect(strength!.slice(0, 9)).toEqual([1, -1, -2, 4, 6, 2, 3, 7, 4]);
  expect(degree!.slice(0, 9)).toEqual([1, 3, 2, 4, 10, 6, 3, 7, 4]);
  expect(core).toHaveLength(13);
  expect(eigenvector!.every((value) => value > 0)).toBe(true);
});

test("a rolled graph says so, and sums the kernel", async () => {
  const argv = ["analyze", join(folder, "pixels.onnx"), "--nodes", "--measures", "strength"];
  const document = (await weightgraphJson(argv)) as unknown as Analysis;
  expect(document.graph).toMatchObject({ kind: "rolled", nodes: 2, edges: 1 });
  expect(document.nodes["strength"]).toEqual([6, 6]);
});

test("--dry-run prints the size of LeNet and reads no weight (hand)", async () => {
  const document = await weightgraphJson(unrolled("lenet.onnx", "--dry-run"));
  expect(document).toMatchObject({
    schema: "weightgraph.unrolledSize",
    version: 1,
    nodes: 11_166,
    edges: 658_024,
    bytes: 658_024 * 12,
    graph: { name: "lenet.onnx", topology: "declared" },
  });
  const { code, stdout, stderr } = await weightgraph(unrolled("lenet.onnx", "--dry-run"));
  expect(code).toBe(0);
  expect(stdout).toMatch(/conv1\.weight +6 +28 x 28 +4,704/);
  expect(stderr).toContain("11,166 nodes, 658,024 edges");
});

test("an open size is stated by --input-shape", async () => {
  const refused = await weightgraph(unrolled("open.onnx", "--dry-run"));
  expect(refused.code).toBe(4);
  expect(refused.stderr).toContain("GRAPH_POSITIONS_UNKNOWN");
  const argv = unrolled("open.onnx", "--dry-run", "--input-shape", "1,3,3");
  expect(await weightgraphJson(argv)).toMatchObject({ nodes: 13, edges: 16 });
});

test("strength and degree are the same above the limit of edges, where nothing is laid out", async () => {
  const flags = ["--nodes", "--measures", "strength,degree", "--sign", "negative"];
  const laid = (await weightgraphJson(unrolled("lenet.onnx", ...flags))) as unknown as Analysis;
  const argv = unrolled("lenet.onnx", ...flags, "--max-edges", "1000");
  const summed = (await weightgraphJson(argv)) as unknown as Analysis;
  expect(laid.graph).toMatchObject({ components: 1, edgesNonzero: 658_024 });
  expect(summed.graph).toMatchObject({ edges: 658_024, components: null, edgesNonzero: null });
  expect(summed.nodes).toEqual(laid.nodes);
  expect(summed.nodes["degree"]).toHaveLength(11_166);
  const { stderr } = await weightgraph(argv);
  expect(stderr).toContain("uncounted components");
});

test("transforms change the edges of the laid-out graph (hand)", async () => {
  const argv = unrolled(
    "pixels.onnx",
    "--nodes",
    "--measures",
    "strength",
    "--transform",
    "threshold=3",
  );
  const document = (await weightgraphJson(argv)) as unknown as Analysis;
  expect(document.graph).toMatchObject({ edges: 16, edgesNonzero: 8, transforms: ["threshold=3"] });
  expect(document.nodes["strength"]!.slice(0, 9)).toEqual([0, 0, 0, 3, 7, 4, 3, 7, 4]);
  const { code } = await weightgraph([...argv, "--max-edges", "5"]);
  expect(code).toBe(5);
});

describe("refusals", () => {
  test("above --max-edges nothing is laid out: exit code 5", async () => {
    const argv = unrolled("lenet.onnx", "--max-edges", "1000", "--measures", "core");
    const { code, stderr } = await weightgraph(argv);
    expect(code).toBe(5);
    expect(stderr).toContain("error GRAPH_TOO_LARGE lenet.onnx: 11166 nodes and 658024 edges");
  });

  test.each([
    { name: "a size of a rolled graph", argv: ["analyze", "x.onnx", "--dry-run"] },
    { name: "a shape of a rolled graph", argv: ["analyze", "x.onnx", "--input-shape", "3,4"] },
    { name: "a limit of a rolled graph", argv: ["analyze", "x.onnx", "--max-edges", "3"] },
    {
      name: "the norm of a layer",
      argv: ["analyze", "x.onnx", "--graph", "unrolled", "--transform", "absolute,layerNorm=l1"],
    },
    {
      name: "the strongest of a layer",
      argv: ["analyze", "x.onnx", "--graph", "unrolled", "--transform", "top=3"],
    },
    { name: "a matrix", argv: ["analyze", "-", "--format", "matrix", "--graph", "unrolled"] },
  ])("$name: exit code 2", async ({ argv }) => {
    const { code, stderr } = await weightgraph(argv);
    expect(code).toBe(2);
    expect(stderr).toContain("USAGE_INVALID_OPTION");
  });
});

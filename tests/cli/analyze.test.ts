import { describe, expect, test } from "vitest";
import { weightgraph, weightgraphJson } from "../helpers/commandLine.ts";

const matrix = (...blocks: [from: string, to: string, weights: number[][]][]): string =>
  JSON.stringify({ blocks: blocks.map(([from, to, weights]) => ({ from, to, weights })) });

/** hand and reference (numpy eigh): the rolled graph of a small network, two layers of three and two, two neurons out. */
const rolled = matrix(
  [
    "input",
    "conv1",
    [
      [5, 2],
      [2, 3],
      [3, 5],
    ],
  ],
  [
    "conv1",
    "fc1",
    [
      [3, 5, 2],
      [1, 2, 10],
    ],
  ],
  [
    "fc1",
    "fc2",
    [
      [1, -2],
      [-3, 4],
    ],
  ],
);
/** hand: an FC layer of integers. */
const dense = matrix([
  "in",
  "out",
  [
    [5, -2, 1, 0, 3],
    [-4, 6, 2, -1, 0],
    [3, 1, -5, 2, -6],
    [2, -3, 4, -2, 1],
  ],
]);

interface Analysis {
  readonly graph: Record<string, unknown>;
  readonly measures: Record<string, Record<string, unknown>>;
  readonly nodes: Record<string, (number | null)[]>;
}

async function analyze(stdin: string, ...flags: string[]): Promise<Analysis> {
  const argv = ["analyze", "-", "--format", "matrix", "--nodes", ...flags];
  return (await weightgraphJson(argv, { stdin })) as unknown as Analysis;
}

describe("analyze - --format matrix", () => {
  test("names its schema, its graph and its nodes", async () => {
    const document = await analyze(rolled);
    expect(document).toMatchObject({ schema: "weightgraph.analysis", version: 1 });
    expect(document.graph).toMatchObject({
      layers: [
        { name: "input", size: 2 },
        { name: "conv1", size: 3 },
        { name: "fc1", size: 2 },
        { name: "fc2", size: 2 },
      ],
      nodes: 9,
      edges: 16,
      edgesNonzero: 16,
      components: 1,
    });
    expect(document.nodes["layer"]).toEqual([0, 0, 1, 1, 1, 2, 2, 3, 3]);
    expect(document.nodes["index"]).toEqual([0, 1, 0, 1, 2, 0, 1, 0, 1]);
    expect(document.nodes["degree"]).toEqual([10, 10, 11, 12, 20, 14, 19, 3, 7]);
    for (const id of ["strength", "degree", "eigenvector", "core", "hypercore"]) {
      expect(document.nodes[id]).toHaveLength(9);
      expect(document.measures[id]).toBeDefined();
    }
  });

  test("eigenvector centrality with its eigenvalue and residual", async () => {
    const { measures, nodes } = await analyze(rolled, "--measures", "eigenvector");
    expect(measures["eigenvector"]?.["eigenvalue"]).toBeCloseTo(14.0913773422, 9);
    expect(measures["eigenvector"]?.["residual"]).toBeLessThan(1e-9);
    const expected = [
      0.238461503, 0.291196475, 0.222225662, 0.268889305, 0.570448033, 0.275022155, 0.531698729,
      0.094981461, 0.20947998,
    ];
    nodes["eigenvector"]!.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 8));
  });

  test.each([
    { flags: ["--sign", "positive"], expected: [7, 7, 7, 2, 4] },
    { flags: ["--sign", "positive", "--l", "3"], expected: [4, 1, 4, 1, 4] },
    { flags: ["--sign", "negative", "--l=2"], expected: [3, 3, 5, 3, 5] },
    { flags: ["--sign", "absolute", "--l", "4"], expected: [6, 6, 6, 5, 6] },
    { flags: ["--unweighted", "--sign", "positive"], expected: [2, 2, 2, 1, 2] },
  ])("hypercore $flags (hand)", async ({ flags, expected }) => {
    const { nodes } = await analyze(dense, "--measures", "hypercore", ...flags);
    expect(nodes["hypercore"]).toEqual([...expected, null, null, null, null]);
  });

  test.each([
    { flags: ["--sign", "positive"], expected: [10, 7, 7, 2, 4, 9, 8, 6, 7] },
    { flags: ["--sign", "negative"], expected: [4, 5, 5, 3, 6, 2, 5, 11, 5] },
    { flags: ["--sign", "signed"], expected: [6, 2, 2, -1, -2, 7, 3, -5, 2] },
    { flags: ["--sign", "absolute"], expected: [14, 12, 12, 5, 10, 11, 13, 17, 12] },
  ])("strength $flags (hand)", async ({ flags, expected }) => {
    const { nodes } = await analyze(dense, "--measures", "strength", ...flags);
    expect(nodes["strength"]).toEqual(expected);
  });
});

test("without --measures a sign reaches the measures that know it", async () => {
  const signed = await analyze(dense, "--sign", "signed");
  expect(signed.measures["strength"]?.["parameters"]).toMatchObject({ sign: "signed" });
  expect(signed.measures["hypercore"]?.["parameters"]).toMatchObject({ sign: "absolute" });
  const positive = await analyze(dense, "--sign", "positive");
  expect(positive.measures["hypercore"]?.["parameters"]).toMatchObject({ sign: "positive" });
});

test.each([
  { name: "no JSON", stdin: "{", flags: [], code: 4, says: "FORMAT_MALFORMED" },
  { name: "no blocks", stdin: '{"blocks":[]}', flags: [], code: 3, says: "GRAPH_NO_EDGES" },
  {
    name: "ragged rows",
    stdin: matrix(["a", "b", [[1, 2], [3]]]),
    flags: [],
    code: 4,
    says: "GRAPH_MALFORMED",
  },
  {
    name: "only zeros",
    stdin: matrix(["a", "b", [[0, 0]]]),
    flags: ["--measures", "eigenvector"],
    code: 3,
    says: "GRAPH_NO_EDGES",
  },
  {
    name: "an unknown measure",
    stdin: rolled,
    flags: ["--measures", "fame"],
    code: 2,
    says: "USAGE_UNKNOWN_MEASURE",
  },
  {
    name: "a flag of another measure",
    stdin: rolled,
    flags: ["--measures", "degree", "--l", "3"],
    code: 2,
    says: "USAGE_INVALID_OPTION",
  },
  {
    name: "a sign that hypercores do not have",
    stdin: rolled,
    flags: ["--measures", "hypercore", "--sign", "signed"],
    code: 2,
    says: "USAGE_INVALID_OPTION",
  },
])("$name: $says, exit code $code", async ({ stdin, flags, code, says }) => {
  const result = await weightgraph(["analyze", "-", "--format", "matrix", ...flags], { stdin });
  expect(result.stderr).toContain(says);
  expect(result.code).toBe(code);
  expect(result.stdout).toBe("");
});

test("a model file is measured through its layered graph, in words too", async () => {
  const file = "fixtures/mnist-mlp/epoch_006.safetensors";
  const { code, stdout, stderr } = await weightgraph(["analyze", file, "--top", "2"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/Eigenvector centrality, largest/);
  expect(stderr).toMatch(/842 neurons, 25,760 edges, 1 components/);
});

describe("edge weights and transforms", () => {
  test("are recorded, with the sizes of what falls apart (hand)", async () => {
    const plain = await analyze(rolled);
    expect(plain.graph).toMatchObject({
      edgeWeight: "norm",
      transforms: [],
      components: 1,
      componentSizes: [{ nodes: 9, components: 1 }],
    });
    const strongest = await analyze(rolled, "--transform", "absolute, top=1", "--edge-weight=sum");
    expect(strongest.graph).toMatchObject({
      edgeWeight: "sum",
      transforms: ["absolute", "top=1"],
      edges: 16,
      edgesNonzero: 3,
      components: 6,
      // 5 from input 0 to conv 0; 10 from conv 2 to fc1 1, and 4 from there to fc2 1.
      componentSizes: [
        { nodes: 3, components: 1 },
        { nodes: 2, components: 1 },
        { nodes: 1, components: 4 },
      ],
    });
    expect(strongest.nodes["degree"]).toEqual([5, 0, 5, 0, 10, 0, 14, 0, 4]);
  });

  test("in words", async () => {
    const argv = [
      "analyze",
      "-",
      "--format",
      "matrix",
      "--transform",
      "top=1",
      "--edge-weight",
      "sum",
    ];
    const { stderr } = await weightgraph(argv, { stdin: rolled });
    expect(stderr).toContain("6 components, topology declared, edge weight sum, top=1");
  });

  test.each([["fame"], ["threshold"], ["top=0"]])("refuses --transform %s", async (transform) => {
    const argv = ["analyze", "-", "--format", "matrix", "--transform", transform];
    const { code, stderr } = await weightgraph(argv, { stdin: rolled });
    expect(code).toBe(2);
    expect(stderr).toContain("USAGE_INVALID_OPTION");
    expect(stderr).toContain("topPerNode=N");
  });
});

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nodeStrength } from "../../src/analysis/nodeStrength.ts";
import { toHif, type HifDocument, type HifOptions } from "../../src/export/toHif.ts";
import { graphFromMatrix } from "../../src/graph/matrix.ts";
import { layeredGraph, openModel } from "../../src/node.ts";
import { thrownBy } from "../helpers/errors.ts";
import { chainGraph, rolledToy } from "../helpers/methods.ts";

/** Two neurons into three, and these into one. */
const graph = graphFromMatrix({
  blocks: [
    {
      from: "in",
      to: "hidden",
      weights: [
        [1, -2],
        [0, 3],
        [4, 0.5],
      ],
    },
    { from: "hidden", to: "out", weights: [[-1, 2, 5]] },
  ],
});

const id = ["integer", "string"];
/** What the JSON schema of HIF-standard (v0.1.0 and latest, schemas/hif_schema.json) asks for, kept as data; any other key is an error. */
const schema = {
  document: {
    required: ["incidences"],
    types: {
      "network-type": ["string"],
      metadata: ["object"],
      incidences: ["array"],
      nodes: ["array"],
      edges: ["array"],
    },
  },
  incidences: {
    required: ["edge", "node"],
    types: {
      edge: id,
      node: id,
      weight: ["integer", "number"],
      direction: ["string"],
      attrs: ["object"],
    },
  },
  nodes: {
    required: ["node"],
    types: { node: id, weight: ["integer", "number"], attrs: ["object"] },
  },
  edges: {
    required: ["edge"],
    types: { edge: id, weight: ["integer", "number"], attrs: ["object"] },
  },
} as const;

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return "array";
  if (Number.isInteger(value)) return "integer";
  return value === null ? "null" : typeof value;
}

/** Where a parsed document breaks the schema. */
function violations(document: unknown): string[] {
  const found: string[] = [];
  const check = (value: unknown, rules: keyof typeof schema, at: string): void => {
    const types: Readonly<Record<string, readonly string[]>> = schema[rules].types;
    const own = typeOf(value) === "object" ? (value as Record<string, unknown>) : {};
    for (const key of schema[rules].required) if (!(key in own)) found.push(`${at} lacks ${key}`);
    for (const [key, field] of Object.entries(own)) {
      if (types[key]?.includes(typeOf(field)) !== true)
        found.push(`${at}.${key}: ${typeOf(field)}`);
    }
  };
  check(document, "document", "document");
  const own = document as Record<string, unknown>;
  const kinds: readonly unknown[] = [undefined, "undirected", "directed", "asc"];
  if (!kinds.includes(own["network-type"])) found.push("network-type");
  for (const list of ["incidences", "nodes", "edges"] as const) {
    ((own[list] as unknown[] | undefined) ?? []).forEach((item, i) =>
      check(item, list, `${list}[${i}]`),
    );
  }
  return found;
}

const asRead = (document: HifDocument): unknown => JSON.parse(JSON.stringify(document)) as unknown;

test("the check of the schema tells right from wrong (hand)", () => {
  expect(violations({ incidences: [{ edge: "e", node: 1, weight: 0.5 }] })).toEqual([]);
  expect(
    violations({
      "network-type": "mixed",
      incidences: [{ edge: 1.5, node: 1, size: 2.5 }, { node: 1 }],
      nodes: [{ node: null }],
    }),
  ).toEqual([
    "network-type",
    "incidences[0].edge: number",
    "incidences[0].size: number",
    "incidences[1] lacks edge",
    "nodes[0].node: null",
  ]);
});

test("receiving neurons are hyperedges of all that they hear (hand)", () => {
  const document = toHif(graph, { measures: { depth: [0, 0, 1, null, 1, 2] } });
  expect(violations(asRead(document))).toEqual([]);
  expect(document.incidences).toEqual([
    { edge: 2, node: 0, weight: 1 },
    { edge: 2, node: 1, weight: 2 },
    { edge: 3, node: 1, weight: 3 },
    { edge: 4, node: 0, weight: 4 },
    { edge: 4, node: 1, weight: 0.5 },
    { edge: 5, node: 2, weight: 1 },
    { edge: 5, node: 3, weight: 2 },
    { edge: 5, node: 4, weight: 5 },
  ]);
  expect(document.nodes.map(({ node }) => node)).toEqual([0, 1, 2, 3, 4]);
  expect(document.edges.map(({ edge }) => edge)).toEqual([2, 3, 4, 5]);
  const hidden = { layer: "hidden", rank: 1 };
  expect(document.nodes[2]!.attrs).toEqual({ ...hidden, label: "hidden[0]", index: 0, depth: 1 });
  expect(document.nodes[3]!.attrs).toEqual({ ...hidden, label: "hidden[1]", index: 1 });
  expect(document.metadata).toEqual({
    creator: "weightgraph",
    name: "matrix",
    certainty: "declared",
    side: "in",
    sign: "absolute",
    transforms: [],
    edges: 9,
    keptEdges: 8,
    keptShare: 1,
  });
});

describe("sides and signs", () => {
  const triples = ({ incidences }: HifDocument): number[][] =>
    incidences.map(({ edge, node, weight }) => [edge, node, weight]);

  test.each<{ options: HifOptions; expected: number[][] }>([
    {
      options: { sign: "negative" },
      expected: [
        [2, 1, 2],
        [5, 2, 1],
      ],
    },
    {
      options: { sign: "negative", side: "out" },
      expected: [
        [1, 2, 2],
        [2, 5, 1],
      ],
    },
    {
      options: { sign: "signed", edgeBudget: 9 },
      expected: [
        [2, 0, 1],
        [2, 1, -2],
        [3, 1, 3],
        [4, 0, 4],
        [4, 1, 0.5],
        [5, 2, -1],
        [5, 3, 2],
        [5, 4, 5],
      ],
    },
  ])("$options (hand)", ({ options, expected }) => {
    const document = toHif(graph, options);
    expect(triples(document)).toEqual(expected);
    expect(violations(asRead(document))).toEqual([]);
  });

  test("parallel edges and taps add up, each pair once; what cancels is no incidence (hand)", () => {
    const twice = graphFromMatrix({
      blocks: [
        { from: "a", to: "b", weights: [[1, 2]] },
        { from: "a", to: "b", weights: [[-1, 3]] },
      ],
    });
    expect(triples(toHif(twice))).toEqual([
      [2, 0, 2],
      [2, 1, 5],
    ]);
    expect(triples(toHif(twice, { sign: "signed" }))).toEqual([[2, 1, 5]]);
    const kernel = chainGraph([{ rows: [[3, -4, 1, 1]], taps: 2 }]);
    expect(triples(toHif(kernel))).toEqual([
      [2, 0, 7],
      [2, 1, 2],
    ]);
  });

  test("a vertex's incidences sum up to its strength, on every chain", () => {
    const row = fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 3, maxLength: 3 });
    const rows = fc.array(row, { minLength: 1, maxLength: 4 });
    const signs = fc.constantFrom("absolute", "positive", "negative", "signed");
    fc.assert(
      fc.property(rows, signs, (matrix, sign) => {
        const drawn = graphFromMatrix({ blocks: [{ from: "a", to: "b", weights: matrix }] });
        for (const side of ["in", "out"] as const) {
          const document = toHif(drawn, { side, sign });
          expect(violations(asRead(document))).toEqual([]);
          const direction = side === "in" ? "out" : "in";
          const strength = nodeStrength(drawn, { sign, direction }).values;
          for (const { node } of document.nodes) {
            const sum = document.incidences
              .filter((incidence) => incidence.node === node)
              .reduce((total, { weight }) => total + weight, 0);
            expect(sum - strength[node]!).toBe(0);
          }
        }
      }),
      { numRuns: 50 },
    );
  });
});

test("empty hyperedges and lonely vertices are listed", () => {
  const zeros = graphFromMatrix({ blocks: [{ from: "a", to: "b", weights: [[0], [0]] }] });
  expect(toHif(zeros)).toMatchObject({
    nodes: [{ node: 0 }],
    edges: [{ edge: 1 }, { edge: 2 }],
    incidences: [],
  });
});

test("a graph past the budget is refused, or reduced with its share stated (hand)", () => {
  thrownBy(() => toHif(graph, { edgeBudget: 8 }), "GRAPH_TOO_LARGE");
  const { incidences, metadata } = toHif(graph, { edgeBudget: 2, reduce: true });
  expect(incidences.map(({ weight }) => weight)).toEqual([4, 5]);
  expect(metadata).toMatchObject({ edges: 9, keptEdges: 2 });
  expect(metadata.keptShare).toBeCloseTo(9 / 18.5, 12);
});

test.each([
  { options: { side: "both" }, path: "side" },
  { options: { sign: "sum" }, path: "sign" },
])("refuses $options", ({ options, path }) => {
  const error = thrownBy(() => toHif(graph, options as HifOptions), "USAGE_INVALID_OPTION");
  expect(error.path).toEqual([path]);
});

test("a trained network and a graph of kernels keep to the schema", async () => {
  const trained = await layeredGraph(await openModel("fixtures/mnist-mlp/final.onnx"));
  const document = toHif(trained);
  expect(violations(asRead(document))).toEqual([]);
  expect(document.edges).toHaveLength(58);
  expect(violations(asRead(toHif(rolledToy(), { sign: "signed" })))).toEqual([]);
});

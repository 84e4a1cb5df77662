/** Tables as files, read back by other readers than those that wrote them where there is one. */
import { tableFromIPC } from "@uwdata/flechette";
import { parquetMetadata, parquetReadObjects } from "hyparquet";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toArrow, toParquet } from "../../src/export/tableFiles.ts";
import { toTable } from "../../src/export/toTable.ts";
import { graphFromMatrix } from "../../src/graph/matrix.ts";
import type { LayeredGraph } from "../../src/graph/layeredGraph.ts";
import { chainGraph } from "../helpers/methods.ts";

const graph = graphFromMatrix({
  blocks: [
    {
      from: "eingäng \u{1f600}",
      to: "b",
      weights: [
        [1, -2],
        [0, 3],
      ],
    },
    { from: "b", to: "c", weights: [[0.1, 5e-324]] },
  ],
});
const measures = { depth: [0, 0.5, null, -1, 2] };

type Row = Record<string, unknown>;

async function fromParquet(bytes: Uint8Array): Promise<{ rows: Row[]; about: unknown }> {
  const file = bytes.slice().buffer;
  const { key_value_metadata: pairs } = parquetMetadata(file);
  const about = pairs?.find(({ key }) => key === "weightgraph")?.value;
  return { rows: await parquetReadObjects({ file }), about: JSON.parse(about!) };
}

function fromArrow(bytes: Uint8Array): { rows: Row[]; about: unknown } {
  const table = tableFromIPC(bytes);
  const about = table.schema.metadata?.get("weightgraph");
  return { rows: table.toArray(), about: JSON.parse(about!) };
}

async function readBoth(
  input: LayeredGraph,
  options: Parameters<typeof toParquet>[1],
): Promise<{ parquet: Row[][]; arrow: Row[][]; abouts: unknown[] }> {
  const parquet = await toParquet(input, options);
  const arrow = await toArrow(input, options);
  const ofParquet = [await fromParquet(parquet.nodes), await fromParquet(parquet.edges)];
  const ofArrow = [fromArrow(arrow.nodes), fromArrow(arrow.edges)];
  return {
    parquet: ofParquet.map(({ rows }) => rows),
    arrow: ofArrow.map(({ rows }) => rows),
    abouts: [...ofParquet, ...ofArrow].map(({ about }) => about),
  };
}

test("rows are those of the tables, nulls and names included (hand)", async () => {
  const { parquet, arrow, abouts } = await readBoth(graph, { measures });
  const [nodes, edges] = parquet;
  expect(nodes).toEqual([
    { node: 0, layer: "eingäng \u{1f600}", rank: 0, index: 0, depth: 0 },
    { node: 1, layer: "eingäng \u{1f600}", rank: 0, index: 1, depth: 0.5 },
    { node: 2, layer: "b", rank: 1, index: 0, depth: null },
    { node: 3, layer: "b", rank: 1, index: 1, depth: -1 },
    { node: 4, layer: "c", rank: 2, index: 0, depth: 2 },
  ]);
  const first = "eingäng \u{1f600} to b";
  expect(edges).toEqual([
    { from: 0, to: 2, weight: 1, block: first },
    { from: 1, to: 2, weight: -2, block: first },
    { from: 1, to: 3, weight: 3, block: first },
    { from: 2, to: 4, weight: 0.1, block: "b to c" },
    { from: 3, to: 4, weight: 5e-324, block: "b to c" },
  ]);
  expect(arrow).toEqual(parquet);
  const facts = { name: "matrix", certainty: "declared", edges: 6, keptEdges: 5, keptShare: 1 };
  const weight = "L2 norm over taps, with the sign of their sum";
  const done = { edgeWeight: "norm", transforms: [] };
  const about = { schema: "weightgraph.table", version: 1, ...facts, weight, ...done };
  const both = [
    { ...about, table: "nodes" },
    { ...about, table: "edges" },
  ];
  expect(abouts).toEqual([...both, ...both]);
});

test("columns have the types that are documented", async () => {
  const { nodes } = await toParquet(graph, { measures });
  const { schema, created_by: creator } = parquetMetadata(nodes.slice().buffer);
  expect(creator).toBe("weightgraph");
  expect(schema.slice(1).map(({ name, type, repetition_type: own }) => [name, type, own])).toEqual([
    ["node", "INT32", "REQUIRED"],
    ["layer", "BYTE_ARRAY", "REQUIRED"],
    ["rank", "INT32", "REQUIRED"],
    ["index", "INT32", "REQUIRED"],
    ["depth", "DOUBLE", "OPTIONAL"],
  ]);
});

test("what a reduction left out is in the files themselves", async () => {
  const { parquet, arrow, abouts } = await readBoth(graph, { edgeBudget: 2, reduce: true });
  expect(parquet[1]).toHaveLength(2);
  expect(arrow).toEqual(parquet);
  for (const about of abouts) expect(about).toMatchObject({ edges: 6, keptEdges: 2 });
  const refusal = { code: "GRAPH_TOO_LARGE" };
  await expect(toParquet(graph, { edgeBudget: 5 })).rejects.toMatchObject(refusal);
  await expect(toArrow(graph, { edgeBudget: 5 })).rejects.toMatchObject(refusal);
});

describe("any graph", () => {
  test.each([
    { name: "no edge at all", input: chainGraph([{ rows: [[0, 0]] }]), edges: 0 },
    { name: "1 x 1", input: chainGraph([{ rows: [[-1e300]] }]), edges: 1 },
  ])("$name", async ({ input, edges }) => {
    const allNull = { nothing: Array.from({ length: input.nodeCount }, () => null) };
    const { parquet, arrow } = await readBoth(input, { measures: allNull });
    expect(parquet[1]).toHaveLength(edges);
    expect(parquet[0]![0]).toMatchObject({ node: 0, nothing: null });
    expect(arrow).toEqual(parquet);
  });

  test("equal bytes each time, and the rows of toTable", async () => {
    const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
    const rows = fc.array(fc.array(finite, { minLength: 3, maxLength: 3 }), {
      minLength: 1,
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(rows, async (matrix) => {
        const drawn = chainGraph([{ rows: matrix }]);
        const tables = await toTable(drawn);
        const { parquet, arrow } = await readBoth(drawn, {});
        const expected = [tables.nodes.objects(), tables.edges.objects()];
        expect(parquet).toEqual(expected);
        expect(arrow).toEqual(expected);
        expect((await toParquet(drawn)).edges).toEqual((await toParquet(drawn)).edges);
        expect((await toArrow(drawn)).edges).toEqual((await toArrow(drawn)).edges);
      }),
      { numRuns: 40 },
    );
  });
});

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { measures } from "../../src/analysis/registry.ts";
import { graphMetricById, runGraphMetrics } from "../../src/export/graphMetrics.ts";
import { graphMetrics } from "../../src/export/metricTable.ts";
import { graphFromMatrix } from "../../src/graph/matrix.ts";
import type { LayeredGraph } from "../../src/graph/layeredGraph.ts";
import { createRandom } from "../../src/random.ts";
import { thrownBy } from "../helpers/errors.ts";
import { chainGraph } from "../helpers/methods.ts";

/** Two inputs meet in one hidden neuron, which feeds two outputs; one output is also reached from the first input, weakly. */
const bow = graphFromMatrix({
  blocks: [
    { from: "in", to: "hidden", weights: [[4, -2]] },
    { from: "hidden", to: "out", weights: [[1], [5]] },
    {
      from: "in",
      to: "out",
      weights: [
        [0.5, 0],
        [0, 0],
      ],
    },
  ],
});

async function nodesOf(
  graph: LayeredGraph,
  id: string,
  options: Parameters<typeof runGraphMetrics>[2] = {},
): Promise<readonly (number | null)[]> {
  const { metrics } = await runGraphMetrics(graph, [id], options);
  return metrics[0]!.nodes!;
}

describe("golden values", () => {
  test.each([
    // Paths through the hidden neuron: of 12 ordered pairs of others a directed path joins 0>4, 1>3, 1>4 by it, 0>3 without.
    { id: "betweenness", type: "directed", expected: [0, 0, 3 / 12, 0, 0] },
    // Undirected, 6 pairs: all but 0-3 need it; of the two shortest paths between 0 and 4 (by 2) there is one.
    { id: "betweenness", type: "undirected", expected: [0, 0, 5 / 6, 0, 0] },
    // Strong edges are short: 0-2-3 takes 1/4 + 1, the direct edge 2.
    { id: "betweenness", type: "undirected", distance: "inverse", expected: [0, 0, 1, 0, 0] },
    // Reached by 0: none; hidden by both inputs at 1; out[0] by 0 at 1, 1 at 2, hidden at 1; out[1] by hidden at 1, both at 2.
    {
      id: "closeness",
      type: "directed",
      expected: [0, 0, 2 / 4, (3 / 4) * (3 / 4), (3 / 5) * (3 / 4)],
    },
    { id: "eccentricity", type: "undirected", expected: [2, 2, 1, 2, 2] },
    { id: "eccentricity", type: "directed", expected: [null, null, null, null, null] },
    { id: "degreeCentrality", type: "directed", expected: [2 / 4, 1 / 4, 1, 2 / 4, 1 / 4] },
  ] as const)("$id, $type (hand)", async ({ expected, id, ...options }) => {
    const values = await nodesOf(bow, id, options);
    expected.forEach((value, node) => {
      if (value === null) expect(values[node]).toBeNull();
      else expect(values[node]).toBeCloseTo(value, 12);
    });
  });

  test("density and diameter (hand)", async () => {
    const { metrics } = await runGraphMetrics(bow, ["density", "diameter"]);
    expect(metrics).toMatchObject([
      { of: "graph", type: "directed", figures: { density: 5 / 20 }, nodes: null, summary: null },
      { of: "graph", type: "undirected", figures: { diameter: 2 }, nodes: null },
    ]);
    const directed = await runGraphMetrics(bow, ["diameter"], { type: "directed" });
    expect(directed.metrics[0]!.figures).toEqual({ diameter: null });
  });

  test("hubs and authorities of one block are its singular vectors (hand)", async () => {
    // [[3, 0], [0, 1]] reaches the largest singular value 3 in the first pair alone.
    const diagonal = graphFromMatrix({
      blocks: [
        {
          from: "a",
          to: "b",
          weights: [
            [3, 0],
            [0, -1],
          ],
        },
      ],
    });
    const hubs = await nodesOf(diagonal, "hubs");
    const authorities = await nodesOf(diagonal, "authorities");
    [1, 0, 0, 0].forEach((value, node) => expect(hubs[node]).toBeCloseTo(value, 6));
    [0, 0, 1, 0].forEach((value, node) => expect(authorities[node]).toBeCloseTo(value, 6));
  });

  test("two blocks on the diagonal are two communities of modularity 1/2 (hand)", async () => {
    const rows = [
      [1, 1, 0, 0],
      [1, 1, 0, 0],
      [0, 0, 1, -1],
      [0, 0, -1, 1],
    ];
    const two = graphFromMatrix({ blocks: [{ from: "a", to: "b", weights: rows }] });
    const { metrics } = await runGraphMetrics(two, ["louvain"]);
    expect(metrics[0]!.figures["communities"]).toBe(2);
    expect(metrics[0]!.figures["modularity"]).toBeCloseTo(0.5, 12);
    const [first, , second] = metrics[0]!.nodes!;
    expect(metrics[0]!.nodes).toEqual([first, first, second, second, first, first, second, second]);
  });
});

describe("properties", () => {
  const random = createRandom(5);
  const draw = (count: number, columns: number): number[][] =>
    Array.from({ length: count }, () => Array.from({ length: columns }, () => random.normal()));
  const rows = draw(6, 5);
  const more = draw(3, 6);
  const graph = chainGraph([{ rows }, { rows: more }]);

  test.each(graphMetrics.filter(({ id }) => id !== "eigenvector"))(
    "$id: scaled weights change nothing, every value is finite or null",
    async ({ id }) => {
      const scaled = chainGraph([
        { rows: rows.map((row) => row.map((weight) => -8 * weight)) },
        { rows: more.map((row) => row.map((weight) => -8 * weight)) },
      ]);
      const [own] = (await runGraphMetrics(graph, [id])).metrics;
      const [theirs] = (await runGraphMetrics(scaled, [id])).metrics;
      const numbers = [...(own!.nodes ?? []), ...Object.values(own!.figures)];
      const others = [...(theirs!.nodes ?? []), ...Object.values(theirs!.figures)];
      expect(numbers.length).toBeGreaterThan(0);
      numbers.forEach((value, i) => {
        if (value === null) expect(others[i]).toBeNull();
        else {
          expect(Number.isFinite(value)).toBe(true);
          expect(others[i]).toBeCloseTo(value, 7);
        }
      });
    },
  );

  test("permuted rows permute betweenness", async () => {
    const order = [3, 0, 5, 1, 4, 2];
    const permuted = chainGraph([
      { rows: order.map((row) => rows[row]!) },
      { rows: more.map((row) => order.map((column) => row[column]!)) },
    ]);
    const options = { edgeBudget: 30, reduce: true, distance: "inverse" as const };
    const own = await nodesOf(graph, "betweenness", options);
    const theirs = await nodesOf(permuted, "betweenness", options);
    order.forEach((row, i) => expect(theirs[5 + i]).toBeCloseTo(own[5 + row]!, 12));
  });

  test("equal seeds give equal communities", async () => {
    const run = (seed: number): Promise<unknown> => runGraphMetrics(graph, ["louvain"], { seed });
    expect(await run(7)).toEqual(await run(7));
  });
});

test("parallel edges become one, their magnitudes added (hand)", async () => {
  const parallel = graphFromMatrix({
    blocks: [
      { from: "a", to: "b", weights: [[1, 3]] },
      { from: "a", to: "b", weights: [[-2, 0]] },
    ],
  });
  const { edges, facts } = await runGraphMetrics(parallel, ["density"]);
  expect([edges, facts.keptEdges]).toEqual([2, 3]);
  // Both inputs weigh 3 now, so neither is the better hub.
  expect(await nodesOf(parallel, "hubs")).toEqual([0.5, 0.5, 0]);
});

test("a graph without edges has values where they are defined", async () => {
  const zeros = chainGraph([{ rows: [[0, 0]] }]);
  const ids = ["betweenness", "closeness", "degreeCentrality", "density", "diameter", "louvain"];
  const { metrics } = await runGraphMetrics(zeros, ids);
  expect(metrics.map(({ nodes, figures }) => nodes ?? figures)).toEqual([
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
    { density: 0 },
    { diameter: null },
    {},
  ]);
});

test("what was left out is stated, and nothing is left out unasked", async () => {
  const { facts } = await runGraphMetrics(bow, ["density"], { edgeBudget: 2, reduce: true });
  expect(facts).toMatchObject({ edges: 8, keptEdges: 2 });
  expect(facts.keptShare).toBeCloseTo(9 / 12.5, 12);
  await expect(runGraphMetrics(bow, ["density"], { edgeBudget: 2 })).rejects.toMatchObject({
    code: "GRAPH_TOO_LARGE",
  });
});

test("the library's failure to converge is ours with a way out", async () => {
  const large = chainGraph([{ rows: [[900, 300]] }, { rows: [[700], [800]] }]);
  await expect(runGraphMetrics(large, ["eigenvector"])).rejects.toMatchObject({
    code: "ANALYSIS_NOT_CONVERGED",
    path: ["eigenvector"],
    hint: expect.stringContaining("analyze --measures eigenvector"),
  });
});

describe("options", () => {
  test("an unknown metric is answered with the known ones", () => {
    const error = thrownBy(() => graphMetricById("clustering"), "USAGE_UNKNOWN_MEASURE");
    expect(error.hint).toContain("betweenness, closeness");
  });

  test.each([
    { id: "hubs", options: { type: "undirected" } },
    { id: "closeness", options: { distance: "inverse" } },
    { id: "betweenness", options: { distance: "cosine" } },
  ])("$id refuses $options", async ({ id, options }) => {
    await expect(runGraphMetrics(bow, [id], options as never)).rejects.toMatchObject({
      code: "USAGE_INVALID_OPTION",
    });
  });

  test("the signal is heard between metrics", async () => {
    const control = new AbortController();
    const started: string[] = [];
    const running = runGraphMetrics(bow, ["density", "diameter"], {
      signal: control.signal,
      onStart: ({ id, steps }, size) => {
        started.push(`${id} ${steps(size)}`);
        control.abort();
      },
    });
    await expect(running).rejects.toThrow("abort");
    expect(started).toEqual(["density 1"]);
  });
});

test("ids are unique, and what is ours too is in the registry", () => {
  const ids = graphMetrics.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  const known = measures.map(({ id }) => id);
  for (const { ours } of graphMetrics) if (ours !== undefined) expect(known).toContain(ours);
});

test("the page names every metric as the table does", () => {
  const page = readFileSync("docs/interop.md", "utf8").replace(/ +/g, " ");
  for (const { id, types, cost, description } of graphMetrics) {
    expect(page).toContain(`| \`${id}\` | ${types.join(", ")} | ${cost} | ${description} |`);
  }
});

import { existsSync, readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { persistence, persistenceMeasure } from "../../src/analysis/persistence.ts";
import { layeredGraph, type LayeredGraph } from "../../src/graph/layeredGraph.ts";
import { openModel } from "../../src/node.ts";
import { thrownBy } from "../helpers/errors.ts";
import { chainGraph, rolledToy, type Rows } from "../helpers/methods.ts";

const ofRows = (rows: Rows): LayeredGraph => chainGraph([{ rows }]);

describe("by hand", () => {
  test("two by two: the tree takes 4, 3 and 2", () => {
    // Weights over 4: 1, 0.75, 0.5; persistences 0, 0.25, 0.5.
    const { blocks, normalised } = persistence(
      ofRows([
        [-4, 2],
        [3, 1],
      ]),
    );
    expect(blocks[0]).toMatchObject({ persistence: Math.sqrt(0.3125), pairs: 3, mean: 0.25 });
    expect(blocks[0]!.normalised).toBeCloseTo(Math.sqrt(0.3125 / 3), 15);
    expect(normalised).toBe(blocks[0]!.normalised);
  });

  test("p = 1 adds; the part that never ends is one more pair of persistence 1", () => {
    const graph = ofRows([
      [-4, 2],
      [3, 1],
    ]);
    expect(persistence(graph, { p: 1 }).blocks[0]).toMatchObject({
      persistence: 0.75,
      normalised: 0.25,
    });
    const { blocks } = persistence(graph, { essential: true });
    expect(blocks[0]).toMatchObject({ persistence: Math.sqrt(1.3125), pairs: 4, mean: 1.75 / 4 });
    expect(blocks[0]!.normalised).toBeCloseTo(Math.sqrt(1.3125 / 3), 15);
  });

  test("equal weights have none; one weight among zeros has all but one of it", () => {
    expect(
      persistence(
        ofRows([
          [5, -5, 5],
          [5, 5, 5],
        ]),
      ).blocks[0]!.persistence,
    ).toBe(0);
    const { persistence: found, normalised } = persistence(
      ofRows([
        [0, 7, 0],
        [0, 0, 0],
      ]),
    ).blocks[0]!;
    expect(found).toBeCloseTo(Math.sqrt(3), 14);
    expect(normalised).toBeCloseTo(Math.sqrt(3 / 4), 14);
  });

  test("the scale is the network's unless it is the block's", () => {
    const graph = chainGraph([{ rows: [[1, 1]] }, { rows: [[2]] }]);
    expect(persistence(graph).blocks.map((block) => block.mean)).toEqual([0.5, 0]);
    expect(persistence(graph, { scale: "block" }).blocks.map((block) => block.mean)).toEqual([
      0, 0,
    ]);
    expect(persistence(graph).normalised).toBeCloseTo(0.25, 15);
  });

  test("taps count by their L2 norm: 5 and 10 of the rolled toy's first row", () => {
    const { blocks } = persistence(rolledToy(), { scale: "block" });
    // Norms [[5,2],[2,3],[3,5]] over 5: the tree takes 5, 5, 3, 3.
    expect(blocks[0]!.persistence).toBeCloseTo(Math.sqrt(2 * 0.4 ** 2), 14);
  });

  test("groups are trees of their own", () => {
    const [block] = ofRows([[2], [4]]).blocks;
    const graph = ofRows([
      [2, 0],
      [0, 4],
    ]);
    const rowNodes = Int32Array.of(2, 3);
    const grouped = {
      ...block!,
      groups: 2,
      columns: 2,
      columnNodes: Int32Array.of(0, 1),
      rowNodes,
    };
    expect(persistence({ ...graph, blocks: [grouped] }).blocks[0]).toEqual({
      persistence: 0.5,
      normalised: 0.5 / Math.sqrt(2),
      pairs: 2,
      mean: 0.25,
    });
  });
});

test("a block of zeros has no scale of its own, beside others it has one", () => {
  const graph = chainGraph([{ rows: [[0, 0]] }, { rows: [[3]] }]);
  expect(persistence(graph).blocks[0]!.normalised).toBe(1);
  const own = persistence(graph, { scale: "block" });
  expect(own.blocks[0]).toEqual({ persistence: null, normalised: null, pairs: 2, mean: null });
  expect(own.normalised).toBe(0);
  expect(persistence(ofRows([[0]])).normalised).toBeNull();
});

test("no block is no graph; options are checked", () => {
  thrownBy(() => persistence(chainGraph([])), "GRAPH_NO_EDGES");
  thrownBy(() => persistenceMeasure.run(rolledToy(), { p: 0.5 }), "USAGE_INVALID_OPTION");
  thrownBy(() => persistenceMeasure.run(rolledToy(), { scale: "layer" }), "USAGE_INVALID_OPTION");
  expect(persistenceMeasure.run(rolledToy()).summary).toMatchObject({
    parameters: { scale: "network", p: 2, essential: false },
    normalised: persistence(rolledToy()).normalised,
  });
});

/** Kruskal's algorithm on the sorted edges, with the plainest union (oracle). */
function naivePersistences(rows: Rows): number[] {
  const part = [...rows.map((_, i) => i), ...rows[0]!.map((_, j) => rows.length + j)];
  const edges = rows.flatMap((row, i) =>
    row.map((w, j) => ({ w: Math.abs(w), i, j: rows.length + j })),
  );
  const largest = Math.max(...edges.map(({ w }) => w));
  return edges
    .sort((a, b) => b.w - a.w)
    .flatMap(({ w, i, j }) => {
      const [from, to] = [part[i]!, part[j]!];
      if (from === to) return [];
      part.forEach((p, k) => p === from && (part[k] = to));
      return [1 - w / largest];
    });
}

const matrix = fc
  .tuple(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 8 }))
  .chain(([m, n]) =>
    fc.array(fc.array(fc.integer({ min: -9, max: 9 }), { minLength: n, maxLength: n }), {
      minLength: m,
      maxLength: m,
    }),
  )
  .filter((rows) => rows.flat().some((w) => w !== 0));

test("equals union-find on sorted edges (oracle); order, transposition, signs and scale change nothing", () => {
  fc.assert(
    fc.property(matrix, (rows) => {
      const found = persistence(ofRows(rows)).blocks[0]!;
      const expected = naivePersistences(rows);
      expect(found.pairs).toBe(expected.length);
      expect(found.persistence).toBeCloseTo(Math.hypot(...expected), 12);
      expect(found.normalised).toBeLessThanOrEqual(1);
      for (const other of [
        rows.toReversed(),
        rows[0]!.map((_, j) => rows.map((row) => -row[j]!)),
        rows.map((row) => row.map((w) => 4 * w)),
      ])
        expect(persistence(ofRows(other)).blocks[0]!.persistence).toBeCloseTo(
          found.persistence!,
          12,
        );
    }),
  );
});

interface Golden {
  readonly persistence: {
    readonly blocks: readonly { readonly persistence: number; readonly normalised: number }[];
    readonly normalised: number;
  };
}
const root = new URL("../../", import.meta.url);
const { models } = JSON.parse(
  readFileSync(new URL("fixtures/golden/spectral.json", root), "utf8"),
) as { models: Record<string, Golden> };

test.each(Object.entries(models))("%s: scipy's minimum spanning tree", async (path, golden) => {
  const file = new URL(path, root);
  if (!existsSync(file)) return;
  const { blocks, normalised } = persistence(await layeredGraph(await openModel(file.pathname)));
  expect(Math.abs(normalised! - golden.persistence.normalised)).toBeLessThan(1e-12);
  blocks.forEach((block, i) => {
    const expected = golden.persistence.blocks[i]!;
    expect(Math.abs(block.persistence! / expected.persistence - 1)).toBeLessThan(1e-12);
    expect(Math.abs(block.normalised! / expected.normalised - 1)).toBeLessThan(1e-12);
  });
});

/** graphology-metrics as a second opinion on eigenvector centrality, and why it is not enough on its own. */
import eigenvectorModule from "graphology-metrics/centrality/eigenvector.js";
import { expect, test } from "vitest";
import { eigenvectorCentrality } from "../../src/analysis/eigenvectorCentrality.ts";
import { toGraphology } from "../../src/export/toGraphology.ts";
import type { LayeredGraph } from "../../src/graph/layeredGraph.ts";
import { createRandom } from "../../src/random.ts";
import { kaimingNormal } from "../helpers/initialWeights.ts";
import { chainGraph, rolledToy } from "../helpers/methods.ts";

// Its types describe the compiled module, whose default export is what Node imports here.
const theirCentrality = eigenvectorModule as unknown as typeof eigenvectorModule.default;

function dense(scale: number): LayeredGraph {
  const random = createRandom(1);
  const rows = (count: number, columns: number): number[][] =>
    Array.from({ length: count }, () =>
      Array.from(kaimingNormal(1, columns, random), (weight) => weight * scale),
    );
  return chainGraph([{ rows: rows(32, 32) }, { rows: rows(10, 32) }]);
}

/** Largest difference between graphology's vector and ours. */
function difference(
  graph: LayeredGraph,
  settings: { maxIterations?: number; tolerance?: number },
): number {
  const exported = toGraphology(graph, { type: "undirected", weight: "absolute" });
  const theirs = theirCentrality(exported, { getEdgeWeight: "weight", ...settings });
  const ours = eigenvectorCentrality(graph).values;
  return Math.max(...Array.from(ours, (value, node) => Math.abs(value - theirs[node]!)));
}

test.each([
  { name: "the rolled toy network", graph: rolledToy(), maxIterations: 1000 },
  { name: "a dense network, lambda near 10", graph: dense(1), maxIterations: 500 },
])("agrees where graphology's converges: $name", ({ graph, maxIterations }) => {
  expect(difference(graph, { maxIterations, tolerance: 1e-10 })).toBeLessThan(1e-7);
});

test("graphology's iteration depends on the scale of the weights, ours does not", () => {
  const reference = eigenvectorCentrality(dense(1)).values;
  for (const scale of [2 ** -20, 2 ** 6]) {
    const { values } = eigenvectorCentrality(dense(scale));
    values.forEach((value, node) => expect(value).toBeCloseTo(reference[node]!, 12));
  }
  // (A + I) with large A cannot tell lambda from -lambda; with small A it hardly moves, and stops at the start.
  expect(() => difference(dense(2 ** 6), { maxIterations: 1000 })).toThrow("failed to converge");
  expect(difference(dense(2 ** -20), {})).toBeGreaterThan(0.01);
});

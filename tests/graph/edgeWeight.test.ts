import { expect, test } from "vitest";
import { coreNumber } from "../../src/analysis/coreNumber.ts";
import { eigenvectorCentrality } from "../../src/analysis/eigenvectorCentrality.ts";
import { hypercoreNumber } from "../../src/analysis/hypercoreNumber.ts";
import { nodeStrength } from "../../src/analysis/nodeStrength.ts";
import { weightedDegree } from "../../src/analysis/weightedDegree.ts";
import { weighEdges } from "../../src/graph/edgeWeight.ts";
import type { LayeredGraph } from "../../src/graph/layeredGraph.ts";
import { transformGraph } from "../../src/graph/transformGraph.ts";
import type { EdgeWeight } from "../../src/graph/weighting.ts";
import { thrownBy } from "../helpers/errors.ts";
import { chainGraph, rolledToy } from "../helpers/methods.ts";

// Two edges into one neuron, taps (3 -4) and (-6 -8): norms 5 and 10, sums -1 and -14, absolute sums 7 and 14.
const kernels = chainGraph([{ rows: [[3, -4, -6, -8]], taps: 2 }]);

test.each<{ edgeWeight: EdgeWeight; degrees: number[]; eigenvalue: number }>([
  { edgeWeight: "norm", degrees: [5, 10, 15], eigenvalue: Math.hypot(5, 10) },
  { edgeWeight: "sum", degrees: [1, 14, 15], eigenvalue: Math.hypot(1, 14) },
  { edgeWeight: "absoluteSum", degrees: [7, 14, 21], eigenvalue: Math.hypot(7, 14) },
])("$edgeWeight: degree, core and eigenvalue (hand)", ({ edgeWeight, degrees, eigenvalue }) => {
  const graph = weighEdges(kernels, edgeWeight);
  expect(graph.edgeWeight).toBe(edgeWeight);
  expect(Array.from(weightedDegree(graph).values)).toEqual(degrees);
  expect(eigenvectorCentrality(graph).eigenvalue / eigenvalue).toBeCloseTo(1, 12);
  // Of a star every arm's core number is its own weight, the centre's the largest of them.
  const [one, other] = degrees;
  expect(Array.from(coreNumber(graph).values)).toEqual([one, other, other]);
});

test.each<EdgeWeight>(["sum", "absoluteSum"])(
  "strength and hypercore numbers sum over taps by sign: %s changes neither",
  (edgeWeight) => {
    const [plain, weighed] = [rolledToy(), weighEdges(rolledToy(), edgeWeight)];
    for (const sign of ["positive", "negative", "absolute", "signed"] as const)
      expect(nodeStrength(weighed, { sign })).toEqual(nodeStrength(plain, { sign }));
    for (const sign of ["positive", "negative", "absolute"] as const)
      expect(hypercoreNumber(weighed, { sign })).toEqual(hypercoreNumber(plain, { sign }));
  },
);

test("blocks of one tap are shared, the graph itself where nothing changes", () => {
  const toy = rolledToy();
  expect(weighEdges(toy, "norm")).toBe(toy);
  expect(weighEdges(toy, "sum").blocks[2]).toBe(toy.blocks[2]);
});

test("a choice that is made stays", () => {
  const summed = weighEdges(kernels, "sum");
  expect(weighEdges(summed, "sum")).toBe(summed);
  const refused: [LayeredGraph, EdgeWeight][] = [
    [summed, "absoluteSum"],
    [transformGraph(kernels, ["absolute"]), "sum"],
    [kernels, "mean" as EdgeWeight],
  ];
  for (const [graph, edgeWeight] of refused)
    thrownBy(() => weighEdges(graph, edgeWeight), "USAGE_INVALID_OPTION");
});

test("an absolute sum beyond float64 is refused", () => {
  const huge = chainGraph([{ rows: [[1e308, -1e308, 1e308]], taps: 3 }]);
  const error = thrownBy(() => weighEdges(huge, "absoluteSum"), "GRAPH_WEIGHT_RANGE");
  expect(error.path).toEqual(["block0"]);
});

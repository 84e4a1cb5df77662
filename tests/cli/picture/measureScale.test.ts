import { describe, expect, test } from "vitest";
import { palettes } from "../../../cli/picture/colours.ts";
import { colourOf, measureScale, sizeOf } from "../../../cli/picture/measureScale.ts";
import {
  graphFromMatrix,
  reduceGraph,
  viewEpoch,
  viewStructure,
  type ViewEpoch,
} from "../../../src/index.ts";

const graph = graphFromMatrix({ blocks: [{ from: "a", to: "b", weights: [[1, 2]] }] });
const structure = viewStructure(graph);

function epochOf(...values: (number | null)[]): ViewEpoch {
  const measures = [{ id: "m", title: "M", values, problem: null }];
  return viewEpoch(graph, 0, { measures, reduced: reduceGraph(graph) });
}

describe("measureScale", () => {
  test.each([
    { name: "over the graph", range: "graph", values: [0, 5, 10], places: [0, 0.5, 1] },
    { name: "over each layer", range: "layer", values: [0, 5, 10], places: [0, 1, 0.5] },
    {
      name: "signed: zero in the middle",
      range: "graph",
      values: [-2, 0, 4],
      places: [0.25, 0.5, 1],
    },
    { name: "all equal", range: "graph", values: [3, 3, 3], places: [0.5, 0.5, 0.5] },
    { name: "not covered", range: "graph", values: [1, null, 2], places: [0, null, 1] },
    {
      name: "nothing covered",
      range: "graph",
      values: [null, null, null],
      places: [null, null, null],
    },
  ] as const)("$name (hand)", ({ range, values, places }) => {
    const scale = measureScale(structure, epochOf(...values), { id: "m", range });
    expect(values.map((_, node) => scale?.place(node))).toEqual(places);
  });

  test("a measure that the epoch lacks has no scale; its nodes are drawn plainly", () => {
    expect(measureScale(structure, epochOf(1, 2, 3), { id: "other", range: "graph" })).toBeNull();
    expect(colourOf(null, 0, "dark")).toEqual(palettes.dark.absent);
    expect(sizeOf(null, 0)).toBe(0.8);
  });

  test("of a signed measure, the strong of either sign are large", () => {
    const scale = measureScale(structure, epochOf(-4, 0, 4), { id: "m", range: "graph" });
    expect([0, 1, 2].map((node) => sizeOf(scale, node))).toEqual([1, 0.35, 1]);
    expect(colourOf(scale, 0, "light")).toEqual(palettes.light.diverging[0]);
    expect(colourOf(scale, 2, "light")).toEqual(palettes.light.diverging.at(-1));
  });
});

import { describe, expect, test } from "vitest";
import { forEachUnrolledEdge, unrolledGraph } from "../../src/graph/unrolledGraph.ts";
import { unrolledSize } from "../../src/graph/unrolledSize.ts";
import type { GeometryStep } from "../../src/model/geometry.ts";
import type { Model } from "../../src/model/model.ts";
import { thrownBy } from "../helpers/errors.ts";
import { geometryModel, kernelLayout, windowOf } from "../helpers/unrolled.ts";

const fc = {
  name: "fc",
  values: new Float64Array(12).fill(1),
  layout: kernelLayout(1, 6, 2),
};

describe("units that become a map", () => {
  const vector: GeometryStep = { op: "input", name: "x", channels: 2, positions: [] };
  const made = (of: number, given: object = {}): GeometryStep => ({
    op: "unflatten",
    name: "map",
    of,
    channels: 2,
    positions: [3],
    order: "channels first",
    ...given,
  });
  const conv = {
    name: "conv",
    kind: "conv" as const,
    values: new Float64Array(4).fill(1),
    layout: kernelLayout(1, 1, 2, [2]),
  };
  const units: GeometryStep = { op: "connect", layer: 0, of: 0, window: null };
  const last = (of: number): GeometryStep => ({
    op: "connect",
    layer: 1,
    of,
    window: windowOf([2]),
  });
  const modelOf = (steps: readonly GeometryStep[]): Model =>
    geometryModel([fc, conv], [vector, units, ...steps]);
  const firstNodes = async (...steps: GeometryStep[]): Promise<number[]> => {
    const graph = await unrolledGraph(modelOf(steps));
    expect(graph.layers.map(({ name, size }) => `${name}:${size}`)).toEqual([
      "x:2",
      "map:6",
      "conv:2",
    ]);
    const nodes: number[] = [];
    forEachUnrolledEdge(graph, (from, to) => from === 0 && nodes.push(to));
    return nodes;
  };

  test.each([
    { given: {}, nodes: [2, 3, 4, 5, 6, 7] },
    { given: { order: "positions first" }, nodes: [2, 5, 3, 6, 4, 7] },
    { given: { channels: null }, nodes: [2, 3, 4, 5, 6, 7] },
    { given: { positions: [null], order: "positions first" }, nodes: [2, 5, 3, 6, 4, 7] },
  ])("are its positions: $given (hand)", async ({ given, nodes }) => {
    expect(await firstNodes(made(1, given), last(2))).toEqual(nodes);
  });

  test("a sum of the units with themselves changes nothing of that", async () => {
    const itself: GeometryStep = { op: "sum", of: [1, 1] };
    expect(await firstNodes(made(1), itself, last(2))).toEqual([2, 3, 4, 5, 6, 7]);
  });

  test("what is added to the units, before or after, is the same positions (hand)", () => {
    const more: GeometryStep = { op: "connect", layer: 0, of: 0, window: null };
    const added = (other: number): GeometryStep => ({ op: "sum", of: [1, other] });
    for (const steps of [
      [more, added(2), made(3), last(4)],
      [made(1), more, added(3), last(2)],
    ]) {
      expect(unrolledSize(modelOf(steps))).toMatchObject({ nodes: 2 + 6 + 2, edges: 24 + 8 });
    }
  });

  test.each<{ name: string; steps: GeometryStep[] }>([
    { name: "other sizes", steps: [made(1, { positions: [4] }), last(2)] },
    { name: "two open sizes", steps: [made(1, { channels: null, positions: [null] }), last(2)] },
    { name: "no whole size", steps: [made(1, { channels: 4, positions: [null] }), last(2)] },
    { name: "units that are two maps", steps: [made(1), made(1), last(3)] },
    {
      name: "a sum of units of two maps",
      steps: [units, made(1), made(2), { op: "sum", of: [1, 2] }, made(5), last(6)],
    },
    { name: "a map", steps: [made(1), made(2), last(3)] },
  ])("are refused where they do not fit: $name", ({ steps }) => {
    thrownBy(() => unrolledSize(modelOf(steps)), "GRAPH_POSITIONS_UNKNOWN");
  });
});

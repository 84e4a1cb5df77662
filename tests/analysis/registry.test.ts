import { describe, expect, test } from "vitest";
import type { ParameterValues } from "../../src/analysis/measure.ts";
import { measureById, measures } from "../../src/analysis/registry.ts";
import { chainGraph, rolledToy } from "../helpers/methods.ts";
import { thrownBy } from "../helpers/errors.ts";

const names = measures.map(({ id }) => id);

describe.each(measures)("$id", (measure) => {
  const toy = rolledToy();
  test("runs with its defaults; the answer is JSON", () => {
    const { summary, nodes } = measure.run(toy);
    expect(nodes).toHaveLength(toy.nodeCount);
    expect(JSON.parse(JSON.stringify({ summary, nodes }))).toEqual({ summary, nodes });
    expect(Object.keys(summary.parameters)).toEqual(measure.parameters.map(({ name }) => name));
    expect(summary.summary?.count).toBe(nodes.filter((value) => value !== null).length);
  });

  test("defaults said aloud change nothing", () => {
    const aloud = Object.fromEntries(measure.parameters.map((p) => [p.name, p.default]));
    expect(measure.run(toy, aloud)).toEqual(measure.run(toy));
  });

  test("runs with every choice", () => {
    for (const parameter of measure.parameters) {
      if (parameter.kind !== "choice") continue;
      expect(parameter.choices).toContain(parameter.default);
      for (const choice of parameter.choices) {
        const { summary } = measure.run(toy, { [parameter.name]: choice });
        expect(summary.parameters[parameter.name]).toBe(choice);
      }
    }
  });

  test("relabelling hidden neurons permutes their values and leaves the others alone", () => {
    const [first, second] = [
      [
        [5, 1, 0],
        [-2, 4, 1],
        [3, 0, -7],
        [0, 2, 2],
      ],
      [
        [1, 2, -3, 4],
        [0, -5, 6, 1],
      ],
    ];
    const order = [2, 0, 3, 1];
    const plain = measure.run(chainGraph([{ rows: first }, { rows: second }])).nodes;
    const relabelled = measure.run(
      chainGraph([
        { rows: order.map((row) => first[row]!) },
        { rows: second.map((row) => order.map((column) => row[column]!)) },
      ]),
    ).nodes;
    const expected = [0, 1, 2, ...order.map((node) => 3 + node), 7, 8].map((node) => plain[node]!);
    relabelled.forEach((value, node) => {
      if (value === null) expect(value).toBe(expected[node]);
      else expect(value).toBeCloseTo(expected[node]!, 12);
    });
  });

  test("refuses parameters that it does not have, and graphs without edges", () => {
    thrownBy(() => measure.run(toy, { colour: "red" }), "USAGE_INVALID_OPTION");
    thrownBy(() => measure.run(chainGraph([])), "GRAPH_NO_EDGES");
  });
});

test.each<{ id: string; parameters: ParameterValues }>([
  { id: "strength", parameters: { sign: "unsigned" } },
  { id: "strength", parameters: { direction: true } },
  { id: "hypercore", parameters: { sign: "signed" } },
  { id: "hypercore", parameters: { l: 0 } },
  { id: "hypercore", parameters: { l: 2.5 } },
  { id: "hypercore", parameters: { l: null } },
  { id: "hypercore", parameters: { t: 1.1 } },
  { id: "hypercore", parameters: { t: "half" } },
  { id: "hypercore", parameters: { unweighted: "yes" } },
])("$id refuses $parameters", ({ id, parameters }) => {
  const error = thrownBy(
    () => measureById(id).run(rolledToy(), parameters),
    "USAGE_INVALID_OPTION",
  );
  expect(error.path).toEqual(Object.keys(parameters));
});

test("ids are unique, an unknown one is named with those that exist", () => {
  expect(new Set(names).size).toBe(names.length);
  const error = thrownBy(() => measureById("betweenness"), "USAGE_UNKNOWN_MEASURE");
  for (const name of names) expect(error.hint).toContain(name);
});

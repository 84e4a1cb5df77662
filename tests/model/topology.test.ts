import { expect, test } from "vitest";
import { topologyBuilder } from "../../src/model/topology.ts";
import { weightLayout } from "../../src/tensor/layout.ts";

test("a residual sum merges two layers into one", () => {
  const builder = topologyBuilder();
  const input = builder.addLayer("input", 2, "input");
  const stem = builder.addLayer("stem", 3, "hidden");
  const branch = builder.addLayer("branch", 3, "hidden");
  const layout = weightLayout([3, 2], ["out", "in"]);
  builder.connect({ layer: 0, from: input, to: stem, layout, recurrent: false });
  const square = weightLayout([3, 3], ["out", "in"]);
  builder.connect({ layer: 1, from: stem, to: branch, layout: square, recurrent: false });
  builder.merge(stem, branch);
  const topology = builder.build("declared");
  expect(topology.layers.map(({ name, size }) => [name, size])).toEqual([
    ["input", 2],
    ["stem", 3],
  ]);
  expect(Array.from(topology.wires[1]!.to)).toEqual([2, 3, 4]);
});

test("a sum with a concatenation dissolves the summand into both parts", () => {
  const builder = topologyBuilder();
  const a = builder.addLayer("a", 1, "input");
  const b = builder.addLayer("b", 2, "input");
  const c = builder.addLayer("c", 3, "hidden");
  builder.merge(Int32Array.of(...a, ...b), c);
  expect(builder.build("declared").layers.map((layer) => layer.name)).toEqual(["a", "b"]);
});

test("a wire that does not fit is refused", () => {
  const builder = topologyBuilder();
  const a = builder.addLayer("a", 2, "input");
  const layout = weightLayout([3, 2], ["out", "in"]);
  expect(() => builder.connect({ layer: 0, from: a, to: a, layout, recurrent: false })).toThrow(
    /cannot connect/,
  );
});

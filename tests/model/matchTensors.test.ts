import { describe, expect, test } from "vitest";
import { matchTensors } from "../../src/model/matchTensors.ts";
import { weightLayout } from "../../src/tensor/layout.ts";
import { memoryModel } from "../helpers/memoryModel.ts";

/** [out, in]: two neurons receive from three. */
const torch = memoryModel([
  {
    name: "fc",
    values: Float32Array.of(1, 2, 3, 4, 5, 6),
    layout: weightLayout([2, 3], ["out", "in"]),
  },
]);
/** The same weights as [in, out]. */
const keras = memoryModel([
  {
    name: "dense",
    values: Float32Array.of(10, 40, 20, 50, 30, 60),
    layout: weightLayout([3, 2], ["in", "out"]),
  },
]);

test("layers in order, turned from one layout into the other", async () => {
  const [match] = matchTensors(torch, keras, { by: "order" });
  expect(match).toMatchObject({ tensor: { name: "fc.weight" }, from: { name: "dense.weight" } });
  expect(Array.from(await match!.read())).toEqual([10, 20, 30, 40, 50, 60]);
  const [back] = matchTensors(keras, torch, { by: "order" });
  expect(Array.from(await back!.read())).toEqual([1, 4, 2, 5, 3, 6]);
});

describe("refuses", () => {
  const wide = memoryModel([
    { name: "fc", values: new Float32Array(8), layout: weightLayout([2, 4], ["out", "in"]) },
  ]);
  test.each([
    { what: "no common name", other: keras, options: {}, code: "USAGE_INVALID_OPTION" },
    {
      what: "a tensor without partner",
      other: torch,
      options: { tensors: ["none"] },
      code: "USAGE_INVALID_OPTION",
    },
    { what: "another shape", other: wide, options: {}, code: "SHAPE_MISMATCH" },
    {
      what: "another number of layers",
      other: memoryModel([]),
      options: { by: "order" as const },
      code: "SHAPE_MISMATCH",
    },
  ])("$what", ({ other, options, code }) => {
    expect(() => matchTensors(torch, other, options)).toThrow(
      expect.objectContaining({ code }) as Error,
    );
  });
});

import { expect, test } from "vitest";
import { inOrder } from "../../src/formats/storedOrder.ts";
import { weightLayout, type AxisRole } from "../../src/tensor/layout.ts";
import { memoryModel } from "../helpers/memoryModel.ts";

interface Case {
  readonly name: string;
  readonly shape: readonly number[];
  readonly roles: readonly AxisRole[];
  /** Values are 0, 1, 2, … in stored order. */
  readonly torch: readonly [readonly number[], readonly number[]];
  readonly keras: readonly [readonly number[], readonly number[]];
}

/** By hand. */
const cases: readonly Case[] = [
  {
    name: "dense [in, out]",
    shape: [3, 2],
    roles: ["in", "out"],
    torch: [
      [2, 3],
      [0, 2, 4, 1, 3, 5],
    ],
    keras: [
      [3, 2],
      [0, 1, 2, 3, 4, 5],
    ],
  },
  {
    name: "a square [out, in]",
    shape: [2, 2],
    roles: ["out", "in"],
    torch: [
      [2, 2],
      [0, 1, 2, 3],
    ],
    keras: [
      [2, 2],
      [0, 2, 1, 3],
    ],
  },
  {
    name: "conv [k, in, out]",
    shape: [2, 1, 2],
    roles: ["tap", "in", "out"],
    torch: [
      [2, 1, 2],
      [0, 2, 1, 3],
    ],
    keras: [
      [2, 1, 2],
      [0, 1, 2, 3],
    ],
  },
  {
    name: "depthwise [k, channels, multiplier]",
    shape: [2, 2, 1],
    roles: ["tap", "group", "out"],
    torch: [
      [2, 1, 2],
      [0, 2, 1, 3],
    ],
    keras: [
      [2, 2, 1],
      [0, 1, 2, 3],
    ],
  },
];

test.each(cases)("$name", async ({ shape, roles, ...wanted }) => {
  const layout = weightLayout(shape, roles);
  const count = shape.reduce((product, size) => product * size, 1);
  const values = Float32Array.from({ length: count }, (_, i) => i);
  const model = memoryModel([{ name: "layer", values, layout }]);
  for (const order of ["torch", "keras"] as const) {
    const [tensor] = inOrder(model, order).model.tensors;
    expect([tensor!.shape, [...(await tensor!.read())]], order).toEqual(wanted[order]);
  }
});

test("an embedding stays as it is", () => {
  const layout = weightLayout([3, 2], ["in", "out"]);
  const model = memoryModel([
    { name: "e", kind: "embedding", values: new Float32Array(6), layout },
  ]);
  expect(inOrder(model, "torch")).toEqual({ model, warnings: [] });
});

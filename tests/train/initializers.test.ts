import { describe, expect, test } from "vitest";
import { createRandom } from "../../src/random.ts";
import { elementCount } from "../../src/tensor/shape.ts";
import { initializers } from "../../src/train/initializers/initializers.ts";
import type { ParameterPlan } from "../../src/train/layers/layer.ts";

const weight = (shape: readonly number[], fanIn: number, fanOut: number): ParameterPlan => ({
  name: "0.weight",
  role: "weight",
  shape,
  fanIn,
  fanOut,
});

function draw(name: string, parameter: ParameterPlan, seed = 1): Float64Array {
  const values = new Float64Array(elementCount(parameter.shape));
  const { fill } = initializers.get(name);
  fill(values, parameter, createRandom(seed));
  return values;
}

/** Bounds by the papers; the variance of a uniform law is bound² / 3, met here within 3 % by 60,000 draws. */
test.each([
  { name: "torchDefault", bound: 1 / Math.sqrt(150) },
  { name: "kaimingUniform", bound: Math.sqrt(6 / 150) },
  { name: "xavierUniform", bound: Math.sqrt(6 / (150 + 400)) },
])("$name is uniform within its bound", ({ name, bound }) => {
  const values = draw(name, weight([400, 6, 5, 5], 150, 400));
  const most = values.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  const variance = values.reduce((sum, value) => sum + value ** 2, 0) / values.length;
  expect(most).toBeLessThanOrEqual(bound);
  expect(most).toBeGreaterThan(0.999 * bound);
  expect(Math.abs((3 * variance) / bound ** 2 - 1)).toBeLessThan(0.03);
});

describe("orthogonal", () => {
  test.each([
    { name: "wide", shape: [7, 3, 2, 2], rows: 7, columns: 12 },
    { name: "tall", shape: [12, 7], rows: 12, columns: 7 },
    { name: "square", shape: [9, 9], rows: 9, columns: 9 },
  ])("gives orthonormal vectors: $name", ({ shape, rows, columns }) => {
    const values = draw("orthogonal", weight(shape, columns, rows));
    const isWide = rows <= columns;
    const count = Math.min(rows, columns);
    const at = (vector: number, i: number): number =>
      values[isWide ? vector * columns + i : i * columns + vector]!;
    for (let a = 0; a < count; a++) {
      for (let b = 0; b <= a; b++) {
        let product = 0;
        for (let i = 0; i < Math.max(rows, columns); i++) product += at(a, i) * at(b, i);
        expect(product).toBeCloseTo(a === b ? 1 : 0, 12);
      }
    }
  });
});

test.each(initializers.all().map(({ name }) => ({ name })))(
  "$name draws the same from the same seed, other numbers from another",
  ({ name }) => {
    const parameter = weight([4, 5], 5, 4);
    expect(draw(name, parameter)).toEqual(draw(name, parameter));
    expect(draw(name, parameter, 2)).not.toEqual(draw(name, parameter));
  },
);

test("biases start at zero, but for PyTorch's own rule", () => {
  const bias: ParameterPlan = { ...weight([8], 5, 8), role: "bias" };
  for (const { name } of initializers.all()) {
    const isZero = draw(name, bias).every((value) => value === 0);
    expect(isZero).toBe(name !== "torchDefault");
  }
});

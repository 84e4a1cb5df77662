import { expect, test } from "vitest";
import { edgeWeights, signedWeightAt, signedWeights } from "../../src/graph/block.ts";
import type { Block } from "../../src/graph/layeredGraph.ts";
import { readCollapsed, readWeights } from "../../src/graph/readBlock.ts";
import type { StoredTensor } from "../../src/model/model.ts";
import { weightLayout } from "../../src/tensor/layout.ts";

function stored(values: Float32Array | Float64Array, shape: readonly number[]): StoredTensor {
  const dtype = values instanceof Float32Array ? "float32" : "float64";
  return { name: "w", dtype, shape, role: "weight", read: async () => values };
}

const nodes = { rowNodes: Int32Array.of(2, 3), columnNodes: Int32Array.of(0, 1) };

test.each([
  ["moderate", 1],
  ["squares that overflow", 1e200],
  ["squares that vanish", 1e-200],
])("collapsed taps are those of the raw block (oracle): %s", async (_, scale) => {
  // [kernel 3, in 2, out 2]
  const values = Float64Array.of(1, -2, 0, 4, 3, 0, 0, -5, -2, 2, 0, 1).map((w) => w * scale);
  const layout = weightLayout([3, 2, 2], ["tap", "in", "out"]);
  const collapsed = await readCollapsed({ tensor: stored(values, [3, 2, 2]), layout, path: [] });
  const shape = { name: "b", rows: 2, columns: 2, groups: 1, taps: 3, ...nodes };
  const own: Block = { ...shape, weights: null, collapsed };
  // By hand, [out, in, tap]: edges (1 3 -2) (0 0 0) (-2 0 2) (4 -5 1).
  const raw: Block = {
    ...shape,
    weights: Float64Array.of(1, 3, -2, 0, 0, 0, -2, 0, 2, 4, -5, 1).map((w) => w * scale),
  };
  for (const reduction of ["norm", "sum", "absoluteSum", "positiveSum", "negativeSum"] as const) {
    const expected = edgeWeights(raw, reduction);
    edgeWeights(own, reduction).forEach((weight, edge) => {
      expect(Math.abs(weight - expected[edge]!)).toBeLessThanOrEqual(1e-15 * 10 * scale);
    });
  }
  // The last two sum to nothing: no sign.
  expect(Array.from(signedWeights(own), Math.sign)).toEqual([1, 0, 1, 1]);
  expect(signedWeightAt(own, 0) / scale).toBeCloseTo(Math.sqrt(14), 12);
  expect(signedWeightAt(raw, 3)).toBe(signedWeightAt(own, 3));
});

test("a weight that is not finite is named by its place in the stored tensor", async () => {
  const layout = weightLayout([2, 2], ["out", "in"]);
  const tensor = stored(Float32Array.of(1, 2, Infinity, 4), [2, 2]);
  const reading = { tensor, layout, path: ["m", "w"] };
  for (const read of [
    () => readWeights(reading, new Float32Array(4)),
    () => readCollapsed(reading),
  ]) {
    await expect(read()).rejects.toMatchObject({
      code: "WEIGHTS_NOT_FINITE",
      message: "element 2 is Infinity",
      path: ["m", "w"],
    });
  }
});

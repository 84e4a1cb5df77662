/** Updates against the operations' own definitions in float64. */
import { describe, expect, test } from "vitest";
import { adamUpdateOperation } from "../../src/train/ops/adamUpdate.ts";
import { sgdUpdateOperation } from "../../src/train/ops/sgdUpdate.ts";
import type { Operation, Tensor } from "../../src/train/ir.ts";
import { drawFrom, relativeGap, withKernels } from "./workbench.ts";

const cases = [
  { kernel: "sgdUpdate", operation: sgdUpdateOperation, settings: [0.1, 0.9, 0.8, 0.01, 1] },
  { kernel: "sgdUpdate", operation: sgdUpdateOperation, settings: [0.1, 0, 1, 0, 0] },
  {
    kernel: "adamUpdate",
    operation: adamUpdateOperation,
    settings: [0.01, 0.9, 0.1, 0.999, 0.001, 0.03, 1e-8, 0.01],
  },
] as const;

describe.each(cases)("$kernel, $settings", ({ kernel, operation, settings }) => {
  test.each([1, 2, 3, 4, 5, 11])("%d parameters, and none beyond", async (count) => {
    await withKernels(({ kernels, put, floats }) => {
      const parameter = drawFrom(1, count);
      const gradient = drawFrom(2, count);
      const memory = drawFrom(3, count);
      const square = drawFrom(4, count).map(Math.abs);
      const given =
        kernel === "adamUpdate"
          ? [parameter, gradient, memory, square]
          : [parameter, gradient, memory];
      const wanted = evaluate(operation, [...given, Float32Array.from(settings)]);
      const addresses = given.map((values) => put(values));
      const [w, g, m, s] = addresses as [number, number, number, number];
      if (kernel === "adamUpdate") kernels.adamUpdate(w, g, m, s, put(settings), count);
      else kernels.sgdUpdate(w, g, m, put(settings), count);
      addresses.forEach((address, i) => {
        // a handful of float32 roundings
        expect(relativeGap(floats(address, count), wanted[i]!)).toBeLessThan(1e-6);
        expect(floats(address + count * 4, 1)[0]).toBeNaN();
      });
    });
  });
});

/** Runs the definition in float64 and returns what its inputs have become. */
function evaluate(operation: Operation, values: readonly Float32Array[]): Float64Array[] {
  const buffers = values.map((each) => Float64Array.from(each));
  const inputs = values.map(({ length }, i): Tensor => ({
    id: i,
    storage: i,
    name: "",
    origin: "state",
    shape: [1, length],
    kind: "real",
  }));
  operation.evaluate({ operation, inputs, outputs: [], attributes: {} }, buffers, []);
  return buffers;
}

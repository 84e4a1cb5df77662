import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { layerColumns } from "../../src/export/layerColumns.ts";

const sized = (...sizes: number[]): { size: number }[] => sizes.map((size) => ({ size }));

describe("layerColumns", () => {
  test("a square number of nodes lies as the image that it may be", () => {
    const { x, y } = layerColumns(sized(784, 10));
    expect(x[28]).toBe(x[0]);
    expect(y[27]).toBe(y[0]);
    expect(x[1]! - x[0]!).toBeCloseTo(y[28]! - y[0]!, 9);
    expect(y[783]).toBe(y[756]);
  });

  test("a small layer is one column, in node order from top to bottom", () => {
    const { x, y } = layerColumns(sized(4, 3));
    expect(new Set(x.slice(0, 4)).size).toBe(1);
    expect(y.slice(0, 4)).toEqual(y.slice(0, 4).sort((a, b) => a - b));
  });

  test("layers stand from left to right inside the box, and no two nodes touch", () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(sizes, (all) => {
        const { x, y, radius, width, height, columns } = layerColumns(sized(...all));
        let node = 0;
        columns.forEach(({ left, right, top, bottom }, i) => {
          if (i > 0) expect(left).toBeGreaterThan(columns[i - 1]!.right);
          for (const last = node + all[i]!; node < last; node++) {
            expect(x[node]! - radius[node]!).toBeGreaterThanOrEqual(left - 1e-6);
            expect(x[node]! + radius[node]!).toBeLessThanOrEqual(right + 1e-6);
            expect(y[node]! - radius[node]!).toBeGreaterThanOrEqual(top - 1e-6);
            expect(y[node]! + radius[node]!).toBeLessThanOrEqual(bottom + 1e-6);
            const apart = Math.hypot(
              x[node]! - (x[node - 1] ?? -1e9),
              y[node]! - (y[node - 1] ?? 0),
            );
            expect(apart).toBeGreaterThan(2 * radius[node]!);
          }
        });
        expect(columns.at(-1)!.right).toBeLessThanOrEqual(width + 1e-6);
        expect(Math.max(...columns.map(({ bottom }) => bottom))).toBeLessThanOrEqual(height + 1e-6);
      }),
      { numRuns: 60 },
    );
  });

  test("a wide network of large layers still leaves room between them", () => {
    const layers = sized(...Array.from({ length: 50 }, (_, i) => 64 * 2 ** Math.floor(i / 12)));
    const { columns } = layerColumns(layers);
    const nodes = columns.reduce((sum, { left, right }) => sum + right - left, 0);
    expect(nodes).toBeLessThan(columns.at(-1)!.right);
  });
});

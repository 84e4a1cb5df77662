/** Max-pooling against the definition, window by window. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createRandom } from "../../src/random.ts";
import { workbench } from "./workbench.ts";

const axis = fc
  .record({
    size: fc.integer({ min: 1, max: 8 }),
    window: fc.integer({ min: 1, max: 4 }),
    stride: fc.integer({ min: 1, max: 4 }),
    padding: fc.integer({ min: 0, max: 2 }),
  })
  .filter(({ size, window, padding }) => 2 * padding <= window && size + 2 * padding >= window)
  .map((given) => ({
    ...given,
    outputs: Math.floor((given.size + 2 * given.padding - given.window) / given.stride) + 1,
  }));

test("maxPool finds the first maximum of each window; its gradient goes back there", async () => {
  const bench = await workbench(2 ** 24);
  fc.assert(
    fc.property(axis, axis, fc.integer({ min: 1, max: 3 }), fc.nat(), (y, x, planes, seed) => {
      const random = createRandom(seed);
      // few distinct values, so that windows hold equal ones, and now and then a NaN
      const drawOne = (): number => (random.uniform() < 0.02 ? NaN : random.integer(5) - 2);
      const image = Float32Array.from({ length: planes * y.size * x.size * 8 }, drawOne);
      const count = planes * y.outputs * x.outputs * 8;
      const gradient = Float32Array.from({ length: count }, () => random.integer(9) - 4);
      const wanted = { y: new Float32Array(count), index: new Int32Array(count) };
      const wantedGradient = new Float32Array(image.length);
      for (let at = 0; at < count; at++) {
        const lane = at % 8;
        const place = Math.floor(at / 8);
        const ox = place % x.outputs;
        const oy = Math.floor(place / x.outputs) % y.outputs;
        const plane = Math.floor(place / x.outputs / y.outputs) * y.size * x.size;
        let best = -1;
        for (const iy of inside(oy, y)) {
          for (const ix of inside(ox, x)) {
            const here = iy * x.size + ix;
            const value = image[(plane + here) * 8 + lane]!;
            const wins = best < 0 || value > image[(plane + best) * 8 + lane]!;
            if (wins || Number.isNaN(value)) best = here;
          }
        }
        wanted.y[at] = image[(plane + best) * 8 + lane]!;
        wanted.index[at] = best;
        wantedGradient[(plane + best) * 8 + lane]! += gradient[at]!;
      }
      const to = bench.space(count);
      const index = bench.space(count);
      bench.kernels.maxPool(
        to,
        index,
        bench.put(image),
        planes,
        y.size,
        x.size,
        y.outputs,
        x.outputs,
        y.window,
        x.window,
        y.stride,
        x.stride,
        y.padding,
        x.padding,
      );
      expect(bench.floats(to, count)).toEqual(wanted.y);
      expect(bench.integers(index, count)).toEqual(wanted.index);
      const dx = bench.space(image.length);
      const places = y.outputs * x.outputs;
      const planeSize = y.size * x.size;
      bench.kernels.maxPoolGradient(dx, bench.put(gradient), index, planes, planeSize, places);
      expect(bench.floats(dx, image.length)).toEqual(wantedGradient);
    }),
    { numRuns: 100 },
  );
  bench.release();
});

interface Axis {
  readonly size: number;
  readonly window: number;
  readonly stride: number;
  readonly padding: number;
}

function inside(output: number, { size, window, stride, padding }: Axis): number[] {
  const start = output * stride - padding;
  return Array.from({ length: window }, (_, i) => start + i).filter((at) => at >= 0 && at < size);
}

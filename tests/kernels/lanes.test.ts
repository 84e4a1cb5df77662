import * as fc from "fast-check";
import { expect, test } from "vitest";
import { drawFrom, fromLanes, inLanes, withKernels } from "./workbench.ts";

const extent = fc.integer({ min: 1, max: 19 });

test("toLanes puts eight images side by side and zeros beyond the batch; fromLanes undoes it", async () => {
  await withKernels((bench) => {
    fc.assert(
      fc.property(extent, extent, (batch, features) => {
        const plain = drawFrom(batch, batch * features);
        const wanted = inLanes(plain, batch, features);
        const lanes = bench.space(wanted.length);
        bench.kernels.toLanes(lanes, bench.put(plain), batch, features);
        expect(bench.floats(lanes, wanted.length)).toEqual(wanted);
        const back = bench.space(plain.length);
        bench.kernels.fromLanes(back, lanes, batch, features);
        expect(bench.floats(back, plain.length)).toEqual(plain);
        expect(fromLanes(wanted, batch, features)).toEqual([...plain]);
      }),
      { numRuns: 50 },
    );
  });
});

test("integers pass as bits, those that would be NaN as floats too", async () => {
  await withKernels(({ kernels, putIntegers, space, integers }) => {
    const labels = [0x7fa00001, -1, 0, 7, 2 ** 30];
    const lanes = space(8);
    const back = space(5);
    kernels.toLanes(lanes, putIntegers(labels), 5, 1);
    kernels.fromLanes(back, lanes, 5, 1);
    expect([...integers(back, 5)]).toEqual(labels);
  });
});

test.each([
  { batch: 8, features: 3 },
  { batch: 5, features: 3 },
  { batch: 17, features: 1 },
])(
  "clearPadding zeroes what lies beyond $batch images of $features",
  async ({ batch, features }) => {
    await withKernels(({ kernels, put, floats }) => {
      const count = Math.ceil(batch / 8) * features * 8;
      const ones = new Float32Array(count).fill(1);
      const at = put(ones);
      kernels.clearPadding(at, batch, features);
      expect(floats(at, count)).toEqual(
        inLanes(ones.subarray(0, batch * features), batch, features),
      );
    });
  },
);

test("padPlanes frames each plane", async () => {
  await withKernels(({ kernels, put, floats }) => {
    const [planes, height, width, top, left] = [2, 2, 3, 1, 2];
    const [tall, wide] = [height + 2 * top, width + 2 * left];
    const from = drawFrom(3, planes * height * width * 8);
    const to = put(new Float32Array(planes * tall * wide * 8));
    kernels.padPlanes(to, put(from), planes, height, width, tall, wide, top, left);
    const got = floats(to, planes * tall * wide * 8);
    for (let at = 0; at < got.length; at++) {
      const pixel = Math.floor(at / 8);
      const x = (pixel % wide) - left;
      const y = (Math.floor(pixel / wide) % tall) - top;
      const plane = Math.floor(pixel / wide / tall);
      const inside = x >= 0 && x < width && y >= 0 && y < height;
      const source = ((plane * height + y) * width + x) * 8 + (at % 8);
      expect(got[at]).toBe(inside ? from[source] : 0);
    }
  });
});

test("packTiles gathers any strides into tiles of four rows", async () => {
  await withKernels((bench) => {
    fc.assert(
      fc.property(
        extent,
        extent,
        extent,
        fc.integer({ min: 0, max: 2 }),
        (rows, outer, inner, order) => {
          const strides = [
            [outer * inner, inner, 1],
            [inner, rows * inner, 1],
            [1, rows, rows * outer],
          ][order] as [number, number, number];
          const source = drawFrom(rows, rows * outer * inner);
          const count = Math.ceil(rows / 4) * 4 * outer * inner;
          const to = bench.space(count);
          bench.kernels.packTiles(to, bench.put(source), rows, outer, inner, ...strides);
          const wanted = new Float32Array(count);
          for (let row = 0; row < rows; row++) {
            for (let tap = 0; tap < outer * inner; tap++) {
              const [o, i] = [Math.floor(tap / inner), tap % inner];
              const at = (Math.floor(row / 4) * outer * inner + tap) * 4 + (row % 4);
              wanted[at] = source[row * strides[0] + o * strides[1] + i * strides[2]]!;
            }
          }
          expect(bench.floats(to, count)).toEqual(wanted);
        },
      ),
      { numRuns: 40 },
    );
  });
});

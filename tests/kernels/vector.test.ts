import { expect, test } from "vitest";
import { drawFrom, inLanes, relativeGap, withKernels } from "./workbench.ts";

test.each([1, 3, 4, 5, 17])("add and multiply take %d elements", async (count) => {
  await withKernels(({ kernels, put, space, floats }) => {
    const a = drawFrom(1, count);
    const b = drawFrom(2, count);
    const to = space(count + 4);
    kernels.add(to, put(a), put(b), count);
    expect(floats(to, count)).toEqual(a.map((each, i) => each + b[i]!));
    kernels.multiply(to, put(a), put(b), count);
    expect(floats(to, count)).toEqual(a.map((each, i) => each * b[i]!));
  });
});

test("fill writes a constant", async () => {
  await withKernels(({ kernels, space, floats }) => {
    const to = space(8);
    kernels.fill(to, 0.1, 5);
    expect(floats(to, 5)).toEqual(new Float32Array(5).fill(0.1));
  });
});

test("addBias adds one number per row and cuts at the floor", async () => {
  await withKernels(({ kernels, put, space, floats }) => {
    const [rows, rowCount] = [3, 16];
    const x = drawFrom(5, rows * rowCount);
    const bias = drawFrom(6, rows);
    const to = space(x.length);
    const sums = x.map((each, i) => each + bias[Math.floor(i / rowCount)]!);
    kernels.addBias(to, put(x), put(bias), rows, rowCount, -Infinity);
    expect(floats(to, x.length)).toEqual(sums);
    kernels.addBias(to, put(x), put(bias), rows, rowCount, 0);
    expect(floats(to, x.length)).toEqual(sums.map((each) => Math.max(each, 0)));
  });
});

test("sumRows adds each row's sum to what is there", async () => {
  await withKernels(({ kernels, put, floats }) => {
    const [rows, places] = [5, 7];
    const dy = inLanes(drawFrom(7, 8 * rows * places), 8, rows * places);
    const before = drawFrom(8, rows);
    const wanted = Float64Array.from(before);
    dy.forEach((each, i) => (wanted[Math.floor(i / 8 / places)]! += each));
    const to = put(before);
    kernels.sumRows(to, put(dy), rows, places * 8);
    // 56 terms of size 1, rounded in float32
    expect(relativeGap(floats(to, rows), wanted)).toBeLessThan(1e-6);
    expect(floats(to + rows * 4, 1)[0]).toBeNaN();
  });
});

import { expect, test, vi } from "vitest";
import { isWeightGraphError } from "../../src/errors.ts";

// Without the memories that other tests gave back.
vi.resetModules();
const { borrowKernels } = await import("../../src/kernels/load.ts");

test("a memory is as long as was asked for and zero, however it was used before", async () => {
  const first = await borrowKernels(200_000);
  expect(first.buffer.byteLength).toBeGreaterThanOrEqual(200_000);
  new Uint8Array(first.buffer).fill(255);
  first.release();
  const second = await borrowKernels(150_000);
  expect(second.buffer === first.buffer).toBe(true);
  expect(new Uint8Array(second.buffer, 0, 150_000).every((byte) => byte === 0)).toBe(true);
  second.release();
});

test("two loans at once do not share memory, and releasing twice lends once", async () => {
  const one = await borrowKernels(1000);
  one.release();
  one.release();
  const [a, b] = [await borrowKernels(1000), await borrowKernels(1000)];
  expect(a.buffer === b.buffer).toBe(false);
  a.release();
  b.release();
});

test("an idle memory grows when a later run needs more", async () => {
  const small = await borrowKernels(1000);
  small.release();
  const large = await borrowKernels(3_000_000);
  expect(large.buffer.byteLength).toBeGreaterThanOrEqual(3_000_000);
  large.kernels.fill(2_999_936, 1, 16);
  expect(new Float32Array(large.buffer, 2_999_936, 16).every((each) => each === 1)).toBe(true);
  large.release();
});

test("more than 4 GB cannot be addressed", async () => {
  const asked = borrowKernels(2 ** 32 + 1);
  await expect(asked).rejects.toSatisfy((e: unknown) =>
    isWeightGraphError(e, "ENGINE_UNSUPPORTED"),
  );
});

import { expect, test } from "vitest";
import { batchSizes, fillBatch, sampleOrder } from "../../src/data/batches.ts";
import { firstOf, type Split } from "../../src/data/dataset.ts";
import { createRandom } from "../../src/random.ts";

test("an order meets each sample once, and the same seed gives the same order", () => {
  const order = sampleOrder(1000, createRandom(3).fork("batches/1"));
  expect([...order].sort((a, b) => a - b)).toEqual([...sampleOrder(1000, null)]);
  expect(order).toEqual(sampleOrder(1000, createRandom(3).fork("batches/1")));
  expect(order).not.toEqual(sampleOrder(1000, createRandom(3).fork("batches/2")));
});

test.each([
  { count: 10, batch: 4, sizes: [4, 4, 2] },
  { count: 8, batch: 4, sizes: [4, 4] },
  { count: 3, batch: 4, sizes: [3] },
])("$count samples in batches of $batch", ({ count, batch, sizes }) => {
  expect(batchSizes(count, batch)).toEqual(sizes);
});

test("a batch holds the samples that the order names, from 0 to 1", () => {
  const split: Split = {
    images: Uint8Array.of(0, 51, 102, 255, 204, 153),
    labels: Uint8Array.of(7, 8, 9),
    count: 3,
  };
  const into = { images: new Float32Array(4), labels: new Int32Array(2) };
  fillBatch(split, { order: Uint32Array.of(1, 2, 0), first: 1 }, into);
  expect([...into.labels]).toEqual([9, 7]);
  expect([...into.images]).toEqual([0.8, 0.6, 0, 0.2].map(Math.fround));
  expect(firstOf(split, 2)).toEqual({
    images: split.images.subarray(0, 4),
    labels: Uint8Array.of(7, 8),
    count: 2,
  });
});

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { memorySource } from "../../src/bytes/source.ts";
import { windowSource } from "../../src/bytes/windowSource.ts";

const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => (i * i) >> 5);

test("every span is that of the source", async () => {
  const span = fc.tuple(fc.nat(bytes.length), fc.constantFrom(0, 1, 30, 5000, 16384, 16385, 90000));
  await fc.assert(
    fc.asyncProperty(fc.array(span, { maxLength: 20 }), async (spans) => {
      const near = windowSource(memorySource(bytes));
      for (const [start, length] of spans) {
        const end = Math.min(start + length, bytes.length);
        const found = Buffer.from(await near.slice(start, end));
        expect(found.equals(bytes.subarray(start, end)), `${start} to ${end}`).toBe(true);
      }
    }),
    { numRuns: 30 },
  );
});

test("spans in a row cost one read", async () => {
  const source = memorySource(bytes);
  let reads = 0;
  const near = windowSource({
    ...source,
    slice(start, end) {
      reads++;
      return source.slice(start, end);
    },
  });
  for (let start = 1000; start < 60_000; start += 100) await near.slice(start, start + 100);
  expect(reads).toBe(1);
});

test("a span outside is refused, whatever the window holds", async () => {
  const near = windowSource(memorySource(bytes.subarray(0, 10)));
  await near.slice(0, 4);
  await expect(near.slice(4, 11)).rejects.toMatchObject({ code: "FORMAT_TRUNCATED" });
  await expect(near.slice(-1, 2)).rejects.toMatchObject({ code: "FORMAT_TRUNCATED" });
});

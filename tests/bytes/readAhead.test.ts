import { expect, test } from "vitest";
import { isWeightGraphError, memorySource } from "../../src/index.ts";
import { readAhead } from "../../src/bytes/readAhead.ts";

test("small spans are cut from one larger read, large ones are read as asked", async () => {
  const bytes = Uint8Array.from({ length: 200_000 }, (_, i) => i % 251);
  const whole = memorySource(bytes);
  const asked: [number, number][] = [];
  const source = readAhead({
    ...whole,
    slice(start, end) {
      asked.push([start, end]);
      return whole.slice(start, end);
    },
  });
  for (const [start, end] of [
    [10, 40],
    [500, 530],
    [65_530, 65_560],
    [100, 5000],
    [65_600, 65_600],
    [199_990, 200_000],
  ] as const) {
    expect(await source.slice(start, end)).toEqual(bytes.slice(start, end));
  }
  expect(asked).toEqual([
    [10, 65_546],
    [65_530, 131_066],
    [100, 5000],
    [199_990, 200_000],
  ]);
});

test("a span outside is refused as the source itself does", async () => {
  const source = readAhead(memorySource(new Uint8Array(10)));
  const error: unknown = await source.slice(5, 11).catch((e: unknown) => e);
  expect(isWeightGraphError(error, "FORMAT_TRUNCATED")).toBe(true);
});

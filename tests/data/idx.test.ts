import { gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { memorySource } from "../../src/bytes/source.ts";
import { readIdx } from "../../src/data/idx.ts";
import { isWeightGraphError } from "../../src/errors.ts";

describe("readIdx", () => {
  test("reads back any array of bytes, plain or zipped", async () => {
    const shapes = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(shapes, fc.boolean(), async (shape, zipped) => {
        const count = shape.reduce((product, length) => product * length, 1);
        const values = Uint8Array.from({ length: count }, (_, i) => (37 * i) % 251);
        const bytes = idxBytes(shape, values);
        const source = memorySource(zipped ? gzipSync(bytes) : bytes, "x.idx");
        expect(await readIdx(source)).toEqual({ shape, values });
      }),
      { numRuns: 50 },
    );
  });

  const sound = idxBytes([40, 30, 2], new Uint8Array(2400));
  const bomb = gzipSync(new Uint8Array(50_000_000));
  test.each<{ name: string; bytes: Uint8Array }>([
    { name: "an empty file", bytes: new Uint8Array(0) },
    { name: "another format", bytes: new TextEncoder().encode('{"format": "layers-model"}') },
    { name: "floats", bytes: Uint8Array.of(0, 0, 13, 1, 0, 0, 0, 1, 0, 0, 0, 0) },
    { name: "no axes", bytes: Uint8Array.of(0, 0, 8, 0) },
    { name: "a header cut short", bytes: sound.subarray(0, 10) },
    { name: "elements cut short", bytes: sound.subarray(0, 2000) },
    { name: "bytes left over", bytes: idxBytes([3], new Uint8Array(4)) },
    {
      name: "a length no file has",
      bytes: idxBytes([0xffffffff, 0xffffffff, 9], new Uint8Array(0)),
    },
    {
      name: "4 GB announced by 30 bytes",
      bytes: gzipSync(idxBytes([0xffffffff], new Uint8Array(0))),
    },
    { name: "a gzip stream cut short", bytes: gzipSync(sound).subarray(0, 40) },
    { name: "a gzip stream of nothing", bytes: gzipSync(new Uint8Array(0)) },
    {
      name: "a gzip stream that runs on",
      bytes: gzipSync(idxBytes([9, 300], new Uint8Array(9000))),
    },
    { name: "a gzip stream of zeros", bytes: bomb },
  ])("refuses $name", async ({ bytes }) => {
    const error: unknown = await readIdx(memorySource(bytes, "x")).catch((e: unknown) => e);
    expect(isWeightGraphError(error, "DATA_MALFORMED")).toBe(true);
  });
});

function idxBytes(shape: readonly number[], values: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * shape.length + values.length);
  bytes.set([0, 0, 8, shape.length]);
  shape.forEach((length, axis) => new DataView(bytes.buffer).setUint32(4 + 4 * axis, length));
  bytes.set(values, 4 + 4 * shape.length);
  return bytes;
}

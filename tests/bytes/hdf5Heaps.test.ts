import { describe, expect, test } from "vitest";
import { checkGlobalHeaps } from "../../src/bytes/hdf5Heaps.ts";

/** A collection of 64 bytes: one object of `length` bytes, then a free one of `free` bytes, header included (hand, the format's specification). */
function heap(length: number, free: number, size = 64): Uint8Array {
  const bytes = new Uint8Array(64);
  const view = new DataView(bytes.buffer);
  bytes.set([0x47, 0x43, 0x4f, 0x4c, 1]);
  view.setBigUint64(8, BigInt(size), true);
  view.setUint16(16, 1, true);
  view.setBigUint64(24, BigInt(length), true);
  view.setBigUint64(16 + 16 + 8 + 8, BigInt(free), true);
  return bytes;
}

describe("global heaps", () => {
  test("a sound one passes, and so do files without any", () => {
    expect(() => checkGlobalHeaps(heap(5, 24), [])).not.toThrow();
    expect(() => checkGlobalHeaps(new Uint8Array(100), [])).not.toThrow();
  });

  test.each([
    { name: "a free object of size 0, which the library never leaves", bytes: heap(5, 0) },
    { name: "a free object past the end", bytes: heap(5, 32) },
    { name: "an object past the end", bytes: heap(1000, 24) },
  ])("$name is refused", ({ bytes }) => {
    expect(() => checkGlobalHeaps(bytes, ["a.h5"])).toThrow(
      expect.objectContaining({ code: "FORMAT_MALFORMED" }),
    );
  });

  test("a collection past the end of the file is refused", () => {
    expect(() => checkGlobalHeaps(heap(5, 24, 80), ["a.h5"])).toThrow(
      expect.objectContaining({ code: "FORMAT_TRUNCATED" }),
    );
  });
});

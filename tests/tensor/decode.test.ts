import { expect, test } from "vitest";
import { decodeTensor } from "../../src/tensor/decode.ts";

test("a part of Node's shared buffer decodes to its own values, aligned or not", () => {
  const pool = Buffer.alloc(32);
  for (const offset of [8, 9]) {
    pool.writeFloatLE(1.5, offset);
    pool.writeFloatLE(-2, offset + 4);
    const values = decodeTensor(pool.subarray(offset, offset + 8), "float32", 2);
    expect(Array.from(values)).toEqual([1.5, -2]);
  }
});

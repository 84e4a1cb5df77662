import { expect, test } from "vitest";
import { decodeSpan, decodeTensor } from "../../src/tensor/decode.ts";
import { byteLengthOf, byteSpanOf, type DType } from "../../src/tensor/dtype.ts";
import { encodeTensor } from "../../src/tensor/encode.ts";
import { thrownBy } from "../helpers/errors.ts";

test("a part of Node's shared buffer decodes to its own values, aligned or not", () => {
  const pool = Buffer.alloc(32);
  for (const offset of [8, 9]) {
    pool.writeFloatLE(1.5, offset);
    pool.writeFloatLE(-2, offset + 4);
    const values = decodeTensor(pool.subarray(offset, offset + 8), "float32", 2);
    expect(Array.from(values)).toEqual([1.5, -2]);
  }
});

/** Written by hand, little-endian; parts of a byte from the lowest bits up. */
test.each<[DType, readonly number[], readonly number[]]>([
  ["float64", [0, 0, 0, 0, 0, 0, 0xf8, 0xbf], [-1.5]],
  ["float32", [0, 0, 0xc0, 0x3f], [1.5]],
  ["float16", [0, 0x3c, 0xff, 0x7b], [1, 65504]],
  ["bfloat16", [0x80, 0x3f, 0x40, 0xc0], [1, -3]],
  ["int64", [0, 0, 0, 0, 1, 0, 0, 0, 254, 255, 255, 255, 255, 255, 255, 255], [2 ** 32, -2]],
  ["uint64", [0, 0, 0, 0, 0, 0, 0, 128], [2 ** 63]],
  ["int32", [255, 255, 255, 255], [-1]],
  ["uint32", [255, 255, 255, 255], [2 ** 32 - 1]],
  ["int16", [0, 128], [-32768]],
  ["uint16", [0, 128], [32768]],
  ["int8", [128, 127], [-128, 127]],
  ["uint8", [128], [128]],
  ["bool", [0, 1], [0, 1]],
  ["int4", [0x8f, 0x07], [-1, -8, 7]],
  ["uint4", [0x8f, 0x07], [15, 8, 7]],
  ["int2", [0b11_10_01_00, 0b01], [0, 1, -2, -1, 1]],
  ["uint2", [0b11_10_01_00, 0b01], [0, 1, 2, 3, 1]],
  ["float4_e2m1", [0x2f, 0x05], [-6, 1, 3]],
  ["float6_e3m2", [0b01_001100, 0b0001_0000, 0b011111_10], [1, 0.0625, -0.0625, 28]],
])("%s: %j is %j", (dtype, bytes, values) => {
  for (const offset of [0, 1]) {
    const own = Uint8Array.from([...Array<number>(offset).fill(9), ...bytes]).subarray(offset);
    expect(Array.from(decodeTensor(own, dtype, values.length))).toEqual(values);
  }
});

test.each<[DType, readonly number[], readonly number[]]>([
  ["int64", [-2, 2 ** 53 - 1], [-2, 2 ** 53 - 1]],
  ["uint64", [7], [7]],
  ["int32", [-1.5, 2.5], [-2, 2]],
  ["uint32", [2 ** 32 - 1], [2 ** 32 - 1]],
  ["int16", [-32768], [-32768]],
  ["uint16", [65535], [65535]],
  ["int8", [-128.4, 126.5], [-128, 126]],
  ["uint8", [-0.5, 255.4], [-0, 255].map(Math.abs)],
  ["bool", [0, 1], [0, 1]],
  ["int4", [-8, 7, 3], [-8, 7, 3]],
  ["uint4", [15, 0, 9], [15, 0, 9]],
  ["int2", [-2, 1, 0, -1, 1], [-2, 1, 0, -1, 1]],
  ["uint2", [3, 0, 1, 2, 3], [3, 0, 1, 2, 3]],
])("%s: %j is written as %j", (dtype, values, written) => {
  const bytes = encodeTensor(Float64Array.from(values), dtype);
  expect(bytes.byteLength).toBe(byteLengthOf(dtype, values.length));
  expect(Array.from(decodeTensor(bytes, dtype, values.length))).toEqual(written);
});

test.each<[DType, number]>([
  ["int8", 128],
  ["uint8", -1],
  ["int4", 8],
  ["uint2", 4],
  ["bool", 2],
  ["int64", 2 ** 53],
  ["uint64", -1],
  ["int32", NaN],
  ["complex64", 1],
])("%s holds no %d", (dtype, value) => {
  thrownBy(() => encodeTensor(Float64Array.of(value), dtype), "FORMAT_UNSUPPORTED");
});

test("complex numbers have a size but are not read as weights", () => {
  expect(byteLengthOf("complex128", 3)).toBe(48);
  thrownBy(() => decodeTensor(new Uint8Array(8), "complex64", 1), "FORMAT_UNSUPPORTED");
});

test.each<DType>(["uint2", "int4", "float6_e2m3", "float8_e5m2", "float16", "float64"])(
  "%s: a span is a part of the whole",
  async (dtype) => {
    const bytes = Uint8Array.from({ length: 24 * 8 }, (_, i) => (i * 37) % 61);
    const whole = decodeTensor(bytes, dtype, 24);
    const slice = async (from: number, to: number) => bytes.subarray(from, to);
    for (let start = 0; start <= 24; start++) {
      for (let end = start; end <= 24; end++) {
        const { from, to } = byteSpanOf(dtype, start, end);
        expect(Number.isInteger(from) && to <= byteLengthOf(dtype, 24)).toBe(true);
        const part = await decodeSpan(slice, dtype, [start, end]);
        expect(part).toEqual(whole.slice(start, end));
      }
    }
  },
);

import { describe, expect, test } from "vitest";
import { decodeTensor } from "../../src/tensor/decode.ts";
import { encodeTensor } from "../../src/tensor/encode.ts";
import { byteLengthOf, type DType } from "../../src/tensor/dtype.ts";
import { halfToNumber } from "../../src/tensor/half.ts";
import {
  smallFloatCodes,
  smallFloatTable,
  type SmallFloatType,
} from "../../src/tensor/smallFloat.ts";
import { thrownBy } from "../helpers/errors.ts";

const halfRange = (positive: readonly number[]): readonly number[] => [
  ...positive,
  ...positive.map((value) => -value),
];

/** OCP Microscaling Formats 1.0, tables 4 to 6 (hand). */
test.each<[SmallFloatType, readonly number[]]>([
  ["float4_e2m1", halfRange([0, 0.5, 1, 1.5, 2, 3, 4, 6])],
  [
    "float6_e2m3",
    halfRange([
      0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1, 1.125, 1.25, 1.375, 1.5, 1.625, 1.75,
      1.875, 2, 2.25, 2.5, 2.75, 3, 3.25, 3.5, 3.75, 4, 4.5, 5, 5.5, 6, 6.5, 7, 7.5,
    ]),
  ],
  [
    "float6_e3m2",
    halfRange([
      0, 0.0625, 0.125, 0.1875, 0.25, 0.3125, 0.375, 0.4375, 0.5, 0.625, 0.75, 0.875, 1, 1.25, 1.5,
      1.75, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28,
    ]),
  ],
])("%s: every pattern", (dtype, values) => {
  expect(Array.from(smallFloatTable(dtype))).toEqual(values);
});

/** binary16 has the exponent of E5M2, and its range holds all of E4M3: the same bits, moved, are the oracle. */
describe("float8: every pattern, by way of binary16", () => {
  const all = Uint8Array.from({ length: 256 }, (_, code) => code);
  const fourThree = (code: number, bias: number): number =>
    halfToNumber(((code & 0x80) << 8) | ((code & 0x7f) << 7)) * 2 ** (15 - bias);
  test.each<[DType, (code: number) => number]>([
    ["float8_e5m2", (code) => halfToNumber(code << 8)],
    ["float8_e4m3", (code) => ((code & 0x7f) === 0x7f ? NaN : fourThree(code, 7))],
    ["float8_e4m3fnuz", (code) => (code === 0x80 ? NaN : fourThree(code, 8))],
    [
      "float8_e5m2fnuz",
      (code) => {
        if (code === 0x80) return NaN;
        const isTop = (code & 0x7c) === 0x7c;
        const sign = code & 0x80 ? -1 : 1;
        return isTop ? sign * (1 + (code & 3) / 4) * 32768 : halfToNumber(code << 8) / 2;
      },
    ],
    ["float8_e8m0", (code) => (code === 255 ? NaN : 2 ** code / 2 ** 127)],
  ])("%s", (dtype, oracle) => {
    expect(Array.from(decodeTensor(all, dtype, 256))).toEqual(Array.from(all, oracle));
  });

  test.each([
    ["float8_e4m3", 0x7e, 448],
    ["float8_e4m3", 0x01, 2 ** -9],
    ["float8_e5m2", 0x7b, 57344],
    ["float8_e5m2", 0x01, 2 ** -16],
    ["float8_e4m3fnuz", 0x7f, 240],
    ["float8_e4m3fnuz", 0x01, 2 ** -10],
    ["float8_e5m2fnuz", 0x7f, 57344],
    ["float8_e5m2fnuz", 0x01, 2 ** -17],
    ["float8_e8m0", 0x00, 2 ** -127],
    ["float8_e8m0", 0xfe, 2 ** 127],
  ] as const)(
    "%s: pattern %i is %d (https://onnx.ai/onnx/technical/float8.html, OCP MX)",
    (dtype, code, value) => {
      expect(smallFloatTable(dtype)[code]).toBe(value);
    },
  );
});

const smallTypes = [
  ["float8_e4m3", 8],
  ["float8_e5m2", 8],
  ["float8_e4m3fnuz", 8],
  ["float8_e5m2fnuz", 8],
  ["float8_e8m0", 8],
  ["float6_e2m3", 6],
  ["float6_e3m2", 6],
  ["float4_e2m1", 4],
] as const;

test.each(smallTypes)("%s: every pattern finds back to itself, NaNs too", (dtype, bits) => {
  const count = 2 ** bits;
  const table = smallFloatTable(dtype);
  expect(Array.from(smallFloatCodes(table, dtype))).toEqual(
    Array.from({ length: count }, (_, i) => i),
  );
  const packed = encodeTensor(table, dtype);
  expect(packed.byteLength).toBe(byteLengthOf(dtype, count));
  expect(encodeTensor(decodeTensor(packed, dtype, count), dtype)).toEqual(packed);
});

test.each(smallTypes)("%s: halfway between two patterns lies the even one", (dtype, bits) => {
  const table = smallFloatTable(dtype);
  for (let code = 0; code + 1 < 2 ** (bits - 1); code++) {
    const [low, high] = [table[code]!, table[code + 1]!];
    if (!Number.isFinite(low) || !Number.isFinite(high)) continue;
    const middle = (low + high) / 2;
    const near = (high - low) / 1024;
    const codes = smallFloatCodes(Float64Array.of(middle - near, middle, middle + near), dtype);
    expect(Array.from(codes)).toEqual([code, code % 2 === 0 ? code : code + 1, code + 1]);
  }
});

test.each<[SmallFloatType, number, number]>([
  ["float8_e4m3", 1e9, 448],
  ["float8_e4m3", -1e9, -448],
  ["float8_e4m3", Infinity, NaN],
  ["float8_e5m2", 1e9, 57344],
  ["float8_e5m2", -Infinity, -Infinity],
  ["float8_e4m3fnuz", -1e9, -240],
  ["float8_e4m3fnuz", -0, 0],
  ["float8_e4m3fnuz", -1e-9, 0],
  ["float8_e5m2fnuz", Infinity, NaN],
  ["float8_e4m3", -0, -0],
  ["float8_e8m0", 1e-300, 2 ** -127],
  ["float8_e8m0", 3, 2],
  ["float6_e2m3", 100, 7.5],
  ["float6_e3m2", -100, -28],
  ["float4_e2m1", 100, 6],
])("%s: %d is written as %d", (dtype, value, written) => {
  const [code] = smallFloatCodes(Float64Array.of(value), dtype);
  expect(smallFloatTable(dtype)[code!]).toBe(written);
});

test.each<[SmallFloatType, number]>([
  ["float8_e8m0", 0],
  ["float8_e8m0", -1],
  ["float6_e2m3", NaN],
  ["float4_e2m1", Infinity],
])("%s holds no %d", (dtype, value) => {
  thrownBy(() => encodeTensor(Float64Array.of(value), dtype), "FORMAT_UNSUPPORTED");
});

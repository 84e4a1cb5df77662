import { expect, test } from "vitest";
import {
  bfloat16ToNumber,
  decodeBfloat16,
  decodeHalves,
  encodeBfloat16,
  encodeHalves,
  halfToNumber,
  numberToBfloat16,
  numberToHalf,
} from "../../src/tensor/half.ts";

test.each([
  [0x0000, 0],
  [0x0001, 2 ** -24],
  [0x03ff, (1023 / 1024) * 2 ** -14],
  [0x0400, 2 ** -14],
  [0x3c00, 1],
  [0x3555, 0.333251953125],
  [0xc000, -2],
  [0x7bff, 65504],
  [0x7c00, Infinity],
])("binary16 %i is %d (hand, IEEE 754)", (bits, value) => {
  expect(halfToNumber(bits)).toBe(value);
  expect(numberToHalf(value)).toBe(bits);
});

test("every 16-bit pattern survives the round trip", () => {
  for (let bits = 0; bits < 65536; bits++) {
    const half = halfToNumber(bits);
    if (!Number.isNaN(half)) expect(numberToHalf(half)).toBe(bits);
    const brain = bfloat16ToNumber(bits);
    if (!Number.isNaN(brain)) expect(numberToBfloat16(brain)).toBe(bits);
  }
});

test("ties go to even", () => {
  expect(numberToHalf(1 + 2 ** -11)).toBe(0x3c00);
  expect(numberToHalf(1 + 3 * 2 ** -11)).toBe(0x3c02);
  expect(numberToHalf(65519.99)).toBe(0x7bff);
  expect(numberToHalf(65520)).toBe(0x7c00);
});

test("a double on one side of a tie is not rounded twice", () => {
  expect(numberToBfloat16(1 + 2 ** -8)).toBe(0x3f80);
  expect(numberToBfloat16(1 + 2 ** -8 + 2 ** -40)).toBe(0x3f81);
  expect(numberToBfloat16(-1e300)).toBe(0xff80);
  expect(numberToHalf(1 + 2 ** -11 + 2 ** -40)).toBe(0x3c01);
});

test.each([
  ["float16", decodeHalves, encodeHalves, halfToNumber],
  ["bfloat16", decodeBfloat16, encodeBfloat16, bfloat16ToNumber],
] as const)("%s: every pattern of an array keeps its bits, NaNs too", (_, decode, encode, one) => {
  const all = Uint16Array.from({ length: 65536 }, (_, bits) => bits);
  const values = decode(all);
  expect(Array.from(values)).toEqual(Array.from(all, one));
  expect(encode(values)).toEqual(all);
});

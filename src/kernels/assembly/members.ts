/**
 * Which parts of a matrix of float32 weights are not zero, a bit each, and how many of the living a row or column has. `kind` is
 * as in peel.ts, but that parts are never counted. Bit i is bit i & 7 of byte i >> 3; lists of bits are
 * `stride` bytes apart, a multiple of 16, and zero at their ends.
 */

import { clearOf, flipOf } from "./peel";

/** A list of bits for each row, one for each column. */
export function rowMembers(
  weights: usize,
  rows: i32,
  columns: i32,
  to: usize,
  stride: i32,
  kind: i32,
): void {
  memory.fill(to, 0, <usize>rows * <usize>stride);
  const clear = clearOf(kind);
  const flip = flipOf(kind);
  const kept = i32x4.splat(clear);
  const turned = i32x4.splat(flip);
  const whole = columns & ~15;
  for (let row = 0; row < rows; row++, to += <usize>stride) {
    let bits = to;
    for (let column = 0; column < whole; column += 16, weights += 64, bits += 2) {
      const low = i16x8.narrow_i32x4_s(
        above(weights, kept, turned),
        above(weights + 16, kept, turned),
      );
      const high = i16x8.narrow_i32x4_s(
        above(weights + 32, kept, turned),
        above(weights + 48, kept, turned),
      );
      store<u16>(bits, <u16>i8x16.bitmask(i8x16.narrow_i16x8_s(low, high)));
    }
    for (let column = whole; column < columns; column++, weights += 4) {
      if (((load<i32>(weights) & clear) ^ flip) <= 0) continue;
      const byte = to + ((<usize>column) >> 3);
      store<u8>(byte, load<u8>(byte) | ((<u8>1) << ((<u8>column) & 7)));
    }
  }
}

/** -1 in the lanes of parts above zero. */
function above(at: usize, kept: v128, turned: v128): v128 {
  return i32x4.gt_s(v128.xor(v128.and(v128.load(at), kept), turned), i32x4.splat(0));
}

/** A list of bits for each column, one for each row: 32 rows at a time, a cache line of each. */
export function columnMembers(
  weights: usize,
  rows: i32,
  columns: i32,
  to: usize,
  stride: i32,
  kind: i32,
): void {
  memory.fill(to, 0, <usize>columns * <usize>stride);
  const clear = clearOf(kind);
  const flip = flipOf(kind);
  const kept = i32x4.splat(clear);
  const turned = i32x4.splat(flip);
  const rowBytes = (<usize>columns) << 2;
  const whole = columns & ~15;
  for (let first = 0; first < rows; first += 32, to += 4, weights += rowBytes << 5) {
    const count = min(32, rows - first);
    for (let column = 0; column < whole; column += 16) {
      let at = weights + ((<usize>column) << 2);
      let a = i32x4.splat(0),
        b = a,
        c = a,
        d = a;
      for (let row = 0; row < count; row++, at += rowBytes) {
        const bit = i32x4.splat(1 << row);
        a = v128.or(a, v128.and(above(at, kept, turned), bit));
        b = v128.or(b, v128.and(above(at + 16, kept, turned), bit));
        c = v128.or(c, v128.and(above(at + 32, kept, turned), bit));
        d = v128.or(d, v128.and(above(at + 48, kept, turned), bit));
      }
      const own = to + <usize>column * <usize>stride;
      scatter(own, stride, a);
      scatter(own + ((<usize>stride) << 2), stride, b);
      scatter(own + ((<usize>stride) << 3), stride, c);
      scatter(own + 12 * <usize>stride, stride, d);
    }
    for (let column = whole; column < columns; column++) {
      let at = weights + ((<usize>column) << 2);
      let bits = 0;
      for (let row = 0; row < count; row++, at += rowBytes) {
        if (((load<i32>(at) & clear) ^ flip) > 0) bits |= 1 << row;
      }
      store<i32>(to + <usize>column * <usize>stride, bits);
    }
  }
}

function scatter(to: usize, stride: i32, four: v128): void {
  const next = <usize>stride;
  store<i32>(to, i32x4.extract_lane(four, 0));
  store<i32>(to + next, i32x4.extract_lane(four, 1));
  store<i32>(to + next * 2, i32x4.extract_lane(four, 2));
  store<i32>(to + next * 3, i32x4.extract_lane(four, 3));
}

/** How many bits two lists of `stride` bytes share. */
export function sharedBits(a: usize, b: usize, stride: i32): i32 {
  let sum = i32x4.splat(0);
  for (const end = a + <usize>stride; a < end; a += 16, b += 16) {
    const counts = i8x16.popcnt(v128.and(v128.load(a), v128.load(b)));
    const pairs = i16x8.extadd_pairwise_i8x16_u(counts);
    sum = i32x4.add(sum, i32x4.extadd_pairwise_i16x8_u(pairs));
  }
  return (
    i32x4.extract_lane(sum, 0) +
    i32x4.extract_lane(sum, 1) +
    i32x4.extract_lane(sum, 2) +
    i32x4.extract_lane(sum, 3)
  );
}

/**
 * PA rewiring of rows of float32 weights: what `rewrite/rewirePreferentially.ts` does to a row, bit for bit. Each operation on
 * float64 is the one of the TypeScript, in the same order: sums one after the other, the logarithm's series, the generator.
 */
import { orderOf, sortFloats } from "./sorts";

/**
 * Rewires a row of `columns` floats. `strengths`, float64, are the sums of all rows before; the rewired row is added to them. The
 * order of the columns is drawn with the generator whose four words lie at `state`, or, if that is 0, is by strength. `shift` is
 * what makes every probability positive. `room` is for `sortRoom` bytes, 64 and 24 for each column.
 */
export function rewireRow(
  row: usize,
  columns: i32,
  strengths: usize,
  shift: f64,
  state: usize,
  room: usize,
): void {
  const n = <usize>columns;
  const keys = room;
  const order = keys + ((n + 8) << 3);
  const sorted = order + (n << 2);
  const rest = sorted + (n << 2);
  sortFloats(row, columns, sorted, rest);
  if (state != 0) {
    drawKeys(strengths, columns, shift, state, keys);
    orderOf(keys, columns, order, rest);
    for (let at: usize = 0; at < n << 2; at += 4) {
      store<f32>(row + ((<usize>load<u32>(order + at)) << 2), load<f32>(sorted + at));
    }
  } else {
    rankStrengths(strengths, columns, keys);
    orderOf(keys, columns, order, rest);
    const last = order + ((n - 1) << 2);
    for (let at: usize = 0; at < n << 2; at += 4) {
      store<f32>(row + ((<usize>load<u32>(last - at)) << 2), load<f32>(sorted + at));
    }
  }
  addRow(row, columns, strengths);
}

/** The bits of -x for x below 0, so that integers stand in the order of the strengths. None is -0. */
function rankStrengths(strengths: usize, columns: i32, keys: usize): void {
  for (let at: usize = 0, bytes = (<usize>columns) << 3; at < bytes; at += 8) {
    const bits = load<i64>(strengths + at);
    store<i64>(keys + at, bits ^ (<i64>((<u64>(bits >> 63)) >> 1)));
  }
}

function addRow(row: usize, columns: i32, strengths: usize): void {
  const pairs = columns & ~1;
  let to = strengths;
  let at = row;
  for (const end = row + ((<usize>pairs) << 2); at < end; at += 8, to += 16) {
    const two = f64x2.promote_low_f32x4(v128.load64_zero(at));
    v128.store(to, f64x2.add(v128.load(to), two));
  }
  if (pairs < columns) store<f64>(to, load<f64>(to) + <f64>load<f32>(at));
}

/** When each column arrives: an exponential divided by its chance to be drawn. Up to 56 bytes after the last key are written too. */
function drawKeys(strengths: usize, columns: i32, shift: f64, state: usize, keys: usize): void {
  const offset = abs(leastOf(strengths, columns)) + shift;
  drawUniforms(columns, state, keys);
  const offsets = f64x2.splat(offset);
  const scale = f64x2.splat(1.1102230246251565e-16); // 2^-53
  const end = keys + ((<usize>columns) << 3);
  // Four logarithms side by side, since each is a long chain of operations.
  for (let at = keys, from = strengths; at < end; at += 64, from += 64) {
    const xa = f64x2.mul(v128.load(at), scale);
    const xb = f64x2.mul(v128.load(at, 16), scale);
    const xc = f64x2.mul(v128.load(at, 32), scale);
    const xd = f64x2.mul(v128.load(at, 48), scale);
    const ra = ratioOf(xa);
    const rb = ratioOf(xb);
    const rc = ratioOf(xc);
    const rd = ratioOf(xd);
    const qa = f64x2.mul(ra, ra);
    const qb = f64x2.mul(rb, rb);
    const qc = f64x2.mul(rc, rc);
    const qd = f64x2.mul(rd, rd);
    let a = f64x2.splat(1.0 / 23.0);
    let b = a;
    let c = a;
    let d = a;
    a = f64x2.add(f64x2.mul(a, qa), f64x2.splat(1.0 / 21.0));
    b = f64x2.add(f64x2.mul(b, qb), f64x2.splat(1.0 / 21.0));
    c = f64x2.add(f64x2.mul(c, qc), f64x2.splat(1.0 / 21.0));
    d = f64x2.add(f64x2.mul(d, qd), f64x2.splat(1.0 / 21.0));
    a = f64x2.add(f64x2.mul(a, qa), f64x2.splat(1.0 / 19.0));
    b = f64x2.add(f64x2.mul(b, qb), f64x2.splat(1.0 / 19.0));
    c = f64x2.add(f64x2.mul(c, qc), f64x2.splat(1.0 / 19.0));
    d = f64x2.add(f64x2.mul(d, qd), f64x2.splat(1.0 / 19.0));
    a = f64x2.add(f64x2.mul(a, qa), f64x2.splat(1.0 / 17.0));
    b = f64x2.add(f64x2.mul(b, qb), f64x2.splat(1.0 / 17.0));
    c = f64x2.add(f64x2.mul(c, qc), f64x2.splat(1.0 / 17.0));
    d = f64x2.add(f64x2.mul(d, qd), f64x2.splat(1.0 / 17.0));
    a = f64x2.add(f64x2.mul(a, qa), f64x2.splat(1.0 / 15.0));
    b = f64x2.add(f64x2.mul(b, qb), f64x2.splat(1.0 / 15.0));
    c = f64x2.add(f64x2.mul(c, qc), f64x2.splat(1.0 / 15.0));
    d = f64x2.add(f64x2.mul(d, qd), f64x2.splat(1.0 / 15.0));
    a = f64x2.add(f64x2.mul(a, qa), f64x2.splat(1.0 / 13.0));
    b = f64x2.add(f64x2.mul(b, qb), f64x2.splat(1.0 / 13.0));
    c = f64x2.add(f64x2.mul(c, qc), f64x2.splat(1.0 / 13.0));
    d = f64x2.add(f64x2.mul(d, qd), f64x2.splat(1.0 / 13.0));
    a = f64x2.add(f64x2.mul(a, qa), f64x2.splat(1.0 / 11.0));
    b = f64x2.add(f64x2.mul(b, qb), f64x2.splat(1.0 / 11.0));
    c = f64x2.add(f64x2.mul(c, qc), f64x2.splat(1.0 / 11.0));
    d = f64x2.add(f64x2.mul(d, qd), f64x2.splat(1.0 / 11.0));
    a = f64x2.add(f64x2.mul(a, qa), f64x2.splat(1.0 / 9.0));
    b = f64x2.add(f64x2.mul(b, qb), f64x2.splat(1.0 / 9.0));
    c = f64x2.add(f64x2.mul(c, qc), f64x2.splat(1.0 / 9.0));
    d = f64x2.add(f64x2.mul(d, qd), f64x2.splat(1.0 / 9.0));
    a = f64x2.add(f64x2.mul(a, qa), f64x2.splat(1.0 / 7.0));
    b = f64x2.add(f64x2.mul(b, qb), f64x2.splat(1.0 / 7.0));
    c = f64x2.add(f64x2.mul(c, qc), f64x2.splat(1.0 / 7.0));
    d = f64x2.add(f64x2.mul(d, qd), f64x2.splat(1.0 / 7.0));
    a = f64x2.add(f64x2.mul(a, qa), f64x2.splat(1.0 / 5.0));
    b = f64x2.add(f64x2.mul(b, qb), f64x2.splat(1.0 / 5.0));
    c = f64x2.add(f64x2.mul(c, qc), f64x2.splat(1.0 / 5.0));
    d = f64x2.add(f64x2.mul(d, qd), f64x2.splat(1.0 / 5.0));
    a = f64x2.add(f64x2.mul(a, qa), f64x2.splat(1.0 / 3.0));
    b = f64x2.add(f64x2.mul(b, qb), f64x2.splat(1.0 / 3.0));
    c = f64x2.add(f64x2.mul(c, qc), f64x2.splat(1.0 / 3.0));
    d = f64x2.add(f64x2.mul(d, qd), f64x2.splat(1.0 / 3.0));
    a = f64x2.add(f64x2.mul(a, qa), f64x2.splat(1));
    b = f64x2.add(f64x2.mul(b, qb), f64x2.splat(1));
    c = f64x2.add(f64x2.mul(c, qc), f64x2.splat(1));
    d = f64x2.add(f64x2.mul(d, qd), f64x2.splat(1));
    storeKeys(at, from, offsets, logarithm(xa, ra, a));
    storeKeys(at + 16, from + 16, offsets, logarithm(xb, rb, b));
    storeKeys(at + 32, from + 32, offsets, logarithm(xc, rc, c));
    storeKeys(at + 48, from + 48, offsets, logarithm(xd, rd, d));
  }
}

function storeKeys(at: usize, strengths: usize, offsets: v128, logarithms: v128): void {
  const chances = f64x2.add(v128.load(strengths), offsets);
  v128.store(at, f64x2.abs(f64x2.div(logarithms, chances)));
}

function leastOf(strengths: usize, columns: i32): f64 {
  const end = strengths + ((<usize>columns) << 3);
  const whole = strengths + ((<usize>(columns & ~3)) << 3);
  let a = f64x2.splat(Infinity);
  let b = a;
  let at = strengths;
  for (; at < whole; at += 32) {
    a = f64x2.pmin(a, v128.load(at));
    b = f64x2.pmin(b, v128.load(at, 16));
  }
  for (; at < end; at += 8) a = f64x2.pmin(a, v128.load64_splat(at));
  a = f64x2.pmin(a, b);
  return min(f64x2.extract_lane(a, 0), f64x2.extract_lane(a, 1));
}

/** Sets `keys` to 2^53 (1 - u), u being uniforms of two words each. */
function drawUniforms(columns: i32, state: usize, keys: usize): void {
  let a = load<u32>(state);
  let b = load<u32>(state, 4);
  let c = load<u32>(state, 8);
  let d = load<u32>(state, 12);
  const end = keys + ((<usize>columns) << 3);
  for (let at = keys; at < end; at += 8) {
    const high = rotl<u32>(b * 5, 7) * 9;
    let t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = rotl<u32>(d, 11);
    const low = rotl<u32>(b * 5, 7) * 9;
    t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = rotl<u32>(d, 11);
    const bits = ((<i64>(high >> 5)) << 26) | (<i64>(low >> 6));
    store<f64>(at, <f64>(<i64>9007199254740992 - bits));
  }
  store<u32>(state, a);
  store<u32>(state, b, 4);
  store<u32>(state, c, 8);
  store<u32>(state, d, 12);
}

/** The logarithm of `random.ts`, two at a time: (m - 1) / (m + 1), m being the fraction of x in [sqrt(1/2), sqrt(2)). */
function ratioOf(x: v128): v128 {
  const one = f64x2.splat(1);
  const fraction = fractionOf(x);
  const half = f64x2.mul(fraction, f64x2.splat(0.5));
  const mantissa = v128.bitselect(half, fraction, f64x2.gt(fraction, f64x2.splat(Math.SQRT2)));
  return f64x2.div(f64x2.sub(mantissa, one), f64x2.add(mantissa, one));
}

/** In [1, 2). */
function fractionOf(x: v128): v128 {
  return v128.or(v128.and(x, i64x2.splat(0x000fffffffffffff)), f64x2.splat(1));
}

function logarithm(x: v128, ratio: v128, series: v128): v128 {
  const isLarge = f64x2.gt(fractionOf(x), f64x2.splat(Math.SQRT2));
  const biased = v128.or(i64x2.shr_u(x, 52), i64x2.splat(0x4330000000000000));
  const exponent = f64x2.add(
    f64x2.sub(biased, f64x2.splat(4503599627370496 + 1023)),
    v128.and(isLarge, f64x2.splat(1)),
  );
  return f64x2.add(
    f64x2.mul(exponent, f64x2.splat(Math.LN2)),
    f64x2.mul(f64x2.mul(f64x2.splat(2), ratio), series),
  );
}

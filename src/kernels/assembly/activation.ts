/**
 * Activations and their gradients, and the exponential under them: made of operations that IEEE 754 fixes to the bit, since a
 * JavaScript engine's `Math.exp` and `Math.tanh` may differ from the next one's.
 */

/**
 * e^x, four at a time: x = n ln 2 + r with |r| <= ln 2 / 2, Taylor's series of degree 7 in r (remainder below 6e-9 of the value),
 * 2^n by its exponent bits. Relative error below 2e-7. Results that leave the normal range become 0 or infinity; NaN stays.
 */
export function exponential(x: v128): v128 {
  const bounded = f32x4.pmin(f32x4.pmax(x, f32x4.splat(-87.3)), f32x4.splat(88.7));
  const n = f32x4.nearest(f32x4.mul(bounded, f32x4.splat(1.44269504)));
  // ln 2 in two parts: the first has zeros at its end, so that n times it is exact
  const r = f32x4.sub(
    f32x4.sub(bounded, f32x4.mul(n, f32x4.splat(0.693359375))),
    f32x4.mul(n, f32x4.splat(-2.12194440054690583e-4)),
  );
  let sum = f32x4.splat(1.0 / 5040.0);
  sum = f32x4.add(f32x4.mul(sum, r), f32x4.splat(1.0 / 720.0));
  sum = f32x4.add(f32x4.mul(sum, r), f32x4.splat(1.0 / 120.0));
  sum = f32x4.add(f32x4.mul(sum, r), f32x4.splat(1.0 / 24.0));
  sum = f32x4.add(f32x4.mul(sum, r), f32x4.splat(1.0 / 6.0));
  sum = f32x4.add(f32x4.mul(sum, r), f32x4.splat(0.5));
  sum = f32x4.add(f32x4.mul(sum, r), f32x4.splat(1));
  sum = f32x4.add(f32x4.mul(sum, r), f32x4.splat(1));
  // 2^n in two factors, since n = 128 has no exponent bits of its own
  const whole = i32x4.trunc_sat_f32x4_s(n);
  const half = i32x4.shr_s(whole, 1);
  const power = f32x4.mul(powerOfTwo(half), powerOfTwo(i32x4.sub(whole, half)));
  let result = f32x4.mul(sum, power);
  result = v128.bitselect(f32x4.splat(0), result, f32x4.lt(x, f32x4.splat(-87.3)));
  return v128.bitselect(f32x4.splat(Infinity), result, f32x4.gt(x, f32x4.splat(88.7)));
}

function powerOfTwo(n: v128): v128 {
  return i32x4.shl(i32x4.add(n, i32x4.splat(127)), 23);
}

/** `y = x > 0 ? x : 0`, NaN kept. */
export function relu(y: usize, x: usize, count: i32): void {
  const none = f32x4.splat(0);
  for (let i = 0; i < count; i += 4, x += 16, y += 16) {
    v128.store(y, f32x4.pmax(v128.load(x), none));
  }
}

/** `dx = y > 0 ? dy : 0`; y may be relu's output or its input. */
export function reluGradient(dx: usize, dy: usize, y: usize, count: i32): void {
  const none = f32x4.splat(0);
  for (let i = 0; i < count; i += 4, dx += 16, dy += 16, y += 16) {
    v128.store(dx, v128.and(v128.load(dy), f32x4.gt(v128.load(y), none)));
  }
}

/**
 * tanh: below 5/8 Lambert's continued fraction cut at 9 (x(945 + 105x² + x⁴) / (945 + 420x² + 15x⁴), error below 1e-9), above it
 * 1 - 2 / (e^2|x| + 1). Relative error below 3e-7.
 */
export function tanh(y: usize, x: usize, count: i32): void {
  const one = f32x4.splat(1);
  const signBit = i32x4.splat(0x80000000);
  for (let i = 0; i < count; i += 4, x += 16, y += 16) {
    const value = v128.load(x);
    const size = f32x4.abs(value);
    const square = f32x4.mul(value, value);
    const top = f32x4.add(f32x4.mul(f32x4.add(square, f32x4.splat(105)), square), f32x4.splat(945));
    const bottom = f32x4.add(
      f32x4.mul(f32x4.add(f32x4.mul(square, f32x4.splat(15)), f32x4.splat(420)), square),
      f32x4.splat(945),
    );
    const small = f32x4.div(f32x4.mul(value, top), bottom);
    const growth = f32x4.add(exponential(f32x4.add(size, size)), one);
    const large = f32x4.sub(one, f32x4.div(f32x4.splat(2), growth));
    const signed = v128.or(large, v128.and(value, signBit));
    v128.store(y, v128.bitselect(small, signed, f32x4.lt(size, f32x4.splat(0.625))));
  }
}

/** `dx = dy · (1 - y²)`, y being tanh's output. */
export function tanhGradient(dx: usize, dy: usize, y: usize, count: i32): void {
  const one = f32x4.splat(1);
  for (let i = 0; i < count; i += 4, dx += 16, dy += 16, y += 16) {
    const value = v128.load(y);
    v128.store(dx, f32x4.mul(v128.load(dy), f32x4.sub(one, f32x4.mul(value, value))));
  }
}

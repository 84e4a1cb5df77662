/** Index of the first of `count` floats that is NaN or infinite, or -1. Cost: one read. */
export function firstNotFinite(weights: usize, count: u32): f64 {
  const exponent = i32x4.splat(0x7f800000);
  const end = weights + ((<usize>count) << 2);
  const whole = weights + ((<usize>(count & ~15)) << 2);
  let at = weights;
  for (; at < whole; at += 64) {
    const a = i32x4.eq(v128.and(v128.load(at), exponent), exponent);
    const b = i32x4.eq(v128.and(v128.load(at, 16), exponent), exponent);
    const c = i32x4.eq(v128.and(v128.load(at, 32), exponent), exponent);
    const d = i32x4.eq(v128.and(v128.load(at, 48), exponent), exponent);
    if (v128.any_true(v128.or(v128.or(a, b), v128.or(c, d)))) break;
  }
  for (; at < end; at += 4) {
    if ((load<u32>(at) & 0x7f800000) == 0x7f800000) return <f64>((at - weights) >> 2);
  }
  return -1;
}

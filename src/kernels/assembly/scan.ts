/**
 * How many of `count` floats are zero, and the largest magnitude among them, written to `to` as two float64; Infinity or NaN if one
 * is. Cost: one read.
 */
export function scan(weights: usize, count: u32, to: usize): void {
  // Magnitudes are in the order of their bits, infinity and what is no number above all others.
  const clear = i32x4.splat(0x7fffffff);
  const none = i32x4.splat(0);
  let a = none;
  let b = none;
  let zeros = none;
  let total: f64 = 0;
  const end = weights + ((<usize>count) << 2);
  const whole = weights + ((<usize>(count & ~7)) << 2);
  let at = weights;
  while (at < whole) {
    // A lane of 32 bits holds as many as a stretch has.
    const stop = min(whole, at + (1 << 26));
    for (; at < stop; at += 32) {
      const first = v128.and(v128.load(at), clear);
      const second = v128.and(v128.load(at, 16), clear);
      a = i32x4.max_s(a, first);
      b = i32x4.max_s(b, second);
      zeros = i32x4.sub(zeros, i32x4.add(i32x4.eq(first, none), i32x4.eq(second, none)));
    }
    total += <f64>i32x4.extract_lane(zeros, 0) + <f64>i32x4.extract_lane(zeros, 1);
    total += <f64>i32x4.extract_lane(zeros, 2) + <f64>i32x4.extract_lane(zeros, 3);
    zeros = none;
  }
  a = i32x4.max_s(a, b);
  let largest = max(
    max(i32x4.extract_lane(a, 0), i32x4.extract_lane(a, 1)),
    max(i32x4.extract_lane(a, 2), i32x4.extract_lane(a, 3)),
  );
  for (; at < end; at += 4) {
    const magnitude = load<i32>(at) & 0x7fffffff;
    largest = max(largest, magnitude);
    if (magnitude == 0) total += 1;
  }
  store<f64>(to, total);
  store<f64>(to, <f64>reinterpret<f32>(largest), 8);
}

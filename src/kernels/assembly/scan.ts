/**
 * How many of `count` floats are zero, and the largest magnitude among them, written to `to` as two float64. Cost: one read.
 */
export function scan(weights: usize, count: u32, to: usize): void {
  const none = f32x4.splat(0);
  let a = none;
  let b = none;
  let zeros = i32x4.splat(0);
  let total: f64 = 0;
  const end = weights + ((<usize>count) << 2);
  const whole = weights + ((<usize>(count & ~7)) << 2);
  let at = weights;
  while (at < whole) {
    // A lane of 32 bits holds as many as a stretch has.
    const stop = min(whole, at + (1 << 26));
    for (; at < stop; at += 32) {
      const first = f32x4.abs(v128.load(at));
      const second = f32x4.abs(v128.load(at, 16));
      a = f32x4.pmax(a, first);
      b = f32x4.pmax(b, second);
      zeros = i32x4.sub(zeros, i32x4.add(f32x4.eq(first, none), f32x4.eq(second, none)));
    }
    total += <f64>i32x4.extract_lane(zeros, 0) + <f64>i32x4.extract_lane(zeros, 1);
    total += <f64>i32x4.extract_lane(zeros, 2) + <f64>i32x4.extract_lane(zeros, 3);
    zeros = i32x4.splat(0);
  }
  a = f32x4.pmax(a, b);
  let largest = max(
    max(f32x4.extract_lane(a, 0), f32x4.extract_lane(a, 1)),
    max(f32x4.extract_lane(a, 2), f32x4.extract_lane(a, 3)),
  );
  for (; at < end; at += 4) {
    const magnitude = abs(load<f32>(at));
    largest = max(largest, magnitude);
    if (magnitude == 0) total += 1;
  }
  store<f64>(to, total);
  store<f64>(to, <f64>largest, 8);
}

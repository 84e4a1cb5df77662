/**
 * Renews the least degree of each 64 nodes, [first, last) being multiples of 64, and lists the nodes that are at `level` or below,
 * or below `margins`. Returns how many.
 */
export function settle(
  degrees: usize,
  margins: usize,
  minima: usize,
  first: i32,
  last: i32,
  level: f64,
  found: usize,
): i32 {
  let to = found;
  for (let node = first; node < last; node += 64) {
    const chunk = degrees + ((<usize>node) << 3);
    const margin = margins + ((<usize>node) << 3);
    let least = f64x2.splat(Infinity);
    let low = i64x2.splat(0);
    for (let at: usize = 0; at < 512; at += 16) {
      const degree = v128.load(chunk + at);
      least = f64x2.pmin(least, degree);
      low = v128.or(low, f64x2.lt(degree, v128.load(margin + at)));
    }
    const smallest = min(f64x2.extract_lane(least, 0), f64x2.extract_lane(least, 1));
    store<f64>(minima + ((<usize>node) >> 3), smallest);
    if (smallest > level && !v128.any_true(low)) continue;
    for (let i: usize = 0; i < 64; i++) {
      const degree = load<f64>(chunk + (i << 3));
      if (degree > level && degree >= load<f64>(margin + (i << 3))) continue;
      store<i32>(to, node + <i32>i);
      to += 4;
    }
  }
  return <i32>((to - found) >> 2);
}

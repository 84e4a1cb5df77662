/**
 * Gradient of weights: `g[row, t] += Σ_position Σ_lane dy[row, position, lane] · x[position, t, lane]`.
 *
 * Positions form a grid of runs, `outerCount` by `innerCount`: a step along either moves so many bytes in dy and so many in x,
 * and in a run both are contiguous. A tap is one int32, its byte offset in x from the position; the list is filled up to a
 * multiple of four by repeating any tap, whose sums are dropped. Each sum runs over the grid in four interleaved partial sums,
 * which are added pairwise at the end.
 */

/** (a, b, c, d) to the vector of their four horizontal sums. */
function sumLanes(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7));
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7));
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
}

/** Adds the first `count` of four sums to what is there. */
function addFirst(to: usize, sums: v128, count: i32): void {
  if (count >= 4) {
    v128.store(to, f32x4.add(v128.load(to), sums));
    return;
  }
  store<f32>(to, load<f32>(to) + f32x4.extract_lane(sums, 0));
  if (count > 1) store<f32>(to, load<f32>(to, 4) + f32x4.extract_lane(sums, 1), 4);
  if (count > 2) store<f32>(to, load<f32>(to, 8) + f32x4.extract_lane(sums, 2), 8);
}

/**
 * Two rows by four taps at a time: eight sums, two gradients and four inputs are all that the registers hold, so the inner loop
 * takes four lanes a turn, not eight. Cost: rows · taps · positions multiply-adds of eight lanes.
 */
export function correlate(
  g: usize, // [rows][tapCount]
  dy: usize, // [rows][…][8]
  x: usize, // [channels][…][8]
  taps: usize,
  tapCount: i32,
  rows: i32,
  rowBytes: usize,
  outerCount: i32,
  dyOuterBytes: usize,
  xOuterBytes: usize,
  innerCount: i32,
  dyInnerBytes: usize,
  xInnerBytes: usize,
  runBytes: usize, // a multiple of 32, not 0
): void {
  for (let row = 0; row < rows; row += 2, dy += rowBytes << 1) {
    const paired = row + 1 < rows;
    const second = paired ? rowBytes : 0;
    let to = g + ((row * tapCount) << 2);
    for (let t = 0; t < tapCount; t += 4, to += 16) {
      const tap = taps + (t << 2);
      let a0 = f32x4.splat(0);
      let a1 = a0;
      let a2 = a0;
      let a3 = a0;
      let b0 = a0;
      let b1 = a0;
      let b2 = a0;
      let b3 = a0;
      for (let outer = 0; outer < outerCount; outer++) {
        for (let inner = 0; inner < innerCount; inner++) {
          const start = x + outer * xOuterBytes + inner * xInnerBytes;
          let x0 = start + load<u32>(tap);
          let x1 = start + load<u32>(tap, 4);
          let x2 = start + load<u32>(tap, 8);
          let x3 = start + load<u32>(tap, 12);
          let upper = dy + outer * dyOuterBytes + inner * dyInnerBytes;
          let lower = upper + second;
          const end = upper + runBytes;
          do {
            const above = v128.load(upper);
            const below = v128.load(lower);
            let value = v128.load(x0);
            a0 = f32x4.add(a0, f32x4.mul(above, value));
            b0 = f32x4.add(b0, f32x4.mul(below, value));
            value = v128.load(x1);
            a1 = f32x4.add(a1, f32x4.mul(above, value));
            b1 = f32x4.add(b1, f32x4.mul(below, value));
            value = v128.load(x2);
            a2 = f32x4.add(a2, f32x4.mul(above, value));
            b2 = f32x4.add(b2, f32x4.mul(below, value));
            value = v128.load(x3);
            a3 = f32x4.add(a3, f32x4.mul(above, value));
            b3 = f32x4.add(b3, f32x4.mul(below, value));
            upper += 16;
            lower += 16;
            x0 += 16;
            x1 += 16;
            x2 += 16;
            x3 += 16;
          } while (upper != end);
        }
      }
      const count = tapCount - t;
      addFirst(to, sumLanes(a0, a1, a2, a3), count);
      if (paired) addFirst(to + (tapCount << 2), sumLanes(b0, b1, b2, b3), count);
    }
  }
}

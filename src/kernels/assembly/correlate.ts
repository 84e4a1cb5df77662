/**
 * Gradient of weights: `g[row, t] += Σ_position Σ_lane dy[row, position, lane] · x[position, t, lane]`.
 *
 * A position is two int32: byte offset of its gradient in a row of dy, byte offset of its input origin. A tap is one int32, its
 * byte offset in x from the origin; the list is padded to a multiple of four by repeating any tap, whose sums are dropped.
 * Each sum runs over blocks, then positions, in four interleaved partial sums that are added pairwise at the end.
 */

/** (a, b, c, d) to the vector of their four horizontal sums. */
function sumLanes(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7));
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7));
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
}

function addFirst(to: usize, sums: v128, count: i32): void {
  if (count >= 4) {
    v128.store(to, f32x4.add(v128.load(to), sums));
    return;
  }
  store<f32>(to, load<f32>(to) + f32x4.extract_lane(sums, 0));
  if (count > 1) store<f32>(to, load<f32>(to, 4) + f32x4.extract_lane(sums, 1), 4);
  if (count > 2) store<f32>(to, load<f32>(to, 8) + f32x4.extract_lane(sums, 2), 8);
}

/** `blockCount` blocks of eight images at the given strides. Cost: rows · taps · positions · blocks multiply-adds of eight lanes. */
export function correlate(
  g: usize, // [rows][tapCount]
  dy: usize, // [blocks][rows][…][8]
  x: usize, // [blocks][…][8]
  positions: usize,
  positionCount: i32,
  taps: usize,
  tapCount: i32,
  rows: i32,
  rowBytes: usize,
  blockCount: i32,
  dyBlockBytes: usize,
  xBlockBytes: usize,
): void {
  const positionsEnd = positions + (positionCount << 3);
  for (let row = 0; row < rows; row += 2) {
    const paired = row + 1 < rows;
    const second = paired ? rowBytes : 0;
    let to = g + ((row * tapCount) << 2);
    for (let t = 0; t < tapCount; t += 4, to += 16) {
      const tap = taps + (t << 2);
      const t0 = load<u32>(tap);
      const t1 = load<u32>(tap, 4);
      const t2 = load<u32>(tap, 8);
      const t3 = load<u32>(tap, 12);
      let a0 = f32x4.splat(0);
      let a1 = a0;
      let a2 = a0;
      let a3 = a0;
      let b0 = a0;
      let b1 = a0;
      let b2 = a0;
      let b3 = a0;
      let dyBlock = dy + row * rowBytes;
      let xBlock = x;
      for (let block = 0; block < blockCount; block++) {
        for (let p = positions; p < positionsEnd; p += 8) {
          const upper = dyBlock + load<u32>(p);
          const lower = upper + second;
          const origin = xBlock + load<u32>(p, 4);
          const upperLow = v128.load(upper);
          const lowerLow = v128.load(lower);
          let value = v128.load(origin + t0);
          a0 = f32x4.add(a0, f32x4.mul(upperLow, value));
          b0 = f32x4.add(b0, f32x4.mul(lowerLow, value));
          value = v128.load(origin + t1);
          a1 = f32x4.add(a1, f32x4.mul(upperLow, value));
          b1 = f32x4.add(b1, f32x4.mul(lowerLow, value));
          value = v128.load(origin + t2);
          a2 = f32x4.add(a2, f32x4.mul(upperLow, value));
          b2 = f32x4.add(b2, f32x4.mul(lowerLow, value));
          value = v128.load(origin + t3);
          a3 = f32x4.add(a3, f32x4.mul(upperLow, value));
          b3 = f32x4.add(b3, f32x4.mul(lowerLow, value));
          const upperHigh = v128.load(upper, 16);
          const lowerHigh = v128.load(lower, 16);
          value = v128.load(origin + t0, 16);
          a0 = f32x4.add(a0, f32x4.mul(upperHigh, value));
          b0 = f32x4.add(b0, f32x4.mul(lowerHigh, value));
          value = v128.load(origin + t1, 16);
          a1 = f32x4.add(a1, f32x4.mul(upperHigh, value));
          b1 = f32x4.add(b1, f32x4.mul(lowerHigh, value));
          value = v128.load(origin + t2, 16);
          a2 = f32x4.add(a2, f32x4.mul(upperHigh, value));
          b2 = f32x4.add(b2, f32x4.mul(lowerHigh, value));
          value = v128.load(origin + t3, 16);
          a3 = f32x4.add(a3, f32x4.mul(upperHigh, value));
          b3 = f32x4.add(b3, f32x4.mul(lowerHigh, value));
        }
        dyBlock += dyBlockBytes;
        xBlock += xBlockBytes;
      }
      addFirst(to, sumLanes(a0, a1, a2, a3), tapCount - t);
      if (paired) addFirst(to + (tapCount << 2), sumLanes(b0, b1, b2, b3), tapCount - t);
    }
  }
}

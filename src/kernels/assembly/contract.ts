/**
 * The one matrix product behind dense and convolution layers, forward and towards the input: every output position is a sum over
 * taps, `y[row, position] = bias[row] + Σ_t w[row, t] · x[position, t]`, with eight images side by side in the lanes.
 *
 * A position is four int32: byte offset of its output, byte offset of its input origin, byte offset of its taps, number of taps.
 * A tap is two int32: byte offset in x from the origin, byte offset in a weight tile. Borders need no padding: a position there
 * lists fewer taps. Weights are packed in tiles of four rows, `[rows / 4][taps][4]`, zero beyond the last row.
 * Sums run over taps in the listed order, product and addition rounded apart (no fused multiply-add), so bits equal everywhere.
 */

/** 4 rows of 8 lanes, in registers: 8 sums, 2 inputs, 1 weight. */
function tileOfFour(
  y: usize,
  rowBytes: usize,
  x: usize,
  w: usize,
  bias: usize,
  taps: usize,
  end: usize,
  rows: i32,
  floor: v128,
): void {
  let low0 = bias ? v128.load32_splat(bias) : f32x4.splat(0);
  let low1 = bias && rows > 1 ? v128.load32_splat(bias, 4) : f32x4.splat(0);
  let low2 = bias && rows > 2 ? v128.load32_splat(bias, 8) : f32x4.splat(0);
  let low3 = bias && rows > 3 ? v128.load32_splat(bias, 12) : f32x4.splat(0);
  let high0 = low0;
  let high1 = low1;
  let high2 = low2;
  let high3 = low3;
  for (; taps < end; taps += 8) {
    const from = x + load<u32>(taps);
    const weights = w + load<u32>(taps, 4);
    const low = v128.load(from);
    const high = v128.load(from, 16);
    const w0 = v128.load32_splat(weights);
    low0 = f32x4.add(low0, f32x4.mul(w0, low));
    high0 = f32x4.add(high0, f32x4.mul(w0, high));
    const w1 = v128.load32_splat(weights, 4);
    low1 = f32x4.add(low1, f32x4.mul(w1, low));
    high1 = f32x4.add(high1, f32x4.mul(w1, high));
    const w2 = v128.load32_splat(weights, 8);
    low2 = f32x4.add(low2, f32x4.mul(w2, low));
    high2 = f32x4.add(high2, f32x4.mul(w2, high));
    const w3 = v128.load32_splat(weights, 12);
    low3 = f32x4.add(low3, f32x4.mul(w3, low));
    high3 = f32x4.add(high3, f32x4.mul(w3, high));
  }
  v128.store(y, f32x4.pmax(low0, floor));
  v128.store(y, f32x4.pmax(high0, floor), 16);
  if (rows < 2) return;
  y += rowBytes;
  v128.store(y, f32x4.pmax(low1, floor));
  v128.store(y, f32x4.pmax(high1, floor), 16);
  if (rows < 3) return;
  y += rowBytes;
  v128.store(y, f32x4.pmax(low2, floor));
  v128.store(y, f32x4.pmax(high2, floor), 16);
  if (rows < 4) return;
  y += rowBytes;
  v128.store(y, f32x4.pmax(low3, floor));
  v128.store(y, f32x4.pmax(high3, floor), 16);
}

/** The last one or two rows, so that six channels cost six and not eight. */
function tileOfTwo(
  y: usize,
  rowBytes: usize,
  x: usize,
  w: usize,
  bias: usize,
  taps: usize,
  end: usize,
  rows: i32,
  floor: v128,
): void {
  let low0 = bias ? v128.load32_splat(bias) : f32x4.splat(0);
  let low1 = bias && rows > 1 ? v128.load32_splat(bias, 4) : f32x4.splat(0);
  let high0 = low0;
  let high1 = low1;
  for (; taps < end; taps += 8) {
    const from = x + load<u32>(taps);
    const weights = w + load<u32>(taps, 4);
    const low = v128.load(from);
    const high = v128.load(from, 16);
    const w0 = v128.load32_splat(weights);
    low0 = f32x4.add(low0, f32x4.mul(w0, low));
    high0 = f32x4.add(high0, f32x4.mul(w0, high));
    const w1 = v128.load32_splat(weights, 4);
    low1 = f32x4.add(low1, f32x4.mul(w1, low));
    high1 = f32x4.add(high1, f32x4.mul(w1, high));
  }
  v128.store(y, f32x4.pmax(low0, floor));
  v128.store(y, f32x4.pmax(high0, floor), 16);
  if (rows < 2) return;
  y += rowBytes;
  v128.store(y, f32x4.pmax(low1, floor));
  v128.store(y, f32x4.pmax(high1, floor), 16);
}

/**
 * One block of eight images. `bias` 0 means none; results below `floor` are raised to it: 0 makes a relu, -∞ does nothing, NaN stays.
 * Cost: rows · Σ taps multiply-adds of eight lanes.
 */
export function contract(
  y: usize, // [rows][…][8]
  x: usize, // [channels][…][8]
  w: usize, // [ceil(rows / 4)][tapsPerTile][4]
  bias: usize, // [rows]
  positions: usize,
  positionCount: i32,
  taps: usize,
  rows: i32,
  rowBytes: usize,
  tileBytes: usize,
  floor: f32,
): void {
  const least = f32x4.splat(floor);
  for (let p = 0; p < positionCount; p++, positions += 16) {
    const origin = x + load<u32>(positions, 4);
    const first = taps + load<u32>(positions, 8);
    const end = first + (load<u32>(positions, 12) << 3);
    let to = y + load<u32>(positions);
    let tile = w;
    let rowBias = bias;
    let row = 0;
    for (; rows - row > 2; row += 4) {
      tileOfFour(to, rowBytes, origin, tile, rowBias, first, end, rows - row, least);
      to += rowBytes << 2;
      tile += tileBytes;
      if (bias) rowBias += 16;
    }
    if (row < rows) tileOfTwo(to, rowBytes, origin, tile, rowBias, first, end, rows - row, least);
  }
}

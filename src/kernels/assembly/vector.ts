/**
 * Element by element and sums. Every buffer is a whole number of vectors (16 bytes) long, so there is no tail to treat; `count`
 * is in floats and rounded up to four.
 */

export function fill(to: usize, value: f32, count: i32): void {
  const values = f32x4.splat(value);
  for (let i = 0; i < count; i += 4, to += 16) v128.store(to, values);
}

/** `to = a + b`. */
export function add(to: usize, a: usize, b: usize, count: i32): void {
  for (let i = 0; i < count; i += 4, to += 16, a += 16, b += 16) {
    v128.store(to, f32x4.add(v128.load(a), v128.load(b)));
  }
}

/** `to = a · b`. */
export function multiply(to: usize, a: usize, b: usize, count: i32): void {
  for (let i = 0; i < count; i += 4, to += 16, a += 16, b += 16) {
    v128.store(to, f32x4.mul(v128.load(a), v128.load(b)));
  }
}

/** `y = max(x + bias[row], floor)` over rows of `rowCount` floats, a multiple of eight. */
export function addBias(
  y: usize,
  x: usize,
  bias: usize,
  rows: i32,
  rowCount: i32,
  floor: f32,
): void {
  const least = f32x4.splat(floor);
  for (let row = 0; row < rows; row++, bias += 4) {
    const shift = v128.load32_splat(bias);
    for (let i = 0; i < rowCount; i += 4, y += 16, x += 16) {
      v128.store(y, f32x4.pmax(f32x4.add(v128.load(x), shift), least));
    }
  }
}

/**
 * Gradient of a bias: `g[row] += Σ over one block's positions and lanes`. Partial sums per lane, then pairwise.
 * `rowCount` floats lie between two rows of dy, a multiple of eight.
 */
export function sumRows(g: usize, dy: usize, rows: i32, rowCount: i32): void {
  for (let row = 0; row < rows; row++, g += 4) {
    let low = f32x4.splat(0);
    let high = low;
    for (let i = 0; i < rowCount; i += 8, dy += 32) {
      low = f32x4.add(low, v128.load(dy));
      high = f32x4.add(high, v128.load(dy, 16));
    }
    const four = f32x4.add(low, high);
    const two = f32x4.add(four, v128.shuffle<f32>(four, four, 2, 3, 0, 1));
    store<f32>(g, load<f32>(g) + (f32x4.extract_lane(two, 0) + f32x4.extract_lane(two, 1)));
  }
}

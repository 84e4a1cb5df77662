/** Products of the magnitudes of a matrix of float32 weights with a vector on either side, in float64 and in one pass. */

const tileColumns: i32 = 512;

/**
 * `y[r] = Σ |w[r, c]| u[c]` for rows [0, rows), and `v[c] = Σ |w[r, c]| x[r]`, all float64. A row's sum is taken tile after tile, a
 * column's four rows at a time.
 */
export function absoluteProducts(
  weights: usize,
  rows: i32,
  columns: i32,
  x: usize,
  u: usize,
  y: usize,
  v: usize,
): void {
  memory.fill(y, 0, (<usize>rows) << 3);
  memory.fill(v, 0, (<usize>columns) << 3);
  const rowBytes = (<usize>columns) << 2;
  const whole = rows & ~3;
  for (let first = 0; first < whole; first += 32) {
    const last = min(first + 32, whole);
    for (let column = 0; column < columns; column += tileColumns) {
      const count = min(tileColumns, columns - column);
      const tile = weights + ((<usize>column) << 2);
      const to = (<usize>column) << 3;
      for (let row = first; row < last; row += 4) {
        const own = (<usize>row) << 3;
        fourRows(tile + <usize>row * rowBytes, rowBytes, count, x + own, u + to, y + own, v + to);
      }
    }
  }
  for (let row = whole; row < rows; row++) {
    const own = (<usize>row) << 3;
    store<f64>(y + own, oneRow(weights + <usize>row * rowBytes, columns, load<f64>(x + own), u, v));
  }
}

function fourRows(
  a: usize,
  rowBytes: usize,
  count: i32,
  x: usize,
  u: usize,
  y: usize,
  v: usize,
): void {
  const b = a + rowBytes;
  const c = b + rowBytes;
  const d = c + rowBytes;
  const xa = v128.load64_splat(x);
  const xb = v128.load64_splat(x, 8);
  const xc = v128.load64_splat(x, 16);
  const xd = v128.load64_splat(x, 24);
  const zero = f64x2.splat(0);
  let ya = zero,
    yb = zero,
    yc = zero,
    yd = zero;
  const whole = (<usize>(count & ~1)) << 2;
  let at: usize = 0;
  for (; at < whole; at += 8) {
    const wa = f64x2.abs(f64x2.promote_low_f32x4(v128.load64_zero(a + at)));
    const wb = f64x2.abs(f64x2.promote_low_f32x4(v128.load64_zero(b + at)));
    const wc = f64x2.abs(f64x2.promote_low_f32x4(v128.load64_zero(c + at)));
    const wd = f64x2.abs(f64x2.promote_low_f32x4(v128.load64_zero(d + at)));
    const own = at << 1;
    const uc = v128.load(u + own);
    ya = f64x2.add(ya, f64x2.mul(wa, uc));
    yb = f64x2.add(yb, f64x2.mul(wb, uc));
    yc = f64x2.add(yc, f64x2.mul(wc, uc));
    yd = f64x2.add(yd, f64x2.mul(wd, uc));
    const s = f64x2.add(
      f64x2.add(f64x2.mul(wa, xa), f64x2.mul(wb, xb)),
      f64x2.add(f64x2.mul(wc, xc), f64x2.mul(wd, xd)),
    );
    v128.store(v + own, f64x2.add(v128.load(v + own), s));
  }
  addLanes(y, ya);
  addLanes(y + 8, yb);
  addLanes(y + 16, yc);
  addLanes(y + 24, yd);
  if ((count & 1) != 0) {
    const own = at << 1;
    let row = a + at;
    for (let i = 0; i < 4; i++, row += rowBytes) {
      const w = <f64>abs(load<f32>(row));
      const to = y + (i << 3);
      store<f64>(to, load<f64>(to) + w * load<f64>(u + own));
      store<f64>(v + own, load<f64>(v + own) + w * load<f64>(x + (i << 3)));
    }
  }
}

function addLanes(at: usize, two: v128): void {
  store<f64>(at, load<f64>(at) + (f64x2.extract_lane(two, 0) + f64x2.extract_lane(two, 1)));
}

function oneRow(row: usize, count: i32, x: f64, u: usize, v: usize): f64 {
  let sum: f64 = 0;
  for (let i = 0; i < count; i++, row += 4, u += 8, v += 8) {
    const w = <f64>abs(load<f32>(row));
    sum += w * load<f64>(u);
    store<f64>(v, load<f64>(v) + w * x);
  }
  return sum;
}

/** Products of the magnitudes of a matrix of float32 weights with a vector on one side, in float64. */

const tileColumns: i32 = 1024;

function magnitudes(at: usize): v128 {
  return f64x2.abs(f64x2.promote_low_f32x4(v128.load64_zero(at)));
}

/** `y[r] = Σ |w[r, c]| u[c]` for rows [0, rows); a row's sum is taken tile after tile. */
export function rowProducts(weights: usize, rows: i32, columns: i32, u: usize, y: usize): void {
  memory.fill(y, 0, (<usize>rows) << 3);
  const rowBytes = (<usize>columns) << 2;
  const whole = rows & ~3;
  for (let first = 0; first < whole; first += 32) {
    const last = min(first + 32, whole);
    for (let column = 0; column < columns; column += tileColumns) {
      const count = min(tileColumns, columns - column);
      const tile = weights + ((<usize>column) << 2);
      const from = u + ((<usize>column) << 3);
      for (let row = first; row < last; row += 4) {
        fourDots(tile + <usize>row * rowBytes, rowBytes, count, from, y + ((<usize>row) << 3));
      }
    }
  }
  for (let row = whole; row < rows; row++) {
    let at = weights + <usize>row * rowBytes;
    let sum: f64 = 0;
    for (let c = 0; c < columns; c++, at += 4) {
      sum += <f64>abs(load<f32>(at)) * load<f64>(u + ((<usize>c) << 3));
    }
    store<f64>(y + ((<usize>row) << 3), sum);
  }
}

function fourDots(a: usize, rowBytes: usize, count: i32, u: usize, y: usize): void {
  const b = a + rowBytes;
  const c = b + rowBytes;
  const d = c + rowBytes;
  const zero = f64x2.splat(0);
  let ya = zero;
  let yb = zero;
  let yc = zero;
  let yd = zero;
  const whole = (<usize>(count & ~1)) << 2;
  let at: usize = 0;
  for (; at < whole; at += 8) {
    const uc = v128.load(u + (at << 1));
    ya = f64x2.add(ya, f64x2.mul(magnitudes(a + at), uc));
    yb = f64x2.add(yb, f64x2.mul(magnitudes(b + at), uc));
    yc = f64x2.add(yc, f64x2.mul(magnitudes(c + at), uc));
    yd = f64x2.add(yd, f64x2.mul(magnitudes(d + at), uc));
  }
  addLanes(y, ya);
  addLanes(y + 8, yb);
  addLanes(y + 16, yc);
  addLanes(y + 24, yd);
  if ((count & 1) != 0) {
    const last = load<f64>(u + (at << 1));
    let row = a + at;
    for (let i = 0; i < 4; i++, row += rowBytes) {
      const to = y + (i << 3);
      store<f64>(to, load<f64>(to) + <f64>abs(load<f32>(row)) * last);
    }
  }
}

function addLanes(at: usize, two: v128): void {
  store<f64>(at, load<f64>(at) + (f64x2.extract_lane(two, 0) + f64x2.extract_lane(two, 1)));
}

/** `v[c] = Σ |w[r, c]| x[r]` over rows [0, rows); a column's sum is taken four rows at a time. */
export function columnProducts(weights: usize, rows: i32, columns: i32, x: usize, v: usize): void {
  memory.fill(v, 0, (<usize>columns) << 3);
  const rowBytes = (<usize>columns) << 2;
  const whole = rows & ~3;
  for (let first = 0; first < whole; first += 32) {
    const last = min(first + 32, whole);
    for (let column = 0; column < columns; column += tileColumns) {
      const count = min(tileColumns, columns - column);
      const tile = weights + ((<usize>column) << 2);
      const to = v + ((<usize>column) << 3);
      for (let row = first; row < last; row += 4) {
        fourRows(tile + <usize>row * rowBytes, rowBytes, count, x + ((<usize>row) << 3), to);
      }
    }
  }
  for (let row = whole; row < rows; row++) {
    let at = weights + <usize>row * rowBytes;
    const own = load<f64>(x + ((<usize>row) << 3));
    for (let c = 0; c < columns; c++, at += 4) {
      const to = v + ((<usize>c) << 3);
      store<f64>(to, load<f64>(to) + <f64>abs(load<f32>(at)) * own);
    }
  }
}

function fourRows(a: usize, rowBytes: usize, count: i32, x: usize, v: usize): void {
  const b = a + rowBytes;
  const c = b + rowBytes;
  const d = c + rowBytes;
  const xa = v128.load64_splat(x);
  const xb = v128.load64_splat(x, 8);
  const xc = v128.load64_splat(x, 16);
  const xd = v128.load64_splat(x, 24);
  const whole = (<usize>(count & ~1)) << 2;
  let at: usize = 0;
  for (; at < whole; at += 8) {
    const sum = f64x2.add(
      f64x2.add(f64x2.mul(magnitudes(a + at), xa), f64x2.mul(magnitudes(b + at), xb)),
      f64x2.add(f64x2.mul(magnitudes(c + at), xc), f64x2.mul(magnitudes(d + at), xd)),
    );
    const to = v + (at << 1);
    v128.store(to, f64x2.add(v128.load(to), sum));
  }
  if ((count & 1) != 0) {
    const to = v + (at << 1);
    let row = a + at;
    for (let i = 0; i < 4; i++, row += rowBytes) {
      const own = load<f64>(x + (i << 3));
      store<f64>(to, load<f64>(to) + <f64>abs(load<f32>(row)) * own);
    }
  }
}

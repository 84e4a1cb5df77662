/**
 * Products of the magnitudes of a matrix of float32 weights with vectors of float64: with one on the columns, one on the rows, or
 * both in one pass. A row's sum is taken tile after tile, a column's a group of rows at a time.
 */

/** Which products a walk over the tiles takes. */
const both = 0;
const ofRows = 1;
const ofColumns = 2;

const panelRows: i32 = 32;

/** `y[r] = Σ |w[r, c]| u[c]` for rows [0, rows). */
export function rowProducts(weights: usize, rows: i32, columns: i32, u: usize, y: usize): void {
  memory.fill(y, 0, (<usize>rows) << 3);
  walk(ofRows, weights, rows, columns, 0, u, y, 0);
}

/** `v[c] = Σ |w[r, c]| x[r]` over rows [0, rows). */
export function columnProducts(weights: usize, rows: i32, columns: i32, x: usize, v: usize): void {
  memory.fill(v, 0, (<usize>columns) << 3);
  walk(ofColumns, weights, rows, columns, x, 0, 0, v);
}

/** `rowProducts` and `columnProducts`. */
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
  walk(both, weights, rows, columns, x, u, y, v);
}

function walk(
  way: i32,
  weights: usize,
  rows: i32,
  columns: i32,
  x: usize,
  u: usize,
  y: usize,
  v: usize,
): void {
  const rowBytes = (<usize>columns) << 2;
  // As many rows side by side as leave their sums in registers, and as many columns as leave their vectors in the nearest cache.
  const height = way == both ? 4 : 8;
  const width = way == both ? 512 : 1024;
  const whole = rows & -height;
  for (let first = 0; first < whole; first += panelRows) {
    const last = min(first + panelRows, whole);
    for (let column = 0; column < columns; column += width) {
      const count = min(width, columns - column);
      const tile = weights + ((<usize>column) << 2);
      const to = (<usize>column) << 3;
      for (let row = first; row < last; row += height) {
        const at = tile + <usize>row * rowBytes;
        const own = (<usize>row) << 3;
        if (way == both) dotsAndSums(at, rowBytes, count, x + own, u + to, y + own, v + to);
        else if (way == ofRows) dots(at, rowBytes, count, u + to, y + own);
        else sums(at, rowBytes, count, x + own, v + to);
        if ((count & 1) == 0) continue;
        const end = <usize>(count - 1);
        const next = to + (end << 3);
        for (let i: usize = 0; i < <usize>height; i++) {
          const weight = at + i * rowBytes + (end << 2);
          one(way, weight, x + own + (i << 3), u + next, y + own + (i << 3), v + next);
        }
      }
    }
  }
  for (let row = whole; row < rows; row++) {
    const own = (<usize>row) << 3;
    const at = weights + <usize>row * rowBytes;
    for (let i: usize = 0; i < <usize>columns; i++) {
      one(way, at + (i << 2), x + own, u + (i << 3), y + own, v + (i << 3));
    }
  }
}

function one(way: i32, weight: usize, x: usize, u: usize, y: usize, v: usize): void {
  const w = <f64>abs(load<f32>(weight));
  if (way != ofColumns) store<f64>(y, load<f64>(y) + w * load<f64>(u));
  if (way != ofRows) store<f64>(v, load<f64>(v) + w * load<f64>(x));
}

function magnitudes(at: usize, clear: v128): v128 {
  return v128.and(f64x2.promote_low_f32x4(v128.load64_zero(at)), clear);
}

function withoutSign(): v128 {
  return i64x2.splat(0x7fffffffffffffff);
}

function addLanes(at: usize, two: v128): void {
  store<f64>(at, load<f64>(at) + (f64x2.extract_lane(two, 0) + f64x2.extract_lane(two, 1)));
}

/** Eight rows; of an odd number of columns all but the last. */
function dots(a: usize, rowBytes: usize, count: i32, u: usize, y: usize): void {
  const b = a + rowBytes;
  const c = b + rowBytes;
  const d = c + rowBytes;
  const e = d + rowBytes;
  const f = e + rowBytes;
  const g = f + rowBytes;
  const h = g + rowBytes;
  const clear = withoutSign();
  let ya = f64x2.splat(0);
  let yb = ya,
    yc = ya,
    yd = ya,
    ye = ya,
    yf = ya,
    yg = ya,
    yh = ya;
  const whole = (<usize>(count & ~1)) << 2;
  for (let at: usize = 0; at < whole; at += 8) {
    const own = v128.load(u + (at << 1));
    ya = f64x2.add(ya, f64x2.mul(magnitudes(a + at, clear), own));
    yb = f64x2.add(yb, f64x2.mul(magnitudes(b + at, clear), own));
    yc = f64x2.add(yc, f64x2.mul(magnitudes(c + at, clear), own));
    yd = f64x2.add(yd, f64x2.mul(magnitudes(d + at, clear), own));
    ye = f64x2.add(ye, f64x2.mul(magnitudes(e + at, clear), own));
    yf = f64x2.add(yf, f64x2.mul(magnitudes(f + at, clear), own));
    yg = f64x2.add(yg, f64x2.mul(magnitudes(g + at, clear), own));
    yh = f64x2.add(yh, f64x2.mul(magnitudes(h + at, clear), own));
  }
  addLanes(y, ya);
  addLanes(y + 8, yb);
  addLanes(y + 16, yc);
  addLanes(y + 24, yd);
  addLanes(y + 32, ye);
  addLanes(y + 40, yf);
  addLanes(y + 48, yg);
  addLanes(y + 56, yh);
}

/** The same for the columns. */
function sums(a: usize, rowBytes: usize, count: i32, x: usize, v: usize): void {
  const b = a + rowBytes;
  const c = b + rowBytes;
  const d = c + rowBytes;
  const e = d + rowBytes;
  const f = e + rowBytes;
  const g = f + rowBytes;
  const h = g + rowBytes;
  const clear = withoutSign();
  const xa = v128.load64_splat(x);
  const xb = v128.load64_splat(x, 8);
  const xc = v128.load64_splat(x, 16);
  const xd = v128.load64_splat(x, 24);
  const xe = v128.load64_splat(x, 32);
  const xf = v128.load64_splat(x, 40);
  const xg = v128.load64_splat(x, 48);
  const xh = v128.load64_splat(x, 56);
  const whole = (<usize>(count & ~1)) << 2;
  for (let at: usize = 0; at < whole; at += 8) {
    const ab = f64x2.add(
      f64x2.mul(magnitudes(a + at, clear), xa),
      f64x2.mul(magnitudes(b + at, clear), xb),
    );
    const cd = f64x2.add(
      f64x2.mul(magnitudes(c + at, clear), xc),
      f64x2.mul(magnitudes(d + at, clear), xd),
    );
    const ef = f64x2.add(
      f64x2.mul(magnitudes(e + at, clear), xe),
      f64x2.mul(magnitudes(f + at, clear), xf),
    );
    const gh = f64x2.add(
      f64x2.mul(magnitudes(g + at, clear), xg),
      f64x2.mul(magnitudes(h + at, clear), xh),
    );
    const to = v + (at << 1);
    const all = f64x2.add(f64x2.add(ab, cd), f64x2.add(ef, gh));
    v128.store(to, f64x2.add(v128.load(to), all));
  }
}

/** Both, for four rows. */
function dotsAndSums(
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
  const clear = withoutSign();
  const xa = v128.load64_splat(x);
  const xb = v128.load64_splat(x, 8);
  const xc = v128.load64_splat(x, 16);
  const xd = v128.load64_splat(x, 24);
  let ya = f64x2.splat(0);
  let yb = ya,
    yc = ya,
    yd = ya;
  const whole = (<usize>(count & ~1)) << 2;
  for (let at: usize = 0; at < whole; at += 8) {
    const wa = magnitudes(a + at, clear);
    const wb = magnitudes(b + at, clear);
    const wc = magnitudes(c + at, clear);
    const wd = magnitudes(d + at, clear);
    const from = u + (at << 1);
    const own = v128.load(from);
    ya = f64x2.add(ya, f64x2.mul(wa, own));
    yb = f64x2.add(yb, f64x2.mul(wb, own));
    yc = f64x2.add(yc, f64x2.mul(wc, own));
    yd = f64x2.add(yd, f64x2.mul(wd, own));
    const to = v + (at << 1);
    const all = f64x2.add(
      f64x2.add(f64x2.mul(wa, xa), f64x2.mul(wb, xb)),
      f64x2.add(f64x2.mul(wc, xc), f64x2.mul(wd, xd)),
    );
    v128.store(to, f64x2.add(v128.load(to), all));
  }
  addLanes(y, ya);
  addLanes(y + 8, yb);
  addLanes(y + 16, yc);
  addLanes(y + 24, yd);
}

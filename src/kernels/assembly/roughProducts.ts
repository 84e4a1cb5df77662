/**
 * Products of the magnitudes of a matrix with a vector, both of float32, for who can do with seven digits: a few terms are added in
 * float32, twice as many lanes as float64 has, and those sums in float64. An entry is off by at most 7 · 2^-24 of the sum of its
 * terms' magnitudes: a rounded vector, a product, and five additions of a row or three of a column.
 */

/** Rows side by side. */
const height: i32 = 8;
/** Columns of a row whose terms are added in float32: four times four lanes, four times. */
const run: i32 = 64;
const step: i32 = 16;

/** `y[r] = Σ |w[r, c]| u[c]` for rows [0, rows): `u` of float32, `y` of float64. */
export function roughRowProducts(
  weights: usize,
  rows: i32,
  columns: i32,
  u: usize,
  y: usize,
): void {
  memory.fill(y, 0, (<usize>rows) << 3);
  const rowBytes = (<usize>columns) << 2;
  const whole = rows & -height;
  const wide = columns & -step;
  for (let row = 0; row < rows; row++) {
    const at = weights + <usize>row * rowBytes;
    const to = y + ((<usize>row) << 3);
    if (row < whole && (row & (height - 1)) == 0) {
      for (let column = 0; column < wide; column += run) {
        const from = (<usize>column) << 2;
        dots(at + from, rowBytes, min(run, wide - column), u + from, to);
      }
    }
    for (let i = row < whole ? <usize>wide : 0; i < <usize>columns; i++) {
      addTerm(to, at + (i << 2), u + (i << 2));
    }
  }
}

/** `v[c] = Σ |w[r, c]| x[r]` over rows [0, rows): `x` of float32, `v` of float64. */
export function roughColumnProducts(
  weights: usize,
  rows: i32,
  columns: i32,
  x: usize,
  v: usize,
): void {
  memory.fill(v, 0, (<usize>columns) << 3);
  const rowBytes = (<usize>columns) << 2;
  const whole = rows & -height;
  const wide = columns & -4;
  for (let row = 0; row < rows; row++) {
    const at = weights + <usize>row * rowBytes;
    const own = x + ((<usize>row) << 2);
    if (row < whole && (row & (height - 1)) == 0) sums(at, rowBytes, wide, own, v);
    for (let i = row < whole ? <usize>wide : 0; i < <usize>columns; i++) {
      addTerm(v + (i << 3), at + (i << 2), own);
    }
  }
}

function addTerm(to: usize, weight: usize, factor: usize): void {
  store<f64>(to, load<f64>(to) + <f64>abs(load<f32>(weight)) * <f64>load<f32>(factor));
}

function term(at: usize, factor: v128): v128 {
  return f32x4.mul(v128.and(v128.load(at), i32x4.splat(0x7fffffff)), factor);
}

/** Sixteen terms of a row in four lanes. */
function terms(at: usize, a: v128, b: v128, c: v128, d: v128): v128 {
  return f32x4.add(
    f32x4.add(term(at, a), term(at + 16, b)),
    f32x4.add(term(at + 32, c), term(at + 48, d)),
  );
}

function low(four: v128): v128 {
  return f64x2.promote_low_f32x4(four);
}

function high(four: v128): v128 {
  return f64x2.promote_low_f32x4(i64x2.shuffle(four, four, 1, 0));
}

function addLanes(at: usize, four: v128): void {
  const two = f64x2.add(low(four), high(four));
  store<f64>(at, load<f64>(at) + (f64x2.extract_lane(two, 0) + f64x2.extract_lane(two, 1)));
}

/** Eight rows; `count` is a multiple of `step`. */
function dots(a: usize, rowBytes: usize, count: i32, u: usize, y: usize): void {
  const b = a + rowBytes;
  const c = b + rowBytes;
  const d = c + rowBytes;
  const e = d + rowBytes;
  const f = e + rowBytes;
  const g = f + rowBytes;
  const h = g + rowBytes;
  let ya = f32x4.splat(0);
  let yb = ya,
    yc = ya,
    yd = ya,
    ye = ya,
    yf = ya,
    yg = ya,
    yh = ya;
  const end = (<usize>count) << 2;
  for (let at: usize = 0; at < end; at += 64) {
    const ua = v128.load(u + at);
    const ub = v128.load(u + at, 16);
    const uc = v128.load(u + at, 32);
    const ud = v128.load(u + at, 48);
    ya = f32x4.add(ya, terms(a + at, ua, ub, uc, ud));
    yb = f32x4.add(yb, terms(b + at, ua, ub, uc, ud));
    yc = f32x4.add(yc, terms(c + at, ua, ub, uc, ud));
    yd = f32x4.add(yd, terms(d + at, ua, ub, uc, ud));
    ye = f32x4.add(ye, terms(e + at, ua, ub, uc, ud));
    yf = f32x4.add(yf, terms(f + at, ua, ub, uc, ud));
    yg = f32x4.add(yg, terms(g + at, ua, ub, uc, ud));
    yh = f32x4.add(yh, terms(h + at, ua, ub, uc, ud));
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

/** Eight rows; `count` is a multiple of four. */
function sums(a: usize, rowBytes: usize, count: i32, x: usize, v: usize): void {
  const b = a + rowBytes;
  const c = b + rowBytes;
  const d = c + rowBytes;
  const e = d + rowBytes;
  const f = e + rowBytes;
  const g = f + rowBytes;
  const h = g + rowBytes;
  const xa = v128.load32_splat(x);
  const xb = v128.load32_splat(x, 4);
  const xc = v128.load32_splat(x, 8);
  const xd = v128.load32_splat(x, 12);
  const xe = v128.load32_splat(x, 16);
  const xf = v128.load32_splat(x, 20);
  const xg = v128.load32_splat(x, 24);
  const xh = v128.load32_splat(x, 28);
  const end = (<usize>count) << 2;
  for (let at: usize = 0; at < end; at += 16) {
    const ab = f32x4.add(term(a + at, xa), term(b + at, xb));
    const cd = f32x4.add(term(c + at, xc), term(d + at, xd));
    const ef = f32x4.add(term(e + at, xe), term(f + at, xf));
    const gh = f32x4.add(term(g + at, xg), term(h + at, xh));
    const all = f32x4.add(f32x4.add(ab, cd), f32x4.add(ef, gh));
    const to = v + (at << 1);
    v128.store(to, f64x2.add(v128.load(to), low(all)));
    v128.store(to, f64x2.add(v128.load(to, 16), high(all)), 16);
  }
}

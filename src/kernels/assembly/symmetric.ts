/** Symmetric matrices of float64, of which the lower triangle is kept, [n, n]: products that add up to one, and its reduction. */

/**
 * Adds `panel` · `panel`ᵀ to the lower triangle of `gram`. The panel has n rows, and rows of anything up to the next multiple of
 * four; `width`, even, is how many columns.
 */
export function addGram(panel: usize, n: i32, width: i32, gram: usize): void {
  const rowBytes = (<usize>width) << 3;
  for (let i = 0; i < n; i += 2) {
    const a = panel + <usize>i * rowBytes;
    for (let j = 0; j <= i + 1 && j < n; j += 4) {
      tile(a, panel + <usize>j * rowBytes, rowBytes, gram + ((<usize>i * n + j) << 3), n, i, j);
    }
  }
}

/** Two rows by four; what lies above the diagonal or below the last row is left. */
function tile(a: usize, b: usize, rowBytes: usize, to: usize, n: i32, i: i32, j: i32): void {
  const c = b + rowBytes;
  const d = c + rowBytes;
  const e = d + rowBytes;
  let ab = f64x2.splat(0);
  let ac = ab,
    ad = ab,
    ae = ab,
    zb = ab,
    zc = ab,
    zd = ab,
    ze = ab;
  for (let at: usize = 0; at < rowBytes; at += 16) {
    const one = v128.load(a + at);
    const other = v128.load(a + rowBytes + at);
    let own = v128.load(b + at);
    ab = f64x2.add(ab, f64x2.mul(one, own));
    zb = f64x2.add(zb, f64x2.mul(other, own));
    own = v128.load(c + at);
    ac = f64x2.add(ac, f64x2.mul(one, own));
    zc = f64x2.add(zc, f64x2.mul(other, own));
    own = v128.load(d + at);
    ad = f64x2.add(ad, f64x2.mul(one, own));
    zd = f64x2.add(zd, f64x2.mul(other, own));
    own = v128.load(e + at);
    ae = f64x2.add(ae, f64x2.mul(one, own));
    ze = f64x2.add(ze, f64x2.mul(other, own));
  }
  addUpTo(i - j, to, ab, ac, ad, ae);
  if (i + 1 < n) addUpTo(i + 1 - j, to + ((<usize>n) << 3), zb, zc, zd, ze);
}

/** Columns 0 to `last` of four. */
function addUpTo(last: i32, to: usize, b: v128, c: v128, d: v128, e: v128): void {
  if (last >= 0) add(to, b);
  if (last >= 1) add(to + 8, c);
  if (last >= 2) add(to + 16, d);
  if (last >= 3) add(to + 24, e);
}

function add(to: usize, two: v128): void {
  store<f64>(to, load<f64>(to) + sum(two));
}

function sum(two: v128): f64 {
  return f64x2.extract_lane(two, 0) + f64x2.extract_lane(two, 1);
}

/**
 * Takes `v wᵀ + w vᵀ` from the triangle of the first `size` rows, and sets `product` to what that leaves times `next`: a step of
 * Householder's reduction to tridiagonal form.
 */
export function reduceTriangle(
  matrix: usize,
  n: i32,
  size: i32,
  v: usize,
  w: usize,
  next: usize,
  product: usize,
): void {
  memory.fill(product, 0, (<usize>size) << 3);
  const rowBytes = (<usize>n) << 3;
  let row = matrix;
  let i = 0;
  for (; i + 1 < size; i += 2, row += rowBytes << 1) {
    twoRows(row, rowBytes, (<usize>i) << 3, v, w, next, product);
  }
  if (i < size) oneRow(row, (<usize>i) << 3, v, w, next, product);
}

/** Rows i and i + 1, i being even and `own` its place in the vectors. */
function twoRows(
  a: usize,
  rowBytes: usize,
  own: usize,
  v: usize,
  w: usize,
  next: usize,
  product: usize,
): void {
  const b = a + rowBytes;
  const va = v128.load64_splat(v + own);
  const wa = v128.load64_splat(w + own);
  const na = v128.load64_splat(next + own);
  const vb = v128.load64_splat(v + own, 8);
  const wb = v128.load64_splat(w + own, 8);
  const nb = v128.load64_splat(next + own, 8);
  let sa = f64x2.splat(0);
  let sb = sa;
  for (let at: usize = 0; at < own; at += 16) {
    const wj = v128.load(w + at);
    const vj = v128.load(v + at);
    const nj = v128.load(next + at);
    const ea = f64x2.sub(f64x2.sub(v128.load(a + at), f64x2.mul(va, wj)), f64x2.mul(wa, vj));
    const eb = f64x2.sub(f64x2.sub(v128.load(b + at), f64x2.mul(vb, wj)), f64x2.mul(wb, vj));
    v128.store(a + at, ea);
    v128.store(b + at, eb);
    sa = f64x2.add(sa, f64x2.mul(ea, nj));
    sb = f64x2.add(sb, f64x2.mul(eb, nj));
    const both = f64x2.add(f64x2.mul(ea, na), f64x2.mul(eb, nb));
    v128.store(product + at, f64x2.add(v128.load(product + at), both));
  }
  const between = entry(b + own, own + 8, own, v, w);
  const first = entry(a + own, own, own, v, w);
  const second = entry(b + own + 8, own + 8, own + 8, v, w);
  const x = load<f64>(next + own);
  const y = load<f64>(next + own, 8);
  store<f64>(product + own, load<f64>(product + own) + sum(sa) + first * x + between * y);
  store<f64>(product + own, load<f64>(product + own, 8) + sum(sb) + between * x + second * y, 8);
}

function oneRow(a: usize, own: usize, v: usize, w: usize, next: usize, product: usize): void {
  const va = v128.load64_splat(v + own);
  const wa = v128.load64_splat(w + own);
  const na = v128.load64_splat(next + own);
  let sa = f64x2.splat(0);
  for (let at: usize = 0; at < own; at += 16) {
    const taken = f64x2.sub(v128.load(a + at), f64x2.mul(va, v128.load(w + at)));
    const ea = f64x2.sub(taken, f64x2.mul(wa, v128.load(v + at)));
    v128.store(a + at, ea);
    sa = f64x2.add(sa, f64x2.mul(ea, v128.load(next + at)));
    v128.store(product + at, f64x2.add(v128.load(product + at), f64x2.mul(ea, na)));
  }
  const last = entry(a + own, own, own, v, w);
  store<f64>(product + own, load<f64>(product + own) + sum(sa) + last * load<f64>(next + own));
}

/** The entry at `at`, of row and column i and j, after what is taken from it. */
function entry(at: usize, i: usize, j: usize, v: usize, w: usize): f64 {
  const left =
    load<f64>(at) - load<f64>(v + i) * load<f64>(w + j) - load<f64>(w + i) * load<f64>(v + j);
  store<f64>(at, left);
  return left;
}

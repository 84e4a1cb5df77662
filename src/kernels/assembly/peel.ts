/**
 * What a peel of a matrix of float32 weights needs: sums of its parts, in float64, and what they lose when rows or columns go.
 * A part is chosen by `kind`: 0 for |w|, 1 for the positive parts, 2 for the magnitudes of the negative ones; 4 more counts the
 * parts that are not zero. Vectors hold float64, lists int32. What has left the peel has a degree of infinity, and keeps it.
 */

/** Columns of a tile: their degrees stay in the nearest cache while rows pass over them. */
const tileColumns: i32 = 1024;

/** Bits of a float32 that stay in its part, and those that are turned. */
export function clearOf(kind: i32): i32 {
  return (kind & 3) == 0 ? 0x7fffffff : -1;
}
export function flipOf(kind: i32): i32 {
  return (kind & 3) == 2 ? <i32>0x80000000 : 0;
}
export function keepOf(kind: i32): i32 {
  return (kind & 4) == 0 ? -1 : 0;
}

/** The parts of the two weights at `at`, as float64. `Kind` is bool for kind 0, which takes less, and i32 for any. */
function two<Kind>(at: usize, clear: v128, flip: v128, keep: v128): v128 {
  const w = v128.load64_zero(at);
  if (isBoolean<Kind>()) return f64x2.promote_low_f32x4(v128.and(w, clear));
  const part = f32x4.pmax(f32x4.splat(0), v128.xor(v128.and(w, clear), flip));
  const one = v128.and(f32x4.ne(part, f32x4.splat(0)), f32x4.splat(1));
  return f64x2.promote_low_f32x4(v128.bitselect(part, one, keep));
}

function single(at: usize, clear: i32, flip: i32, keep: i32): f64 {
  const part = max<f32>(0, reinterpret<f32>((load<i32>(at) & clear) ^ flip));
  return keep != 0 ? <f64>part : part > 0 ? 1 : 0;
}

/** Sums of the parts by row and by column, in one pass. A row's sum is taken tile after tile, a column's four rows at a time. */
export function partSums(
  weights: usize,
  rows: i32,
  columns: i32,
  rowSums: usize,
  columnSums: usize,
  kind: i32,
): void {
  memory.fill(rowSums, 0, (<usize>rows) << 3);
  memory.fill(columnSums, 0, (<usize>columns) << 3);
  const rowBytes = (<usize>columns) << 2;
  const whole = rows & ~3;
  for (let first = 0; first < whole; first += 32) {
    const last = min(first + 32, whole);
    for (let column = 0; column < columns; column += tileColumns) {
      const count = min(tileColumns, columns - column);
      const tile = weights + ((<usize>column) << 2);
      const to = columnSums + ((<usize>column) << 3);
      for (let row = first; row < last; row += 4) {
        const own = rowSums + ((<usize>row) << 3);
        const at = tile + <usize>row * rowBytes;
        if (kind == 0) fourRows<bool>(at, rowBytes, count, own, to, kind);
        else fourRows<i32>(at, rowBytes, count, own, to, kind);
      }
    }
  }
  const clear = clearOf(kind);
  const flip = flipOf(kind);
  const keep = keepOf(kind);
  for (let row = whole; row < rows; row++) {
    const from = weights + <usize>row * rowBytes;
    let sum: f64 = 0;
    for (let i: usize = 0; i < <usize>columns; i++) {
      const part = single(from + (i << 2), clear, flip, keep);
      const to = columnSums + (i << 3);
      sum += part;
      store<f64>(to, load<f64>(to) + part);
    }
    store<f64>(rowSums + ((<usize>row) << 3), sum);
  }
}

function fourRows<Kind>(
  a: usize,
  rowBytes: usize,
  count: i32,
  rowSums: usize,
  columnSums: usize,
  kind: i32,
): void {
  const b = a + rowBytes;
  const c = b + rowBytes;
  const d = c + rowBytes;
  const clear = i32x4.splat(clearOf(kind));
  const flip = i32x4.splat(flipOf(kind));
  const keep = i32x4.splat(keepOf(kind));
  let sa = f64x2.splat(0),
    sb = sa,
    sc = sa,
    sd = sa;
  const whole = (<usize>(count & ~1)) << 2;
  let at: usize = 0;
  for (; at < whole; at += 8) {
    const pa = two<Kind>(a + at, clear, flip, keep);
    const pb = two<Kind>(b + at, clear, flip, keep);
    const pc = two<Kind>(c + at, clear, flip, keep);
    const pd = two<Kind>(d + at, clear, flip, keep);
    sa = f64x2.add(sa, pa);
    sb = f64x2.add(sb, pb);
    sc = f64x2.add(sc, pc);
    sd = f64x2.add(sd, pd);
    const to = columnSums + (at << 1);
    const four = f64x2.add(f64x2.add(pa, pb), f64x2.add(pc, pd));
    v128.store(to, f64x2.add(v128.load(to), four));
  }
  addLanes(rowSums, sa);
  addLanes(rowSums + 8, sb);
  addLanes(rowSums + 16, sc);
  addLanes(rowSums + 24, sd);
  if ((count & 1) != 0) {
    const to = columnSums + (at << 1);
    for (let i = 0; i < 4; i++, a += rowBytes, rowSums += 8) {
      const part = single(a + at, clearOf(kind), flipOf(kind), keepOf(kind));
      store<f64>(rowSums, load<f64>(rowSums) + part);
      store<f64>(to, load<f64>(to) + part);
    }
  }
}

function addLanes(at: usize, pair: v128): void {
  store<f64>(at, load<f64>(at) + (f64x2.extract_lane(pair, 0) + f64x2.extract_lane(pair, 1)));
}

/** `degrees[c] -= Σ part(w[r, c])` over the rows of `list`, for all columns. */
export function takeRows(
  weights: usize,
  columns: i32,
  list: usize,
  count: i32,
  degrees: usize,
  kind: i32,
): void {
  for (let column = 0; column < columns; column += tileColumns) {
    const width = min(tileColumns, columns - column);
    const tile = weights + ((<usize>column) << 2);
    const to = degrees + ((<usize>column) << 3);
    if (kind == 0) takeTile<bool>(tile, columns, list, count, to, width, kind);
    else takeTile<i32>(tile, columns, list, count, to, width, kind);
  }
}

function takeTile<Kind>(
  tile: usize,
  columns: i32,
  list: usize,
  count: i32,
  degrees: usize,
  width: i32,
  kind: i32,
): void {
  const clear = i32x4.splat(clearOf(kind));
  const flip = i32x4.splat(flipOf(kind));
  const keep = i32x4.splat(keepOf(kind));
  const rowBytes = (<usize>columns) << 2;
  const whole = (<usize>(width & ~1)) << 2;
  let i = 0;
  for (; i + 4 <= count; i += 4, list += 16) {
    const a = tile + <usize>load<i32>(list) * rowBytes;
    const b = tile + <usize>load<i32>(list, 4) * rowBytes;
    const c = tile + <usize>load<i32>(list, 8) * rowBytes;
    const d = tile + <usize>load<i32>(list, 12) * rowBytes;
    for (let at: usize = 0; at < whole; at += 8) {
      const to = degrees + (at << 1);
      const four = f64x2.add(
        f64x2.add(two<Kind>(a + at, clear, flip, keep), two<Kind>(b + at, clear, flip, keep)),
        f64x2.add(two<Kind>(c + at, clear, flip, keep), two<Kind>(d + at, clear, flip, keep)),
      );
      v128.store(to, f64x2.sub(v128.load(to), four));
    }
    if ((width & 1) != 0) {
      const to = degrees + (whole << 1);
      takeOne(to, a + whole, kind);
      takeOne(to, b + whole, kind);
      takeOne(to, c + whole, kind);
      takeOne(to, d + whole, kind);
    }
  }
  for (; i < count; i++, list += 4) {
    const a = tile + <usize>load<i32>(list) * rowBytes;
    for (let at: usize = 0; at < whole; at += 8) {
      const to = degrees + (at << 1);
      v128.store(to, f64x2.sub(v128.load(to), two<Kind>(a + at, clear, flip, keep)));
    }
    if ((width & 1) != 0) takeOne(degrees + (whole << 1), a + whole, kind);
  }
}

function takeOne(degree: usize, weight: usize, kind: i32): void {
  const part = single(weight, clearOf(kind), flipOf(kind), keepOf(kind));
  store<f64>(degree, load<f64>(degree) - part);
}

/** `takeRows` for the `aliveCount` columns of `alive` alone. */
export function takeRowsAt(
  weights: usize,
  columns: i32,
  list: usize,
  count: i32,
  alive: usize,
  aliveCount: i32,
  degrees: usize,
  kind: i32,
): void {
  const end = alive + ((<usize>aliveCount) << 2);
  for (let i = 0; i < count; i++, list += 4) {
    const row = weights + ((<usize>load<i32>(list) * <usize>columns) << 2);
    for (let at = alive; at < end; at += 4) {
      const column = <usize>load<i32>(at);
      takeOne(degrees + (column << 3), row + (column << 2), kind);
    }
  }
}

/**
 * `degrees[r] -= Σ part(w[r, c])` over the columns of `list`, for the rows of `alive`. A row is left off as soon as it surely
 * falls to `level`: below it by `margins[r]` · 2^-30.
 */
export function takeColumns(
  weights: usize,
  columns: i32,
  list: usize,
  count: i32,
  alive: usize,
  aliveCount: i32,
  degrees: usize,
  margins: usize,
  level: f64,
  kind: i32,
): void {
  const clear = clearOf(kind);
  const flip = flipOf(kind);
  const keep = keepOf(kind);
  const end = alive + ((<usize>aliveCount) << 2);
  if (count == 1) {
    const column = weights + ((<usize>load<i32>(list)) << 2);
    for (let at = alive; at < end; at += 4) {
      const row = <usize>load<i32>(at);
      const to = degrees + (row << 3);
      const part = single(column + ((row * <usize>columns) << 2), clear, flip, keep);
      store<f64>(to, load<f64>(to) - part);
    }
    return;
  }
  const listEnd = list + ((<usize>count) << 2);
  for (let at = alive; at < end; at += 4) {
    const row = <usize>load<i32>(at);
    const to = degrees + (row << 3);
    let degree = load<f64>(to);
    if (degree == Infinity) continue;
    const enough = level - load<f64>(margins + (row << 3)) * 9.313225746154785e-10;
    const from = weights + ((row * <usize>columns) << 2);
    for (let next = list; next < listEnd && degree > enough;) {
      const stop = min(next + 32, listEnd);
      let lost: f64 = 0;
      for (; next < stop; next += 4) {
        lost += single(from + ((<usize>load<i32>(next)) << 2), clear, flip, keep);
      }
      degree -= lost;
    }
    store<f64>(to, degree);
  }
}

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

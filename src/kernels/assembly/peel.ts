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

/** The parts of the four weights at `at`. `Kind` is bool for kind 0, which takes less, and i32 for any. */
function parts<Kind>(at: usize, clear: v128, flip: v128, keep: v128): v128 {
  const w = v128.and(v128.load(at), clear);
  if (isBoolean<Kind>()) return w;
  const part = f32x4.pmax(f32x4.splat(0), v128.xor(w, flip));
  const one = v128.and(f32x4.ne(part, f32x4.splat(0)), f32x4.splat(1));
  return v128.bitselect(part, one, keep);
}

function low(four: v128): v128 {
  return f64x2.promote_low_f32x4(four);
}

function high(four: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<i64>(four, four, 1, 0));
}

function single(at: usize, clear: i32, flip: i32, keep: i32): f64 {
  const part = max<f32>(0, reinterpret<f32>((load<i32>(at) & clear) ^ flip));
  return keep != 0 ? <f64>part : part > 0 ? 1 : 0;
}

/**
 * Sets the sums of the parts by row, and adds to those by column, in one pass. A row's sum is taken tile after tile, a column's four rows at a
 * time.
 */
export function partSums(
  weights: usize,
  rows: i32,
  columns: i32,
  rowSums: usize,
  columnSums: usize,
  kind: i32,
): void {
  memory.fill(rowSums, 0, (<usize>rows) << 3);
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
  const whole = (<usize>(count & ~3)) << 2;
  let at: usize = 0;
  for (; at < whole; at += 16) {
    const wa = parts<Kind>(a + at, clear, flip, keep);
    const wb = parts<Kind>(b + at, clear, flip, keep);
    const wc = parts<Kind>(c + at, clear, flip, keep);
    const wd = parts<Kind>(d + at, clear, flip, keep);
    const to = columnSums + (at << 1);
    const la = low(wa);
    const lb = low(wb);
    const lc = low(wc);
    const ld = low(wd);
    const left = f64x2.add(f64x2.add(la, lb), f64x2.add(lc, ld));
    v128.store(to, f64x2.add(v128.load(to), left));
    const ha = high(wa);
    const hb = high(wb);
    const hc = high(wc);
    const hd = high(wd);
    const right = f64x2.add(f64x2.add(ha, hb), f64x2.add(hc, hd));
    v128.store(to, f64x2.add(v128.load(to, 16), right), 16);
    sa = f64x2.add(sa, f64x2.add(la, ha));
    sb = f64x2.add(sb, f64x2.add(lb, hb));
    sc = f64x2.add(sc, f64x2.add(lc, hc));
    sd = f64x2.add(sd, f64x2.add(ld, hd));
  }
  addLanes(rowSums, sa);
  addLanes(rowSums + 8, sb);
  addLanes(rowSums + 16, sc);
  addLanes(rowSums + 24, sd);
  for (const end = (<usize>count) << 2; at < end; at += 4) {
    const to = columnSums + (at << 1);
    let row = a + at;
    let own = rowSums;
    for (let i = 0; i < 4; i++, row += rowBytes, own += 8) {
      const part = single(row, clearOf(kind), flipOf(kind), keepOf(kind));
      store<f64>(own, load<f64>(own) + part);
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
  const whole = (<usize>(width & ~3)) << 2;
  const end = (<usize>width) << 2;
  let i = 0;
  for (; i + 4 <= count; i += 4, list += 16) {
    const a = tile + <usize>load<i32>(list) * rowBytes;
    const b = tile + <usize>load<i32>(list, 4) * rowBytes;
    const c = tile + <usize>load<i32>(list, 8) * rowBytes;
    const d = tile + <usize>load<i32>(list, 12) * rowBytes;
    let at: usize = 0;
    for (; at < whole; at += 16) {
      const to = degrees + (at << 1);
      const wa = parts<Kind>(a + at, clear, flip, keep);
      const wb = parts<Kind>(b + at, clear, flip, keep);
      const wc = parts<Kind>(c + at, clear, flip, keep);
      const wd = parts<Kind>(d + at, clear, flip, keep);
      const left = f64x2.add(f64x2.add(low(wa), low(wb)), f64x2.add(low(wc), low(wd)));
      const right = f64x2.add(f64x2.add(high(wa), high(wb)), f64x2.add(high(wc), high(wd)));
      v128.store(to, f64x2.sub(v128.load(to), left));
      v128.store(to, f64x2.sub(v128.load(to, 16), right), 16);
    }
    for (let to = degrees + (at << 1); at < end; at += 4, to += 8) {
      takeOne(to, a + at, kind);
      takeOne(to, b + at, kind);
      takeOne(to, c + at, kind);
      takeOne(to, d + at, kind);
    }
  }
  for (; i < count; i++, list += 4) {
    const a = tile + <usize>load<i32>(list) * rowBytes;
    let at: usize = 0;
    for (; at < whole; at += 16) {
      const to = degrees + (at << 1);
      const w = parts<Kind>(a + at, clear, flip, keep);
      v128.store(to, f64x2.sub(v128.load(to), low(w)));
      v128.store(to, f64x2.sub(v128.load(to, 16), high(w)), 16);
    }
    for (; at < end; at += 4) takeOne(degrees + (at << 1), a + at, kind);
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

/** Columns of a row that go before its degree is looked at again. */
const maskedAtOnce: i32 = 64;

/** `takeColumns` for the columns whose int32 in `mask` is -1, the others being 0: better where they are many. */
export function takeMasked(
  weights: usize,
  columns: i32,
  mask: usize,
  alive: usize,
  aliveCount: i32,
  degrees: usize,
  margins: usize,
  level: f64,
  kind: i32,
): void {
  const end = alive + ((<usize>aliveCount) << 2);
  for (let at = alive; at < end; at += 4) {
    const row = <usize>load<i32>(at);
    const to = degrees + (row << 3);
    const degree = load<f64>(to);
    if (degree == Infinity) continue;
    const enough = level - load<f64>(margins + (row << 3)) * 9.313225746154785e-10;
    const from = weights + ((row * <usize>columns) << 2);
    const left =
      kind == 0
        ? afterMask<bool>(from, columns, mask, degree, enough, kind)
        : afterMask<i32>(from, columns, mask, degree, enough, kind);
    store<f64>(to, left);
  }
}

function afterMask<Kind>(
  row: usize,
  columns: i32,
  mask: usize,
  degree: f64,
  enough: f64,
  kind: i32,
): f64 {
  const clear = i32x4.splat(clearOf(kind));
  const flip = i32x4.splat(flipOf(kind));
  const keep = i32x4.splat(keepOf(kind));
  const bytes = (<usize>columns) << 2;
  const whole = (<usize>(columns & ~7)) << 2;
  let at: usize = 0;
  while (at < whole && degree > enough) {
    const stop = min(at + ((<usize>maskedAtOnce) << 2), whole);
    let a = f64x2.splat(0);
    let b = a;
    for (; at < stop; at += 32) {
      const first = v128.and(parts<Kind>(row + at, clear, flip, keep), v128.load(mask + at));
      const next = v128.and(
        parts<Kind>(row + at + 16, clear, flip, keep),
        v128.load(mask + at, 16),
      );
      a = f64x2.add(a, f64x2.add(low(first), high(first)));
      b = f64x2.add(b, f64x2.add(low(next), high(next)));
    }
    a = f64x2.add(a, b);
    degree -= f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1);
  }
  if (degree <= enough) return degree;
  for (; at < bytes; at += 4) {
    if (load<i32>(mask + at) != 0) {
      degree -= single(row + at, clearOf(kind), flipOf(kind), keepOf(kind));
    }
  }
  return degree;
}

/**
 * Sets the degrees of the rows of `rowList` to the sums of their parts in the columns of `columnList`, and their margins to a
 * 64th of that. For rows that stand in no other matrix.
 */
export function sumRowsAt(
  weights: usize,
  columns: i32,
  columnList: usize,
  columnCount: i32,
  rowList: usize,
  rowCount: i32,
  degrees: usize,
  margins: usize,
  kind: i32,
): void {
  const clear = clearOf(kind);
  const flip = flipOf(kind);
  const keep = keepOf(kind);
  const end = rowList + ((<usize>rowCount) << 2);
  const columnEnd = columnList + ((<usize>columnCount) << 2);
  for (let at = rowList; at < end; at += 4) {
    const row = <usize>load<i32>(at);
    const to = row << 3;
    if (load<f64>(degrees + to) == Infinity) continue;
    const from = weights + ((row * <usize>columns) << 2);
    let sum: f64 = 0;
    for (let next = columnList; next < columnEnd; next += 4) {
      sum += single(from + ((<usize>load<i32>(next)) << 2), clear, flip, keep);
    }
    store<f64>(degrees + to, sum);
    store<f64>(margins + to, sum * 0.015625);
  }
}

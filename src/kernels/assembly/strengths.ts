/**
 * Sums of the positive and of the negative parts of a matrix of float32 weights, by row and by column, in float64 and in one pass.
 * Tiles of columns stay in the nearest cache while a panel of rows passes over them.
 */

/** Columns of a tile: their sums take 8 KiB. */
const tileColumns: i32 = 512;
const panelRows: i32 = 33;

/**
 * Rows [0, rows) of `weights`, `columns` floats each. `rowSums` and `columnSums` are set to all positive sums, then all negative
 * ones, as float64. A negative sum is zero or below. A row's sum is taken tile after tile, a column's three rows at a time.
 */
export function strengths(
  weights: usize,
  rows: i32,
  columns: i32,
  rowSums: usize,
  columnSums: usize,
): void {
  memory.fill(rowSums, 0, (<usize>rows) << 4);
  memory.fill(columnSums, 0, (<usize>columns) << 4);
  const rowBytes = (<usize>columns) << 2;
  const toNegativeRow = (<usize>rows) << 3;
  const toNegativeColumn = (<usize>columns) << 3;
  const whole = rows - (rows % 3);
  for (let first = 0; first < whole; first += panelRows) {
    const last = min(first + panelRows, whole);
    for (let column = 0; column < columns; column += tileColumns) {
      const count = min(tileColumns, columns - column);
      const tile = weights + ((<usize>column) << 2);
      const sums = columnSums + ((<usize>column) << 3);
      for (let row = first; row < last; row += 3) {
        const from = tile + <usize>row * rowBytes;
        const own = rowSums + ((<usize>row) << 3);
        threeRows(from, rowBytes, count, own, toNegativeRow, sums, toNegativeColumn);
        if ((count & 1) == 0) continue;
        const end = <usize>(count - 1);
        for (let i: usize = 0; i < 3; i++) {
          const weight = from + i * rowBytes + (end << 2);
          addOne(weight, own + (i << 3), toNegativeRow, sums + (end << 3), toNegativeColumn);
        }
      }
    }
  }
  for (let row = whole; row < rows; row++) {
    const own = rowSums + ((<usize>row) << 3);
    oneRow(weights + <usize>row * rowBytes, columns, own, toNegativeRow, columnSums);
  }
}

/** Three rows, of an odd number of columns all but the last. The sums of more rows would not stay in registers. */
function threeRows(
  a: usize,
  rowBytes: usize,
  count: i32,
  rowSums: usize,
  toNegativeRow: usize,
  columnSums: usize,
  toNegativeColumn: usize,
): void {
  const b = a + rowBytes;
  const c = b + rowBytes;
  const zero = f64x2.splat(0);
  let pa = zero;
  let na = zero;
  let pb = zero;
  let nb = zero;
  let pc = zero;
  let nc = zero;
  const whole = (<usize>(count & ~1)) << 2;
  for (let at: usize = 0; at < whole; at += 8) {
    const wa = f64x2.promote_low_f32x4(v128.load64_zero(a + at));
    const a1 = f64x2.pmax(zero, wa);
    // What is not the one part is the other.
    const a0 = v128.xor(wa, a1);
    pa = f64x2.add(pa, a1);
    na = f64x2.add(na, a0);
    const wb = f64x2.promote_low_f32x4(v128.load64_zero(b + at));
    const b1 = f64x2.pmax(zero, wb);
    const b0 = v128.xor(wb, b1);
    pb = f64x2.add(pb, b1);
    nb = f64x2.add(nb, b0);
    const wc = f64x2.promote_low_f32x4(v128.load64_zero(c + at));
    const c1 = f64x2.pmax(zero, wc);
    const c0 = v128.xor(wc, c1);
    pc = f64x2.add(pc, c1);
    nc = f64x2.add(nc, c0);
    const up = columnSums + (at << 1);
    const down = up + toNegativeColumn;
    v128.store(up, f64x2.add(v128.load(up), f64x2.add(a1, f64x2.add(b1, c1))));
    v128.store(down, f64x2.add(v128.load(down), f64x2.add(a0, f64x2.add(b0, c0))));
  }
  addLanes(rowSums, pa);
  addLanes(rowSums + toNegativeRow, na);
  addLanes(rowSums + 8, pb);
  addLanes(rowSums + 8 + toNegativeRow, nb);
  addLanes(rowSums + 16, pc);
  addLanes(rowSums + 16 + toNegativeRow, nc);
}

function addLanes(at: usize, two: v128): void {
  store<f64>(at, load<f64>(at) + (f64x2.extract_lane(two, 0) + f64x2.extract_lane(two, 1)));
}

function addOne(
  weight: usize,
  rowSum: usize,
  toNegativeRow: usize,
  columnSum: usize,
  toNegativeColumn: usize,
): void {
  const w = <f64>load<f32>(weight);
  const row = w > 0 ? rowSum : rowSum + toNegativeRow;
  const column = w > 0 ? columnSum : columnSum + toNegativeColumn;
  store<f64>(row, load<f64>(row) + w);
  store<f64>(column, load<f64>(column) + w);
}

function oneRow(
  row: usize,
  count: i32,
  rowSum: usize,
  toNegativeRow: usize,
  columnSums: usize,
): void {
  const toNegativeColumn = (<usize>count) << 3;
  const zero = f64x2.splat(0);
  let positive = zero;
  let negative = zero;
  const whole = (<usize>(count & ~1)) << 2;
  for (let at: usize = 0; at < whole; at += 8) {
    const w = f64x2.promote_low_f32x4(v128.load64_zero(row + at));
    const p = f64x2.pmax(zero, w);
    const n = v128.xor(w, p);
    positive = f64x2.add(positive, p);
    negative = f64x2.add(negative, n);
    const up = columnSums + (at << 1);
    const down = up + toNegativeColumn;
    v128.store(up, f64x2.add(v128.load(up), p));
    v128.store(down, f64x2.add(v128.load(down), n));
  }
  addLanes(rowSum, positive);
  addLanes(rowSum + toNegativeRow, negative);
  if ((count & 1) != 0) {
    addOne(row + whole, rowSum, toNegativeRow, columnSums + (whole << 1), toNegativeColumn);
  }
}

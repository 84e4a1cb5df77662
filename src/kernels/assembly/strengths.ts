/**
 * Sums of the positive and of the negative parts of a matrix of float32 weights, by row and by column, in float64 and in one pass.
 * Tiles of columns stay in the nearest cache while a panel of rows passes over them.
 */

/** Columns of a tile: their sums take 8 KiB. */
const tileColumns: i32 = 512;

/**
 * Rows [0, rows) of `weights`, `columns` floats each. `rowSums` and `columnSums` are set to all positive sums, then all negative
 * ones, as float64. A negative sum is zero or below. A row's sum is taken tile after tile, a column's two rows at a time.
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
  const whole = rows & ~1;
  for (let first = 0; first < whole; first += 32) {
    const last = min(first + 32, whole);
    for (let column = 0; column < columns; column += tileColumns) {
      const count = min(tileColumns, columns - column);
      const tile = weights + ((<usize>column) << 2);
      const sums = columnSums + ((<usize>column) << 3);
      for (let row = first; row < last; row += 2) {
        twoRows(
          tile + <usize>row * rowBytes,
          rowBytes,
          count,
          rowSums + ((<usize>row) << 3),
          toNegativeRow,
          sums,
          toNegativeColumn,
        );
      }
    }
  }
  if (whole < rows) {
    const own = rowSums + ((<usize>whole) << 3);
    oneRow(weights + <usize>whole * rowBytes, columns, own, toNegativeRow, columnSums);
  }
}

function twoRows(
  a: usize,
  rowBytes: usize,
  count: i32,
  rowSums: usize,
  toNegativeRow: usize,
  columnSums: usize,
  toNegativeColumn: usize,
): void {
  const b = a + rowBytes;
  const zero = f64x2.splat(0);
  let pa = zero;
  let na = zero;
  let pb = zero;
  let nb = zero;
  const whole = (<usize>(count & ~1)) << 2;
  let at: usize = 0;
  let up = columnSums;
  let down = columnSums + toNegativeColumn;
  for (; at < whole; at += 8, up += 16, down += 16) {
    const wa = f64x2.promote_low_f32x4(v128.load64_zero(a + at));
    const wb = f64x2.promote_low_f32x4(v128.load64_zero(b + at));
    const a1 = f64x2.pmax(zero, wa);
    const b1 = f64x2.pmax(zero, wb);
    const a0 = f64x2.pmin(zero, wa);
    const b0 = f64x2.pmin(zero, wb);
    pa = f64x2.add(pa, a1);
    na = f64x2.add(na, a0);
    pb = f64x2.add(pb, b1);
    nb = f64x2.add(nb, b0);
    v128.store(up, f64x2.add(v128.load(up), f64x2.add(a1, b1)));
    v128.store(down, f64x2.add(v128.load(down), f64x2.add(a0, b0)));
  }
  addLanes(rowSums, pa);
  addLanes(rowSums + toNegativeRow, na);
  addLanes(rowSums + 8, pb);
  addLanes(rowSums + 8 + toNegativeRow, nb);
  if ((count & 1) != 0) {
    addOne(a + at, rowSums, toNegativeRow, up, toNegativeColumn);
    addOne(b + at, rowSums + 8, toNegativeRow, up, toNegativeColumn);
  }
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
  for (let i = 0; i < count; i++, row += 4, columnSums += 8) {
    addOne(row, rowSum, toNegativeRow, columnSums, toNegativeColumn);
  }
}

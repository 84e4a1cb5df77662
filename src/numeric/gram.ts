/** A matrix that lies in an array with any strides: entry (i, j) is `values[offset + i · rowStride + j · columnStride]`. */
export interface StridedMatrix {
  readonly values: Float32Array | Float64Array;
  readonly offset: number;
  readonly rows: number;
  readonly columns: number;
  readonly rowStride: number;
  readonly columnStride: number;
}

/** The same matrix, turned so that it has no more rows than columns. */
export function wide(matrix: StridedMatrix): StridedMatrix {
  const { rows, columns, rowStride, columnStride } = matrix;
  if (rows <= columns) return matrix;
  return {
    ...matrix,
    rows: columns,
    columns: rows,
    rowStride: columnStride,
    columnStride: rowStride,
  };
}

/** Columns that are gathered at a time. */
export const panelWidth = 128;

/** Where a Gram matrix is added up. */
export interface GramRoom {
  /** [rows, rows], zero to begin with. */
  readonly gram: Float64Array;
  /** [rows rounded up to four, panelWidth] */
  readonly panel: Float64Array;
  /** Adds the products of the panel's rows with one another to the lower triangle. */
  readonly addProducts: () => void;
}

/**
 * scale² · M Mᵀ as [rows, rows]; only the lower triangle is filled. Panels of columns are gathered into float64 once.
 * Cost: rows² · columns / 2 products.
 */
export function gramMatrix(
  matrix: StridedMatrix,
  scale: number,
  { gram, panel, addProducts }: GramRoom = plainGramRoom(matrix.rows),
): Float64Array {
  for (let first = 0; first < matrix.columns; first += panelWidth) {
    gather(matrix, { first, scale, panel });
    addProducts();
  }
  return gram;
}

/** Tiles of 2 x 4 products share their loads. */
function plainGramRoom(n: number): GramRoom {
  const gram = new Float64Array(n * n);
  const panel = new Float64Array(4 * Math.ceil(n / 4) * panelWidth);
  const sums = new Float64Array(8);
  return {
    gram,
    panel,
    addProducts() {
      for (let i = 0; i < n; i += 2) {
        for (let j = 0; j <= i + 1; j += 4) {
          tile(panel, i * panelWidth, j * panelWidth, sums);
          for (let t = 0; t < 8; t++) {
            const row = i + (t >> 2);
            const column = j + (t & 3);
            if (row < n && column <= row) gram[row * n + column]! += sums[t]!;
          }
        }
      }
    },
  };
}

interface Panel {
  readonly first: number;
  readonly scale: number;
  readonly panel: Float64Array;
}

/** Columns `first` … of the matrix, a row of the panel per row; columns beyond the last are zero. */
function gather(matrix: StridedMatrix, { first, scale, panel }: Panel): void {
  const { values, offset, rows, columns, rowStride, columnStride } = matrix;
  const width = Math.min(panelWidth, columns - first);
  if (width < panelWidth) panel.fill(0);
  for (let i = 0; i < rows; i++) {
    let from = offset + i * rowStride + first * columnStride;
    for (let to = i * panelWidth; to < i * panelWidth + width; to++, from += columnStride)
      panel[to] = values[from]! * scale;
  }
}

/** Products of two rows of the panel with four. */
function tile(panel: Float64Array, a: number, b: number, sums: Float64Array): void {
  let s00 = 0;
  let s01 = 0;
  let s02 = 0;
  let s03 = 0;
  let s10 = 0;
  let s11 = 0;
  let s12 = 0;
  let s13 = 0;
  for (let k = 0; k < panelWidth; k++) {
    const a0 = panel[a + k]!;
    const a1 = panel[a + panelWidth + k]!;
    const b0 = panel[b + k]!;
    const b1 = panel[b + panelWidth + k]!;
    const b2 = panel[b + 2 * panelWidth + k]!;
    const b3 = panel[b + 3 * panelWidth + k]!;
    s00 += a0 * b0;
    s01 += a0 * b1;
    s02 += a0 * b2;
    s03 += a0 * b3;
    s10 += a1 * b0;
    s11 += a1 * b1;
    s12 += a1 * b2;
    s13 += a1 * b3;
  }
  sums[0] = s00;
  sums[1] = s01;
  sums[2] = s02;
  sums[3] = s03;
  sums[4] = s10;
  sums[5] = s11;
  sums[6] = s12;
  sums[7] = s13;
}

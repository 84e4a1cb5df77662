/**
 * Weights of a maximum spanning tree of a complete bipartite graph: rows on one side, columns on the other, edge (r, c) weighs
 * |weights[offset + r · columns + c]|, zeros included. rows + columns - 1 weights, in the order in which Prim's algorithm takes them,
 * largest next edge first from row 0. Which tree it is depends on ties, the weights do not.
 * Cost: each edge is read twice, once from either end, and (rows + columns)² comparisons; no edge is sorted.
 * Source: Prim 1957, doi 10.1002/j.1538-7305.1957.tb01515.x.
 */
export function spanningTreeWeights(
  weights: Float32Array | Float64Array,
  { offset, rows, columns }: { offset: number; rows: number; columns: number },
): Float64Array {
  const taken = new Float64Array(rows + columns - 1);
  const bestOfRow = new Float64Array(rows).fill(-1);
  const bestOfColumn = new Float64Array(columns).fill(-1);
  // Those still outside the tree, packed, so that no search looks at the others.
  const rowsLeft = Int32Array.from({ length: rows - 1 }, (_, i) => i + 1);
  const columnsLeft = Int32Array.from({ length: columns }, (_, i) => i);
  let rowCount = rows - 1;
  let columnCount = columns;
  let row = 0;
  let column = -1;
  for (let step = 0; step < taken.length; step++) {
    if (row >= 0) {
      const first = offset + row * columns;
      for (let i = 0; i < columnCount; i++) {
        const other = columnsLeft[i]!;
        const weight = Math.abs(weights[first + other]!);
        if (weight > bestOfColumn[other]!) bestOfColumn[other] = weight;
      }
    } else {
      const first = offset + column;
      for (let i = 0; i < rowCount; i++) {
        const other = rowsLeft[i]!;
        const weight = Math.abs(weights[first + other * columns]!);
        if (weight > bestOfRow[other]!) bestOfRow[other] = weight;
      }
    }
    const nextRow = placeOfLargest(bestOfRow, rowsLeft, rowCount);
    const nextColumn = placeOfLargest(bestOfColumn, columnsLeft, columnCount);
    row = nextRow < 0 ? -1 : rowsLeft[nextRow]!;
    column = nextColumn < 0 ? -1 : columnsLeft[nextColumn]!;
    if (row >= 0 && (column < 0 || bestOfRow[row]! >= bestOfColumn[column]!)) {
      taken[step] = bestOfRow[row]!;
      rowsLeft[nextRow] = rowsLeft[--rowCount]!;
      column = -1;
    } else {
      taken[step] = bestOfColumn[column]!;
      columnsLeft[nextColumn] = columnsLeft[--columnCount]!;
      row = -1;
    }
  }
  return taken;
}

/** Place among the first `count` of `left` whose value is largest; -1 for none. */
function placeOfLargest(values: Float64Array, left: Int32Array, count: number): number {
  let place = -1;
  let largest = -Infinity;
  for (let i = 0; i < count; i++) {
    const value = values[left[i]!]!;
    if (value > largest) {
      largest = value;
      place = i;
    }
  }
  return place;
}

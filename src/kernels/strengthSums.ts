/** Sums of the positive parts and of the magnitudes of the negative parts of a matrix, by row and by column. */
import { slabsOf, type ArenaMatrix, type Slab } from "./slabs.ts";

export interface StrengthSums {
  readonly rows: SignedSums;
  readonly columns: SignedSums;
}

export interface SignedSums {
  readonly positive: Float64Array;
  /** Zero or above. */
  readonly negative: Float64Array;
}

/** In one pass, float64 sums; null where the arena has no room for them. */
export function arenaStrengths(matrix: ArenaMatrix): StrengthSums | null {
  const { arena, rows, columns } = matrix;
  const slabs = slabsOf(matrix);
  if (16 * (rows + slabs.length * columns) > arena.scratchBytes) return null;
  const sums = newStrengthSums(rows, columns);
  addArenaStrengths(matrix, slabs, sums);
  return sums;
}

/** Adds the sums of a matrix, slab after slab, to those of one that may have more rows: `sums.rows` from its first row on. */
export function addArenaStrengths(
  { arena, weights, rows, columns }: ArenaMatrix,
  slabs: readonly Slab[],
  sums: StrengthSums,
): void {
  const columnBytes = 16 * columns;
  const rowSumsAt = ({ firstRow }: { firstRow: number }): number => arena.scratch + 16 * firstRow;
  const columnSumsAt = (slab: number): number => arena.scratch + 16 * rows + slab * columnBytes;
  arena.threads.run(
    slabs.map((slab, i) => [
      "strengths",
      weights.byteOffset + 4 * slab.firstRow * columns,
      slab.rows,
      columns,
      rowSumsAt(slab),
      columnSumsAt(i),
    ]),
  );
  slabs.forEach((slab, i) => {
    const own = new Float64Array(arena.buffer, rowSumsAt(slab), 2 * slab.rows);
    addSigned(sums.rows, own, slab.firstRow);
    addSigned(sums.columns, new Float64Array(arena.buffer, columnSumsAt(i), 2 * columns), 0);
  });
}

/** The same in plain TypeScript, for weights that lie anywhere. */
export function plainStrengths(
  weights: Float32Array | Float64Array,
  rows: number,
  columns: number,
): StrengthSums {
  const sums = newStrengthSums(rows, columns);
  for (let row = 0, at = 0; row < rows; row++) {
    let positive = 0;
    let negative = 0;
    for (let column = 0; column < columns; column++, at++) {
      const weight = weights[at]!;
      if (weight > 0) {
        positive += weight;
        sums.columns.positive[column]! += weight;
      } else {
        negative -= weight;
        sums.columns.negative[column]! -= weight;
      }
    }
    sums.rows.positive[row] = positive;
    sums.rows.negative[row] = negative;
  }
  return sums;
}

export function newStrengthSums(rows: number, columns: number): StrengthSums {
  return {
    rows: { positive: new Float64Array(rows), negative: new Float64Array(rows) },
    columns: { positive: new Float64Array(columns), negative: new Float64Array(columns) },
  };
}

/** `pairs`: all positive sums, then all negative ones, those below zero. */
function addSigned(to: SignedSums, pairs: Float64Array, first: number): void {
  const count = pairs.length / 2;
  for (let i = 0; i < count; i++) {
    to.positive[first + i]! += pairs[i]!;
    to.negative[first + i]! -= pairs[count + i]!;
  }
}

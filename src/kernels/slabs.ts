/** A matrix of weights cut by rows, the same way whoever works on it: partial sums are joined in the order of the slabs. */
import type { WeightArena } from "./weightArena.ts";

export interface Slab {
  readonly firstRow: number;
  readonly rows: number;
}

/** A dense float32 matrix in an arena, [rows, columns]. */
export interface ArenaMatrix {
  readonly arena: WeightArena;
  readonly weights: Float32Array;
  readonly rows: number;
  readonly columns: number;
}

const mostSlabs = 16;
/** Smaller ones are done before a thread has woken up. */
const slabWeights = 2 ** 18;
/** Sums by column are joined once per slab, which has to be little beside its rows. */
const leastRows = 72;
/** Kernels take three, four or eight rows at a time. */
const multiple = 24;

export function slabsOf({ rows, columns }: Pick<ArenaMatrix, "rows" | "columns">): Slab[] {
  const wanted = Math.min(mostSlabs, Math.ceil((rows * columns) / slabWeights));
  const height = Math.max(leastRows, Math.ceil(rows / wanted / multiple) * multiple);
  const slabs: Slab[] = [];
  for (let firstRow = 0; firstRow < rows; firstRow += height) {
    slabs.push({ firstRow, rows: Math.min(height, rows - firstRow) });
  }
  return slabs;
}

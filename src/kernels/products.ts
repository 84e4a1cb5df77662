/** Products of the magnitudes of a matrix with a vector on either side, in one pass. */
import type { KernelCall } from "./kernelThreads.ts";
import { slabsOf, type ArenaMatrix } from "./slabs.ts";

/** `forRows += |W| u` and `forColumns += |W|ᵀ x`. */
export interface TwoProducts {
  /** [columns] */
  readonly u: Float64Array;
  /** [rows] */
  readonly x: Float64Array;
  /** [rows] */
  readonly forRows: Float64Array;
  /** [columns] */
  readonly forColumns: Float64Array;
}

export interface ProductOptions {
  /** In float32, which has to have room for it, where a vector of zeros leaves a single product: off by `roughError` at most. @defaultValue false */
  readonly isRough?: boolean;
}

/** How far an entry of a rough product may be off, as a share of the sum of its terms' magnitudes: `assembly/roughProducts.ts`. */
export const roughError: number = 7.01 * 2 ** -24;

/**
 * Where the weights lie in an arena with enough room; false, with nothing done, where not. A vector of zeros on one side is noticed, and
 * costs nothing.
 */
export function arenaProducts(
  matrix: ArenaMatrix,
  { u, x, forRows, forColumns }: TwoProducts,
  { isRough = false }: ProductOptions = {},
): boolean {
  const { arena, weights, rows, columns } = matrix;
  const slabs = slabsOf(matrix);
  const needed = 8 * (2 * rows + columns + slabs.length * columns);
  if (needed > arena.scratchBytes) return false;
  const room = new Float64Array(arena.buffer, arena.scratch, needed / 8);
  const places = { x: 0, y: rows, u: 2 * rows, v: 2 * rows + columns };
  const address = (place: number): number => arena.scratch + 8 * place;
  const [hasRows, hasColumns] = [isSomething(x), isSomething(u)];
  if (!hasRows && !hasColumns) return true;
  const rough = isRough && hasRows !== hasColumns;
  const entries = rough ? new Float32Array(arena.buffer, arena.scratch, needed / 4) : room;
  const entryBytes = entries.BYTES_PER_ELEMENT;
  // Places count in eight bytes.
  if (hasRows) entries.set(x, (places.x * 8) / entryBytes);
  if (hasColumns) entries.set(u, (places.u * 8) / entryBytes);
  arena.threads.run(
    slabs.map((slab, i): KernelCall => {
      const own = [weights.byteOffset + 4 * slab.firstRow * columns, slab.rows, columns] as const;
      const xu = [address(places.x) + entryBytes * slab.firstRow, address(places.u)] as const;
      const yv = [address(places.y + slab.firstRow), address(places.v + i * columns)] as const;
      if (!hasRows) return [rough ? "roughRowProducts" : "rowProducts", ...own, xu[1], yv[0]];
      if (!hasColumns) {
        return [rough ? "roughColumnProducts" : "columnProducts", ...own, xu[0], yv[1]];
      }
      return ["absoluteProducts", ...own, ...xu, ...yv];
    }),
  );
  if (hasColumns) {
    for (let row = 0; row < rows; row++) forRows[row]! += room[places.y + row]!;
  }
  if (hasRows) {
    slabs.forEach((_, i) => {
      const first = places.v + i * columns;
      for (let column = 0; column < columns; column++) forColumns[column]! += room[first + column]!;
    });
  }
  return true;
}

function isSomething(vector: Float64Array): boolean {
  for (let i = 0; i < vector.length; i++) if (vector[i] !== 0) return true;
  return false;
}

/** The same in plain TypeScript, for weights that lie anywhere, in one matrix or in groups down a diagonal. */
export function plainProducts(
  weights: Float32Array | Float64Array,
  { u, x, forRows, forColumns }: TwoProducts,
  groups = 1,
): void {
  const width = u.length / groups;
  const height = x.length / groups;
  for (let row = 0, at = 0; row < x.length; row++) {
    const own = x[row]!;
    const first = Math.floor(row / height) * width;
    let sum = 0;
    for (let column = first; column < first + width; column++, at++) {
      const weight = Math.abs(weights[at]!);
      sum += weight * u[column]!;
      forColumns[column]! += weight * own;
    }
    forRows[row]! += sum;
  }
}

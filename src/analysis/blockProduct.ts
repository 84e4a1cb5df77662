import { edgeWeights } from "../graph/block.ts";
import type { Block } from "../graph/layeredGraph.ts";
import { arenaProducts } from "../kernels/products.ts";
import { arenaOf } from "../kernels/weightArena.ts";

/** A number per row and per column of a block. */
interface BlockSides {
  readonly rows: Float64Array;
  readonly columns: Float64Array;
}

/** One block, by its own rows and columns; what is written is overwritten. */
export interface BlockProduct {
  /** Node of each row: the receivers. */
  readonly rowNodes: Int32Array;
  /** Node of each column: the senders. */
  readonly columnNodes: Int32Array;
  /** rowSums [rows] = scale · W columnValues [columns] */
  readonly toRows: (columnValues: Float64Array, rowSums: Float64Array) => void;
  /** columnSums [columns] = scale · Wᵀ rowValues [rows] */
  readonly toColumns: (rowValues: Float64Array, columnSums: Float64Array) => void;
  /** Both, in one pass over the weights. */
  readonly toBoth: (values: BlockSides, sums: BlockSides) => void;
}

/** The products of one block, its weights multiplied by `scale`, a power of two. */
export function blockProduct(block: Block, scale: number): BlockProduct {
  return kernelProduct(block, plainProduct(block, scale), scale);
}

function plainProduct(block: Block, scale: number): BlockProduct {
  const { rows, rowNodes, columnNodes } = block;
  // Of one tap the edge weight is the magnitude.
  const isPlain = block.taps === 1 && block.weights !== null;
  const weights = isPlain ? block.weights : edgeWeights(block, "norm");
  const width = block.columns / block.groups;
  const firstColumn = (row: number): number => Math.floor((row * block.groups) / rows) * width;
  return {
    rowNodes,
    columnNodes,
    toRows(columnValues, rowSums) {
      for (let row = 0, at = 0; row < rows; row++) {
        const first = firstColumn(row);
        let sum = 0;
        for (let column = first; column < first + width; column++, at++) {
          sum += scale * Math.abs(weights[at]!) * columnValues[column]!;
        }
        rowSums[row] = sum;
      }
    },
    toColumns(rowValues, columnSums) {
      columnSums.fill(0, 0, columnNodes.length);
      for (let row = 0, at = 0; row < rows; row++) {
        const first = firstColumn(row);
        const value = rowValues[row]!;
        for (let column = first; column < first + width; column++, at++) {
          columnSums[column]! += scale * Math.abs(weights[at]!) * value;
        }
      }
    },
    toBoth(values, sums) {
      sums.columns.fill(0, 0, columnNodes.length);
      for (let row = 0, at = 0; row < rows; row++) {
        const first = firstColumn(row);
        const value = values.rows[row]!;
        let sum = 0;
        for (let column = first; column < first + width; column++, at++) {
          const edge = scale * Math.abs(weights[at]!);
          sum += edge * values.columns[column]!;
          sums.columns[column]! += edge * value;
        }
        sums.rows[row] = sum;
      }
    },
  };
}

/** Smaller matrices are done before their vectors are copied. */
const leastWeights = 2 ** 10;

/**
 * The products of `plain` by kernels, where the weights of `block` lie in their memory and are worth it; else `plain` itself. A
 * kernel multiplies on both sides at once: asked for one, it gets zeros on the other, which still is several times as fast.
 */
function kernelProduct(block: Block, plain: BlockProduct, scale: number): BlockProduct {
  const { weights, taps, groups } = block;
  const arena = arenaOf(weights);
  const [rows, columns] = [block.rows / groups, block.columns / groups];
  const isWorthIt = arena !== null && taps === 1 && rows * columns >= leastWeights;
  if (!isWorthIt || !(weights instanceof Float32Array)) return plain;

  /** False, with sums of no meaning, when the room of the arena is too small. */
  const multiply = (values: BlockSides, sums: BlockSides): boolean => {
    sums.rows.fill(0, 0, block.rows);
    sums.columns.fill(0, 0, block.columns);
    for (let group = 0; group < groups; group++) {
      const ofRows = (side: BlockSides): Float64Array =>
        side.rows.subarray(group * rows, (group + 1) * rows);
      const ofColumns = (side: BlockSides): Float64Array =>
        side.columns.subarray(group * columns, (group + 1) * columns);
      const own = weights.subarray(group * rows * columns, (group + 1) * rows * columns);
      const done = arenaProducts(
        { arena, weights: own, rows, columns },
        {
          u: ofColumns(values),
          x: ofRows(values),
          forRows: ofRows(sums),
          forColumns: ofColumns(sums),
        },
      );
      if (!done) return false;
    }
    // Weights are float32, so that sums of them are far from the ends of float64.
    if (scale !== 1) {
      for (let row = 0; row < block.rows; row++) sums.rows[row]! *= scale;
      for (let column = 0; column < block.columns; column++) sums.columns[column]! *= scale;
    }
    return true;
  };
  const zeros = { rows: new Float64Array(block.rows), columns: new Float64Array(block.columns) };
  const unused = { rows: new Float64Array(block.rows), columns: new Float64Array(block.columns) };
  return {
    ...plain,
    toRows(columnValues, rowSums) {
      const values = { rows: zeros.rows, columns: columnValues };
      const sums = { rows: rowSums, columns: unused.columns };
      if (!multiply(values, sums)) plain.toRows(columnValues, rowSums);
    },
    toColumns(rowValues, columnSums) {
      const values = { rows: rowValues, columns: zeros.columns };
      const sums = { rows: unused.rows, columns: columnSums };
      if (!multiply(values, sums)) plain.toColumns(rowValues, columnSums);
    },
    toBoth(values, sums) {
      if (!multiply(values, sums)) plain.toBoth(values, sums);
    },
  };
}

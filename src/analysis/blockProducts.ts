/**
 * The edge weights of a graph as a matrix that is only ever multiplied with: W[receiver, sender], never negative, parallel
 * edges adding up. Blocks are read where they lie: with one tap per edge the sign is dropped on the way, not in a copy.
 *
 * Cost: one pass over the weights a product, float64 sums; kernels with every tap kept are reduced to their norms once.
 */
import { edgeWeights } from "../graph/block.ts";
import type { Block, LayeredGraph } from "../graph/layeredGraph.ts";
import { nodesInBlocks } from "./nodeValues.ts";

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

/** All blocks, by node numbers; products are added to what `y` holds. */
export interface BlockProducts {
  readonly blocks: readonly BlockProduct[];
  /** 1 for the nodes that stand in a block. */
  readonly covered: Uint8Array;
  /** y += scale · W x: every neuron receives. */
  readonly forward: (x: Float64Array, y: Float64Array) => void;
  /** y += scale · Wᵀ x: every neuron gets back what it would send. */
  readonly backward: (x: Float64Array, y: Float64Array) => void;
  /** y += scale · (W + Wᵀ) x: every edge both ways. */
  readonly both: (x: Float64Array, y: Float64Array) => void;
}

export interface BlockProductsOptions {
  /** What every weight is multiplied by: a power of two, so that nothing is rounded. @defaultValue 1 */
  readonly scale?: number;
}

export function blockProducts(
  graph: LayeredGraph,
  { scale = 1 }: BlockProductsOptions = {},
): BlockProducts {
  const blocks = graph.blocks.map((block) => productOf(block, scale));
  let widest = 0;
  for (const { rowNodes, columnNodes } of blocks) {
    widest = Math.max(widest, rowNodes.length, columnNodes.length);
  }
  const values = new Float64Array(widest);
  const sums = new Float64Array(widest);
  const more = { values: new Float64Array(widest), sums: new Float64Array(widest) };
  return {
    blocks,
    covered: nodesInBlocks(graph),
    forward(x, y) {
      for (const block of blocks) {
        gather(x, block.columnNodes, values);
        block.toRows(values, sums);
        scatterAdd(sums, block.rowNodes, y);
      }
    },
    backward(x, y) {
      for (const block of blocks) {
        gather(x, block.rowNodes, values);
        block.toColumns(values, sums);
        scatterAdd(sums, block.columnNodes, y);
      }
    },
    both(x, y) {
      for (const block of blocks) {
        gather(x, block.rowNodes, values);
        gather(x, block.columnNodes, more.values);
        block.toBoth({ rows: values, columns: more.values }, { rows: sums, columns: more.sums });
        scatterAdd(sums, block.rowNodes, y);
        scatterAdd(more.sums, block.columnNodes, y);
      }
    },
  };
}

/** local[i] = x[nodes[i]] */
export function gather(x: Float64Array, nodes: Int32Array, local: Float64Array): void {
  for (let i = 0; i < nodes.length; i++) local[i] = x[nodes[i]!]!;
}

/** y[nodes[i]] += local[i] */
function scatterAdd(local: Float64Array, nodes: Int32Array, y: Float64Array): void {
  for (let i = 0; i < nodes.length; i++) y[nodes[i]!]! += local[i]!;
}

function productOf(block: Block, scale: number): BlockProduct {
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

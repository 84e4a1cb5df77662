/**
 * The edge weights of a graph as a matrix that is only ever multiplied with: W[receiver, sender], never negative, parallel
 * edges adding up. Blocks are read where they lie, by kernels where they lie in the kernels' memory: with one tap per edge the sign
 * is dropped on the way, not in a copy.
 *
 * Cost: one pass over the weights a product, float64 sums; kernels with every tap kept are reduced to their norms once.
 */
import type { LayeredGraph } from "../graph/layeredGraph.ts";
import { blockProduct, type BlockProduct } from "./blockProduct.ts";
import { nodesInBlocks } from "./nodeValues.ts";

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
  const blocks = graph.blocks.map((block) => blockProduct(block, scale));
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
export function scatterAdd(local: Float64Array, nodes: Int32Array, y: Float64Array): void {
  for (let i = 0; i < nodes.length; i++) y[nodes[i]!]! += local[i]!;
}

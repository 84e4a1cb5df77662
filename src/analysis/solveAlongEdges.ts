/**
 * z = start + M z, where M carries what a neuron holds, times a factor of its own, along its edges: the equation behind
 * PageRank and Katz centrality.
 *
 * Without cycles the answer is exact after one sweep over the blocks, from senders to receivers. With cycles sweeps go on until
 * no entry moves by more than `settled` of itself: all terms are positive, so that the sweeps rise to the answer from below,
 * and small entries are as accurate as large ones.
 * Domain: start > 0 or a neuron without edges; the series I + M + M² + … converges, else the sweeps run out.
 * Cost: one product with the weights a sweep.
 */
import { blockOrder } from "./blockOrder.ts";
import type { BlockProduct } from "./blockProduct.ts";
import { gather } from "./blockProducts.ts";

export interface EdgeEquation {
  /** [nodeCount] */
  readonly start: Float64Array;
  /** [nodeCount]: what a neuron passes on along an edge is its value times this times the edge weight. */
  readonly factor: Float64Array;
  /** From receivers to senders. */
  readonly reverse: boolean;
  readonly maxSweeps: number;
}

export interface EdgeSolution {
  readonly values: Float64Array;
  readonly sweeps: number;
  /** False when the sweeps ran out. */
  readonly settled: boolean;
}

const settled = 1e-15;

/** A block, or one the other way round. */
type Step = Pick<BlockProduct, "rowNodes" | "columnNodes" | "toRows">;

export function solveAlongEdges(
  blocks: readonly BlockProduct[],
  { start, factor, reverse, maxSweeps }: EdgeEquation,
): EdgeSolution {
  const steps = blocks.map((block): Step => (reverse ? backwards(block) : block));
  const { order, acyclic } = blockOrder(steps, start.length);
  const widest = steps.reduce(
    (most, { rowNodes, columnNodes }) => Math.max(most, rowNodes.length, columnNodes.length),
    0,
  );
  const sent = new Float64Array(widest);
  const received = new Float64Array(widest);
  const blocksInto = new Int32Array(start.length);
  for (const { rowNodes } of steps) for (const node of rowNodes) blocksInto[node]!++;

  const values = start.slice();
  for (let sweeps = 1; ; sweeps++) {
    const next = start.slice();
    const unseen = blocksInto.slice();
    let moved = 0;
    for (const index of order) {
      const { rowNodes, columnNodes, toRows } = steps[index]!;
      gather(values, columnNodes, sent);
      for (let i = 0; i < columnNodes.length; i++) sent[i]! *= factor[columnNodes[i]!]!;
      toRows(sent, received);
      for (let i = 0; i < rowNodes.length; i++) {
        const node = rowNodes[i]!;
        next[node]! += received[i]!;
        // A neuron holds its new value once all that it receives is there.
        if (--unseen[node]! > 0) continue;
        moved = Math.max(moved, Math.abs(next[node]! - values[node]!) / next[node]!);
        values[node] = next[node]!;
      }
    }
    if (acyclic || moved <= settled) return { values, sweeps, settled: true };
    if (sweeps >= maxSweeps || !Number.isFinite(moved)) return { values, sweeps, settled: false };
  }
}

function backwards({ rowNodes, columnNodes, toColumns }: BlockProduct): Step {
  return { rowNodes: columnNodes, columnNodes: rowNodes, toRows: toColumns };
}

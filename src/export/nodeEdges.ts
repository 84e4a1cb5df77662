import { columnSpan, signedWeightAt } from "../graph/block.ts";
import type { LayeredGraph } from "../graph/layeredGraph.ts";

export interface NodeEdge {
  /** The node at the other end. */
  readonly node: number;
  /** L2 norm over the taps, with the sign of their sum; for one tap the weight itself. */
  readonly weight: number;
}

export interface NodeEdges {
  /** Strongest first; equal strengths in node order. */
  readonly incoming: readonly NodeEdge[];
  readonly outgoing: readonly NodeEdge[];
  /** How many edges there are, zero weights included. */
  readonly incomingCount: number;
  readonly outgoingCount: number;
}

/**
 * The `count` strongest edges into and out of one node, by absolute weight, from the whole graph and not from a reduction.
 * Cost: O(edges of the node's blocks · taps) at most, O(edges of the node · taps) memory.
 */
export function nodeEdges(
  graph: LayeredGraph,
  node: number,
  { count = 8 }: { readonly count?: number } = {},
): NodeEdges {
  const incoming: NodeEdge[] = [];
  const outgoing: NodeEdge[] = [];
  for (const block of graph.blocks) {
    const perGroup = block.rows / block.groups;
    block.rowNodes.forEach((to, row) => {
      if (to !== node) return;
      const span = columnSpan(block, row);
      for (let k = 0; k < span.count; k++) {
        const from = block.columnNodes[span.first + k]!;
        incoming.push({ node: from, weight: signedWeightAt(block, row * span.count + k) });
      }
    });
    block.columnNodes.forEach((from, column) => {
      if (from !== node) return;
      const width = block.columns / block.groups;
      const first = Math.floor(column / width) * perGroup;
      for (let row = first; row < first + perGroup; row++) {
        const edge = row * width + (column % width);
        outgoing.push({ node: block.rowNodes[row]!, weight: signedWeightAt(block, edge) });
      }
    });
  }
  return {
    incoming: strongest(incoming, count),
    outgoing: strongest(outgoing, count),
    incomingCount: incoming.length,
    outgoingCount: outgoing.length,
  };
}

function strongest(edges: NodeEdge[], count: number): NodeEdge[] {
  const kept = edges.filter(({ weight }) => weight !== 0);
  kept.sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight) || a.node - b.node);
  return kept.slice(0, count);
}

/** The strongest edges of a block, or of each neuron; all others become 0. */
import { kthLargest } from "../numeric/quantile.ts";
import { columnSpan } from "./block.ts";
import { forEachEnd, type EdgeSide, type EdgeTable } from "./edgeTable.ts";

/** The `count` edges of largest magnitude in each block, the earlier first among equals. Cost: O(edges) on average. */
export function keepStrongest({ weights }: EdgeTable, count: number): void {
  for (const own of weights) {
    const magnitudes = Float64Array.from(own, Math.abs);
    if (magnitudes.length <= count) continue;
    const least = kthLargest(magnitudes, count);
    let equal = count;
    for (const weight of own) if (Math.abs(weight) > least) equal--;
    for (let edge = 0; edge < own.length; edge++) {
      const magnitude = Math.abs(own[edge]!);
      if (magnitude < least || (magnitude === least && equal-- <= 0)) own[edge] = 0;
    }
  }
}

/**
 * Edges that are among the `count` strongest of one of their ends, over all blocks that the neuron stands in; parallel edges
 * count each. Cost: two passes over the edges with a heap of `count` magnitudes at most per neuron.
 */
export function keepStrongestPerNode(
  edges: EdgeTable,
  count: number,
  sides: readonly EdgeSide[],
): void {
  const chosen = sides.map((side) => ({ side, ...strongestOf(edges, count, side) }));
  edges.blocks.forEach((block, i) => {
    const own = edges.weights[i]!;
    for (let row = 0, edge = 0; row < block.rows; row++) {
      const { first, count: width } = columnSpan(block, row);
      for (let column = first; column < first + width; column++, edge++) {
        const magnitude = Math.abs(own[edge]!);
        if (magnitude === 0) continue;
        let kept = false;
        for (const { side, least, ties } of chosen) {
          const node = side === "receiver" ? block.rowNodes[row]! : block.columnNodes[column]!;
          if (magnitude > least[node]! || (magnitude === least[node] && ties[node]!-- > 0)) {
            kept = true;
          }
        }
        if (!kept) own[edge] = 0;
      }
    }
  });
}

interface NodeChoice {
  /** Magnitude of the weakest edge that is kept, [nodeCount]. */
  readonly least: Float64Array;
  /** How many edges of just that magnitude are kept, [nodeCount]. */
  readonly ties: Int32Array;
}

function strongestOf(edges: EdgeTable, count: number, side: EdgeSide): NodeChoice {
  const heaps = nodeHeaps(capacities(edges, count, side));
  forEachEnd(edges, side, heaps.offer);
  const least = new Float64Array(edges.nodeCount);
  const ties = new Int32Array(edges.nodeCount);
  for (let node = 0; node < edges.nodeCount; node++) {
    const magnitudes = heaps.of(node);
    if (magnitudes.length === 0) continue;
    least[node] = magnitudes[0]!;
    for (const magnitude of magnitudes) if (magnitude === magnitudes[0]) ties[node]!++;
  }
  return { least, ties };
}

/** min(count, edges of non-zero weight) of each node. */
function capacities(edges: EdgeTable, count: number, side: EdgeSide): Float64Array {
  const degrees = new Float64Array(edges.nodeCount);
  forEachEnd(edges, side, (node) => {
    if (degrees[node]! < count) degrees[node]!++;
  });
  return degrees;
}

interface NodeHeaps {
  readonly offer: (node: number, magnitude: number) => void;
  /** The largest magnitudes of the node, the least of them first. */
  readonly of: (node: number) => Float64Array;
}

/** A min-heap per node that holds its largest magnitudes, as many as its capacity. */
function nodeHeaps(capacity: Float64Array): NodeHeaps {
  const start = new Float64Array(capacity.length + 1);
  capacity.forEach((own, node) => {
    start[node + 1] = start[node]! + own;
  });
  const heap = new Float64Array(start[capacity.length]!);
  const sizes = new Int32Array(capacity.length);
  const rise = (first: number, from: number): void => {
    const magnitude = heap[first + from]!;
    let at = from;
    for (let parent = (at - 1) >> 1; at > 0 && heap[first + parent]! > magnitude;) {
      heap[first + at] = heap[first + parent]!;
      at = parent;
      parent = (at - 1) >> 1;
    }
    heap[first + at] = magnitude;
  };
  const sink = (first: number, size: number): void => {
    const magnitude = heap[first]!;
    let at = 0;
    for (let child = 1; child < size; child = 2 * at + 1) {
      if (child + 1 < size && heap[first + child + 1]! < heap[first + child]!) child++;
      if (heap[first + child]! >= magnitude) break;
      heap[first + at] = heap[first + child]!;
      at = child;
    }
    heap[first + at] = magnitude;
  };
  return {
    offer(node, magnitude) {
      const first = start[node]!;
      const size = sizes[node]!;
      if (size < capacity[node]!) {
        heap[first + size] = magnitude;
        sizes[node] = size + 1;
        rise(first, size);
      } else if (magnitude > heap[first]!) {
        heap[first] = magnitude;
        sink(first, size);
      }
    },
    of: (node) => heap.subarray(start[node], start[node]! + sizes[node]!),
  };
}

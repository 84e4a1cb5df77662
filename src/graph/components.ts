import { blockPattern, joinedParts } from "./blockPattern.ts";
import type { LayeredGraph } from "./layeredGraph.ts";

/** Connected components: nodes that edges of non-zero weight join, whatever their direction. */
export interface Components {
  /** Component of each node, numbered in the order of their first nodes. */
  readonly of: Int32Array;
  /** Nodes of each component; a node without edges is a component of one. */
  readonly sizes: Int32Array;
  /** Edges of non-zero weight; parallel ones count each. */
  readonly nonZeroEdges: number;
}

/** Cost: one read of the weights; of blocks that have no zeros the nodes alone are joined. */
export function connectedComponents(graph: LayeredGraph): Components {
  const joining = joinedParts(graph.nodeCount);
  let nonZeroEdges = 0;
  for (const block of graph.blocks) {
    const { nonZero, parts } = blockPattern(block);
    nonZeroEdges += nonZero;
    const nodeAt = (place: number): number =>
      place < block.rows ? block.rowNodes[place]! : block.columnNodes[place - block.rows]!;
    for (let place = 0; place < parts.length; place++) {
      const first = parts[place]!;
      if (first !== place) joining.join(nodeAt(first), nodeAt(place));
    }
  }
  return { ...numbered(joining.parts()), nonZeroEdges };
}

function numbered(first: Int32Array): Pick<Components, "of" | "sizes"> {
  const of = new Int32Array(first.length);
  const sizes: number[] = [];
  for (let node = 0; node < first.length; node++) {
    const root = first[node]!;
    of[node] = root === node ? sizes.push(0) - 1 : of[root]!;
    sizes[of[node]!]!++;
  }
  return { of, sizes: Int32Array.from(sizes) };
}

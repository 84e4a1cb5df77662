import { edgeWeights } from "./block.ts";
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

/** Cost: one pass over the weights; union by number with path halving. */
export function connectedComponents(graph: LayeredGraph): Components {
  const parent = Int32Array.from({ length: graph.nodeCount }, (_, node) => node);
  const rootOf = (node: number): number => {
    let at = node;
    while (parent[at] !== at) {
      parent[at] = parent[parent[at]!]!;
      at = parent[at]!;
    }
    return at;
  };
  let nonZeroEdges = 0;
  for (const block of graph.blocks) {
    const weights = edgeWeights(block, "norm");
    const columnsPerGroup = block.columns / block.groups;
    let at = 0;
    for (let row = 0; row < block.rows; row++) {
      const first = Math.floor((row * block.groups) / block.rows) * columnsPerGroup;
      let root = rootOf(block.rowNodes[row]!);
      for (let column = first; column < first + columnsPerGroup; column++) {
        if (weights[at++] === 0) continue;
        nonZeroEdges++;
        const other = rootOf(block.columnNodes[column]!);
        if (other === root) continue;
        // The smaller number stays, so that the root is the component's first node.
        const kept = Math.min(root, other);
        parent[Math.max(root, other)] = kept;
        root = kept;
      }
    }
  }
  return { ...numbered(parent, rootOf), nonZeroEdges };
}

function numbered(
  parent: Int32Array,
  rootOf: (node: number) => number,
): Pick<Components, "of" | "sizes"> {
  const of = new Int32Array(parent.length);
  const sizes: number[] = [];
  for (let node = 0; node < parent.length; node++) {
    const root = rootOf(node);
    of[node] = root === node ? sizes.push(0) - 1 : of[root]!;
    sizes[of[node]!]!++;
  }
  return { of, sizes: Int32Array.from(sizes) };
}

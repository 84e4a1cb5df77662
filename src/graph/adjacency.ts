/**
 * The edges of a layered graph, walked from either end. The blocks stay dense: only one weight per edge is kept, and where in
 * the blocks a node stands.
 */
import type { FloatArray } from "../tensor/dtype.ts";
import { edgeWeights, type TapReduction } from "./block.ts";
import type { Block, LayeredGraph } from "./layeredGraph.ts";

/** Called once per edge of non-zero weight; parallel edges come one by one. */
export type EdgeVisitor = (neighbour: number, weight: number) => void;

export interface Adjacency {
  readonly nodeCount: number;
  /** True for a node that is a column of some block, whatever the weights. */
  readonly sends: (node: number) => boolean;
  /** True for a node that is a row of some block. */
  readonly receives: (node: number) => boolean;
  /** Visits the edges into `node`, by sender. */
  readonly forEachSender: (node: number, visit: EdgeVisitor) => void;
  /** Visits the edges out of `node`, by receiver. */
  readonly forEachReceiver: (node: number, visit: EdgeVisitor) => void;
}

/** Cost: one pass over the weights; one number per edge and a few per node are kept. */
export function adjacencyOf(
  graph: Pick<LayeredGraph, "nodeCount" | "blocks">,
  reduction: TapReduction,
): Adjacency {
  const { nodeCount, blocks } = graph;
  const weights: FloatArray[] = blocks.map((block) => edgeWeights(block, reduction));
  const asRow = placesOf(
    blocks.map((block) => block.rowNodes),
    nodeCount,
  );
  const asColumn = placesOf(
    blocks.map((block) => block.columnNodes),
    nodeCount,
  );

  return {
    nodeCount,
    sends: (node) => asColumn.start[node + 1]! > asColumn.start[node]!,
    receives: (node) => asRow.start[node + 1]! > asRow.start[node]!,
    forEachSender(node, visit) {
      for (let i = asRow.start[node]!; i < asRow.start[node + 1]!; i++) {
        const which = asRow.block[i]!;
        const row = asRow.position[i]!;
        const block = blocks[which]!;
        const { rowsPerGroup, columnsPerGroup } = groupShape(block);
        const first = Math.floor(row / rowsPerGroup) * columnsPerGroup;
        const values = weights[which]!;
        for (let c = 0, at = row * columnsPerGroup; c < columnsPerGroup; c++, at++) {
          if (values[at] !== 0) visit(block.columnNodes[first + c]!, values[at]!);
        }
      }
    },
    forEachReceiver(node, visit) {
      for (let i = asColumn.start[node]!; i < asColumn.start[node + 1]!; i++) {
        const which = asColumn.block[i]!;
        const column = asColumn.position[i]!;
        const block = blocks[which]!;
        const { rowsPerGroup, columnsPerGroup } = groupShape(block);
        const group = Math.floor(column / columnsPerGroup);
        const first = group * rowsPerGroup;
        const values = weights[which]!;
        let at = first * columnsPerGroup + column - group * columnsPerGroup;
        for (let r = 0; r < rowsPerGroup; r++, at += columnsPerGroup) {
          if (values[at] !== 0) visit(block.rowNodes[first + r]!, values[at]!);
        }
      }
    },
  };
}

interface Places {
  /** Places of node n are start[n] … start[n + 1]. */
  readonly start: Int32Array;
  readonly block: Int32Array;
  /** Row or column within the block. */
  readonly position: Int32Array;
}

function placesOf(nodesOfBlocks: readonly Int32Array[], nodeCount: number): Places {
  const start = new Int32Array(nodeCount + 1);
  for (const nodes of nodesOfBlocks) for (const node of nodes) start[node + 1]!++;
  for (let node = 0; node < nodeCount; node++) start[node + 1]! += start[node]!;
  const next = start.slice();
  const block = new Int32Array(start[nodeCount]!);
  const position = new Int32Array(start[nodeCount]!);
  nodesOfBlocks.forEach((nodes, which) =>
    nodes.forEach((node, at) => {
      const slot = next[node]!++;
      block[slot] = which;
      position[slot] = at;
    }),
  );
  return { start, block, position };
}

function groupShape(block: Pick<Block, "rows" | "columns" | "groups">): {
  rowsPerGroup: number;
  columnsPerGroup: number;
} {
  return { rowsPerGroup: block.rows / block.groups, columnsPerGroup: block.columns / block.groups };
}

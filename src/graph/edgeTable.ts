import type { FloatArray } from "../tensor/dtype.ts";
import { columnSpan } from "./block.ts";
import type { Block } from "./layeredGraph.ts";

/** What a transform works on: weights[i] are those of blocks[i], one per edge, in its order. */
export interface EdgeTable {
  readonly name: string;
  readonly nodeCount: number;
  readonly blocks: readonly Block[];
  readonly weights: FloatArray[];
}

/** Which end of an edge counts it among its own. */
export type EdgeSide = "receiver" | "sender";

/** Names the node on `side` and the magnitude of every edge of non-zero weight, in order of block, row and column. */
export function forEachEnd(
  { blocks, weights }: EdgeTable,
  side: EdgeSide,
  visit: (node: number, magnitude: number) => void,
): void {
  blocks.forEach((block, i) => {
    const own = weights[i]!;
    for (let row = 0, edge = 0; row < block.rows; row++) {
      const { first, count } = columnSpan(block, row);
      for (let column = first; column < first + count; column++, edge++) {
        if (own[edge] === 0) continue;
        const node = side === "receiver" ? block.rowNodes[row]! : block.columnNodes[column]!;
        visit(node, Math.abs(own[edge]!));
      }
    }
  });
}

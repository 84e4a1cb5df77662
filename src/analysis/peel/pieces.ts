/**
 * A graph as the rectangles of weights that a peel takes apart: a piece per group of a block, and where each node stands in them.
 */
import { edgeWeights, type TapReduction } from "../../graph/block.ts";
import type { Block, LayeredGraph } from "../../graph/layeredGraph.ts";

type Weights = NonNullable<Block["weights"]>;

/** [rows, columns] weights of which `part` is what joins two nodes. */
export interface Piece {
  readonly weights: Weights;
  readonly part: Part;
  readonly rowNodes: Int32Array;
  readonly columnNodes: Int32Array;
}

/** What of a weight joins: its magnitude, its positive part, the magnitude of its negative part; counted: 1 where that is not 0. */
export interface Part {
  readonly sign: "absolute" | "positive" | "negative";
  readonly counted: boolean;
}

/** Where the nodes stand in the pieces: node n's places are start[n] … start[n + 1]. */
export interface Places {
  readonly start: Int32Array;
  readonly piece: Int32Array;
  /** Row r as r, column c as -1 - c. */
  readonly position: Int32Array;
}

/** The part of one weight. */
export function partOf({
  part: { sign, counted },
}: Pick<Piece, "part">): (weight: number) => number {
  const part =
    sign === "absolute"
      ? Math.abs
      : sign === "positive"
        ? (weight: number): number => (weight > 0 ? weight : 0)
        : (weight: number): number => (weight < 0 ? -weight : 0);
  return counted ? (weight) => (part(weight) > 0 ? 1 : 0) : part;
}

/** A part as the kernels number them. */
export function kindOf({ sign, counted }: Part): number {
  return { absolute: 0, positive: 1, negative: 2 }[sign] + (counted ? 4 : 0);
}

/** `reduction` is for blocks of several taps. Cost: a pass over the weights of those. */
export function piecesOf(
  graph: Pick<LayeredGraph, "blocks">,
  reduction: TapReduction,
  part: Part,
): Piece[] {
  return graph.blocks.flatMap((block) => {
    const isWhole = block.taps === 1 && block.weights !== null;
    const weights = isWhole ? block.weights : edgeWeights(block, reduction);
    return groupsOf(block, weights, isWhole ? part : { ...part, sign: "absolute" });
  });
}

function groupsOf(block: Block, weights: Weights, part: Part): Piece[] {
  const { groups, rowNodes, columnNodes } = block;
  const rows = block.rows / groups;
  const columns = block.columns / groups;
  if (rows === 0 || columns === 0) return [];
  return Array.from({ length: groups }, (_, g) => ({
    weights: weights.subarray(g * rows * columns, (g + 1) * rows * columns),
    part,
    rowNodes: rowNodes.subarray(g * rows, (g + 1) * rows),
    columnNodes: columnNodes.subarray(g * columns, (g + 1) * columns),
  }));
}

export function placesOf(pieces: readonly Piece[], nodeCount: number): Places {
  const start = new Int32Array(nodeCount + 1);
  for (const { rowNodes, columnNodes } of pieces) {
    for (const node of rowNodes) start[node + 1]!++;
    for (const node of columnNodes) start[node + 1]!++;
  }
  for (let node = 0; node < nodeCount; node++) start[node + 1]! += start[node]!;
  const next = start.slice();
  const piece = new Int32Array(start[nodeCount]!);
  const position = new Int32Array(start[nodeCount]!);
  const put = (node: number, which: number, at: number): void => {
    const slot = next[node]!++;
    piece[slot] = which;
    position[slot] = at;
  };
  pieces.forEach(({ rowNodes, columnNodes }, which) => {
    rowNodes.forEach((node, row) => put(node, which, row));
    columnNodes.forEach((node, column) => put(node, which, -1 - column));
  });
  return { start, piece, position };
}

/** True if a node stands in a piece twice: as two rows or columns, or as both, joined to itself. */
export function hasRepeats({ start, piece }: Places): boolean {
  for (let node = 0; node + 1 < start.length; node++) {
    for (let i = start[node]!; i < start[node + 1]!; i++)
      for (let j = start[node]!; j < i; j++) if (piece[i] === piece[j]) return true;
  }
  return false;
}

/** True if two pieces join the same two nodes; `turned` counts those that join them the other way round too. */
export function hasParallels(
  pieces: readonly Piece[],
  { start, piece, position }: Places,
  { turned }: { readonly turned: boolean },
): boolean {
  /** Pieces before `own` in which some of `nodes` stand: bit 1 as rows, 2 as columns. */
  const sharing = (own: number, nodes: Int32Array): Map<number, number> => {
    const found = new Map<number, number>();
    for (const node of nodes) {
      for (let i = start[node]!; i < start[node + 1]! && piece[i]! < own; i++) {
        const side = position[i]! < 0 ? 2 : 1;
        found.set(piece[i]!, (found.get(piece[i]!) ?? 0) | side);
      }
    }
    return found;
  };
  return pieces.some(({ rowNodes, columnNodes }, own) => {
    const byRow = sharing(own, rowNodes);
    if (byRow.size === 0) return false;
    for (const [other, side] of sharing(own, columnNodes)) {
      const rowSide = byRow.get(other) ?? 0;
      if ((rowSide & 1 && side & 2) || (turned && rowSide & 2 && side & 1)) return true;
    }
    return false;
  });
}

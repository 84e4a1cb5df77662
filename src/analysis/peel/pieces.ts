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

/** A piece that joins some two nodes as another does; `isTurned` if rows of the one are columns of the other. */
interface Parallel {
  readonly other: number;
  readonly isTurned: boolean;
}

/** Pieces before `own` that join two nodes that it joins too. */
function parallelsOf(own: number, pieces: readonly Piece[], places: Places): Parallel[] {
  const { start, piece, position } = places;
  /** Pieces before `own` in which some of `nodes` stand: bit 1 as rows, 2 as columns. */
  const sharing = (nodes: Int32Array): Map<number, number> => {
    const found = new Map<number, number>();
    for (const node of nodes) {
      for (let i = start[node]!; i < start[node + 1]! && piece[i]! < own; i++) {
        const side = position[i]! < 0 ? 2 : 1;
        found.set(piece[i]!, (found.get(piece[i]!) ?? 0) | side);
      }
    }
    return found;
  };
  const { rowNodes, columnNodes } = pieces[own]!;
  const byRow = sharing(rowNodes);
  if (byRow.size === 0) return [];
  return Array.from(sharing(columnNodes)).flatMap(([other, side]) => {
    const rowSide = byRow.get(other) ?? 0;
    return [
      ...((rowSide & 1) !== 0 && (side & 2) !== 0 ? [{ other, isTurned: false }] : []),
      ...((rowSide & 2) !== 0 && (side & 1) !== 0 ? [{ other, isTurned: true }] : []),
    ];
  });
}

/** True if two pieces join the same two nodes, the same way round. */
export function hasParallels(pieces: readonly Piece[], places: Places): boolean {
  return pieces.some((_, own) =>
    parallelsOf(own, pieces, places).some(({ isTurned }) => !isTurned),
  );
}

/** The pieces, each pair of nodes being joined by one at most: others have a zero there, in a copy. For parts that are counted. */
export function withoutParallels(pieces: readonly Piece[], places: Places): readonly Piece[] {
  return pieces.map((own, i) => {
    const parallels = parallelsOf(i, pieces, places);
    if (parallels.length === 0) return own;
    const weights = own.weights.slice();
    for (const parallel of parallels) clearShared(own, weights, { pieces, places, parallel });
    return { ...own, weights };
  });
}

/** Zeros in `weights`, those of `own`, wherever the other piece has none. */
function clearShared(
  { rowNodes, columnNodes }: Piece,
  weights: Weights,
  {
    pieces,
    places: { start, piece, position },
    parallel: { other, isTurned },
  }: {
    readonly pieces: readonly Piece[];
    readonly places: Places;
    readonly parallel: Parallel;
  },
): void {
  const theirs = pieces[other]!;
  const part = partOf(theirs);
  const theirWidth = theirs.columnNodes.length;
  /** Where the node stands in the other piece: as row r at r, as column c at -1 - c; NaN if it does not. */
  const placeOf = (node: number): number => {
    for (let i = start[node]!; i < start[node + 1]!; i++)
      if (piece[i] === other) return position[i]!;
    return Number.NaN;
  };
  const rowPlaces = Float64Array.from(rowNodes, placeOf);
  const columnPlaces = Float64Array.from(columnNodes, placeOf);
  let at = 0;
  for (const rowPlace of rowPlaces) {
    for (const columnPlace of columnPlaces) {
      const [row, column] = isTurned ? [columnPlace, rowPlace] : [rowPlace, columnPlace];
      if (row >= 0 && column < 0 && part(theirs.weights[row * theirWidth - 1 - column]!) > 0)
        weights[at] = 0;
      at++;
    }
  }
}

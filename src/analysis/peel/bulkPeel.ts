/**
 * Generalised core numbers on dense pieces: everything at or below the level leaves at once, and its rows and columns are taken
 * from the degrees of what is left, until nothing more falls; then the level rises to the least degree left.
 *
 * A degree is a plain float64 sum; once it has fallen to 1/64 of its last fresh sum it is summed afresh before the level rises,
 * so that its error stays below 1e-10 of itself: exact on whole numbers, ties included.
 * Cost: each weight is read once for the sums and at most twice more.
 * Source: Batagelj and Zaversnik 2002, arXiv cs/0202039; the order of leaving does not matter for the numbers.
 */
import { marginShare, type PieceLosses } from "./losses.ts";
import { chunkNodes, type PeelMemory } from "./memory.ts";
import { takeAhead, type Span } from "./ahead.ts";
import type { Piece, Places } from "./pieces.ts";

export interface BulkPeeling {
  readonly memory: PeelMemory;
  readonly pieces: readonly Piece[];
  readonly losses: readonly PieceLosses[];
  /** Nodes that have a degree. */
  readonly covered: Uint8Array;
  /** Says what goes before any node does. */
  readonly begin?: (leaving: Leaving) => void;
  /** Says what goes with nodes that have just left, in the order of their leaving. */
  readonly follow: (nodes: readonly number[], leaving: Leaving) => void;
  /** For peels in which a node takes with it its rows and columns alone: where those are, and that they have gone. */
  readonly ahead?: { readonly places: Places; readonly drop: (node: number) => void };
  /** The degree of a node from what is left. */
  readonly fresh: (node: number) => number;
}

/** Row or column `position` of a piece goes; each may be named once. */
export interface Leaving {
  readonly row: (piece: number, position: number) => void;
  readonly column: (piece: number, position: number) => void;
}

/** A degree has to be fresh enough: below this share of its last fresh sum it is not. */
const freshShare = 1 / 64;
/** Rows that go before the columns are looked at again: what falls to the level need not lose the rest. */
const rowsAtOnce = 32;

/** [nodeCount]; starts from the degrees in `memory`. */
export function bulkPeel({
  memory,
  pieces,
  losses,
  covered,
  begin,
  follow,
  ahead,
  fresh,
}: BulkPeeling): Float64Array {
  const { degrees, margins, minima, settle } = memory;
  const nodeCount = covered.length;
  const values = new Float64Array(nodeCount);
  for (let node = 0; node < nodeCount; node++) {
    margins[node] = covered[node] === 1 ? degrees[node]! * freshShare : 0;
  }
  settle(0, degrees.length, -Infinity);

  const rows = waitingList(pieces.length);
  const columns = waitingList(pieces.length);
  const leaving: Leaving = { row: rows.add, column: columns.add };
  const spans = pieces.map(({ rowNodes, columnNodes }) => ({
    rows: spanOf(rowNodes),
    columns: spanOf(columnNodes),
  }));
  const doubtful: number[] = [];
  const isDoubtful = new Uint8Array(nodeCount);
  let level = -Infinity;

  const renew = (node: number): void => {
    const first = node - (node % chunkNodes);
    settle(first, first + chunkNodes, level);
  };
  const leave = (found: ArrayLike<number>): void => {
    const gone: number[] = [];
    for (let i = 0; i < found.length; i++) {
      const node = found[i]!;
      const degree = degrees[node]!;
      const margin = margins[node]!;
      if (degree <= level && (degree >= margin || degree <= level - margin * marginShare)) {
        values[node] = level;
        gone.push(node);
      } else if (isDoubtful[node] === 0) {
        isDoubtful[node] = 1;
        doubtful.push(node);
      }
    }
    if (gone.length === 0) return;
    for (const node of gone) degrees[node] = Infinity;
    let last = -1;
    for (const node of gone) {
      const chunk = Math.floor(node / chunkNodes);
      if (chunk !== last) renew(node);
      last = chunk;
    }
    follow(gone, leaving);
  };
  const takeAll = (): void => {
    for (;;) {
      const rowPiece = rows.next();
      if (rowPiece >= 0) {
        const { left, takeRows } = losses[rowPiece]!;
        const list = rows.take(rowPiece, left.columns === 0 ? Infinity : rowsAtOnce);
        if (left.columns === 0) continue;
        takeRows(list);
        const [first, last] = spans[rowPiece]!.columns;
        leave(settle(first, last, level));
        continue;
      }
      const columnPiece = columns.next();
      if (columnPiece < 0) return;
      const { left, takeColumns } = losses[columnPiece]!;
      const list = columns.take(columnPiece, Infinity);
      if (left.rows === 0) continue;
      takeColumns(list, level);
      const [first, last] = spans[columnPiece]!.rows;
      leave(settle(first, last, level));
    }
  };
  const refresh = (): void => {
    for (const node of doubtful) {
      isDoubtful[node] = 0;
      if (!(degrees[node]! < margins[node]!)) continue;
      const degree = fresh(node);
      degrees[node] = degree;
      margins[node] = degree * freshShare;
      renew(node);
    }
    doubtful.length = 0;
  };

  const batches = ahead && takeAhead({ memory, pieces, losses, places: ahead.places, spans });
  const takeBatch = (): boolean => {
    const batch = batches?.tryBatch(level);
    if (!batch) return false;
    let top = level;
    batch.nodes.forEach((node, i) => {
      values[node] = Math.max(level, batch.degrees[i]!);
      top = Math.max(top, values[node]);
      ahead!.drop(node);
    });
    level = top;
    leave(batch.touched);
    refresh();
    return true;
  };

  begin?.(leaving);
  takeAll();
  refresh();
  level = 0;
  for (let lowest = least(minima); lowest < Infinity; lowest = least(minima)) {
    if (takeBatch()) continue;
    level = Math.max(level, lowest);
    const found: number[] = [];
    for (let chunk = 0; chunk < minima.length; chunk++) {
      if (minima[chunk]! > level) continue;
      for (const node of settle(chunk * chunkNodes, (chunk + 1) * chunkNodes, level))
        found.push(node);
    }
    leave(found);
    takeAll();
    refresh();
  }
  return values;
}

function least(values: Float64Array): number {
  let found = Infinity;
  for (let i = 0; i < values.length; i++) if (values[i]! < found) found = values[i]!;
  return found;
}

/** Smallest range of whole chunks that holds all nodes. */
function spanOf(nodes: Int32Array): Span {
  let [low, high] = [Infinity, -1];
  for (const node of nodes) {
    low = Math.min(low, node);
    high = Math.max(high, node);
  }
  return [low - (low % chunkNodes), high - (high % chunkNodes) + chunkNodes];
}

/** Positions that wait, by piece. */
function waitingList(pieceCount: number) {
  const lists: number[][] = Array.from({ length: pieceCount }, () => []);
  const waiting: number[] = [];
  return {
    add: (piece: number, position: number): void => {
      if (lists[piece]!.push(position) === 1) waiting.push(piece);
    },
    /** A piece with positions that wait, or -1. */
    next: (): number => waiting.at(-1) ?? -1,
    /** Takes out positions of the piece that `next` gave, in ascending order if all go. */
    take(piece: number, most: number): ArrayLike<number> {
      const list = lists[piece]!;
      if (list.length > most) return list.splice(list.length - most, most);
      waiting.pop();
      lists[piece] = [];
      return list.length > 1 ? Int32Array.from(list).sort() : list;
    },
  };
}

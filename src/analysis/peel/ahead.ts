/**
 * Levels taken in one go. Where the nodes of least degree are not joined to one another, they leave one by one at the degrees they
 * have, if nothing else falls to their levels meanwhile; and as degrees only fall, the last of these levels tells for all. So the
 * batch goes at once, and comes back if something did fall that low.
 */
import { marginShare, type PieceLosses } from "./losses.ts";
import { chunkNodes, type PeelMemory } from "./memory.ts";
import type { Piece, Places } from "./pieces.ts";

export interface Ahead {
  /** Nodes that have left above `level`, in the order of their degrees, and those degrees; null if nothing was done. */
  readonly tryBatch: (level: number) => Batch | null;
}

interface Batch {
  readonly nodes: readonly number[];
  readonly degrees: readonly number[];
  /** Nodes whose degrees have to be looked at again. */
  readonly touched: readonly number[];
}

export interface AheadRequest {
  readonly memory: PeelMemory;
  readonly pieces: readonly Piece[];
  readonly losses: readonly PieceLosses[];
  readonly places: Places;
  /** Chunks in which the nodes of each piece lie. */
  readonly spans: readonly { readonly rows: Span; readonly columns: Span }[];
}

export type Span = readonly [first: number, last: number];

const leastBatch = 8;
const growth = 4;
/** A batch is cut where its average loss times this would bring the least of the others down to its levels. */
const caution = 1.25;
/** Levels that are taken one by one after a batch that came back. */
const [leastPause, largestPause] = [8, 4096];

export function takeAhead({ memory, pieces, losses, places, spans }: AheadRequest): Ahead {
  const { degrees, minima, settle } = memory;
  const { start, piece, position } = places;
  const saved = new Float64Array(degrees.length);
  let size = leastBatch;
  let pause = leastPause;
  let waiting = 0;

  const fail = (): null => {
    waiting = pause;
    pause = Math.min(2 * pause, largestPause);
    size = leastBatch;
    return null;
  };
  /** About `size` nodes of least degree, in that order, as far as none is joined to another. */
  const choose = (): number[] => {
    // The least of the chunks are enough to go by while the batch is small beside their number.
    const keys = 2 * size < minima.length ? minima : degrees;
    const sorted = keys.filter((key) => key < Infinity).sort();
    if (sorted.length === 0) return [];
    const limit = sorted[Math.min(size, sorted.length) - 1]!;
    const nodes: number[] = [];
    for (let chunk = 0; chunk < minima.length; chunk++) {
      if (minima[chunk]! > limit) continue;
      for (const node of settle(chunk * chunkNodes, (chunk + 1) * chunkNodes, limit))
        if (degrees[node]! <= limit) nodes.push(node);
    }
    nodes.sort((a, b) => degrees[a]! - degrees[b]! || a - b);
    const sides = new Map<number, boolean>();
    const joined = nodes.findIndex((node) => {
      for (let i = start[node]!; i < start[node + 1]!; i++) {
        const isRow = position[i]! >= 0;
        if ((sides.get(piece[i]!) ?? isRow) !== isRow) return true;
        sides.set(piece[i]!, isRow);
      }
      return false;
    });
    return harmless(joined < 0 ? nodes : nodes.slice(0, joined), sides);
  };
  /** As many of the nodes as the others can probably lose; `sides` says on which side of which pieces they stand. */
  const harmless = (nodes: number[], sides: ReadonlyMap<number, boolean>): number[] => {
    let others = 0;
    let lowest = Infinity;
    for (const [own, isRow] of sides) {
      const { rowNodes, columnNodes } = pieces[own]!;
      for (const node of isRow ? columnNodes : rowNodes) {
        if (degrees[node] === Infinity) continue;
        others++;
        lowest = Math.min(lowest, degrees[node]!);
      }
    }
    let lost = 0;
    const end = nodes.findIndex((node) => {
      lost += degrees[node]!;
      return lowest - (caution * lost) / others <= degrees[node]!;
    });
    return end < 0 ? nodes : nodes.slice(0, end);
  };
  /** Takes the nodes from the degrees of the others; the spans of those. */
  const take = (nodes: readonly number[]): Span[] => {
    const leaving = new Map<number, number[]>();
    for (const node of nodes) {
      degrees[node] = Infinity;
      for (let i = start[node]!; i < start[node + 1]!; i++) {
        const list = leaving.get(piece[i]!);
        if (list === undefined) leaving.set(piece[i]!, [position[i]!]);
        else list.push(position[i]!);
      }
    }
    return Array.from(leaving, ([own, list]) => {
      const isRows = list[0]! >= 0;
      const { takeRows, takeColumns } = losses[own]!;
      if (isRows) takeRows(Int32Array.from(list).sort());
      else takeColumns(Int32Array.from(list, (at) => -1 - at).sort(), -Infinity);
      return isRows ? spans[own]!.columns : spans[own]!.rows;
    });
  };

  return {
    tryBatch(level) {
      if (waiting-- > 0) return null;
      const nodes = choose();
      if (nodes.length < leastBatch / 2) return fail();
      saved.set(degrees);
      const own = nodes.map((node) => degrees[node]!);
      const top = Math.max(level, own.at(-1)!);
      const touched: number[] = [];
      for (const [first, last] of take(nodes))
        for (const node of settle(first, last, top)) touched.push(node);
      if (touched.some((node) => degrees[node]! <= top + memory.margins[node]! * marginShare)) {
        degrees.set(saved);
        settle(0, degrees.length, -Infinity);
        return fail();
      }
      for (const node of nodes) {
        const first = node - (node % chunkNodes);
        settle(first, first + chunkNodes, -Infinity);
      }
      size = Math.max(leastBatch, growth * nodes.length);
      pause = leastPause;
      return { nodes, degrees: own, touched };
    },
  };
}

/**
 * Levels taken in one go. Where the nodes of least degree are not joined to one another, they leave one by one at the degrees they
 * have, if nothing else falls to their levels meanwhile; and as degrees only fall, the last of these levels tells for all. So the
 * batch goes at once, and comes back if something did fall that low.
 */
import { marginShare, type PieceLosses } from "./losses.ts";
import { chunkNodes, type PeelMemory } from "./memory.ts";
import type { Piece, Places } from "./pieces.ts";

export interface Ahead {
  /** Nodes that have left above `level`, and the degrees they had; null if nothing was done. */
  readonly tryBatch: (level: number) => Batch | null;
}

interface Batch {
  readonly nodes: readonly number[];
  readonly degrees: Float64Array;
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
/**
 * A batch of n nodes is cut where their average loss times 1 + this / sqrt(n) would bring the least of the others down to its
 * levels: four times what such a loss varies by, where weights vary as much as their mean.
 */
const caution = 4;
/** Levels that are taken one by one after a batch that came back. */
const [leastPause, largestPause] = [8, 4096];

export function takeAhead({ memory, pieces, losses, places, spans }: AheadRequest): Ahead {
  const { degrees, minima, settle } = memory;
  const { start, piece, position } = places;
  const saved = new Float64Array(degrees.length);
  const room = new Float64Array(degrees.length);
  /** As many as are harmless; after a batch that came back few, then more with each that did not. */
  let size = Infinity;
  let pause = leastPause;
  let waiting = 0;

  const fail = (): null => {
    waiting = pause;
    pause = Math.min(2 * pause, largestPause);
    size = leastBatch;
    return null;
  };
  const ofNodes = (nodes: readonly number[]): Float64Array => {
    const own = new Float64Array(nodes.length);
    for (let i = 0; i < own.length; i++) own[i] = degrees[nodes[i]!]!;
    return own;
  };
  /** About `size` nodes of least degree, as far as none is joined to another. */
  const choose = (): number[] => {
    const limit = size < degrees.length ? limitFor(size) : Number.MAX_VALUE;
    const nodes: number[] = [];
    for (let chunk = 0; chunk < minima.length; chunk++) {
      if (minima[chunk]! > limit) continue;
      for (const node of settle(chunk * chunkNodes, (chunk + 1) * chunkNodes, limit))
        if (degrees[node]! <= limit) nodes.push(node);
    }
    return harmless(apart(nodes));
  };
  /** A degree that about `count` nodes do not exceed. */
  const limitFor = (count: number): number => {
    // The least of the chunks are enough to go by while the batch is small beside their number.
    const keys = 2 * count < minima.length ? minima : degrees;
    let length = 0;
    for (let i = 0; i < keys.length; i++) if (keys[i]! < Infinity) room[length++] = keys[i]!;
    return length === 0 ? -Infinity : room.subarray(0, length).sort()[Math.min(count, length) - 1]!;
  };
  /** Those of lower degree than the first that is joined to one before it. */
  const apart = (nodes: readonly number[]): number[] => {
    const lowest = pieces.map(() => [Infinity, Infinity] as [ofRows: number, ofColumns: number]);
    for (const node of nodes) {
      for (let i = start[node]!; i < start[node + 1]!; i++) {
        const own = lowest[piece[i]!]!;
        const side = position[i]! >= 0 ? 0 : 1;
        own[side] = Math.min(own[side], degrees[node]!);
      }
    }
    const end = lowest.reduce((least, sides) => Math.min(least, Math.max(...sides)), Infinity);
    return nodes.filter((node) => degrees[node]! < end);
  };
  /** Those of least degree, as many as the others can probably lose. */
  const harmless = (nodes: readonly number[]): number[] => {
    /** For each piece -1, or whether the nodes are its rows. */
    const sides = new Int8Array(pieces.length).fill(-1);
    for (const node of nodes)
      for (let i = start[node]!; i < start[node + 1]!; i++)
        sides[piece[i]!] = position[i]! >= 0 ? 1 : 0;
    let others = 0;
    let lowest = Infinity;
    for (let own = 0; own < sides.length; own++) {
      if (sides[own] === -1) continue;
      const { rowNodes, columnNodes } = pieces[own]!;
      for (const node of sides[own] === 1 ? columnNodes : rowNodes) {
        if (degrees[node] === Infinity) continue;
        others++;
        lowest = Math.min(lowest, degrees[node]!);
      }
    }
    const ascending = ofNodes(nodes).sort();
    let lost = 0;
    const end = ascending.find((degree, i) => {
      lost += degree;
      return lowest - (lost / others) * (1 + caution / Math.sqrt(i + 1)) <= degree;
    });
    return end === undefined ? [...nodes] : nodes.filter((node) => degrees[node]! < end);
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
      else takeColumns(Int32Array.from(list.map((at) => -1 - at)).sort(), -Infinity);
      return isRows ? spans[own]!.columns : spans[own]!.rows;
    });
  };

  return {
    tryBatch(level) {
      if (waiting-- > 0) return null;
      const nodes = choose();
      if (nodes.length < leastBatch / 2) return fail();
      saved.set(degrees);
      const own = ofNodes(nodes);
      const top = own.reduce((most, degree) => Math.max(most, degree), level);
      const touched: number[] = [];
      for (const [first, last] of take(nodes))
        for (const node of settle(first, last, top)) touched.push(node);
      if (touched.some((node) => degrees[node]! <= top + memory.margins[node]! * marginShare)) {
        degrees.set(saved);
        settle(0, degrees.length, -Infinity);
        return fail();
      }
      let last = -1;
      for (const node of nodes) {
        const first = node - (node % chunkNodes);
        if (first !== last) settle(first, first + chunkNodes, -Infinity);
        last = first;
      }
      size = Math.max(leastBatch, growth * nodes.length);
      pause = leastPause;
      return { nodes, degrees: own, touched };
    },
  };
}

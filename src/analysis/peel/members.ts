/** How many living vertices the hyperedges of a piece hold, as lists of bits: a 32nd of the weights. */
import { scanWeights } from "../../graph/blockPattern.ts";
import { arenaOf } from "../../kernels/weightArena.ts";
import type { PeelMemory } from "./memory.ts";
import { kindOf, partOf, type Piece } from "./pieces.ts";

export interface PieceMembers {
  /** Living members of a hyperedge. */
  readonly count: (hyperedge: number) => number;
  /** A vertex is no member any more. */
  readonly leave: (vertex: number) => void;
}

/** True if every vertex is a member of every hyperedge. Takes the room of the kernels for a moment. */
export function isFull({ weights, part }: Piece): boolean {
  return part.sign === "absolute" && scanWeights(weights).zeros === 0;
}

/** Of a piece that is full: no list is needed. */
export function allMembers({ rowNodes, columnNodes }: Piece, side: "in" | "out"): PieceMembers {
  let left = (side === "in" ? columnNodes : rowNodes).length;
  return { count: () => left, leave: () => void left-- };
}

/** `side` in: rows are the hyperedges; out: columns. Null if there is no room for the bits. */
export function membersOf(
  piece: Piece,
  side: "in" | "out",
  memory: PeelMemory,
): PieceMembers | null {
  const vertices = (side === "in" ? piece.columnNodes : piece.rowNodes).length;
  const stride = Math.ceil(vertices / 128) * 16;
  const lists = bitLists(piece, side, memory, stride);
  if (lists === null) return null;
  const { living, count } = lists;
  for (let vertex = 0; vertex < vertices; vertex++) living[vertex >> 3]! |= 1 << (vertex & 7);
  return {
    count,
    leave(vertex) {
      living[vertex >> 3]! &= ~(1 << (vertex & 7));
    },
  };
}

interface BitLists {
  readonly living: Uint8Array;
  /** Bits that the list of a hyperedge shares with the living. */
  readonly count: (hyperedge: number) => number;
}

function bitLists(
  piece: Piece,
  side: "in" | "out",
  { kernelRoom }: PeelMemory,
  stride: number,
): BitLists | null {
  const { weights, part, rowNodes, columnNodes } = piece;
  const [rows, columns] = [rowNodes.length, columnNodes.length];
  const hyperedges = side === "in" ? rows : columns;
  if (kernelRoom === null || arenaOf(weights) !== kernelRoom.arena) {
    return plainLists(piece, side, stride);
  }
  const { kernels, buffer } = kernelRoom.arena;
  const bits = kernelRoom.allocate(hyperedges * stride);
  const livingAt = kernelRoom.allocate(stride);
  if (bits === null || livingAt === null) return null;
  const fill = side === "in" ? kernels.rowMembers : kernels.columnMembers;
  fill(weights.byteOffset, rows, columns, bits, stride, kindOf(part));
  const living = new Uint8Array(buffer, livingAt, stride);
  living.fill(0);
  return {
    living,
    count: (hyperedge) => kernels.sharedBits(bits + hyperedge * stride, livingAt, stride),
  };
}

function plainLists(piece: Piece, side: "in" | "out", stride: number): BitLists {
  const { weights, rowNodes, columnNodes } = piece;
  const [rows, columns] = [rowNodes.length, columnNodes.length];
  const part = partOf(piece);
  const bytes = new Uint8Array((side === "in" ? rows : columns) * stride);
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, at++) {
      if (part(weights[at]!) === 0) continue;
      const [list, bit] = side === "in" ? [row, column] : [column, row];
      bytes[list * stride + (bit >> 3)]! |= 1 << (bit & 7);
    }
  }
  const living = new Uint8Array(stride);
  const words = new Int32Array(bytes.buffer);
  const livingWords = new Int32Array(living.buffer);
  const length = stride / 4;
  return {
    living,
    count(hyperedge) {
      let sum = 0;
      for (let i = 0, at = hyperedge * length; i < length; i++, at++)
        sum += setBits(words[at]! & livingWords[i]!);
      return sum;
    },
  };
}

/** By adding neighbouring fields of 1, 2 and 4 bits, then the bytes. */
function setBits(word: number): number {
  let sums = word - ((word >>> 1) & 0x55555555);
  sums = (sums & 0x33333333) + ((sums >>> 2) & 0x33333333);
  sums = (sums + (sums >>> 4)) & 0x0f0f0f0f;
  return Math.imul(sums, 0x01010101) >>> 24;
}

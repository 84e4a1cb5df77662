/**
 * What the nodes of a piece lose when rows or columns of it go, on degrees in float64. The kernels work on weights that lie in
 * their memory; the plain way gives the same numbers up to rounding, exact on whole numbers.
 */
import { arenaOf } from "../../kernels/weightArena.ts";
import type { KernelRoom, PeelMemory } from "./memory.ts";
import { kindOf, partOf, type Piece } from "./pieces.ts";

export interface PieceLosses {
  /** Sums of the parts by row and by column. */
  readonly sums: () => { readonly rows: Float64Array; readonly columns: Float64Array };
  /** Takes these rows out of the degrees of the columns. */
  readonly takeRows: (rows: ArrayLike<number>) => void;
  /** Takes these columns out of the degrees of the rows; a row that surely falls to `level` may be left above its degree. */
  readonly takeColumns: (columns: ArrayLike<number>, level: number) => void;
  /** Rows and columns that still have a degree; the caller counts down. */
  readonly left: { rows: number; columns: number };
}

/** Below its margin times this a degree is as good as `level`; see `takeColumns` of the kernels. */
export const marginShare: number = 2 ** -30;

/** `rowsAlone` is for pieces whose rows stand in no other. */
export function lossesOf(piece: Piece, memory: PeelMemory, rowsAlone: boolean): PieceLosses {
  const { kernelRoom } = memory;
  const arena = arenaOf(piece.weights);
  return (
    (kernelRoom !== null && arena === kernelRoom.arena
      ? byKernels(piece, memory, { room: kernelRoom, rowsAlone })
      : null) ?? plainly(piece, memory)
  );
}

/** Positions whose nodes still have a degree: dead ones are dropped once they are a third of the list. */
function alivePositions(
  nodes: Int32Array,
  degrees: Float64Array,
  room: Int32Array,
): (left: number) => Int32Array {
  let length = nodes.length;
  for (let i = 0; i < length; i++) room[i] = i;
  return (left) => {
    if (left * 1.25 < length) {
      const before = length;
      length = 0;
      for (let i = 0; i < before; i++) {
        const at = room[i]!;
        if (degrees[nodes[at]!]! < Infinity) room[length++] = at;
      }
    }
    return room.subarray(0, length);
  };
}

function plainly(piece: Piece, { degrees }: PeelMemory): PieceLosses {
  const { weights, rowNodes, columnNodes } = piece;
  const width = columnNodes.length;
  const part = partOf(piece);
  const aliveRows = alivePositions(rowNodes, degrees, new Int32Array(rowNodes.length));
  const aliveColumns = alivePositions(columnNodes, degrees, new Int32Array(width));
  const left = { rows: rowNodes.length, columns: width };
  return {
    left,
    sums() {
      const rows = new Float64Array(rowNodes.length);
      const columns = new Float64Array(width);
      for (let row = 0, at = 0; row < rows.length; row++) {
        let sum = 0;
        for (let column = 0; column < width; column++, at++) {
          const amount = part(weights[at]!);
          sum += amount;
          columns[column]! += amount;
        }
        rows[row] = sum;
      }
      return { rows, columns };
    },
    takeRows(rows) {
      const alive = aliveColumns(left.columns);
      for (let j = 0; j < rows.length; j++) {
        const from = rows[j]! * width;
        for (let i = 0; i < alive.length; i++) {
          const column = alive[i]!;
          degrees[columnNodes[column]!]! -= part(weights[from + column]!);
        }
      }
    },
    takeColumns(columns) {
      const alive = aliveRows(left.rows);
      for (let i = 0; i < alive.length; i++) {
        const from = alive[i]! * width;
        let lost = 0;
        for (let j = 0; j < columns.length; j++) lost += part(weights[from + columns[j]!]!);
        degrees[rowNodes[alive[i]!]!]! -= lost;
      }
    },
  };
}

/** Rows that are summed in one call, a multiple of 32: the engine can swap in better code between calls. */
const rowsPerCall = 128;
/** A list of rows or columns is handed over in parts of this length at most. */
const listLength = 4096;

/** Null if the room does not do. */
function byKernels(
  piece: Piece,
  memory: PeelMemory,
  { room, rowsAlone }: { readonly room: KernelRoom; readonly rowsAlone: boolean },
): PieceLosses | null {
  const { weights, part, rowNodes, columnNodes } = piece;
  const { kernels, buffer } = room.arena;
  const [rowCount, columnCount] = [rowNodes.length, columnNodes.length];
  const rowSide = sideOf(rowNodes, memory, room);
  const columnSide = sideOf(columnNodes, memory, room);
  const listAt = room.allocate(4 * listLength);
  const maskAt = room.allocate(4 * columnCount);
  if (rowSide === null || columnSide === null || listAt === null || maskAt === null) return null;
  const address = weights.byteOffset;
  const kind = kindOf(part);
  const list = new Int32Array(buffer, listAt, listLength);
  const mask = new Int32Array(buffer, maskAt, columnCount);
  const left = { rows: rowCount, columns: columnCount };
  /** Takes place in parts that the list holds. */
  const inParts = (all: ArrayLike<number>, take: (count: number) => void): void => {
    for (let first = 0; first < all.length; first += listLength) {
      const count = Math.min(listLength, all.length - first);
      for (let i = 0; i < count; i++) list[i] = all[first + i]!;
      take(count);
    }
  };
  return {
    left,
    sums() {
      const [rows, columns] = [rowSide.sums, columnSide.sums];
      const columnSums = new Float64Array(buffer, columns, columnCount);
      columnSums.fill(0);
      for (let row = 0; row < rowCount; row += rowsPerCall) {
        const count = Math.min(rowsPerCall, rowCount - row);
        const at = address + 4 * row * columnCount;
        kernels.partSums(at, count, columnCount, rows + 8 * row, columns, kind);
      }
      return {
        rows: new Float64Array(buffer, rows, rowCount).slice(),
        columns: columnSums.slice(),
      };
    },
    takeRows(rows) {
      const { degrees } = columnSide.open();
      inParts(rows, (count) => {
        if (left.columns * 4 > columnCount) {
          kernels.takeRows(address, columnCount, listAt, count, degrees, kind);
          return;
        }
        const alive = columnSide.alive(left.columns);
        const at = alive.byteOffset;
        kernels.takeRowsAt(address, columnCount, listAt, count, at, alive.length, degrees, kind);
      });
      columnSide.close();
    },
    takeColumns(columns, level) {
      const { degrees, margins } = rowSide.open();
      const alive = rowSide.alive(left.rows);
      const [at, length] = [alive.byteOffset, alive.length];
      if (rowsAlone && left.columns * 32 < columns.length) {
        const others = columnSide.alive(left.columns);
        const lists = [others.byteOffset, others.length, at, length] as const;
        kernels.sumRowsAt(address, columnCount, ...lists, degrees, margins, kind);
      } else if (columns.length * 48 > columnCount && columns.length > 1) {
        mask.fill(0);
        for (let i = 0; i < columns.length; i++) mask[columns[i]!] = -1;
        kernels.takeMasked(
          ...([address, columnCount, maskAt, at, length] as const),
          ...([degrees, margins, level, kind] as const),
        );
      } else {
        inParts(columns, (count) => {
          const lists = [listAt, count, at, length] as const;
          kernels.takeColumns(address, columnCount, ...lists, degrees, margins, level, kind);
        });
      }
      rowSide.close();
    },
  };
}

/** The rows or the columns of a piece, as the kernels see them. */
interface Side {
  /** Address for sums of the weights. */
  readonly sums: number;
  readonly alive: (left: number) => Int32Array;
  /** Addresses of the degrees and margins, position after position. */
  readonly open: () => { readonly degrees: number; readonly margins: number };
  /** Brings the degrees back to where they belong. */
  readonly close: () => void;
}

function sideOf(nodes: Int32Array, memory: PeelMemory, room: KernelRoom): Side | null {
  const { buffer } = room.arena;
  const { degrees, margins } = memory;
  const list = room.allocate(4 * nodes.length);
  const copyAt = room.allocate(16 * nodes.length);
  if (list === null || copyAt === null) return null;
  const alive = alivePositions(nodes, degrees, new Int32Array(buffer, list, nodes.length));
  const first = nodes[0]!;
  if (nodes.every((node, i) => node === first + i)) {
    const open = {
      degrees: degrees.byteOffset + 8 * first,
      margins: margins.byteOffset + 8 * first,
    };
    return { sums: copyAt, alive, open: () => open, close: () => undefined };
  }
  const copy = new Float64Array(buffer, copyAt, 2 * nodes.length);
  return {
    sums: copyAt,
    alive,
    open() {
      nodes.forEach((node, i) => {
        copy[i] = degrees[node]!;
        copy[nodes.length + i] = margins[node]!;
      });
      return { degrees: copyAt, margins: copyAt + 8 * nodes.length };
    },
    close: () => nodes.forEach((node, i) => (degrees[node] = copy[i]!)),
  };
}

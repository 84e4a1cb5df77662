/**
 * Sums of weight matrices larger than memory: pieces of a few rows are read ahead, from one matrix on into the next, summed by the
 * kernels while others are being read, and forgotten.
 */
import { slabsOf, type Slab } from "../kernels/slabs.ts";
import {
  addArenaStrengths,
  newStrengthSums,
  type SignedSums,
  type StrengthSums,
} from "../kernels/strengthSums.ts";
import { allocateWeights, arenaOf, type WeightArena } from "../kernels/weightArena.ts";
import { matrixOrder, type MatrixOrder } from "../model/canonicalRuns.ts";
import type { BlockPattern, BlockSums } from "./block.ts";
import { joinMatrix, joinedParts, scanWeights } from "./blockPattern.ts";
import { ofSigned } from "./blockSums.ts";
import { checkFinite } from "./checkFinite.ts";
import { readsAsFloat32, type BlockReading } from "./readBlock.ts";

interface StreamedSums {
  readonly sums: BlockSums;
  readonly pattern: BlockPattern;
}

/** Sums are joined once in so many weights, however they are read. */
const stripWeights = 2 ** 21;
/** Pieces that are held, so long as they take no more than 64 MiB of float32: one is summed while the others are read. */
const mostHeld = 4;
const heldWeights = 2 ** 24;
/** Slabs of a piece: some 4 MiB together, where a row is no longer than a slab ought to be. */
const slabsOfPiece = 4;
/** Smaller matrices lie among the kernels too. */
const leastRoom = 2 ** 14;

export interface SumReader {
  /**
   * Sums of one of the readings, which come in their order. Null where its tensor is no plain float32 matrix whose reader knows
   * spans: it has to be read whole. @throws {WeightGraphError} `WEIGHTS_NOT_FINITE`
   */
  readonly next: (reading: BlockReading) => Promise<StreamedSums | null>;
  /** Settles once nothing is being read any more. */
  readonly end: () => Promise<void>;
}

/** Memory: two to four pieces of the matrix with the largest ones. */
export function sumReader(
  readings: readonly BlockReading[],
  { threads }: { readonly threads: number },
): SumReader {
  const plans = readings.flatMap((reading) => planOf(reading) ?? []);
  if (plans.length === 0) return { next: async () => null, end: async () => undefined };
  const rooms = roomsFor(plans, threads);
  const arena = arenaOf(rooms[0]!);
  const reads = plans.flatMap((plan) => plan.pieces.map((piece) => ({ plan, piece })));
  const ahead: Promise<Float32Array>[] = [];
  let started = 0;
  const readNext = (): Promise<Float32Array> => {
    for (; ahead.length < rooms.length && started < reads.length; started++) {
      const { plan, piece } = reads[started]!;
      const weights = readPiece(plan, piece, rooms[started % rooms.length]!);
      // Should an earlier one fail, this is nobody's.
      weights.catch(() => undefined);
      ahead.push(weights);
    }
    return ahead.shift()!;
  };
  return {
    async next(reading) {
      const plan = plans.find((own) => own.reading === reading);
      return plan === undefined || arena === null ? null : sumPieces(plan, arena, readNext);
    },
    async end() {
      started = reads.length;
      await Promise.allSettled(ahead);
    },
  };
}

async function sumPieces(
  { reading: { path, signal }, order, pieces }: Plan,
  arena: WeightArena,
  readNext: () => Promise<Float32Array>,
): Promise<StreamedSums> {
  const { width } = order;
  const total = newStrengthSums(order.height, width);
  const ofStrip = newStrengthSums(0, width).columns;
  // Joined in canonical numbers: rows receive.
  const joining = joinedParts(order.height + width);
  let columnsAreOne = false;
  let zeros = 0;
  let largest = 0;
  for (const { row, rows, slabs, endsStrip } of pieces) {
    signal?.throwIfAborted();
    const weights = await readNext();
    const scanned = scanWeights(weights);
    // The kernel's scan gives what is not finite for the largest.
    if (!Number.isFinite(scanned.largest)) checkFinite(weights, path, row * width);
    const sums = { rows: rowsOf(total, row, rows), columns: ofStrip };
    addArenaStrengths({ arena, weights, rows, columns: width }, slabs, sums);
    if (endsStrip) moveInto(total.columns, ofStrip);
    zeros += scanned.zeros;
    largest = Math.max(largest, scanned.largest);
    const isComplete = scanned.zeros === 0;
    const apart = isComplete && columnsAreOne ? 1 : width;
    const place = order.isTurned
      ? { row: width + row, height: rows, column: 0, width: apart }
      : { row, height: rows, column: order.height, width: apart };
    joinMatrix(joining, weights, { place, isComplete });
    columnsAreOne ||= isComplete;
  }
  const pattern = { nonZero: order.height * width - zeros, largest, parts: joining.parts() };
  return { sums: ofSigned(turned(total, order)), pattern };
}

/** Rows that are read at once. */
interface Piece {
  readonly row: number;
  readonly rows: number;
  readonly slabs: readonly Slab[];
  readonly endsStrip: boolean;
}

interface Plan {
  readonly reading: BlockReading;
  readonly order: MatrixOrder;
  readonly pieces: readonly Piece[];
}

function planOf(reading: BlockReading): Plan | null {
  const { tensor, layout } = reading;
  const order = matrixOrder(layout);
  if (order === null || tensor.readSpan === undefined || !readsAsFloat32(tensor)) return null;
  const { height, width } = order;
  if (width > 4 * stripWeights) return null;
  // Whole groups of four rows, as the kernels take them.
  const stripRows = Math.max(4, Math.floor(stripWeights / width / 4) * 4);
  const pieces: Piece[] = [];
  for (let strip = 0; strip < height; strip += stripRows) {
    const slabs = slabsOf({ rows: Math.min(stripRows, height - strip), columns: width });
    for (let i = 0; i < slabs.length; i += slabsOfPiece) {
      const own = slabs.slice(i, i + slabsOfPiece);
      const { firstRow } = own[0]!;
      pieces.push({
        row: strip + firstRow,
        rows: own.reduce((sum, { rows }) => sum + rows, 0),
        slabs: own.map((slab) => ({ ...slab, firstRow: slab.firstRow - firstRow })),
        endsStrip: i + own.length === slabs.length,
      });
    }
  }
  return { reading, order, pieces };
}

/** Room for the pieces that are held and, behind them, for the sums of one. */
function roomsFor(plans: readonly Plan[], threads: number): Float32Array[] {
  let weights = leastRoom;
  let sums = 0;
  for (const { order, pieces } of plans) {
    for (const { rows, slabs } of pieces) {
      weights = Math.max(weights, rows * order.width);
      sums = Math.max(sums, rows + slabs.length * order.width);
    }
  }
  const held = Math.max(2, Math.min(mostHeld, Math.floor(heldWeights / weights)));
  return allocateWeights(Array(held).fill(weights), 16 * sums, { threads });
}

async function readPiece(
  { reading: { tensor }, order: { width } }: Plan,
  { row, rows }: Piece,
  room: Float32Array,
): Promise<Float32Array> {
  const values = await tensor.readSpan!(row * width, (row + rows) * width, room);
  if (values.buffer !== room.buffer) room.set(values);
  return room.subarray(0, rows * width);
}

function rowsOf({ rows }: StrengthSums, first: number, count: number): SignedSums {
  return {
    positive: rows.positive.subarray(first, first + count),
    negative: rows.negative.subarray(first, first + count),
  };
}

function moveInto(sums: SignedSums, from: SignedSums): void {
  for (const part of ["positive", "negative"] as const) {
    const [own, more] = [sums[part], from[part]];
    for (let i = 0; i < own.length; i++) own[i]! += more[i]!;
    more.fill(0);
  }
}

function turned(
  { rows, columns }: { rows: SignedSums; columns: SignedSums },
  { isTurned }: MatrixOrder,
): { rows: SignedSums; columns: SignedSums } {
  return isTurned ? { rows: columns, columns: rows } : { rows, columns };
}

/**
 * Sums of a weight matrix larger than memory: read a strip of rows at a time, each summed by the kernels while the next is read,
 * and forgotten.
 */
import { arenaStrengths, newStrengthSums, type SignedSums } from "../kernels/strengthSums.ts";
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

/** 8 MiB of float32. */
const stripWeights = 2 ** 21;
/** Strips that are held: one is summed while the others are read, so that the disk never waits. */
const strips = 3;

/**
 * Sums of one tensor after the other, through the same strips. Null where a tensor is no plain float32 matrix whose reader knows
 * spans: it has to be read whole.
 * Memory: three strips of rows. @throws {WeightGraphError} `WEIGHTS_NOT_FINITE`
 */
export type SumReader = (reading: BlockReading) => Promise<StreamedSums | null>;

export function sumReader({ threads }: { readonly threads: number }): SumReader {
  let rooms: readonly Float32Array[] = [];
  let arena: WeightArena | null = null;
  return async (reading) => {
    const { tensor, layout } = reading;
    const order = matrixOrder(layout);
    if (order === null || tensor.readSpan === undefined || !readsAsFloat32(tensor)) return null;
    const { width } = order;
    if (width > 4 * stripWeights) return null;
    // Whole groups of four rows, as the kernels take them.
    const height = Math.max(4, Math.floor(stripWeights / width / 4) * 4);
    const scratchBytes = 2 ** 16 + 16 * (16 * width + 2 * height);
    const isTooSmall =
      arena === null || rooms[0]!.length < height * width || arena.scratchBytes < scratchBytes;
    if (isTooSmall) {
      const strip = Math.max(stripWeights, height * width);
      // What is not written to takes no memory, so that the next tensor most likely fits too.
      rooms = allocateWeights(Array(strips).fill(strip), Math.max(2 ** 26, scratchBytes), {
        threads,
      });
      arena = arenaOf(rooms[0]!);
    }
    return arena === null ? null : sumStrips(reading, { order, height, rooms, arena });
  };
}

interface Strips {
  readonly order: MatrixOrder;
  /** Rows of a strip. */
  readonly height: number;
  readonly rooms: readonly Float32Array[];
  readonly arena: WeightArena;
}

async function sumStrips(
  { tensor, path, signal }: BlockReading,
  { order, height, rooms, arena }: Strips,
): Promise<StreamedSums> {
  const { width } = order;
  const total = newStrengthSums(order.height, width);
  // Joined in canonical numbers: rows receive.
  const joining = joinedParts(order.height + width);
  let zeros = 0;
  let largest = 0;

  const read = async (row: number): Promise<Float32Array> => {
    const own = rooms[(row / height) % strips]!;
    const count = Math.min(height, order.height - row) * width;
    const values = await tensor.readSpan!(row * width, row * width + count, own);
    if (values.buffer !== own.buffer) own.set(values);
    return own.subarray(0, count);
  };
  const ahead: Promise<Float32Array>[] = [];
  const readOn = (row: number): void => {
    if (row >= order.height) return;
    const strip = read(row);
    // Should an earlier one fail, this is nobody's.
    strip.catch(() => undefined);
    ahead.push(strip);
  };
  for (let i = 0; i < strips - 1; i++) readOn(i * height);
  try {
    for (let row = 0; row < order.height; row += height) {
      signal?.throwIfAborted();
      const weights = await ahead.shift()!;
      readOn(row + (strips - 1) * height);
      const scanned = scanWeights(weights);
      // The kernel's scan gives what is not finite for the largest.
      if (!Number.isFinite(scanned.largest)) checkFinite(weights, path, row * width);
      const rows = weights.length / width;
      const own = arenaStrengths({ arena, weights, rows, columns: width })!;
      for (const part of ["positive", "negative"] as const) {
        total.rows[part].set(own.rows[part], row);
        addInto(total.columns[part], own.columns[part]);
      }
      zeros += scanned.zeros;
      largest = Math.max(largest, scanned.largest);
      const place = order.isTurned
        ? { row: width + row, height: rows, column: 0, width }
        : { row, height: rows, column: order.height, width };
      joinMatrix(joining, weights, { place, isComplete: scanned.zeros === 0 });
    }
  } finally {
    // Nothing is written to the strips once this has ended.
    await Promise.allSettled(ahead);
  }
  const pattern = { nonZero: order.height * width - zeros, largest, parts: joining.parts() };
  return { sums: ofSigned(turned(total, order)), pattern };
}

function addInto(sums: Float64Array, more: Float64Array): void {
  for (let i = 0; i < sums.length; i++) sums[i]! += more[i]!;
}

function turned(
  { rows, columns }: { rows: SignedSums; columns: SignedSums },
  { isTurned }: MatrixOrder,
): { rows: SignedSums; columns: SignedSums } {
  return isTurned ? { rows: columns, columns: rows } : { rows, columns };
}

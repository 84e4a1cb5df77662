/** The chunks of an array, by whichever of six indexes the file has. */
import { walkTree1, walkTree2 } from "./btree2.ts";
import { extensibleChunks, fixedChunks, type ArraySlot, type ChunkEntry } from "./chunkArrays.ts";
import { malformed } from "./cursor.ts";
import type { ChunkedLayout } from "./layout.ts";
import type { Store } from "./superblock.ts";

export interface Chunk {
  /** Of its first element, in elements. */
  readonly start: readonly number[];
  readonly address: number;
  /** As stored. */
  readonly byteLength: number;
  /** Filters that it skipped. */
  readonly mask: number;
  readonly entry: ChunkEntry;
}

export interface ChunkGrid {
  readonly shape: readonly number[];
  /** What axes may grow to; null for no limit. Chunks are numbered by it. */
  readonly maxShape: readonly (number | null)[];
  readonly chunkShape: readonly number[];
  /** Of a chunk, unpacked. */
  readonly byteLength: number;
  readonly isPacked: boolean;
}

const noEntry: ChunkEntry = {
  addressAt: null,
  sizeAt: null,
  sizeBytes: 0,
  maskAt: null,
  block: null,
};

/** Chunks that were written, in the index' own order. @throws {FormatError} `FORMAT_MALFORMED`, `FORMAT_TRUNCATED`, `FORMAT_LIMIT` */
export async function readChunks(
  store: Store,
  { index }: ChunkedLayout,
  grid: ChunkGrid,
): Promise<readonly Chunk[]> {
  const { address } = index;
  if (address === null) return [];
  switch (index.kind) {
    case "single": {
      const { packed, at } = index;
      const entry = packed
        ? {
            addressAt: at,
            sizeAt: packed.at,
            sizeBytes: store.widths.lengths,
            maskAt: packed.at + store.widths.lengths,
            block: packed.block,
          }
        : noEntry;
      const { byteLength = grid.byteLength, mask = 0 } = packed ?? {};
      return [{ start: grid.shape.map(() => 0), address, byteLength, mask, entry }];
    }
    case "tree1":
      return treeChunks1(store, address, grid);
    case "tree2":
      return treeChunks2(store, address, grid);
    case "implicit":
      return implicitChunks(store, address, grid);
    case "fixed":
      return placed(await fixedChunks(store, address), grid, store);
    case "extensible":
      return placed(await extensibleChunks(store, address), grid, store);
  }
}

async function treeChunks1(store: Store, address: number, grid: ChunkGrid): Promise<Chunk[]> {
  const chunks: Chunk[] = [];
  const rank = grid.shape.length;
  const keyLength = 8 + 8 * (rank + 1);
  for await (const { key, child } of walkTree1(store, address, { type: 1, keyLength })) {
    const at = key.start;
    const byteLength = key.u32();
    const mask = key.u32();
    const start = grid.shape.map(() => key.uint(8));
    const entry = {
      addressAt: at + keyLength,
      sizeAt: at,
      sizeBytes: 4,
      maskAt: at + 4,
      block: null,
    };
    chunks.push({ start, address: child, byteLength, mask, entry });
  }
  return chunks;
}

async function treeChunks2(store: Store, address: number, grid: ChunkGrid): Promise<Chunk[]> {
  const chunks: Chunk[] = [];
  const { offsets } = store.widths;
  for await (const { type, cursor, block } of walkTree2(store, address)) {
    if (type !== 10 && type !== 11) throw cursor.malformed("a tree of chunks holds something else");
    const at = cursor.start;
    const sizeBytes = cursor.bytes.byteLength - offsets - 4 - 8 * grid.shape.length;
    const child = cursor.offset();
    const isPacked = type === 11;
    const byteLength = isPacked ? cursor.uint(sizeBytes) : grid.byteLength;
    const mask = isPacked ? cursor.u32() : 0;
    const start = grid.chunkShape.map((size) => cursor.uint(8) * size);
    const sizeAt = at + offsets;
    const entry = isPacked
      ? { addressAt: at, sizeAt, sizeBytes, maskAt: sizeAt + sizeBytes, block }
      : noEntry;
    if (child !== null) chunks.push({ start, address: child, byteLength, mask, entry });
  }
  return chunks;
}

/** Every chunk in order, one behind the other. */
function implicitChunks(store: Store, address: number, grid: ChunkGrid): Chunk[] {
  const counts = gridCounts(grid);
  const count = counts.reduce((product, n) => product * n, 1);
  if (store.base + address + count * grid.byteLength > store.pages.byteLength) {
    throw malformed("chunks reach past the file", store.path);
  }
  const slots = Array.from({ length: count }, (_, index): ArraySlot => ({
    index,
    address: address + index * grid.byteLength,
    byteLength: null,
    mask: 0,
    entry: null,
  }));
  return placed(slots, grid, store);
}

/** Chunks by their number: the axis that grows counts slowest, whichever it is. */
function placed(slots: readonly ArraySlot[], grid: ChunkGrid, store: Store): Chunk[] {
  const { shape, maxShape, chunkShape } = grid;
  const counts = gridCounts(grid);
  const order = counts.map((_, axis) => axis);
  order.unshift(...order.splice(Math.max(0, maxShape.indexOf(null)), 1));
  const chunks: Chunk[] = [];
  for (const { index, address, byteLength, mask, entry } of slots) {
    if (address === null) continue;
    if ((byteLength !== null) !== grid.isPacked) {
      throw malformed("an index is of another kind than its chunks", store.path);
    }
    const start = new Array<number>(counts.length).fill(0);
    let left = index;
    for (const axis of order.toReversed()) {
      const isSlowest = axis === order[0];
      start[axis] = (isSlowest ? left : left % counts[axis]!) * chunkShape[axis]!;
      left = Math.floor(left / counts[axis]!);
    }
    if (start.some((at, axis) => at >= shape[axis]!)) continue;
    const own = { byteLength: byteLength ?? grid.byteLength, entry: entry ?? noEntry };
    chunks.push({ start, address, mask, ...own });
  }
  return chunks;
}

function gridCounts({ shape, maxShape, chunkShape }: ChunkGrid): number[] {
  return shape.map((size, axis) => Math.ceil((maxShape[axis] ?? size) / chunkShape[axis]!));
}

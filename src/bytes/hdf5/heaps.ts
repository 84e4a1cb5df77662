/** Heaps of HDF5 files: names of old groups (local), texts of any length (global), links and attributes (fractal). */
import { FormatError } from "../../errors.ts";
import { walkTree2 } from "./btree2.ts";
import { Cursor, decodeText, malformed } from "./cursor.ts";
import { blockAt, checkedBlockAt } from "./objectHeader.ts";
import type { Store } from "./superblock.ts";

/** Names of an old group by their place in its heap. */
export async function localHeap(store: Store, address: number): Promise<(at: number) => string> {
  const { offsets, lengths } = store.widths;
  const head = await blockAt(store, address, 8 + 2 * lengths + offsets);
  head.signature("HEAP");
  head.skip(4);
  const byteLength = head.length();
  head.skip(lengths);
  const data = head.offset();
  if (data === null) throw head.malformed("a heap of names has no data");
  const block = await blockAt(store, data, byteLength);
  return (at) => {
    const cursor = new Cursor(block.bytes, data, store);
    cursor.skip(at);
    return cursor.text();
  };
}

/** An object of the global heap; empty where its collection is not given. */
async function globalObject(
  store: Store,
  address: number | null,
  index: number,
): Promise<Uint8Array> {
  if (address === null || index === 0) return new Uint8Array();
  const { lengths } = store.widths;
  const head = await blockAt(store, address, 8 + lengths);
  head.signature("GCOL");
  head.skip(4);
  const block = await blockAt(store, address, head.length());
  block.skip(8 + lengths);
  while (block.left >= 8 + lengths) {
    const own = block.u16();
    block.skip(6);
    const length = block.length();
    if (own === 0) break;
    if (own === index) return block.take(length);
    block.skip(Math.min(block.left, Math.ceil(length / 8) * 8));
    if (length === 0 && block.left === 0) break;
  }
  throw malformed(`the heap at byte ${store.base + address} holds no object ${index}`, store.path);
}

export async function globalText(cursor: Cursor, store: Store): Promise<string> {
  const length = cursor.u32();
  const address = cursor.offset();
  const bytes = await globalObject(store, address, cursor.u32());
  return decodeText(bytes.subarray(0, Math.min(length, bytes.byteLength)));
}

interface FractalHeap {
  readonly store: Store;
  readonly idLength: number;
  readonly isChecked: boolean;
  readonly hugeIndex: number | null;
  readonly width: number;
  readonly startLength: number;
  readonly maxDirectLength: number;
  /** Bytes of a place in the heap. */
  readonly placeBytes: number;
  readonly lengthBytes: number;
  readonly root: number | null;
  readonly rootRows: number;
}

/** Objects of a fractal heap by their id. */
export async function fractalHeap(
  store: Store,
  address: number,
): Promise<(id: Cursor) => Promise<Cursor>> {
  const heap = await readHeap(store, address);
  return async (id) => {
    const flags = id.u8();
    const kind = (flags >> 4) & 3;
    if (kind === 2) {
      // Long ids keep twelve bits of length.
      const isLong = heap.idLength > 17;
      const length = (isLong ? ((flags & 15) << 8) + id.u8() : flags & 15) + 1;
      return id.part(length);
    }
    if (kind === 1) return hugeObject(heap, id);
    if (kind !== 0) throw id.malformed("an object of a heap is of no known kind");
    const place = id.uint(heap.placeBytes);
    return managedObject(heap, place, id.uint(heap.lengthBytes));
  };
}

async function readHeap(store: Store, address: number): Promise<FractalHeap> {
  const { offsets, lengths } = store.widths;
  const byteLength = 22 + 12 * lengths + 3 * offsets;
  const head = await blockAt(store, address, byteLength);
  head.signature("FRHP");
  head.skip(1);
  const idLength = head.u16();
  if (head.u16() !== 0) {
    throw new FormatError("FORMAT_UNSUPPORTED", "packed heaps of names are not read", {
      path: store.path,
    });
  }
  await checkedBlockAt(store, address, byteLength);
  const isChecked = (head.u8() & 2) !== 0;
  const maxManaged = head.u32();
  head.skip(lengths);
  const hugeIndex = head.offset();
  head.skip(lengths + offsets + 8 * lengths);
  const width = head.u16();
  const startLength = head.length();
  const maxDirectLength = head.length();
  const maxBits = head.u16();
  head.skip(2);
  const root = head.offset();
  const rootRows = head.u16();
  if (width === 0 || startLength === 0 || maxBits > 64 || maxBits === 0) {
    throw head.malformed("a heap's table of blocks has no size");
  }
  const byLength = (limit: number): number => Math.floor((Math.floor(Math.log2(limit)) + 7) / 8);
  return {
    store,
    idLength,
    isChecked,
    hugeIndex,
    width,
    startLength,
    maxDirectLength,
    placeBytes: Math.ceil(maxBits / 8),
    lengthBytes: Math.max(
      1,
      Math.min(byLength(maxDirectLength), byLength(Math.max(1, maxManaged))),
    ),
    root,
    rootRows,
  };
}

async function managedObject(heap: FractalHeap, place: number, length: number): Promise<Cursor> {
  const { store, root, rootRows, startLength, placeBytes, isChecked, maxDirectLength } = heap;
  if (root === null) throw malformed("a heap without blocks is asked for an object", store.path);
  const prefix = 5 + store.widths.offsets + placeBytes + (isChecked ? 4 : 0);
  let block = { address: root, byteLength: startLength, rows: rootRows };
  let left = place;
  for (let depth = 0; block.rows > 0; depth++) {
    if (depth > 16) throw malformed("a heap's blocks are nested without end", store.path);
    const next = await childBlock(heap, block, left);
    left -= next.start;
    block = next;
    if (block.rows === 0 && block.byteLength > maxDirectLength) {
      throw malformed("a heap's block is larger than the heap allows", store.path);
    }
  }
  if (left < prefix || left + length > block.byteLength) {
    throw malformed(`an object of ${length} bytes does not fit into its heap`, store.path);
  }
  const head = await blockAt(store, block.address, 4);
  head.signature("FHDB");
  return blockAt(store, block.address + left, length);
}

/** The block that holds `place` among the children of an indirect block. */
async function childBlock(
  { store, width, startLength, maxDirectLength, placeBytes }: FractalHeap,
  { address, rows }: { address: number; rows: number },
  place: number,
): Promise<{ address: number; byteLength: number; rows: number; start: number }> {
  const { offsets } = store.widths;
  const rowLength = (row: number): number => startLength * 2 ** Math.max(0, row - 1);
  const rowStart = (row: number): number => (row === 0 ? 0 : width * rowLength(row));
  let row = 0;
  while (row < rows && place >= rowStart(row + 1)) row++;
  if (row >= rows) throw malformed("a heap is asked for a place past its end", store.path);
  const byteLength = rowLength(row);
  const column = Math.floor((place - rowStart(row)) / byteLength);
  const at = 5 + offsets + placeBytes + (row * width + column) * offsets;
  (await blockAt(store, address, 4)).signature("FHIB");
  const child = (await blockAt(store, address + at, offsets)).offset();
  if (child === null) throw malformed("a heap's block was never written", store.path);
  const isDirect = byteLength <= maxDirectLength;
  const childRows = isDirect ? 0 : Math.log2(byteLength) - Math.log2(startLength * width) + 1;
  return {
    address: child,
    byteLength,
    rows: Math.max(0, childRows),
    start: rowStart(row) + column * byteLength,
  };
}

async function hugeObject(
  { store, idLength, hugeIndex }: FractalHeap,
  id: Cursor,
): Promise<Cursor> {
  const { offsets, lengths } = store.widths;
  if (idLength > offsets + lengths) {
    const address = id.offset();
    if (address !== null) return blockAt(store, address, id.length());
  }
  const wanted = id.uint(Math.min(lengths, idLength - 1));
  if (hugeIndex !== null) {
    for await (const record of walkTree2(store, hugeIndex)) {
      if (record.type !== 1) break;
      const address = record.cursor.offset();
      const length = record.cursor.length();
      if (address !== null && record.cursor.length() === wanted) {
        return blockAt(store, address, length);
      }
    }
  }
  throw malformed(`a heap holds no large object ${wanted}`, store.path);
}

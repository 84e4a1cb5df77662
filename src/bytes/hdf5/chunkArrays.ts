/**
 * Indexes of chunks that are arrays: of a fixed number, and one that grows along one axis.
 * Source: HDF5 File Format Specification 3.0, sections VII.C "Fixed Array Index" and VII.D "Extensible Array Index".
 */
import { Cursor, malformed } from "./cursor.ts";
import { checkedBlockAt, type Block } from "./objectHeader.ts";
import type { Store } from "./superblock.ts";

/** Where the index notes a chunk, so that it can be moved. */
export interface ChunkEntry {
  /** Addresses of the fields; null where the index has none, since chunks are of one size. */
  readonly addressAt: number | null;
  readonly sizeAt: number | null;
  readonly sizeBytes: number;
  readonly maskAt: number | null;
  /** The block of the index that a checksum follows. */
  readonly block: Block | null;
}

export interface ArraySlot {
  /** Number of the chunk. */
  readonly index: number;
  readonly address: number | null;
  /** Null where chunks are not packed. */
  readonly byteLength: number | null;
  readonly mask: number;
  readonly entry: ChunkEntry | null;
}

interface Elements {
  readonly store: Store;
  readonly isPacked: boolean;
  readonly byteLength: number;
  /** Of a page, in elements. */
  readonly pageSize: number;
}

export async function fixedChunks(store: Store, address: number): Promise<readonly ArraySlot[]> {
  const { offsets, lengths } = store.widths;
  const head = await checkedBlockAt(store, address, 8 + lengths + offsets);
  head.signature("FAHD");
  const elements = elementsOf(store, head);
  const count = head.length();
  const data = head.offset();
  if (data === null) return [];
  return dataBlock(elements, { address: data, count, first: 0, tag: "FADB", extra: 0 });
}

function elementsOf(store: Store, head: Cursor): Elements {
  head.skip(1);
  const client = head.u8();
  const byteLength = head.u8();
  const pageBits = head.u8();
  const isPacked = client === 1;
  const { offsets } = store.widths;
  const isSound = isPacked ? byteLength > offsets + 4 : byteLength === offsets;
  if (client > 1 || !isSound || pageBits > 31)
    throw head.malformed("an index of chunks is damaged");
  return { store, isPacked, byteLength, pageSize: 2 ** pageBits };
}

interface DataBlock {
  readonly address: number;
  readonly count: number;
  /** Number of its first element. */
  readonly first: number;
  readonly tag: "FADB" | "EADB";
  /** Bytes between the head and the elements. */
  readonly extra: number;
  /** Which pages were written; of a growing array its owner knows. */
  readonly pagesWritten?: Uint8Array | null;
}

async function dataBlock(elements: Elements, block: DataBlock): Promise<ArraySlot[]> {
  const { store, pageSize, byteLength } = elements;
  const { address, count, first, tag, extra } = block;
  checkCount(store, count, byteLength);
  const prefix = 6 + store.widths.offsets + extra;
  if (count <= pageSize) {
    const whole = await checkedBlockAt(store, address, prefix + count * byteLength);
    whole.signature(tag);
    whole.skip(prefix - 4);
    return slotsIn(elements, {
      cursor: whole,
      count,
      first,
      block: { address, byteLength: whole.bytes.byteLength },
    });
  }
  const pages = Math.ceil(count / pageSize);
  const hasMap = tag === "FADB";
  const mapBytes = hasMap ? Math.ceil(pages / 8) : 0;
  const head = await checkedBlockAt(store, address, prefix + mapBytes);
  head.signature(tag);
  head.skip(prefix - 4);
  const written = hasMap ? head.take(mapBytes) : (block.pagesWritten ?? null);
  const slots: ArraySlot[] = [];
  let at = address + prefix + mapBytes + 4;
  for (let page = 0; page < pages; page++) {
    const own = Math.min(pageSize, count - page * pageSize);
    if (written === null || (written[page >> 3]! & (0x80 >> (page & 7))) !== 0) {
      const cursor = await checkedBlockAt(store, at, own * byteLength);
      const place = { address: at, byteLength: own * byteLength };
      slots.push(
        ...slotsIn(elements, { cursor, count: own, first: first + page * pageSize, block: place }),
      );
    }
    at += own * byteLength + 4;
  }
  return slots;
}

interface Run {
  readonly cursor: Cursor;
  readonly count: number;
  readonly first: number;
  readonly block: Block;
}

function slotsIn(
  { store, isPacked, byteLength: size }: Elements,
  { cursor, count, first, block }: Run,
): ArraySlot[] {
  const slots: ArraySlot[] = [];
  const { offsets } = store.widths;
  const sizeBytes = size - offsets - 4;
  for (let i = 0; i < count; i++) {
    const at = cursor.address;
    const address = cursor.offset();
    if (!isPacked) {
      slots.push({ index: first + i, address, byteLength: null, mask: 0, entry: null });
      continue;
    }
    const stored = cursor.take(sizeBytes);
    const mask = cursor.u32();
    const byteLength = address === null ? 0 : new Cursor(stored, at, store).uint(sizeBytes);
    const sizeAt = at + offsets;
    const entry = { addressAt: at, sizeAt, sizeBytes, maskAt: sizeAt + sizeBytes, block };
    slots.push({ index: first + i, address, byteLength, mask, entry });
  }
  return slots;
}

export async function extensibleChunks(
  store: Store,
  address: number,
): Promise<readonly ArraySlot[]> {
  const { offsets, lengths } = store.widths;
  const head = await checkedBlockAt(store, address, 12 + 6 * lengths + offsets);
  head.signature("EAHD");
  head.skip(1);
  const client = head.u8();
  const byteLength = head.u8();
  const bits = head.u8();
  const inIndex = head.u8();
  const smallest = head.u8();
  const minPointers = head.u8();
  const pageBits = head.u8();
  head.skip(6 * lengths);
  const index = head.offset();
  const isPacked = client === 1;
  const isSound = isPacked ? byteLength > offsets + 4 : byteLength === offsets;
  const isPower = (n: number): boolean => n > 0 && (n & (n - 1)) === 0;
  if (!isSound || !isPower(smallest) || !isPower(minPointers) || bits > 64 || pageBits > 31) {
    throw head.malformed("an index of chunks is damaged");
  }
  if (index === null) return [];
  const elements = { store, isPacked, byteLength, pageSize: 2 ** pageBits };
  const extra = Math.ceil(bits / 8);
  const supers = superBlocks(bits, smallest);
  const firstSuper = 2 * Math.log2(minPointers);
  const dataPointers = 2 * (minPointers - 1);
  const superPointers = Math.max(0, supers.length - firstSuper);
  const prefix = 6 + offsets;
  const length = prefix + inIndex * byteLength + (dataPointers + superPointers) * offsets;
  const cursor = await checkedBlockAt(store, index, length);
  cursor.signature("EAIB");
  cursor.skip(prefix - 4);
  const place = { address: index, byteLength: length };
  const slots = slotsIn(elements, { cursor, count: inIndex, first: 0, block: place });
  for (const { first, blocks, size } of supers.slice(0, firstSuper)) {
    for (let i = 0; i < blocks; i++) {
      const own = cursor.offset();
      if (own === null) continue;
      const block = { address: own, count: size, first: inIndex + first + i * size, extra };
      slots.push(...(await dataBlock(elements, { ...block, tag: "EADB" })));
    }
  }
  for (const one of supers.slice(firstSuper)) {
    const own = cursor.offset();
    if (own !== null)
      slots.push(...(await superBlock(elements, { ...one, address: own, inIndex, extra })));
  }
  return slots;
}

interface SuperBlock {
  /** Number of its first element, those of the index block left out. */
  readonly first: number;
  readonly blocks: number;
  /** Elements of each of its data blocks. */
  readonly size: number;
}

function superBlocks(bits: number, smallest: number): SuperBlock[] {
  const supers: SuperBlock[] = [];
  let first = 0;
  const count = 1 + Math.max(0, bits - Math.log2(smallest));
  for (let i = 0; i < count; i++) {
    const blocks = 2 ** Math.floor(i / 2);
    const size = 2 ** Math.floor((i + 1) / 2) * smallest;
    supers.push({ first, blocks, size });
    first += blocks * size;
  }
  return supers;
}

async function superBlock(
  elements: Elements,
  {
    address,
    inIndex,
    extra,
    first,
    blocks,
    size,
  }: SuperBlock & { address: number; inIndex: number; extra: number },
): Promise<ArraySlot[]> {
  const { store, pageSize } = elements;
  const { offsets } = store.widths;
  checkCount(store, blocks, offsets);
  const pages = size > pageSize ? Math.ceil(size / pageSize) : 0;
  const mapBytes = Math.ceil(pages / 8);
  const prefix = 6 + offsets + extra;
  const cursor = await checkedBlockAt(store, address, prefix + blocks * (mapBytes + offsets));
  cursor.signature("EASB");
  cursor.skip(prefix - 4);
  const maps = cursor.part(blocks * mapBytes);
  const slots: ArraySlot[] = [];
  for (let i = 0; i < blocks; i++) {
    const pagesWritten = pages > 0 ? maps.take(mapBytes) : null;
    const own = cursor.offset();
    if (own === null) continue;
    const block = {
      address: own,
      count: size,
      first: inIndex + first + i * size,
      extra,
      pagesWritten,
    };
    slots.push(...(await dataBlock(elements, { ...block, tag: "EADB" })));
  }
  return slots;
}

/** A count that the file has no room for was never written. */
function checkCount(store: Store, count: number, byteLength: number): void {
  if (count * byteLength > store.pages.byteLength) {
    throw malformed(`an index announces ${count} chunks`, store.path);
  }
}

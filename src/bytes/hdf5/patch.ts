/**
 * New values for arrays of an HDF5 file. What lies in one piece or in unpacked chunks is replaced where it is; a packed chunk is
 * packed anew and stays in its place where it fits, else moves to the end of the file, which its index and the superblock note.
 */
import { FormatError } from "../../errors.ts";
import type { ByteEdit } from "../pieces.ts";
import { lookup3 } from "./checksum.ts";
import type { Chunk } from "./chunks.ts";
import type { Dataset } from "./dataset.ts";
import { pack } from "./filters.ts";
import type { Block } from "./objectHeader.ts";
import type { Store } from "./superblock.ts";
import { elementReader, runsOf } from "./values.ts";

export interface Hdf5Patch {
  readonly edits: readonly ByteEdit[];
  /** Behind the end of the file. */
  readonly tail: Uint8Array;
}

/**
 * `changes` are all of an array's bytes in its own order of bytes; those that are equal to what is stored are left alone.
 * @throws {FormatError} `FORMAT_UNSUPPORTED` for values where the file has no room (never written, or packed without an index)
 */
export async function patchDatasets(
  store: Store,
  changes: ReadonlyMap<Dataset, Uint8Array>,
): Promise<Hdf5Patch> {
  const draft = draftOf(store);
  for (const [dataset, bytes] of changes) {
    if (dataset.layout.kind === "chunked") await patchChunks(draft, dataset, bytes);
    else await patchPlain(draft, dataset, bytes);
  }
  return finished(draft);
}

interface Draft {
  readonly store: Store;
  readonly edits: ByteEdit[];
  /** Blocks of metadata whose checksum has to follow, as they will be. */
  readonly blocks: Map<number, Uint8Array>;
  readonly tail: Uint8Array[];
  /** Of the file with its tail. */
  end: number;
}

function draftOf(store: Store): Draft {
  return { store, edits: [], blocks: new Map(), tail: [], end: store.pages.byteLength };
}

async function patchPlain(draft: Draft, dataset: Dataset, bytes: Uint8Array): Promise<void> {
  const { store, layout, count } = dataset;
  const old = await elementReader(dataset).read(0, count);
  if (isEqual(old, bytes) || layout.kind === "chunked") return;
  if (layout.address === null) throw noRoom(store, "the array was never written");
  const checked = layout.kind === "compact" ? layout.checked : null;
  await edit(draft, { address: layout.address, bytes, block: checked });
}

async function patchChunks(draft: Draft, dataset: Dataset, bytes: Uint8Array): Promise<void> {
  const { store, type, count, filters } = dataset;
  const size = type.byteLength;
  const reader = elementReader(dataset);
  const left = await reader.read(0, count);
  if (isEqual(left, bytes)) return;
  const fresh: [Chunk, Uint8Array][] = [];
  for (const chunk of await dataset.chunks()) {
    const old = await reader.chunk(chunk);
    const plain = old.slice();
    for (const { from, to, length } of runsOf(dataset, chunk, { start: 0, end: count })) {
      const own = bytes.subarray(to * size, (to + length) * size);
      plain.set(own, from * size);
      left.set(own, to * size);
    }
    if (!isEqual(plain, old)) fresh.push([chunk, plain]);
  }
  if (!isEqual(left, bytes)) throw noRoom(store, "a part of the array was never written");
  for (const [chunk, plain] of fresh) {
    if (filters.length === 0)
      await edit(draft, { address: chunk.address, bytes: plain, block: null });
    else await replaceChunk(draft, chunk, await pack(plain, { filters, mask: chunk.mask }));
  }
}

async function replaceChunk(
  draft: Draft,
  { address, byteLength, mask: oldMask, entry }: Chunk,
  { bytes, mask }: { readonly bytes: Uint8Array; readonly mask: number },
): Promise<void> {
  const { addressAt, sizeAt, maskAt, sizeBytes, block } = entry;
  const { store } = draft;
  if (addressAt === null || sizeAt === null || maskAt === null) {
    throw noRoom(store, "the index of this array cannot note another size");
  }
  if (bytes.byteLength <= byteLength) await edit(draft, { address, bytes, block: null });
  else {
    const padding = (8 - (draft.end % 8)) % 8;
    draft.tail.push(new Uint8Array(padding), bytes);
    const moved = draft.end + padding - store.base;
    draft.end += padding + bytes.byteLength;
    await edit(draft, { address: addressAt, bytes: number(moved, store.widths.offsets), block });
  }
  if (bytes.byteLength !== byteLength) {
    await edit(draft, { address: sizeAt, bytes: number(bytes.byteLength, sizeBytes), block });
  }
  if (mask !== oldMask) await edit(draft, { address: maskAt, bytes: number(mask, 4), block });
}

interface Edit {
  readonly address: number;
  readonly bytes: Uint8Array;
  /** The checked block that it lies in. */
  readonly block: Block | null;
}

async function edit(
  { store, edits, blocks }: Draft,
  { address, bytes, block }: Edit,
): Promise<void> {
  if (block === null) {
    edits.push({ offset: store.base + address, bytes });
    return;
  }
  const start = store.base + block.address;
  let own = blocks.get(start);
  if (own === undefined) {
    own = (await store.pages.read(start, start + block.byteLength)).slice();
    blocks.set(start, own);
  }
  own.set(bytes, address - block.address);
}

async function finished({ store, edits, blocks, tail, end }: Draft): Promise<Hdf5Patch> {
  const { at, checked } = store.end;
  if (tail.length > 0) {
    const bytes = number(end, store.widths.offsets);
    if (checked === null) edits.push({ offset: at, bytes });
    else {
      const own = (await store.pages.read(...checked)).slice();
      own.set(bytes, at - checked[0]);
      blocks.set(checked[0], own);
    }
  }
  for (const [offset, bytes] of blocks) {
    edits.push(
      { offset, bytes },
      { offset: offset + bytes.byteLength, bytes: number(lookup3(bytes), 4) },
    );
  }
  return { edits, tail: joined(tail) };
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.byteLength;
  }
  return all;
}

function number(value: number, width: number): Uint8Array {
  const bytes = new Uint8Array(width);
  for (let i = 0, left = value; i < width; i++, left = Math.floor(left / 256))
    bytes[i] = left % 256;
  return bytes;
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && a.every((byte, i) => byte === b[i]);
}

function noRoom({ path }: Store, message: string): FormatError {
  return new FormatError("FORMAT_UNSUPPORTED", `${message}, so that new values have no room`, {
    path,
    hint: "Repack the file first, or write the whole model as safetensors instead.",
  });
}

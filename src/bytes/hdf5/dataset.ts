/** An array of numbers: its shape and type, its bytes by span, and where they lie. */
import { FormatError } from "../../errors.ts";
import { readChunks, type Chunk } from "./chunks.ts";
import { Cursor, malformed } from "./cursor.ts";
import { parseDataspace, parseDatatype, type Dataspace, type Hdf5Type } from "./datatype.ts";
import { parseFilters, type Filter } from "./filters.ts";
import { parseLayout, type DataLayout } from "./layout.ts";
import { messages, type Message } from "./objectHeader.ts";
import type { SharedMessage } from "./attributes.ts";
import type { Store } from "./superblock.ts";

export interface Dataset {
  readonly store: Store;
  readonly type: Hdf5Type;
  /** Null for an array without a dataspace: not even one element. */
  readonly shape: readonly number[] | null;
  readonly count: number;
  readonly layout: DataLayout;
  readonly filters: readonly Filter[];
  readonly fill: Uint8Array | null;
  /** Written chunks; read when first asked for. */
  chunks(): Promise<readonly Chunk[]>;
}

const maxChunkLength = 2 ** 31;

/** Null for what is no array. @throws {FormatError} `FORMAT_MALFORMED`, `FORMAT_LIMIT`, `FORMAT_UNSUPPORTED` */
export async function readDataset(
  store: Store,
  header: readonly Message[],
  shared: SharedMessage,
): Promise<Dataset | null> {
  const cursorOf = async (type: number): Promise<Cursor | null> => {
    const message = header.find((one) => one.type === type);
    if (message === undefined) return null;
    const cursor = new Cursor(message.body, message.address, store);
    return message.isShared ? shared(cursor, type) : cursor;
  };
  const own = header.find(({ type }) => type === messages.layout);
  const typeCursor = await cursorOf(messages.datatype);
  const spaceCursor = await cursorOf(messages.dataspace);
  if (own === undefined || typeCursor === null || spaceCursor === null) return null;
  if (header.some(({ type }) => type === messages.externalFiles)) {
    throw new FormatError("FORMAT_UNSUPPORTED", "values that lie in other files are not read", {
      path: store.path,
      hint: "Copy the array into the file first: h5repack.",
    });
  }
  const type = parseDatatype(typeCursor);
  const space = parseDataspace(spaceCursor);
  const shape = space && [...space.shape, ...type.shape];
  const count = shape === null ? 0 : shape.reduce((product, size) => product * size, 1);
  if (!Number.isSafeInteger(count * type.byteLength)) {
    throw new FormatError("FORMAT_LIMIT", `an array of [${shape?.join(", ")}] is announced`, {
      path: store.path,
    });
  }
  const layout = parseLayout(new Cursor(own.body, own.address, store), own.checked);
  const filterCursor = await cursorOf(messages.filters);
  const filters = filterCursor === null ? [] : parseFilters(filterCursor);
  const fill = await fillValue(cursorOf, type.byteLength);
  let loaded: Promise<readonly Chunk[]> | null = null;
  const chunks = async (): Promise<readonly Chunk[]> => {
    loaded ??= loadChunks(store, { layout, filters, type, space });
    return loaded;
  };
  return { store, type, shape, count, layout, filters, fill, chunks };
}

/** Null for zeros. */
async function fillValue(
  cursorOf: (type: number) => Promise<Cursor | null>,
  byteLength: number,
): Promise<Uint8Array | null> {
  const cursor = await cursorOf(messages.fillValue);
  if (cursor !== null) {
    const version = cursor.u8();
    const isNew = version === 3;
    cursor.skip(isNew ? 0 : 2);
    const flags = cursor.u8();
    const isThere = isNew ? (flags & 0x20) !== 0 : version === 1 || flags !== 0;
    if (!isThere || cursor.left < 4) return null;
    const length = cursor.u32();
    return length === byteLength ? cursor.take(length) : null;
  }
  const old = await cursorOf(messages.oldFillValue);
  if (old === null || old.u32() !== byteLength) return null;
  return old.take(byteLength);
}

interface Stored {
  readonly layout: DataLayout;
  readonly filters: readonly Filter[];
  readonly type: Hdf5Type;
  readonly space: Dataspace | null;
}

async function loadChunks(
  store: Store,
  { layout, filters, type, space }: Stored,
): Promise<readonly Chunk[]> {
  if (layout.kind !== "chunked" || space === null) return [];
  const { shape, maxShape } = space;
  const chunkShape = layout.shape;
  const isSound = chunkShape.length === shape.length && chunkShape.every((size) => size > 0);
  const inner = [...chunkShape, ...type.shape].reduce((product, size) => product * size, 1);
  const byteLength = inner * type.byteLength;
  if (!isSound || byteLength > maxChunkLength) {
    throw malformed(`chunks of [${chunkShape.join(", ")}] do not fit the array`, store.path);
  }
  const grid = { shape, maxShape, chunkShape, byteLength, isPacked: filters.length > 0 };
  const chunks = await readChunks(store, layout, grid);
  for (const { start, byteLength: stored, address } of chunks) {
    const isInside =
      start.every((at, axis) => at < shape[axis]! && Number.isInteger(at / chunkShape[axis]!)) &&
      store.base + address + stored <= store.pages.byteLength;
    if (!isInside) throw malformed("a chunk lies outside its array or the file", store.path);
    if (!grid.isPacked && stored !== byteLength) {
      throw malformed(`a chunk of ${byteLength} bytes is stored in ${stored}`, store.path);
    }
  }
  return chunks;
}

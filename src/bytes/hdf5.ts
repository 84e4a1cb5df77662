/**
 * HDF5 files, read by spans: nothing but the structure that is asked for is fetched, so that a file may be of any size, and
 * whatever leads out of the file is refused.
 * Source: HDF5 File Format Specification, version 3.0.
 */
import { FormatError } from "../errors.ts";
import { readTexts, type SharedMessage } from "./hdf5/attributes.ts";
import { Cursor, malformed } from "./hdf5/cursor.ts";
import { readDataset, type Dataset } from "./hdf5/dataset.ts";
import { readLinks, type Link } from "./hdf5/links.ts";
import { readObjectHeader, type Message } from "./hdf5/objectHeader.ts";
import { patchDatasets, type Hdf5Patch } from "./hdf5/patch.ts";
import { openStore, type Store } from "./hdf5/superblock.ts";
import { checkSize, elementReader } from "./hdf5/values.ts";
import type { ByteSource } from "./source.ts";

export type { Hdf5Patch } from "./hdf5/patch.ts";
export { hdf5Start } from "./hdf5/superblock.ts";

export interface Hdf5Array {
  readonly shape: readonly number[];
  /** `float32`, `float16`, `int64`, `bool`, `complex64`, …; `opaque`; null for text, compounds and odd widths. */
  readonly type: string | null;
  /** What it holds, in words, for messages. */
  readonly title: string;
  readonly byteLength: number;
  readonly isBigEndian: boolean;
  /** Place in the file of values that lie in one piece as they are. */
  readonly location: { readonly offset: number; readonly byteLength: number } | null;
  /**
   * Little-endian bytes of elements [start, end).
   * @throws {FormatError} `FORMAT_UNSUPPORTED` for a filter, `FORMAT_LIMIT`, `FORMAT_MALFORMED`, `FORMAT_TRUNCATED`
   */
  read(start: number, end: number): Promise<Uint8Array>;
  readonly dataset: Dataset;
}

/** An open file. Paths begin with `/`. Every call may throw what is wrong with the file. */
export interface Hdf5 {
  readonly store: Store;
  /** Tells objects apart that are reached by several paths; null where nothing is. */
  identity(path: string): Promise<number | null>;
  /** Names in a group, sorted; none where no group is. */
  members(path: string): Promise<readonly string[]>;
  /** Null where no array is. */
  array(path: string): Promise<Hdf5Array | null>;
  /** Texts of an attribute, one or many; null where it is absent or no text. */
  texts(path: string, attribute: string): Promise<readonly string[] | null>;
}

const maxSoftLinks = 16;
const keptObjects = 4096;

interface Entity {
  readonly address: number;
  readonly header: readonly Message[];
  /** Null for what is no group. */
  readonly links: ReadonlyMap<string, Link> | null;
}

/** @throws {FormatError} `FORMAT_UNKNOWN`, `FORMAT_TRUNCATED`, `FORMAT_MALFORMED`, `FORMAT_UNSUPPORTED`, `FORMAT_LIMIT` */
export async function openHdf5(source: ByteSource): Promise<Hdf5> {
  const store = await openStore(source);
  const entities = new Map<number, Entity>();
  const entityAt = async (address: number): Promise<Entity> => {
    const known = entities.get(address);
    if (known !== undefined) return known;
    const header = await readObjectHeader(store, address);
    const entity = { address, header, links: await readLinks(store, header) };
    if (entities.size >= keptObjects) entities.clear();
    entities.set(address, entity);
    return entity;
  };
  const shared = sharedMessages(store, async (address) => (await entityAt(address)).header);
  const root = await entityAt(store.root);
  if (root.links === null) throw malformed("the root of the file is no group", store.path);

  const follow = async (path: string): Promise<Entity | null> => {
    let parts = path.split("/").filter((name) => name !== "" && name !== ".");
    let entity = root;
    let walked: string[] = [];
    let softLinks = 0;
    for (let name = parts.shift(); name !== undefined; name = parts.shift()) {
      const link = entity.links?.get(name);
      if (link === undefined) return null;
      if (link.kind === "outside") throw outside(store, [...walked, name], link.title);
      if (link.kind === "hard") {
        entity = await entityAt(link.address);
        walked.push(name);
        continue;
      }
      if (++softLinks > maxSoftLinks)
        throw malformed(`the link ${name} leads to itself`, store.path);
      const start = link.path.startsWith("/") ? [] : walked;
      parts = [
        ...start,
        ...link.path.split("/").filter((part) => part !== "" && part !== "."),
        ...parts,
      ];
      entity = root;
      walked = [];
    }
    return entity;
  };
  return {
    store,
    identity: async (path) => (await follow(path))?.address ?? null,
    async members(path) {
      const names = [...((await follow(path))?.links?.keys() ?? [])];
      return names.sort();
    },
    async array(path) {
      const entity = await follow(path);
      if (entity === null || entity.links !== null) return null;
      const dataset = await readDataset(store, entity.header, shared);
      if (dataset === null) return null;
      checkSize(dataset);
      return arrayOf(dataset);
    },
    async texts(path, wanted) {
      const entity = await follow(path);
      return entity && readTexts(store, entity.header, { wanted, shared });
    },
  };
}

function outside(store: Store, path: readonly string[], title: string): FormatError {
  return new FormatError(
    "FORMAT_UNSUPPORTED",
    `${title} leads out of the file and is not followed`,
    {
      path: [...store.path, `/${path.join("/")}`],
      hint: "Copy what it leads to into the file: h5copy.",
    },
  );
}

/** Types that several objects share stand in an object of their own. */
function sharedMessages(
  store: Store,
  headerAt: (address: number) => Promise<readonly Message[]>,
): SharedMessage {
  return async (cursor, type) => {
    const version = cursor.u8();
    const kind = cursor.u8();
    if (version === 3 && kind !== 2) {
      throw new FormatError("FORMAT_UNSUPPORTED", "tables of shared messages are not read", {
        path: store.path,
      });
    }
    cursor.skip(version === 1 ? 6 : 0);
    const address = cursor.offset();
    const found = address === null ? [] : await headerAt(address);
    const message = found.find((one) => one.type === type && !one.isShared);
    if (message === undefined) throw cursor.malformed("a shared type stands nowhere");
    return new Cursor(message.body, message.address, store);
  };
}

function arrayOf(dataset: Dataset): Hdf5Array {
  const { type, shape, count, layout, store } = dataset;
  const { byteLength: size, isBigEndian, title, name } = type;
  const reader = elementReader(dataset);
  const isPlain = layout.kind === "compact" || layout.kind === "contiguous";
  const address = isPlain ? layout.address : null;
  const location =
    address === null ? null : { offset: store.base + address, byteLength: count * size };
  if (location !== null && location.offset + location.byteLength > store.pages.byteLength) {
    throw new FormatError(
      "FORMAT_TRUNCATED",
      `an array of ${location.byteLength} bytes is announced at byte ${location.offset}`,
      { path: store.path, hint: "The file is cut short or damaged: fetch it again." },
    );
  }
  const part = partLength(dataset);
  return {
    shape: shape ?? [0],
    type: name,
    title,
    byteLength: count * size,
    isBigEndian,
    location,
    dataset,
    async read(start, end) {
      const bytes = await reader.read(start, end);
      return isBigEndian && part > 1 ? swapped(bytes, part) : bytes;
    },
  };
}

/**
 * A copy of the file with new values: little-endian bytes of whole arrays, which must be of this file.
 * @throws {FormatError} `FORMAT_UNSUPPORTED` for values where the file has no room
 */
export async function patchHdf5(
  { store }: Hdf5,
  changes: ReadonlyMap<Hdf5Array, Uint8Array>,
): Promise<Hdf5Patch> {
  const stored = Array.from(changes, ([array, bytes]): [Dataset, Uint8Array] => {
    const { dataset, isBigEndian } = array;
    const size = partLength(dataset);
    return [dataset, isBigEndian && size > 1 ? swapped(bytes, size) : bytes];
  });
  return patchDatasets(store, new Map(stored));
}

/** Bytes that are turned round together: an element, or half a complex one. */
function partLength({ type: { name, byteLength } }: Dataset): number {
  return name?.startsWith("complex") === true ? byteLength / 2 : byteLength;
}

/** Elements of `size` bytes, the other way round. */
function swapped(bytes: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(bytes.byteLength);
  for (let at = 0; at < bytes.byteLength; at += size) {
    for (let i = 0; i < size; i++) out[at + i] = bytes[at + size - 1 - i]!;
  }
  return out;
}

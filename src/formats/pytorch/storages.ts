/** Where torch.save puts the data of tensors: entries of a zip archive, or one after the other behind a few pickles. */
import { readPickle, type Pickle } from "../../bytes/pickle.ts";
import type { PickleValue } from "../../bytes/pickleValue.ts";
import type { ByteSource } from "../../bytes/source.ts";
import { startsWith } from "../../bytes/startsWith.ts";
import { openZip, zipSignature, type ZipEntry } from "../../bytes/zip.ts";
import { FormatError } from "../../errors.ts";

export interface TorchFile {
  /** What was saved. */
  readonly root: PickleValue;
  /** Every class and function that the pickle names. */
  readonly globals: ReadonlySet<string>;
  /** What lies in `constants.pkl` of TorchScript, else null. */
  readonly constants: PickleValue;
  /** Of torch.save since 1.6, of torch.jit.save, of torch.export.save; before 1.6; or no storages of torch's. */
  readonly layout: "archive" | "script" | "exported" | "legacy" | "pickle";
  readonly storages: TorchStorages;
  /** Where `bytes` of the pickle itself lie in the file; null where that is packed or inside an archive. */
  readonly pickledOffset: (bytes: Uint8Array) => number | null;
}

export interface TorchStorages {
  readonly bigEndian: boolean;
  /** Bytes of a storage, or null where none of this key is. */
  byteLength(key: string): number | null;
  read(key: string, start: number, end: number): Promise<Uint8Array>;
  /** Where the storage begins in the file; null for a packed one. */
  offset(key: string): Promise<number | null>;
  isPacked(key: string): boolean;
  /** The archive's entry that holds it; null outside archives. */
  entryName(key: string): string | null;
}

/** Element size of each storage that a pickle names; the older layout does not say it otherwise. */
export type ElementSizes = (root: PickleValue) => ReadonlyMap<string, number>;

/** @throws {FormatError} `FORMAT_MALFORMED`, `FORMAT_TRUNCATED`, `FORMAT_LIMIT`, `FORMAT_UNSUPPORTED` */
export async function openTorch(source: ByteSource, sizes: ElementSizes): Promise<TorchFile> {
  const head = await source.slice(0, Math.min(4, source.byteLength));
  if (!startsWith(head, zipSignature)) return openPickles(source, sizes);
  return openArchive(source, new Map((await openZip(source)).map((entry) => [entry.name, entry])));
}

/** @throws as `openTorch` */
export async function openPickles(source: ByteSource, sizes: ElementSizes): Promise<TorchFile> {
  const head = await source.slice(0, Math.min(legacyHeadLength, source.byteLength));
  return isLegacy(head) ? openLegacy(source, sizes) : openPlain(source);
}

/** A name inside the archive's one folder: `data.pkl`, whatever that folder is called. */
export function isDataPickle(name: string): boolean {
  return /^([^/]+\/)?data\.pkl$/.test(name);
}

/** @throws as `openTorch` */
export async function openArchive(
  source: ByteSource,
  entries: ReadonlyMap<string, ZipEntry>,
): Promise<TorchFile> {
  const pickle = [...entries.values()].find(({ name }) => isDataPickle(name));
  if (pickle === undefined) {
    throw new FormatError("FORMAT_MALFORMED", "the archive holds no data.pkl", {
      path: [source.name],
    });
  }
  const prefix = pickle.name.slice(0, -"data.pkl".length);
  const { value: root, globals } = await pickleOf(pickle, source);
  const order = entries.get(`${prefix}byteorder`);
  const bigEndian = order !== undefined && order.byteLength < 16 && (await textOf(order)) === "big";
  const constants = entries.get(`${prefix}constants.pkl`);
  const own = constants === undefined ? nothing : await pickleOf(constants, source);
  return {
    root,
    globals: new Set([...globals, ...own.globals]),
    constants: own.value,
    layout: constants === undefined ? "archive" : "script",
    storages: archiveStorages(entries, prefix, bigEndian),
    pickledOffset: () => null,
  };
}

async function textOf(entry: ZipEntry): Promise<string> {
  return new TextDecoder().decode(await entry.read()).trim();
}

async function pickleOf(entry: ZipEntry, source: ByteSource): Promise<Pickle> {
  const path = [source.name, entry.name];
  if (entry.byteLength > maxPickleLength) throw tooLong(path);
  return readPickle(await entry.read(), 0, path);
}

/** A key with a folder in it is a name in the archive's folder, any other the name of a file in `data/`. */
export function archiveStorages(
  entries: ReadonlyMap<string, ZipEntry>,
  prefix: string,
  bigEndian: boolean,
): TorchStorages {
  // Tensors of one packed storage stand side by side: it is unpacked once for all of them.
  let unpacked: { readonly key: string; readonly bytes: Uint8Array } | null = null;
  const entryName = (key: string): string =>
    key.includes("/") ? `${prefix}${key}` : `${prefix}data/${key}`;
  const entry = (key: string): ZipEntry | undefined => entries.get(entryName(key));
  return {
    bigEndian,
    entryName,
    byteLength: (key) => entry(key)?.byteLength ?? null,
    isPacked: (key) => entry(key)?.isStored === false,
    offset: async (key) => (await entry(key)?.dataOffset()) ?? null,
    async read(key, start, end) {
      const own = entry(key)!;
      if (own.isStored) return own.slice(start, end);
      if (unpacked?.key !== key) {
        unpacked = null;
        unpacked = { key, bytes: await own.read() };
      }
      return unpacked.bytes.subarray(start, end);
    },
  };
}

/** A legacy file begins with a pickle of this number, of 10 bytes, in any protocol. */
const legacyMagic: readonly number[] = [
  0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e,
];
const legacyHeadLength = 32;

function isLegacy(head: Uint8Array): boolean {
  if (head[0] !== 0x80) return false;
  const start = head[2] === 0x95 ? 11 : 2;
  return startsWith(head.subarray(start), legacyMagic);
}

const maxPickleLength = 2 ** 29;
const firstReadLength = 2 ** 22;

/** Magic number, version, machine, object, list of storage keys; then each storage as a count (8 bytes) and its elements. */
async function openLegacy(source: ByteSource, elementSizes: ElementSizes): Promise<TorchFile> {
  const path = [source.name];
  const { pickles, head } = await readPickles(source, 5);
  const [, , , { value: root, globals } = nothing, keys] = pickles;
  const sizes = elementSizes(root);
  const spans = new Map<string, { offset: number; byteLength: number }>();
  let at = keys?.end ?? 0;
  for (const key of Array.isArray(keys?.value) ? keys.value.map(String) : []) {
    const count = await source.slice(at, at + 8);
    const view = new DataView(count.buffer, count.byteOffset, 8);
    const byteLength = Number(view.getBigUint64(0, true)) * (sizes.get(key) ?? NaN);
    at += 8;
    if (!Number.isSafeInteger(byteLength) || at + byteLength > source.byteLength) {
      throw new FormatError("FORMAT_TRUNCATED", `storage ${key} runs past the end of the file`, {
        path,
      });
    }
    spans.set(key, { offset: at, byteLength });
    at += byteLength;
  }
  return {
    root,
    globals,
    constants: null,
    layout: "legacy",
    storages: {
      // Written little-endian by every machine.
      bigEndian: false,
      entryName: () => null,
      isPacked: () => false,
      byteLength: (key) => spans.get(key)?.byteLength ?? null,
      offset: async (key) => spans.get(key)?.offset ?? null,
      read(key, start, end) {
        const { offset } = spans.get(key)!;
        return source.slice(offset + start, offset + end);
      },
    },
    pickledOffset: (bytes) => offsetIn(head, bytes),
  };
}

/** A pickle alone, without storages of torch's: NumPy arrays most often. */
async function openPlain(source: ByteSource): Promise<TorchFile> {
  const { pickles, head } = await readPickles(source, 1);
  const { value: root, globals } = pickles[0] ?? nothing;
  const storages: TorchStorages = {
    bigEndian: false,
    entryName: () => null,
    isPacked: () => false,
    byteLength: () => null,
    offset: async () => null,
    read: async () => new Uint8Array(0),
  };
  return {
    root,
    globals,
    constants: null,
    layout: "pickle",
    storages,
    pickledOffset: (bytes) => offsetIn(head, bytes),
  };
}

const nothing: Pickle = { value: null, end: 0, globals: new Set() };

/** Pickles from the start of the file, of which more is read only where they go on. */
async function readPickles(
  source: ByteSource,
  count: number,
): Promise<{ readonly pickles: readonly Pickle[]; readonly head: Uint8Array }> {
  for (let length = firstReadLength; ; length *= 16) {
    const head = await source.slice(0, Math.min(length, source.byteLength));
    try {
      const pickles: Pickle[] = [];
      for (let at = 0; pickles.length < count; at = pickles.at(-1)!.end) {
        pickles.push(readPickle(head, at, [source.name]));
      }
      return { pickles, head };
    } catch (error) {
      const isCut = error instanceof FormatError && error.code === "FORMAT_TRUNCATED";
      if (!isCut || head.byteLength === source.byteLength) throw error;
      if (length >= maxPickleLength) throw tooLong([source.name]);
    }
  }
}

function tooLong(path: readonly string[]): FormatError {
  return new FormatError("FORMAT_LIMIT", `the pickle has over ${maxPickleLength} bytes`, { path });
}

function offsetIn(head: Uint8Array, bytes: Uint8Array): number | null {
  return bytes.buffer === head.buffer ? bytes.byteOffset - head.byteOffset : null;
}

/** Where torch.save puts the data of tensors: entries of a zip archive, or one after the other behind four pickles. */
import { readPickle, type PickleValue } from "../../bytes/pickle.ts";
import type { ByteSource } from "../../bytes/source.ts";
import { openZip } from "../../bytes/zip.ts";
import { FormatError } from "../../errors.ts";

export interface TorchStorages {
  /** What was saved. */
  readonly root: PickleValue;
  /** Bytes of a storage, or null where none of this key is. */
  byteLength(key: string): number | null;
  read(key: string, start: number, end: number): Promise<Uint8Array>;
  /** Where the storage begins in the file itself; null inside an archive. */
  offset(key: string): number | null;
}

/** @throws {FormatError} `FORMAT_MALFORMED`, `FORMAT_TRUNCATED`, `FORMAT_UNSUPPORTED` */
export async function openArchive(source: ByteSource): Promise<TorchStorages> {
  const entries = new Map((await openZip(source)).map((entry) => [entry.name, entry]));
  const pickle = [...entries.values()].find(({ name }) => name.endsWith("data.pkl"));
  if (pickle === undefined) {
    throw new FormatError("FORMAT_MALFORMED", "the archive holds no data.pkl", {
      path: [source.name],
    });
  }
  const prefix = pickle.name.slice(0, -"data.pkl".length);
  const { value: root } = readPickle(await pickle.read(), 0, [source.name, pickle.name]);
  const entry = (key: string): typeof pickle | undefined => entries.get(`${prefix}data/${key}`);
  return {
    root,
    byteLength: (key) => entry(key)?.byteLength ?? null,
    offset: () => null,
    async read(key, start, end) {
      return (await entry(key)!.read()).subarray(start, end);
    },
  };
}

/** First bytes of a legacy file: a pickle of torch's magic number. */
export const legacySignature: readonly number[] = [
  0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e,
];

const maxPickleLength = 2 ** 26;

/**
 * Magic number, version, machine, object, list of storage keys; then each storage as a count (8 bytes) and its elements.
 * `elementSize` says how many bytes an element of a storage takes.
 * @throws {FormatError} `FORMAT_MALFORMED`, `FORMAT_TRUNCATED`, `FORMAT_UNSUPPORTED`
 */
export async function openLegacy(
  source: ByteSource,
  elementSizes: (root: PickleValue) => ReadonlyMap<string, number>,
): Promise<TorchStorages> {
  const path = [source.name];
  const head = await source.slice(0, Math.min(maxPickleLength, source.byteLength));
  let at = 0;
  const pickles: PickleValue[] = [];
  while (pickles.length < 5) {
    const { value, end } = readPickle(head, at, path);
    pickles.push(value);
    at = end;
  }
  const [, , , root = null, keys] = pickles;
  const sizes = elementSizes(root);
  const spans = new Map<string, { offset: number; byteLength: number }>();
  for (const key of Array.isArray(keys) ? keys.map(String) : []) {
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
    byteLength: (key) => spans.get(key)?.byteLength ?? null,
    offset: (key) => spans.get(key)?.offset ?? null,
    read(key, start, end) {
      const { offset } = spans.get(key)!;
      return source.slice(offset + start, offset + end);
    },
  };
}

/** The arrays of a file: one (.npy), or those in a zip archive (.npz). */
import type { ByteSource } from "../../bytes/source.ts";
import { startsWith } from "../../bytes/startsWith.ts";
import { openZip, zipSignature, type ZipEntry } from "../../bytes/zip.ts";
import { isWeightGraphError } from "../../errors.ts";
import { readNpyHeader, type NpyHeader } from "./npy.ts";

export interface StoredArray {
  readonly name: string;
  readonly header: NpyHeader;
  /** Null for the array of an .npy file. */
  readonly entry: ZipEntry | null;
  /** Where the array begins in the file; null where it is packed. */
  readonly offset: number | null;
  /** That follow the values. */
  readonly excess: number;
}

export interface StoredArrays {
  readonly isArchive: boolean;
  readonly arrays: readonly StoredArray[];
  /** Arrays that are no numbers, with why. */
  readonly refused: readonly { readonly name: string; readonly error: Error }[];
  /** Names of what is no array at all. */
  readonly others: readonly string[];
  /** Names of entries that would be unpacked outside their folder. */
  readonly unsafe: readonly string[];
}

const ending = ".npy";

/**
 * Reads headers alone; of packed arrays it unpacks the first few kB.
 * @throws {FormatError} of the archive and of damaged arrays
 */
export async function storedArrays(source: ByteSource): Promise<StoredArrays> {
  const head = await source.slice(0, Math.min(4, source.byteLength));
  return startsWith(head, zipSignature) ? archivedArrays(source) : singleArray(source);
}

async function singleArray(source: ByteSource): Promise<StoredArrays> {
  const header = await readNpyHeader(source, [source.name]);
  const name = source.name.replace(/\.npy$/, "");
  const excess = source.byteLength - header.offset - header.byteLength;
  const array = { name, header, entry: null, offset: 0, excess };
  return { isArchive: false, arrays: [array], refused: [], others: [], unsafe: [] };
}

async function archivedArrays(source: ByteSource): Promise<StoredArrays> {
  const arrays: StoredArray[] = [];
  const refused: { name: string; error: Error }[] = [];
  const others: string[] = [];
  const unsafe: string[] = [];
  for (const entry of await openZip(source)) {
    if (entry.hasUnsafeName) unsafe.push(entry.name);
    // What macOS adds to archives is named like the file that it is about.
    if (!entry.name.endsWith(ending) || entry.name.startsWith("__MACOSX/")) {
      others.push(entry.name);
      continue;
    }
    const name = entry.name.slice(0, -ending.length);
    try {
      const header = await readNpyHeader(entry, [source.name, entry.name]);
      const excess = entry.byteLength - header.offset - header.byteLength;
      arrays.push({ name, header, entry, offset: await entry.dataOffset(), excess });
    } catch (error) {
      if (!isWeightGraphError(error, "FORMAT_UNSUPPORTED")) throw error;
      refused.push({ name, error });
    }
  }
  return { isArchive: true, arrays, refused, others, unsafe };
}

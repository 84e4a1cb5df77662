/** Zip archives by zip.js: zip64, deflate, and only the parts that are asked for. */
import { Reader, Uint8ArrayWriter, ZipReader, configure, type FileEntry } from "@zip.js/zip.js";
import { FormatError, isWeightGraphError } from "../errors.ts";
import type { ByteSource } from "./source.ts";

export interface ZipEntry {
  readonly name: string;
  /** Unpacked. */
  readonly byteLength: number;
  /** @throws {FormatError} `FORMAT_MALFORMED`, `FORMAT_TRUNCATED` */
  read(): Promise<Uint8Array>;
}

export const zipSignature: readonly number[] = [0x50, 0x4b, 0x03, 0x04];

const maxEntryLength = 2 ** 31;
/** Deflate cannot pack tighter than this. */
const maxExpansion = 1032;

configure({ useWebWorkers: false });

/**
 * The files of an archive, in its own order. Reads the directory at its end alone.
 * @throws {FormatError} `FORMAT_MALFORMED`, `FORMAT_LIMIT`, `FORMAT_UNSUPPORTED` for encrypted entries
 */
export async function openZip(source: ByteSource): Promise<ZipEntry[]> {
  const entries = await guarded(source, () => new ZipReader(new SourceReader(source)).getEntries());
  return entries
    .filter((entry): entry is FileEntry => !entry.directory)
    .map((entry) => {
      const path = [source.name, entry.filename];
      const { uncompressedSize: byteLength, compressedSize } = entry;
      if (entry.encrypted) {
        throw new FormatError("FORMAT_UNSUPPORTED", "the entry is encrypted", { path });
      }
      if (byteLength > Math.min(maxEntryLength, compressedSize * maxExpansion + 64)) {
        throw new FormatError("FORMAT_LIMIT", `an entry of ${byteLength} bytes is announced`, {
          path,
        });
      }
      return {
        name: entry.filename,
        byteLength,
        read: () => guarded(source, () => entry.getData(new Uint8ArrayWriter())),
      };
    });
}

class SourceReader extends Reader<ByteSource> {
  readonly #source: ByteSource;

  constructor(source: ByteSource) {
    super(source);
    this.#source = source;
    this.size = source.byteLength;
  }

  override readUint8Array(index: number, length: number): Promise<Uint8Array> {
    return this.#source.slice(index, Math.min(index + length, this.#source.byteLength));
  }
}

async function guarded<T>(source: ByteSource, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    if (isWeightGraphError(cause)) throw cause;
    throw new FormatError("FORMAT_MALFORMED", `not a sound zip archive: ${String(cause)}`, {
      path: [source.name],
      cause,
      hint: "The file is cut short or damaged: fetch it again.",
    });
  }
}

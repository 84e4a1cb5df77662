/** The start of an HDF5 file: where its root is, how wide its numbers are, where it ends. Versions 0 to 3. */
import { FormatError } from "../../errors.ts";
import { startsWith } from "../startsWith.ts";
import type { ByteSource } from "../source.ts";
import { lookup3 } from "./checksum.ts";
import { Cursor, malformed, type Path, type Widths } from "./cursor.ts";
import { pagesOf, type Pages } from "./pages.ts";

const hdf5Signature: readonly number[] = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

/** An open file: addresses count from `base`, behind a user block. */
export interface Store {
  readonly path: Path;
  readonly pages: Pages;
  readonly base: number;
  readonly widths: Widths;
  /** Address of the root's object header. */
  readonly root: number;
  readonly end: EndOfFile;
}

interface EndOfFile {
  /** Bytes of the file, with what stands in front of the signature. */
  readonly address: number;
  /** Place of the field that says so, in bytes of the file. */
  readonly at: number;
  /** The block around it that a checksum of 4 bytes follows; null in old files. */
  readonly checked: readonly [start: number, end: number] | null;
}

/** Bytes before the signature, a power of two from 512 on; null where there is no HDF5. */
export async function hdf5Start(source: ByteSource, head: Uint8Array): Promise<number | null> {
  if (startsWith(head, hdf5Signature)) return 0;
  for (let at = 512; at + 8 <= source.byteLength && at <= 2 ** 40; at *= 2) {
    const bytes =
      at + 8 <= head.byteLength ? head.subarray(at, at + 8) : await source.slice(at, at + 8);
    if (startsWith(bytes, hdf5Signature)) return at;
  }
  return null;
}

/** @throws {FormatError} `FORMAT_UNKNOWN`, `FORMAT_TRUNCATED`, `FORMAT_MALFORMED`, `FORMAT_UNSUPPORTED` */
export async function openStore(source: ByteSource): Promise<Store> {
  const path = [source.name];
  const start = await hdf5Start(source, await source.slice(0, Math.min(4096, source.byteLength)));
  if (start === null) {
    throw new FormatError("FORMAT_UNKNOWN", "the file holds no HDF5 signature", { path });
  }
  const pages = pagesOf(source);
  const bytes = await pages.read(start, Math.min(start + 128, source.byteLength));
  const store = parse(bytes, start, { path, pages });
  const { address } = store.end;
  if (address > source.byteLength) {
    throw new FormatError(
      "FORMAT_TRUNCATED",
      `the file has ${source.byteLength} bytes, ${address} are announced`,
      { path, hint: "The file is cut short: fetch it again." },
    );
  }
  return store;
}

function parse(
  bytes: Uint8Array,
  start: number,
  { path, pages }: Pick<Store, "path" | "pages">,
): Store {
  const version = bytes[8] ?? 0;
  const isOld = version < 2;
  if (version > 3) {
    throw new FormatError("FORMAT_UNSUPPORTED", `superblocks of version ${version} are not read`, {
      path,
    });
  }
  const widths = { offsets: bytes[isOld ? 13 : 9] ?? 0, lengths: bytes[isOld ? 14 : 10] ?? 0 };
  if (![widths.offsets, widths.lengths].every((width) => [2, 4, 8].includes(width))) {
    throw malformed("addresses are of no width that HDF5 knows", path);
  }
  const cursor = new Cursor(bytes, start, { path, widths });
  cursor.skip(isOld ? (version === 0 ? 24 : 28) : 12);
  const base = cursor.offset();
  cursor.skip(widths.offsets); // free space, or the superblock's extension
  const at = start + cursor.at;
  const ownEnd = cursor.offset();
  let root: number | null;
  let checked: EndOfFile["checked"] = null;
  if (isOld) {
    if (cursor.offset() !== null) throw split(path);
    cursor.skip(widths.offsets);
    root = cursor.offset();
  } else {
    root = cursor.offset();
    checked = [start, start + cursor.at];
    const length = cursor.at;
    if (cursor.u32() !== lookup3(bytes.subarray(0, length))) {
      throw malformed("the superblock's checksum is wrong", path);
    }
  }
  if (ownEnd === null || root === null) throw malformed("the file says no root or no end", path);
  // The file may have moved behind a user block since: its addresses count from its signature all the same.
  const end = ownEnd + start - (base ?? start);
  return { path, pages, base: start, widths, root, end: { address: end, at, checked } };
}

function split(path: Path): FormatError {
  return new FormatError("FORMAT_UNSUPPORTED", "the file is a part of a family of files", {
    path,
    hint: "Join the parts with h5repart first.",
  });
}

/**
 * Global heaps of HDF5 files, where texts of any length lie: their objects' sizes are checked before the HDF5 library walks
 * them, since it never comes back from a free object of size 0 and reads wherever a wrong size leads.
 * Source: HDF5 File Format Specification 3.0, section III.E, "Disk Format: Level 1E - Global Heap".
 */
import { FormatError } from "../errors.ts";

/** `GCOL`, version 1, three bytes of zero; the collection's size, as 64 bits, follows. */
const signature: readonly number[] = [0x47, 0x43, 0x4f, 0x4c, 1, 0, 0, 0];
const collectionHeaderLength = 16;
/** Index, reference count, four reserved bytes, size as 64 bits. */
const objectHeaderLength = 16;

/**
 * Cost: one search through the file.
 * @throws {FormatError} `FORMAT_MALFORMED` where an object is empty or reaches past its collection, `FORMAT_TRUNCATED` where a
 * collection reaches past the file.
 */
export function checkGlobalHeaps(bytes: Uint8Array, path: readonly (string | number)[]): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (
    let at = bytes.indexOf(signature[0]!);
    at !== -1;
    at = bytes.indexOf(signature[0]!, at + 1)
  ) {
    if (at + collectionHeaderLength > bytes.byteLength) return;
    if (signature.every((byte, i) => bytes[at + i] === byte)) checkCollection(view, at, path);
  }
}

function checkCollection(view: DataView, start: number, path: readonly (string | number)[]): void {
  const size = Number(view.getBigUint64(start + 8, true));
  const end = start + size;
  if (end > view.byteLength) {
    throw new FormatError(
      "FORMAT_TRUNCATED",
      `the heap at byte ${start} takes ${size} bytes, ${view.byteLength - start} are there`,
      { path, hint: "The file is cut short or damaged: fetch it again." },
    );
  }
  let at = start + collectionHeaderLength;
  while (at + objectHeaderLength <= end) {
    const isFree = view.getUint16(at, true) === 0;
    const length = Number(view.getBigUint64(at + 8, true));
    // A free object counts its own header; of the others only the data count, padded to eight bytes.
    const taken = isFree ? length : objectHeaderLength + 8 * Math.ceil(length / 8);
    if (taken === 0 || taken > end - at) {
      throw new FormatError(
        "FORMAT_MALFORMED",
        `an object of ${length} bytes in the heap at byte ${start} does not fit into it`,
        { path, hint: "The file is damaged: fetch it again." },
      );
    }
    at += taken;
  }
}

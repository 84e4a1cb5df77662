/**
 * LZF, the fast packing that h5py offers: literals and references to what was just unpacked.
 * Source: LibLZF's stream format. A control byte below 32 announces that many literals and one more; else its upper three bits are
 * a length (7: a byte is to be added) and its lower five, with the next byte, a distance.
 */
import { malformed, type Path } from "./cursor.ts";

/** @throws {FormatError} `FORMAT_MALFORMED` */
export function unpackLzf(bytes: Uint8Array, most: number, path: Path): Uint8Array {
  const out = new Uint8Array(Math.min(most, bytes.byteLength * 140 + 64));
  const broken = (): Error => malformed("a chunk packed by LZF is damaged", path);
  let filled = 0;
  for (let at = 0; at < bytes.byteLength;) {
    const control = bytes[at++]!;
    if (control < 32) {
      const end = at + control + 1;
      if (end > bytes.byteLength || filled + control + 1 > out.byteLength) throw broken();
      out.set(bytes.subarray(at, end), filled);
      filled += control + 1;
      at = end;
      continue;
    }
    let length = control >> 5;
    if (length === 7) length += bytes[at++] ?? 0;
    length += 2;
    const distance = ((control & 31) << 8) + (bytes[at++] ?? 0) + 1;
    if (at > bytes.byteLength || distance > filled || filled + length > out.byteLength)
      throw broken();
    for (const end = filled + length; filled < end; filled++) out[filled] = out[filled - distance]!;
  }
  return out.subarray(0, filled);
}

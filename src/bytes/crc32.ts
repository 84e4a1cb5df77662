/**
 * CRC-32 as zip and gzip have it (reflected, polynomial 0x04c11db7), eight bytes a step.
 * Source: ISO/IEC 13239; the tables for eight bytes at once after Kounavis and Berry 2005, "slicing-by-8".
 */
const tables = tablesOf(0xedb88320);

/** Of `bytes` after what `before` is the checksum of. */
export function crc32(bytes: Uint8Array, before = 0): number {
  let crc = ~before;
  let i = 0;
  const whole = bytes.byteLength - (bytes.byteLength % 8);
  for (; i < whole; i += 8) {
    const low =
      crc ^ (bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24));
    crc =
      tables[0x700 + (low & 255)]! ^
      tables[0x600 + ((low >>> 8) & 255)]! ^
      tables[0x500 + ((low >>> 16) & 255)]! ^
      tables[0x400 + (low >>> 24)]! ^
      tables[0x300 + bytes[i + 4]!]! ^
      tables[0x200 + bytes[i + 5]!]! ^
      tables[0x100 + bytes[i + 6]!]! ^
      tables[bytes[i + 7]!]!;
  }
  for (; i < bytes.byteLength; i++) crc = tables[(crc ^ bytes[i]!) & 255]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** Eight tables of 256 in one: the k-th for a byte that k more bytes follow. */
function tablesOf(polynomial: number): Int32Array {
  const made = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let rest = byte;
    for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ polynomial : rest >>> 1;
    made[byte] = rest;
  }
  for (let i = 256; i < made.length; i++) {
    const rest = made[i - 256]!;
    made[i] = made[rest & 255]! ^ (rest >>> 8);
  }
  return made;
}

/**
 * The two checksums of HDF5.
 * Sources: Bob Jenkins' lookup3 (burtleburtle.net/bob/c/lookup3.c, `hashlittle` with initial value 0) for metadata;
 * HDF5 File Format Specification 3.0, section IV.A.2.l, filter 3 (Fletcher32) for data.
 */

/** Of blocks of metadata. */
export function lookup3(bytes: Uint8Array): number {
  const { byteLength: length } = bytes;
  let a = (0xdeadbeef + length) | 0;
  let b = a;
  let c = a;
  const word = (at: number): number =>
    (bytes[at] ?? 0) |
    ((bytes[at + 1] ?? 0) << 8) |
    ((bytes[at + 2] ?? 0) << 16) |
    ((bytes[at + 3] ?? 0) << 24);
  const turn = (value: number, by: number): number => (value << by) | (value >>> (32 - by));
  let at = 0;
  for (; length - at > 12; at += 12) {
    a = (a + word(at)) | 0;
    b = (b + word(at + 4)) | 0;
    c = (c + word(at + 8)) | 0;
    a = (a - c) ^ turn(c, 4);
    c = (c + b) | 0;
    b = (b - a) ^ turn(a, 6);
    a = (a + c) | 0;
    c = (c - b) ^ turn(b, 8);
    b = (b + a) | 0;
    a = (a - c) ^ turn(c, 16);
    c = (c + b) | 0;
    b = (b - a) ^ turn(a, 19);
    a = (a + c) | 0;
    c = (c - b) ^ turn(b, 4);
    b = (b + a) | 0;
  }
  if (at === length) return c >>> 0;
  a = (a + word(at)) | 0;
  b = (b + word(at + 4)) | 0;
  c = (c + word(at + 8)) | 0;
  c = ((c ^ b) - turn(b, 14)) | 0;
  a = ((a ^ c) - turn(c, 11)) | 0;
  b = ((b ^ a) - turn(a, 25)) | 0;
  c = ((c ^ b) - turn(b, 16)) | 0;
  a = ((a ^ c) - turn(c, 4)) | 0;
  b = ((b ^ a) - turn(a, 14)) | 0;
  c = ((c ^ b) - turn(b, 24)) | 0;
  return c >>> 0;
}

/** Of chunks of data: big-endian words of 16 bits. */
export function fletcher32(bytes: Uint8Array): number {
  let first = 0;
  let second = 0;
  const { byteLength: length } = bytes;
  for (let at = 0; at < length;) {
    // So many words that the sums stay below 2^32.
    const end = Math.min(length, at + 720);
    for (; at < end; at += 2) {
      first += (bytes[at]! << 8) | (bytes[at + 1] ?? 0);
      second += first;
    }
    first = (first & 0xffff) + (first >>> 16);
    second = (second & 0xffff) + (second >>> 16);
  }
  first = (first & 0xffff) + (first >>> 16);
  second = (second & 0xffff) + (second >>> 16);
  return ((second << 16) | first) >>> 0;
}

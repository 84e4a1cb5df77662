/**
 * What a zip archive says of an entry where the entry lies: the header before its bytes and, for writers that could not go back,
 * the descriptor behind them. Both must agree with the directory.
 * Source: PKWARE APPNOTE 6.3.10, sections 4.3.7, 4.3.9 and 4.5.3.
 */
import type { ByteSource } from "./source.ts";
import { damaged, fieldReader, zipNumber, type ZipField, type ZipRecord } from "./zipDirectory.ts";

export interface ZipLocal {
  readonly header: Uint8Array;
  /** Of the entry's bytes, in the archive. */
  readonly dataStart: number;
  /** Places in the header; null where it leaves the number to the descriptor. */
  readonly inHeader: ZipSizes<number | null, ZipField | null>;
  /** Behind the bytes. */
  readonly descriptor: ZipDescriptor | null;
}

interface ZipSizes<C, S> {
  readonly crc: C;
  readonly packedLength: S;
  readonly byteLength: S;
}

interface ZipDescriptor extends ZipSizes<number, ZipField> {
  readonly bytes: Uint8Array;
}

const headerLength = 30;
const descriptorFlag = 8;

/** @throws {FormatError} `FORMAT_MALFORMED` where it contradicts the directory, `FORMAT_TRUNCATED` */
export async function readZipLocal(source: ByteSource, record: ZipRecord): Promise<ZipLocal> {
  const path = [source.name, record.name];
  const fixed = await source.slice(record.offset, record.offset + headerLength);
  const view = new DataView(fixed.buffer, fixed.byteOffset, headerLength);
  if (view.getUint32(0, true) !== 0x04034b50) throw damaged("an entry has no header", path);
  const nameEnd = headerLength + view.getUint16(26, true);
  const length = nameEnd + view.getUint16(28, true);
  const dataStart = record.offset + length;
  if (dataStart + record.packedLength > record.limit) {
    throw damaged("the entry reaches into what follows it", path);
  }
  const header = await source.slice(record.offset, dataStart);
  const { nameBytes } = record;
  const hasName =
    nameEnd - headerLength === nameBytes.byteLength &&
    nameBytes.every((byte, i) => byte === header[headerLength + i]);
  if (!hasName) throw damaged("the entry has another name where it lies", path);
  const flags = view.getUint16(6, true);
  if (view.getUint16(8, true) !== record.method || ((flags ^ record.flags) & 1) !== 0) {
    throw damaged("the entry is packed in another way than the directory says", path);
  }
  const hasDescriptor = (flags & descriptorFlag) !== 0;
  const inHeader = headerFields({ header, nameEnd, hasDescriptor, record }, path);
  const end = dataStart + record.packedLength;
  const descriptor = hasDescriptor
    ? descriptorOf(await source.slice(end, Math.min(end + 24, record.limit)), record, path)
    : null;
  return { header, dataStart, inHeader, descriptor };
}

function headerFields(
  input: { header: Uint8Array; nameEnd: number; hasDescriptor: boolean; record: ZipRecord },
  path: readonly string[],
): ZipLocal["inHeader"] {
  const { header, nameEnd, hasDescriptor, record } = input;
  const place = fieldReader(header, { start: nameEnd, end: header.byteLength }, path);
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const agreed = (at: number, wanted: number): ZipField | null => {
    const isOpen = (value: number): boolean => hasDescriptor && value === 0 && wanted > 0;
    if (isOpen(view.getUint32(at, true))) return null;
    const field = place(at);
    const value = zipNumber(header, field, path);
    if (value === wanted) return field;
    if (isOpen(value)) return null;
    throw damaged("the entry has another size where it lies", path);
  };
  const byteLength = agreed(22, record.byteLength);
  const packedLength = agreed(18, record.packedLength);
  const crc = view.getUint32(14, true);
  if (crc !== record.crc && !(hasDescriptor && crc === 0)) {
    throw damaged("the entry has another checksum where it lies", path);
  }
  return { crc: crc === record.crc ? 14 : null, packedLength, byteLength };
}

/** Its signature is optional and its sizes have 4 or 8 bytes: whichever agrees with the directory. */
function descriptorOf(
  bytes: Uint8Array,
  record: ZipRecord,
  path: readonly string[],
): ZipDescriptor {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const start of [4, 0]) {
    if (start === 4 && (bytes.byteLength < 4 || view.getUint32(0, true) !== 0x08074b50)) continue;
    for (const width of [8, 4] as const) {
      const packedLength = { at: start + 4, width };
      const byteLength = { at: start + 4 + width, width };
      const end = byteLength.at + width;
      const agrees =
        end <= bytes.byteLength &&
        view.getUint32(start, true) === record.crc &&
        zipNumber(bytes, packedLength, path) === record.packedLength &&
        zipNumber(bytes, byteLength, path) === record.byteLength;
      if (agrees) return { bytes: bytes.subarray(0, end), crc: start, packedLength, byteLength };
    }
  }
  throw damaged("no checksum follows the entry that announces one", path);
}

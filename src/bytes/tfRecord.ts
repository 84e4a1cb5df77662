/**
 * Records as TensorFlow writes them one after another: length (8 bytes), a check sum of these, the data, a check sum of the data.
 * Both sums are CRC-32C, turned by 15 bits and shifted by a constant ("masked"). Integers are little-endian.
 * Source: https://www.tensorflow.org/tutorials/load_data/tfrecord (format); RFC 3720, appendix B.4 (CRC-32C and its test values).
 */
import { FormatError } from "../errors.ts";
import type { ByteSource } from "./source.ts";

export interface TfRecord {
  /** Where the data lie in the file. */
  readonly start: number;
  readonly bytes: Uint8Array;
}

export interface TfRecordOptions {
  /** Called once at the end with what was wrong: a record cut off by the file's end, records whose sum did not fit. */
  readonly onDamage: (what: string) => void;
  /** Records above this are refused. */
  readonly maxRecordLength: number;
}

const windowLength = 2 ** 20;
const headerLength = 12;
const footerLength = 4;

/**
 * The sound records of a file. A last record that is cut ends them, since a writer may be at work; a record whose data do not
 * fit their sum is passed over.
 * @throws {FormatError} `FORMAT_MALFORMED` where a length does not fit its sum: from there on nothing can be found,
 * `FORMAT_LIMIT`
 */
export async function* tfRecords(
  source: ByteSource,
  { onDamage, maxRecordLength }: TfRecordOptions,
): AsyncGenerator<TfRecord, void, undefined> {
  let window: Uint8Array = new Uint8Array(0);
  let windowStart = 0;
  const take = async (start: number, length: number): Promise<Uint8Array> => {
    if (start < windowStart || start + length > windowStart + window.byteLength) {
      const end = Math.min(source.byteLength, start + Math.max(length, windowLength));
      window = await source.slice(start, end);
      windowStart = start;
    }
    return window.subarray(start - windowStart, start - windowStart + length);
  };
  let damaged = 0;
  let at = 0;
  while (at < source.byteLength) {
    if (at + headerLength > source.byteLength) {
      onDamage(`the last record is cut at byte ${source.byteLength}`);
      break;
    }
    const header = await take(at, headerLength);
    const view = new DataView(header.buffer, header.byteOffset, headerLength);
    if (maskedCrc32c(header.subarray(0, 8)) !== view.getUint32(8, true)) {
      throw new FormatError(
        "FORMAT_MALFORMED",
        `byte ${at} starts no record: its sum does not fit`,
        {
          path: [source.name],
          hint: "The file is damaged, or not of TensorFlow's records.",
        },
      );
    }
    const length = view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32;
    const start = at + headerLength;
    if (start + length + footerLength > source.byteLength) {
      onDamage(`the last record is cut at byte ${source.byteLength}`);
      break;
    }
    if (length > maxRecordLength) {
      throw new FormatError("FORMAT_LIMIT", `a record of ${length} bytes is not read`, {
        path: [source.name],
      });
    }
    const record = await take(start, length + footerLength);
    const bytes = record.subarray(0, length);
    const sum = new DataView(record.buffer, record.byteOffset + length, footerLength);
    if (maskedCrc32c(bytes) === sum.getUint32(0, true)) yield { start, bytes };
    else damaged++;
    at = start + length + footerLength;
  }
  if (damaged > 0) onDamage(`${damaged} records do not fit their sums and are left out`);
}

function maskedCrc32c(bytes: Uint8Array): number {
  const sum = crc32c(bytes);
  return (((sum >>> 15) | (sum << 17)) + 0xa282ead8) >>> 0;
}

function crc32c(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) sum = table[(sum ^ bytes[i]!) & 255]! ^ (sum >>> 8);
  return (sum ^ 0xffffffff) >>> 0;
}

/** By byte; the polynomial 0x1edc6f41 with its bits turned. */
const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte;
  for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0x82f63b78 : sum >>> 1;
  return sum;
});

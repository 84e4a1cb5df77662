/** Little-endian numbers and text one after the other, read through a window, never past the end of the file. */
import type { ByteSource } from "../../bytes/source.ts";
import { FormatError } from "../../errors.ts";

export interface Cursor {
  /** Of the next byte. */
  readonly at: number;
  /** Bytes up to the end of the file. */
  readonly left: number;
  /** Makes the next `length` bytes ready; free where they are. @throws {FormatError} `FORMAT_TRUNCATED` */
  need(length: number): Promise<void> | undefined;
  /** The next bytes, which must be ready. */
  take(length: number): DataView;
  /** Goes on without reading. @throws {FormatError} `FORMAT_TRUNCATED` */
  skip(length: number): void;
}

const windowLength = 2 ** 18;

export function cursorOn(source: ByteSource, path: readonly (string | number)[]): Cursor {
  let window: DataView = new DataView(new ArrayBuffer(0));
  let windowStart = 0;
  let at = 0;
  const check = (length: number): void => {
    if (length <= source.byteLength - at) return;
    throw new FormatError(
      "FORMAT_TRUNCATED",
      `${length} bytes are announced at byte ${at}, the file has ${source.byteLength}`,
      { path, hint: "The file is cut short or damaged: fetch it again." },
    );
  };
  const load = async (length: number): Promise<void> => {
    const end = Math.min(at + Math.max(length, windowLength), source.byteLength);
    const bytes = await source.slice(at, end);
    window = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    windowStart = at;
  };
  return {
    get at() {
      return at;
    },
    get left() {
      return source.byteLength - at;
    },
    need(length) {
      check(length);
      const isReady = at >= windowStart && at + length <= windowStart + window.byteLength;
      return isReady ? undefined : load(length);
    },
    take(length) {
      const from = at - windowStart;
      at += length;
      return new DataView(window.buffer, window.byteOffset + from, length);
    },
    skip(length) {
      check(length);
      at += length;
    },
  };
}

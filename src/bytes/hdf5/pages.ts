/** Small reads of a large file: whole pages are fetched and the last ones kept, so that walking an index costs few of them. */
import type { ByteSource } from "../source.ts";

const pageLength = 2 ** 16;
const keptPages = 128;

export interface Pages {
  readonly byteLength: number;
  /** Bytes of [start, end). @throws {FormatError} `FORMAT_TRUNCATED` */
  read(start: number, end: number): Promise<Uint8Array>;
}

export function pagesOf(source: ByteSource): Pages {
  const kept = new Map<number, Uint8Array>();
  const page = async (index: number): Promise<Uint8Array> => {
    const known = kept.get(index);
    if (known !== undefined) {
      kept.delete(index);
      kept.set(index, known);
      return known;
    }
    const start = index * pageLength;
    const bytes = await source.slice(start, Math.min(start + pageLength, source.byteLength));
    kept.set(index, bytes);
    if (kept.size > keptPages) kept.delete(kept.keys().next().value!);
    return bytes;
  };
  return {
    byteLength: source.byteLength,
    async read(start, end) {
      const first = Math.floor(start / pageLength);
      const isInside = start >= 0 && end <= source.byteLength && end > start;
      // Spans that are no part of one page: data, or an error for the source to tell.
      if (!isInside || first !== Math.floor((end - 1) / pageLength))
        return source.slice(start, end);
      return (await page(first)).subarray(start - first * pageLength, end - first * pageLength);
    },
  };
}

import { checkSpan, type ByteSource } from "./source.ts";

const windowLength = 2 ** 16;
/** A longer span is read by itself. */
const longSpan = 2 ** 14;

/**
 * The same source, read 64 KiB at a time where small spans are asked for one near the other: headers in a row cost one read of the
 * file, not one each.
 */
export function windowSource(source: ByteSource): ByteSource {
  const { name, byteLength } = source;
  let window: Uint8Array = new Uint8Array();
  let windowStart = 0;
  return {
    name,
    byteLength,
    async slice(start, end, room) {
      checkSpan(name, byteLength, start, end);
      if (end - start > longSpan) return source.slice(start, end, room);
      const isInside = start >= windowStart && end <= windowStart + window.byteLength;
      if (isInside) return window.subarray(start - windowStart, end - windowStart);
      // A new array each time: what was handed out stays as it is.
      const loaded = await source.slice(start, Math.min(start + windowLength, byteLength));
      window = loaded;
      windowStart = start;
      return loaded.subarray(0, end - start);
    },
    sibling: (relativePath) => source.sibling(relativePath),
  };
}

import { checkSpan, type ByteSource } from "./source.ts";

const smallLength = 2 ** 10;
const windowLength = 2 ** 16;

/**
 * The same source for readers of many small things that lie near each other (headers of entries): a small span is cut from a
 * larger one that was read for it or for its neighbour. Large spans are read as they are asked for.
 */
export function readAhead(source: ByteSource): ByteSource {
  let held: { readonly start: number; readonly bytes: Promise<Uint8Array> } | null = null;
  return {
    name: source.name,
    byteLength: source.byteLength,
    sibling: (relativePath) => source.sibling(relativePath),
    async slice(start, end) {
      checkSpan(source.name, source.byteLength, start, end);
      if (end - start > smallLength) return source.slice(start, end);
      const isHeld = held !== null && start >= held.start && end <= held.start + windowLength;
      if (!isHeld) {
        const to = Math.min(start + windowLength, source.byteLength);
        held = { start, bytes: source.slice(start, to) };
      }
      const { start: from, bytes } = held!;
      // A copy, so that what is kept of it does not keep the whole window.
      return (await bytes).slice(start - from, end - from);
    },
  };
}

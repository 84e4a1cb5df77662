/**
 * Where bytes come from: a file, a Blob, a buffer. Readers ask for spans, so that a large file is never held whole.
 */
import { FormatError } from "../errors.ts";

export interface ByteSource {
  /** Name for messages, most often the file's base name. */
  readonly name: string;
  readonly byteLength: number;
  /**
   * Bytes of [start, end), always exactly `end - start` of them. A source that has to fetch them may put them into `room`, if it
   * is given and long enough, and answer with its beginning, so that nothing is allocated.
   * @throws {FormatError} `FORMAT_TRUNCATED` if the span does not lie inside the source.
   */
  slice(start: number, end: number, room?: Uint8Array): Promise<Uint8Array>;
  /**
   * A file that this one names: a shard, external data.
   * @throws {FormatError} `FILE_OUTSIDE_FOLDER`, `FILE_NOT_FOUND`.
   */
  sibling(relativePath: string): Promise<ByteSource>;
}

/** A source on bytes in memory; `siblings` are found by their relative path. */
export function memorySource(
  bytes: Uint8Array,
  name = "memory",
  siblings: Readonly<Record<string, Uint8Array>> = {},
): ByteSource {
  return {
    name,
    byteLength: bytes.byteLength,
    async slice(start, end) {
      checkSpan(name, bytes.byteLength, start, end);
      return bytes.subarray(start, end);
    },
    async sibling(relativePath) {
      const other = Object.hasOwn(siblings, relativePath) ? siblings[relativePath] : undefined;
      if (other === undefined) {
        throw new FormatError("FILE_NOT_FOUND", `no file ${relativePath} beside ${name}`, {
          path: [name, relativePath],
        });
      }
      return memorySource(other, relativePath, siblings);
    },
  };
}

/** A source on [start, end) of another, with its siblings. @throws {FormatError} `FORMAT_TRUNCATED` */
export function spanSource(source: ByteSource, start: number, end: number): ByteSource {
  const { name } = source;
  checkSpan(name, source.byteLength, start, end);
  return {
    name,
    byteLength: end - start,
    async slice(from, to, room) {
      checkSpan(name, end - start, from, to);
      return source.slice(start + from, start + to, room);
    },
    sibling: (relativePath) => source.sibling(relativePath),
  };
}

/** A source on a browser's Blob or File; `siblings` are the other files that were dropped or chosen with it. */
export function blobSource(
  blob: Blob,
  name: string,
  siblings: ReadonlyMap<string, Blob> = new Map(),
): ByteSource {
  return {
    name,
    byteLength: blob.size,
    async slice(start, end) {
      checkSpan(name, blob.size, start, end);
      return new Uint8Array(await blob.slice(start, end).arrayBuffer());
    },
    async sibling(relativePath) {
      const other = siblings.get(relativePath);
      if (other === undefined) {
        throw new FormatError("FILE_NOT_FOUND", `no file ${relativePath} beside ${name}`, {
          path: [name, relativePath],
          hint: "Choose the model's other files together with it.",
        });
      }
      return blobSource(other, relativePath, siblings);
    },
  };
}

/** A source that remembers which siblings were asked for: the files that a model consists of. */
export interface TrackedSource extends ByteSource {
  /** Relative paths of the siblings that were opened, in order. */
  readonly opened: ReadonlySet<string>;
}

export function trackedSource(source: ByteSource): TrackedSource {
  const opened = new Set<string>();
  return {
    name: source.name,
    byteLength: source.byteLength,
    opened,
    slice: (start, end, room) => source.slice(start, end, room),
    async sibling(relativePath) {
      const other = await source.sibling(relativePath);
      opened.add(relativePath);
      return other;
    },
  };
}

/** @throws {FormatError} `FORMAT_TRUNCATED` unless 0 <= start <= end <= byteLength, all whole. */
export function checkSpan(name: string, byteLength: number, start: number, end: number): void {
  const whole = Number.isSafeInteger(start) && Number.isSafeInteger(end);
  if (!whole || start < 0 || end < start || end > byteLength) {
    throw new FormatError(
      "FORMAT_TRUNCATED",
      `bytes ${start} to ${end} are announced, the file has ${byteLength}`,
      { path: [name], hint: "The file is cut short or damaged: fetch it again." },
    );
  }
}

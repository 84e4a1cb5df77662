/** Stored bytes of an array by span of elements, little-endian; chunks are unpacked as they are met, the last ones kept. */
import { FormatError } from "../../errors.ts";
import type { Chunk } from "./chunks.ts";
import { malformed } from "./cursor.ts";
import type { Dataset } from "./dataset.ts";
import { checkFilters, unpack } from "./filters.ts";

/** Arrays past this must be stored, or packed no tighter than deflate can. */
const freeByteLength = 2 ** 20;
const maxExpansion = 1032;
/** Arrays and chunks past this must not be packed tighter than that: weights pack badly. */
const largeByteLength = 2 ** 24;
const maxLargeExpansion = 64;
const keptByteLength = 2 ** 25;

export interface ElementReader {
  /** Bytes of elements [start, end) in the array's order, as stored. */
  read(start: number, end: number): Promise<Uint8Array>;
  /** A chunk as it is when unpacked. */
  chunk(chunk: Chunk): Promise<Uint8Array>;
}

/** @throws {FormatError} `FORMAT_UNSUPPORTED` for filters, `FORMAT_LIMIT` for more than can be stored */
export function elementReader(dataset: Dataset): ElementReader {
  const { store, layout, filters, type, count } = dataset;
  const kept = new Map<number, Uint8Array>();
  let keptBytes = 0;
  const chunk = async (one: Chunk): Promise<Uint8Array> => {
    const known = kept.get(one.address);
    if (known !== undefined) return known;
    const byteLength = chunkLength(dataset);
    checkExpansion(dataset, byteLength, one.byteLength);
    const at = store.base + one.address;
    const stored = await store.pages.read(at, at + one.byteLength);
    if (filters.length === 0) return stored;
    const { mask } = one;
    const bytes = await unpack(stored, { filters, mask, byteLength, path: store.path });
    // The last one is kept whatever its size: an array in one chunk is read span by span.
    if (keptBytes + byteLength > keptByteLength) {
      kept.clear();
      keptBytes = 0;
    }
    keptBytes += byteLength;
    kept.set(one.address, bytes);
    return bytes;
  };
  const size = type.byteLength;
  return {
    chunk,
    async read(start, end) {
      if (start < 0 || end < start || end > count) {
        throw malformed(`elements ${start} to ${end} of ${count} are asked for`, store.path);
      }
      if (layout.kind === "compact") {
        if (layout.byteLength < count * size) throw malformed("an array is cut short", store.path);
        const at = store.base + layout.address;
        return store.pages.read(at + start * size, at + end * size);
      }
      if (layout.kind === "contiguous" && layout.address !== null) {
        const at = store.base + layout.address;
        return store.pages.read(at + start * size, at + end * size);
      }
      if (filters.length > 0) checkFilters(filters, store.path);
      const chunks = await dataset.chunks();
      checkSize(dataset, Math.min(storedLength(chunks), store.pages.byteLength));
      const out = filled(dataset, end - start);
      for (const one of chunksIn(dataset, chunks, { start, end })) {
        const bytes = await chunk(one);
        for (const { from, to, length } of runsOf(dataset, one, { start, end })) {
          out.set(bytes.subarray(from * size, (from + length) * size), (to - start) * size);
        }
      }
      return out;
    },
  };
}

/** A large chunk in a few bytes is there to fill the memory. */
function checkExpansion({ store }: Dataset, byteLength: number, stored: number): void {
  if (byteLength <= largeByteLength || byteLength <= stored * maxLargeExpansion) return;
  throw new FormatError(
    "FORMAT_LIMIT",
    `a chunk of ${stored} bytes is to unpack to ${byteLength} bytes`,
    { path: store.path, hint: "Repack the file in smaller chunks: h5repack -l CHUNK=…" },
  );
}

function storedLength(chunks: readonly Chunk[]): number {
  return chunks.reduce((sum, { byteLength }) => sum + byteLength, 0);
}

function chunkLength({ type, ...dataset }: Dataset): number {
  return chunkShapeOf({ type, ...dataset }).reduce((product, n) => product * n, type.byteLength);
}

function chunkShapeOf({ layout, type }: Dataset): readonly number[] {
  return layout.kind === "chunked" ? [...layout.shape, ...type.shape] : [];
}

/**
 * A shape may claim more than a file can hold: what was never written costs no bytes. `stored` is what the array has, or the
 * file as long as nobody counted.
 * @throws {FormatError} `FORMAT_LIMIT`
 */
export function checkSize(
  { store, count, type, filters }: Omit<Dataset, "chunks">,
  stored: number = store.pages.byteLength,
): void {
  const announced = count * type.byteLength;
  const expansion = announced > largeByteLength ? maxLargeExpansion : maxExpansion;
  const most = Math.max(freeByteLength, stored * (filters.length > 0 ? expansion : 1));
  if (announced <= most) return;
  throw new FormatError(
    "FORMAT_LIMIT",
    `an array of ${announced} bytes is announced, ${stored} are stored`,
    { path: store.path },
  );
}

function filled({ fill, type }: Dataset, count: number): Uint8Array {
  const out = new Uint8Array(count * type.byteLength);
  if (fill === null || fill.every((byte) => byte === 0)) return out;
  for (let at = 0; at < out.byteLength; at += fill.byteLength) out.set(fill, at);
  return out;
}

interface Span {
  readonly start: number;
  readonly end: number;
}

function chunksIn(
  dataset: Dataset,
  chunks: readonly Chunk[],
  { start, end }: Span,
): readonly Chunk[] {
  const shape = dataset.shape!;
  const chunkShape = chunkShapeOf(dataset);
  return chunks.filter((chunk) => {
    let first = 0;
    let last = 0;
    for (const [axis, size] of shape.entries()) {
      const at = chunk.start[axis] ?? 0;
      first = first * size + at;
      last = last * size + Math.min(size, at + chunkShape[axis]!) - 1;
    }
    return first < end && last >= start;
  });
}

export interface Run {
  /** In the chunk. */
  readonly from: number;
  /** In the array. */
  readonly to: number;
  readonly length: number;
}

/** Elements that follow each other both in the chunk and in the array, clipped to the span. */
export function* runsOf(dataset: Dataset, chunk: Chunk, { start, end }: Span): Generator<Run> {
  const shape = dataset.shape!;
  const chunkShape = chunkShapeOf(dataset);
  const rank = shape.length;
  const counts = shape.map((size, axis) =>
    Math.min(chunkShape[axis]!, size - (chunk.start[axis] ?? 0)),
  );
  const rows = counts.slice(0, -1).reduce((product, n) => product * n, 1);
  const width = counts.at(-1) ?? 1;
  const place = new Array<number>(Math.max(0, rank - 1)).fill(0);
  for (let row = 0; row < rows; row++) {
    let from = 0;
    let to = 0;
    for (let axis = 0; axis < rank; axis++) {
      const at = place[axis] ?? 0;
      from = from * chunkShape[axis]! + at;
      to = to * shape[axis]! + at + (chunk.start[axis] ?? 0);
    }
    const skipped = Math.max(0, start - to);
    const length = Math.min(width, end - to) - skipped;
    if (length > 0) yield { from: from + skipped, to: to + skipped, length };
    for (let axis = rank - 2; axis >= 0 && ++place[axis]! >= counts[axis]!; axis--) place[axis] = 0;
  }
}

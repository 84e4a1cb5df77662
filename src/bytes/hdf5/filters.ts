/** What chunks go through before they are stored: deflate, shuffle, Fletcher's checksum, LZF. Others are refused by name. */
import { FormatError } from "../../errors.ts";
import { fletcher32 } from "./checksum.ts";
import { Cursor, malformed, type Path } from "./cursor.ts";
import { unpackLzf } from "./lzf.ts";

export interface Filter {
  readonly id: number;
  readonly parameters: readonly number[];
}

const deflateId = 1;
const shuffleId = 2;
const fletcherId = 3;
const lzfId = 32000;

/** Registered filters that files are seen with. */
const titles: ReadonlyMap<number, string> = new Map([
  [4, "szip"],
  [5, "nbit"],
  [6, "scale-offset"],
  [307, "bzip2"],
  [32001, "blosc"],
  [32004, "lz4"],
  [32008, "bitshuffle"],
  [32013, "zfp"],
  [32015, "zstd"],
  [32017, "SZ"],
  [32026, "blosc2"],
]);

/** Deflate cannot pack tighter than this. */
const maxExpansion = 1032;

/** @throws {FormatError} `FORMAT_MALFORMED` */
export function parseFilters(cursor: Cursor): readonly Filter[] {
  const version = cursor.u8();
  const count = cursor.u8();
  if (version === 1) cursor.skip(6);
  else if (version !== 2) throw cursor.malformed("a list of filters of this version is not read");
  if (count > 32) throw cursor.malformed(`${count} filters are announced`);
  const filters: Filter[] = [];
  for (let i = 0; i < count; i++) {
    const id = cursor.u16();
    const nameLength = version === 1 || id >= 256 ? cursor.u16() : 0;
    cursor.skip(2);
    const values = cursor.u16();
    cursor.skip(version === 1 ? Math.ceil(nameLength / 8) * 8 : nameLength);
    const parameters: number[] = [];
    for (let j = 0; j < values; j++) parameters.push(cursor.u32());
    if (version === 1 && values % 2 === 1) cursor.skip(4);
    filters.push({ id, parameters });
  }
  return filters;
}

/** @throws {FormatError} `FORMAT_UNSUPPORTED` for a filter that is not undone here */
export function checkFilters(filters: readonly Filter[], path: Path): void {
  for (const { id } of filters) {
    if ([deflateId, shuffleId, fletcherId, lzfId].includes(id)) continue;
    const title = titles.get(id) ?? `number ${id}`;
    throw new FormatError("FORMAT_UNSUPPORTED", `the filter ${title} is not undone here`, {
      path,
      hint: "Repack the file with gzip or without a filter: h5repack -f GZIP=4.",
    });
  }
}

export interface Packing {
  readonly filters: readonly Filter[];
  /** Filters that this chunk skipped, a bit each. */
  readonly mask: number;
  /** Of the chunk, unpacked. */
  readonly byteLength: number;
  readonly path: Path;
}

/** @throws {FormatError} `FORMAT_MALFORMED` for wrong checksums and damaged streams, `FORMAT_LIMIT` for what unpacks to more */
export async function unpack(stored: Uint8Array, packing: Packing): Promise<Uint8Array> {
  const { filters, mask, byteLength, path } = packing;
  let bytes = stored;
  for (const [i, { id, parameters }] of [...filters.entries()].reverse()) {
    if ((mask & (1 << i)) !== 0) continue;
    // What filters further on still take off: a checksum.
    const most = byteLength + 4 * filters.length;
    if (id === deflateId) bytes = await inflate(bytes, most, path);
    else if (id === lzfId) bytes = unpackLzf(bytes, most, path);
    else if (id === shuffleId) bytes = unshuffle(bytes, parameters[0] ?? 1);
    else bytes = checkedBytes(bytes, path);
  }
  if (bytes.byteLength === byteLength) return bytes;
  throw malformed(`a chunk of ${byteLength} bytes unpacks to ${bytes.byteLength}`, path);
}

/** The inverse; LZF is left out of a chunk, which its mask says. */
export async function pack(
  plain: Uint8Array,
  { filters, mask }: Pick<Packing, "filters" | "mask">,
): Promise<{ readonly bytes: Uint8Array; readonly mask: number }> {
  let bytes = plain;
  let skipped = mask;
  for (const [i, { id, parameters }] of filters.entries()) {
    if ((skipped & (1 << i)) !== 0) continue;
    if (id === deflateId) bytes = await deflate(bytes);
    else if (id === shuffleId) bytes = shuffle(bytes, parameters[0] ?? 1);
    else if (id === fletcherId) bytes = withChecksum(bytes);
    else skipped |= 1 << i;
  }
  return { bytes, mask: skipped };
}

async function inflate(bytes: Uint8Array, most: number, path: Path): Promise<Uint8Array> {
  if (most > bytes.byteLength * maxExpansion + 64) {
    throw malformed(`${bytes.byteLength} packed bytes cannot hold ${most}`, path);
  }
  const out = new Uint8Array(most);
  let filled = 0;
  const stream = new DecompressionStream("deflate");
  const writer = stream.writable.getWriter();
  const written = writer.write(bytes as Uint8Array<ArrayBuffer>).then(() => writer.close());
  written.catch(() => undefined);
  const reader = stream.readable.getReader();
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      const chunk: Uint8Array = part.value;
      if (filled + chunk.byteLength > most) {
        throw new FormatError("FORMAT_LIMIT", `a chunk unpacks to more than ${most} bytes`, {
          path,
        });
      }
      out.set(chunk, filled);
      filled += chunk.byteLength;
    }
  } catch (cause) {
    await reader.cancel().catch(() => undefined);
    if (cause instanceof FormatError) throw cause;
    throw new FormatError("FORMAT_MALFORMED", "a packed chunk is damaged", { path, cause });
  }
  return out.subarray(0, filled);
}

async function deflate(bytes: Uint8Array): Promise<Uint8Array> {
  const packed = new Blob([bytes as Uint8Array<ArrayBuffer>])
    .stream()
    .pipeThrough(new CompressionStream("deflate"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

/** First all first bytes, then all second ones; what does not fill an element stays at the end. */
function shuffle(bytes: Uint8Array, size: number): Uint8Array {
  return shuffled(bytes, size, (out, to, from) => void (out[to] = bytes[from]!));
}

function unshuffle(bytes: Uint8Array, size: number): Uint8Array {
  return shuffled(bytes, size, (out, to, from) => void (out[from] = bytes[to]!));
}

function shuffled(
  bytes: Uint8Array,
  size: number,
  move: (out: Uint8Array, to: number, from: number) => void,
): Uint8Array {
  const count = size < 2 ? 0 : Math.floor(bytes.byteLength / size);
  if (count < 2) return bytes;
  const out = bytes.slice();
  for (let byte = 0, to = 0; byte < size; byte++) {
    for (let i = 0; i < count; i++) move(out, to++, i * size + byte);
  }
  return out;
}

function checkedBytes(bytes: Uint8Array, path: Path): Uint8Array {
  const end = bytes.byteLength - 4;
  if (end < 0) throw malformed("a chunk is shorter than its checksum", path);
  const data = bytes.subarray(0, end);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(end, true) === fletcher32(data)) return data;
  throw malformed("the checksum of a chunk is wrong", path);
}

function withChecksum(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.byteLength + 4);
  out.set(bytes);
  new DataView(out.buffer).setUint32(bytes.byteLength, fletcher32(bytes), true);
  return out;
}

/** The shards of a weight group, taken as one run of bytes. */
import type { ByteEdit } from "../../bytes/pieces.ts";
import type { ByteSource } from "../../bytes/source.ts";
import { FormatError } from "../../errors.ts";

type Path = readonly (string | number)[];

/** A model in shards of 4 MiB has this many at 64 GiB. */
const maxShards = 2 ** 14;

export interface Shard {
  /** Relative to the model file; null for bytes that stand in the model file itself, as text. */
  readonly path: string | null;
  readonly source: ByteSource;
  /** Where its first byte stands in the run. */
  readonly start: number;
}

export interface ShardRun {
  readonly shards: readonly Shard[];
  readonly byteLength: number;
}

/**
 * Opens the files that a manifest names, each once.
 * @throws {FormatError} `FORMAT_MALFORMED` for one that is named twice, `FORMAT_LIMIT`, `FILE_NOT_FOUND`, `FILE_OUTSIDE_FOLDER`
 */
export function shardOpener(
  source: ByteSource,
): (paths: readonly string[], at: Path) => Promise<ShardRun> {
  const known = new Set<string>();
  return async (paths, at) => {
    const shards: Shard[] = [];
    let byteLength = 0;
    for (const path of paths) {
      if (known.has(path)) throw namedTwice(path, at);
      known.add(path);
      if (known.size > maxShards) {
        throw new FormatError("FORMAT_LIMIT", `more than ${maxShards} shards`, { path: at });
      }
      const shard = await source.sibling(path);
      shards.push({ path, source: shard, start: byteLength });
      byteLength += shard.byteLength;
    }
    return { shards, byteLength };
  };
}

function namedTwice(path: string, at: Path): FormatError {
  return new FormatError("FORMAT_MALFORMED", `the shard ${path} is named twice`, {
    path: [...at, "paths"],
    hint: "Each shard belongs to one place of one group.",
  });
}

/** Bytes of [start, end) of the run, which the span lies inside. */
export async function runBytes(
  { shards }: ShardRun,
  start: number,
  end: number,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (const { source, start: first } of shards) {
    const from = Math.max(start - first, 0);
    const to = Math.min(end - first, source.byteLength);
    if (from < to) parts.push(await source.slice(from, to));
  }
  const [only] = parts;
  if (parts.length === 1) return only!;
  const joined = new Uint8Array(end - start);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.byteLength;
  }
  return joined;
}

/** New bytes for the run from `offset` on, as edits of each shard they fall into. */
export function runEdits(
  { shards }: ShardRun,
  offset: number,
  bytes: Uint8Array,
): { readonly shard: Shard; readonly edit: ByteEdit }[] {
  return shards.flatMap((shard) => {
    const from = Math.max(shard.start - offset, 0);
    const to = Math.min(shard.start + shard.source.byteLength - offset, bytes.byteLength);
    if (from >= to) return [];
    return [
      { shard, edit: { offset: offset + from - shard.start, bytes: bytes.subarray(from, to) } },
    ];
  });
}

/**
 * That the tensors of a group fill its shards.
 * @throws {FormatError} `FORMAT_TRUNCATED` for shards that are short, `FORMAT_MALFORMED` for more bytes than that,
 *   `FORMAT_LFS_POINTER` where a shard is a git-lfs pointer.
 */
export async function checkFilled(run: ShardRun, needed: number, path: Path): Promise<void> {
  if (needed === run.byteLength) return;
  await refusePointers(run, path);
  const names = run.shards.map((shard) => shard.path ?? "weightData");
  const listed = names.slice(0, 4).join(", ") + (names.length > 4 ? ", …" : "");
  const isShort = run.byteLength < needed;
  throw new FormatError(
    isShort ? "FORMAT_TRUNCATED" : "FORMAT_MALFORMED",
    `the tensors take ${needed} bytes, the shards ${listed || "(none)"} hold ${run.byteLength}`,
    {
      path,
      hint: isShort
        ? "A shard is cut short or missing: fetch it again."
        : "Shards and manifest are of different models, or a shape is wrong.",
    },
  );
}

const pointer = "version https://git-lfs.github.com/spec/";

async function refusePointers({ shards }: ShardRun, path: Path): Promise<void> {
  for (const { source, path: name } of shards) {
    if (source.byteLength < pointer.length || source.byteLength > 1024) continue;
    const head = await source.slice(0, pointer.length);
    if (new TextDecoder("latin1").decode(head) !== pointer) continue;
    throw new FormatError("FORMAT_LFS_POINTER", "a git-lfs pointer stands in place of a shard", {
      path: [...path, name ?? "weightData"],
      hint: "Fetch the real file with `git lfs pull`.",
    });
  }
}

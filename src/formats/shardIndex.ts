/**
 * The index of a model in several files: `{"metadata": {"total_size": …}, "weight_map": {"tensor": "file", …}}`, as it stands beside
 * the shards of safetensors and PyTorch models.
 */
import type { ByteSource } from "../bytes/source.ts";
import { FormatError } from "../errors.ts";
import type { ModelWarning } from "../model/model.ts";
import { naturalOrder } from "../model/naturalOrder.ts";
import { openDataFile } from "./dataFile.ts";
import { isJsonObject, parseStrictJson } from "./strictJson.ts";

export interface ShardIndex {
  /** Of each tensor, by name, the shard that holds it. */
  readonly weightMap: ReadonlyMap<string, string>;
  /** Each shard once, as people count. */
  readonly files: readonly string[];
  /** Bytes of all tensors, if the index says. */
  readonly totalSize: number | null;
  /** All that `metadata` says. */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** What the shards are, told from their names. */
export type ShardKind = "safetensors" | "pytorch";

const maxIndexLength = 100_000_000;
const maxShards = 10_000;

/** What an index is of, or null for a file that is none. Never throws. */
export async function shardKindOf(head: Uint8Array, source: ByteSource): Promise<ShardKind | null> {
  const text = new TextDecoder("latin1").decode(head);
  if (!/^\s*\{/.test(text) || source.byteLength > maxIndexLength) return null;
  // What stands before the map is short, or the whole file is.
  const isShort = source.byteLength <= head.byteLength;
  if (!text.includes('"weight_map"') && (isShort || !text.includes('"metadata"'))) return null;
  try {
    const json = parseStrictJson(await source.slice(0, source.byteLength), { path: [] });
    if (!isJsonObject(json) || !isJsonObject(json["weight_map"])) return null;
    const files = Object.values(json["weight_map"]);
    const isTorch = files.some((file) => typeof file === "string" && /\.(bin|pth?)$/.test(file));
    return isTorch ? "pytorch" : "safetensors";
  } catch {
    return null;
  }
}

/**
 * Reads an index. That its files exist and stay in the folder is seen when they are opened.
 * @throws {FormatError} `FORMAT_MALFORMED`, `FORMAT_LIMIT`
 */
export async function readShardIndex(source: ByteSource): Promise<ShardIndex> {
  const path = [source.name];
  if (source.byteLength > maxIndexLength) {
    throw new FormatError("FORMAT_LIMIT", `an index of ${source.byteLength} bytes`, { path });
  }
  const bytes = await source.slice(0, source.byteLength);
  const json = parseStrictJson(bytes, { path, uniqueKeys: true });
  const map = isJsonObject(json) ? json["weight_map"] : undefined;
  if (!isJsonObject(json) || !isJsonObject(map)) {
    throw new FormatError("FORMAT_MALFORMED", "the index has no weight_map", { path });
  }
  const weightMap = new Map<string, string>();
  for (const [name, file] of Object.entries(map)) {
    if (typeof file !== "string" || file === "") {
      throw new FormatError("FORMAT_MALFORMED", "the index must name a file for each tensor", {
        path: [...path, "weight_map", name],
      });
    }
    weightMap.set(name, file);
  }
  const files = [...new Set(weightMap.values())].sort(naturalOrder);
  if (files.length > maxShards) {
    throw new FormatError("FORMAT_LIMIT", `the index names ${files.length} files`, {
      path,
      hint: `At most ${maxShards} shards are opened.`,
    });
  }
  const metadata = isJsonObject(json["metadata"]) ? json["metadata"] : {};
  const total = metadata["total_size"];
  const totalSize = Number.isFinite(total) ? (total as number) : null;
  return { weightMap, files, totalSize, metadata };
}

/** A shard that the index names. @throws {FormatError} as `openDataFile` */
export function openShard(index: ByteSource, file: string): Promise<ByteSource> {
  return openDataFile(index, file, [index.name, "weight_map", file]);
}

/**
 * Compares the tensors that the shards hold with what the index says; those that it does not place in their shard are to be left
 * out.
 * @throws {FormatError} `FORMAT_MALFORMED` for a tensor that its shard does not hold
 */
export function checkShards(
  index: ShardIndex,
  shards: ReadonlyMap<string, ReadonlyMap<string, { readonly byteLength: number }>>,
  indexName: string,
): readonly ModelWarning[] {
  let total = 0;
  for (const [name, file] of index.weightMap) {
    const tensor = shards.get(file)?.get(name);
    if (tensor === undefined) {
      throw new FormatError("FORMAT_MALFORMED", `${file} does not hold the tensor`, {
        path: [indexName, "weight_map", name],
        hint: "The index and the shards are of different models, or a shard is damaged.",
      });
    }
    total += tensor.byteLength;
  }
  const warnings: ModelWarning[] = [];
  const left = [...shards].flatMap(([file, tensors]) =>
    [...tensors.keys()].filter((name) => index.weightMap.get(name) !== file),
  );
  if (left.length > 0) {
    const names = left.slice(0, 5).join(", ") + (left.length > 5 ? ", …" : "");
    const message = `${left.length} tensors of the shards are not in the index and left out: ${names}`;
    warnings.push({ code: "SHARD_TENSORS_LEFT_OUT", message });
  }
  if (index.totalSize !== null && index.totalSize !== total) {
    const message = `the index announces ${index.totalSize} bytes of tensors, the shards hold ${total}`;
    warnings.push({ code: "SHARD_SIZE", message });
  }
  return warnings;
}

/**
 * A warning where `source` is one shard of several (`model-00002-of-00005.safetensors`) and is read alone.
 */
export async function shardAloneWarnings(source: ByteSource): Promise<readonly ModelWarning[]> {
  const found = /^(.+)-(\d{1,6})-of-(\d{1,6})(\.\w+)$/.exec(source.name);
  if (found === null) return [];
  const [, prefix, number, count, ending] = found;
  if (Number(count) < 2) return [];
  const part = `this is shard ${Number(number)} of ${Number(count)}, read alone`;
  const name = `${prefix}${ending}.index.json`;
  const hasIndex = await source.sibling(name).then(
    () => true,
    () => false,
  );
  const message = hasIndex ? `${part}: ${name} beside it is the whole model` : part;
  return [{ code: "SHARD_ALONE", message }];
}

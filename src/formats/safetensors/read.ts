import type { ByteSource } from "../../bytes/source.ts";
import type { Model } from "../../model/model.ts";
import { attentionHintsBeside } from "../attentionConfig.ts";
import type { Format } from "../format.ts";
import { shardAloneWarnings, shardKindOf } from "../shardIndex.ts";
import { stateDictModel } from "../stateDict.ts";
import { maxHeaderLength, readSafetensorsHeader } from "./header.ts";
import { readSharded } from "./sharded.ts";
import { storedTensor } from "./storedTensor.ts";

/**
 * Reads a safetensors file as a PyTorch state dict: tensors of two and more axes are weights, [out, in / groups, ...kernel]. Of a
 * model in several files, reads the index and with it every shard. Reads headers alone; each tensor is read by its span when asked
 * for.
 * @throws {FormatError} `FORMAT_TRUNCATED`, `FORMAT_LIMIT`, `FORMAT_MALFORMED`, `FORMAT_UNSUPPORTED`; of an index also
 *   `FILE_NOT_FOUND`, `FILE_OUTSIDE_FOLDER`, `FORMAT_LFS_POINTER`
 */
export async function readSafetensors(source: ByteSource): Promise<Model> {
  const head = await source.slice(0, Math.min(9, source.byteLength));
  const isIndex = !looksLikeSafetensors(head) && startsAnObject(head);
  return isIndex ? readSharded(source) : readSingle(source);
}

async function readSingle(source: ByteSource): Promise<Model> {
  const { entries, metadata } = await readSafetensorsHeader(source);
  const model = stateDictModel({
    name: source.name,
    format: "safetensors",
    metadata: metadata.size === 0 ? {} : { __metadata__: Object.fromEntries(metadata) },
    tensors: entries.map((entry) => storedTensor(source, entry, null)),
    attention: await attentionHintsBeside(source),
  });
  return { ...model, warnings: [...model.warnings, ...(await shardAloneWarnings(source))] };
}

export const safetensors: Format = {
  id: "safetensors",
  title: "safetensors",
  async recognises(head, source) {
    if (looksLikeSafetensors(head)) return true;
    return (await shardKindOf(head, source)) === "safetensors";
  },
  read: readSafetensors,
};

/** A little-endian length, then `{`. A longer length than the format allows is no reason to take text for it. */
function looksLikeSafetensors(head: Uint8Array): boolean {
  if (head.byteLength < 9 || head[8] !== 0x7b) return false;
  const length = new DataView(head.buffer, head.byteOffset, 8).getBigUint64(0, true);
  const isText = head.subarray(0, 8).every((byte) => byte === 9 || byte === 10 || byte >= 32);
  return length <= BigInt(maxHeaderLength) || !isText;
}

function startsAnObject(head: Uint8Array): boolean {
  return /^\s*\{/.test(new TextDecoder("latin1").decode(head));
}

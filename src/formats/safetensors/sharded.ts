import type { ByteSource } from "../../bytes/source.ts";
import type { Model } from "../../model/model.ts";
import { attentionHintsBeside } from "../attentionConfig.ts";
import { checkShards, openShard, readShardIndex } from "../shardIndex.ts";
import { stateDictModel, type StateDict } from "../stateDict.ts";
import { readSafetensorsHeader, type SafetensorsEntry } from "./header.ts";
import { storedTensor } from "./storedTensor.ts";

/**
 * One model of an index and its shards: their tensors in order of the shards, each with its shard as its file.
 * @throws {FormatError} as `readSafetensors`
 */
export async function readSharded(source: ByteSource): Promise<Model> {
  const index = await readShardIndex(source);
  const tensors: StateDict["tensors"][number][] = [];
  const shards = new Map<string, ReadonlyMap<string, SafetensorsEntry>>();
  let metadata: ReadonlyMap<string, string> = new Map();
  for (const file of index.files) {
    const shard = await openShard(source, file);
    const header = await readSafetensorsHeader(shard);
    metadata = new Map([...header.metadata, ...metadata]);
    shards.set(file, new Map(header.entries.map((entry) => [entry.name, entry])));
    for (const entry of header.entries) {
      if (index.weightMap.get(entry.name) !== file) continue;
      tensors.push(storedTensor(shard, entry, file));
    }
  }
  const warnings = checkShards(index, shards, source.name);
  const model = stateDictModel({
    name: source.name,
    format: "safetensors",
    metadata: {
      ...(metadata.size > 0 && { __metadata__: Object.fromEntries(metadata) }),
      index: index.metadata,
      shards: index.files,
    },
    tensors,
    attention: await attentionHintsBeside(source),
  });
  return { ...model, warnings: [...model.warnings, ...warnings] };
}

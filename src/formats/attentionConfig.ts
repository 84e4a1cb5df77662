/** What a configuration says of attention: how many heads there are, and how many of them share keys and values. */
import type { ByteSource } from "../bytes/source.ts";
import type { AttentionHints } from "./inference/walker.ts";
import { isJsonObject, parseStrictJson } from "./strictJson.ts";

const maxConfigLength = 2 ** 20;

/** Names of a number, in the order in which they are believed. */
const names: Readonly<Record<keyof AttentionHints, readonly string[]>> = {
  heads: ["num_attention_heads", "n_head", "num_heads", "n_heads", "attention.head_count"],
  headSize: ["head_dim", "d_kv", "attention.value_length", "attention.key_length"],
};

/** The hints of `config.json` beside the file; none where there is no such file, or none that can be read. */
export async function attentionHintsBeside(source: ByteSource): Promise<AttentionHints> {
  try {
    const config = await source.sibling("config.json");
    if (config.byteLength > maxConfigLength) return {};
    const json = parseStrictJson(await config.slice(0, config.byteLength), { path: [config.name] });
    if (!isJsonObject(json)) return {};
    const inner = json["text_config"];
    return { ...attentionHintsOf(isJsonObject(inner) ? inner : {}), ...attentionHintsOf(json) };
  } catch {
    return {};
  }
}

/** The hints among the values of a configuration; keys may have a prefix (`llama.`). */
export function attentionHintsOf(config: Readonly<Record<string, unknown>>): AttentionHints {
  const prefix = config["general.architecture"];
  const numberOf = (own: readonly string[]): number | undefined => {
    const keys = typeof prefix === "string" ? own.map((name) => `${prefix}.${name}`) : own;
    const found = keys.map((key) => Number(Object.hasOwn(config, key) ? config[key] : NaN));
    return found.find((value) => Number.isSafeInteger(value) && value > 0);
  };
  const heads = numberOf(names.heads);
  const headSize = numberOf(names.headSize);
  return { ...(heads !== undefined && { heads }), ...(headSize !== undefined && { headSize }) };
}

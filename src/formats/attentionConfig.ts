/** What a configuration says of attention: how many heads there are, and how many of them share keys and values. */
import type { ByteSource } from "../bytes/source.ts";
import type { AttentionHints } from "./inference/walker.ts";
import { isJsonObject, parseStrictJson } from "./strictJson.ts";

const maxConfigLength = 2 ** 20;

/** Names of a number, in the order in which they are believed. */
const names: Readonly<Record<keyof AttentionHints, readonly string[]>> = {
  heads: ["num_attention_heads", "n_head", "num_heads", "n_heads", "attention.head_count"],
  headSize: ["head_dim", "d_kv", "attention.value_length", "attention.key_length"],
  width: ["hidden_size", "n_embd", "d_model", "dim", "embed_dim", "embedding_length"],
};
/** Names of one number for each half of a network, believed where both are the same. */
const ofHalves = ["encoder_attention_heads", "decoder_attention_heads"];

/**
 * The hints of `config.json` beside the file, its own first, then those of parts that it describes (`vision_config`, `decoder`);
 * none where there is no such file, or none that can be read.
 */
export async function attentionHintsBeside(source: ByteSource): Promise<readonly AttentionHints[]> {
  try {
    const config = await source.sibling("config.json");
    if (config.byteLength > maxConfigLength) return [];
    const json = parseStrictJson(await config.slice(0, config.byteLength), { path: [config.name] });
    if (!isJsonObject(json)) return [];
    const parts = Object.entries(json).flatMap(([name, part]) =>
      /_config$|^(en|de)coder$/.test(name) && isJsonObject(part) ? [attentionHintsOf(part)] : [],
    );
    const text = json["text_config"];
    const own = { ...attentionHintsOf(isJsonObject(text) ? text : {}), ...attentionHintsOf(json) };
    return [own, ...parts];
  } catch {
    return [];
  }
}

/** The hints among the values of a configuration; keys may have a prefix (`llama.`). */
export function attentionHintsOf(config: Readonly<Record<string, unknown>>): AttentionHints {
  const prefix = config["general.architecture"];
  const numberAt = (name: string): number | undefined => {
    const key = typeof prefix === "string" ? `${prefix}.${name}` : name;
    const value = Object.hasOwn(config, key) ? Number(config[key]) : NaN;
    return Number.isSafeInteger(value) && value > 0 ? value : undefined;
  };
  const first = (own: readonly string[]): number | undefined =>
    own.map(numberAt).find((value) => value !== undefined);
  const [encoder, decoder] = ofHalves.map(numberAt);
  const heads = first(names.heads) ?? (encoder === decoder ? encoder : undefined);
  const headSize = first(names.headSize);
  const width = first(names.width);
  return {
    ...(heads !== undefined && { heads }),
    ...(headSize !== undefined && { headSize }),
    ...(width !== undefined && { width }),
  };
}

/** Heads of state dicts, by the configuration beside them: which rows and columns are whose, by hand. */
import { describe, expect, test } from "vitest";
import { bert, headsOf, splitOf, stateDict, type Shapes } from "../../helpers/attention.ts";

const block = (shapes: Shapes): Shapes => ({
  "embed_tokens.weight": [9, 8],
  ...Object.fromEntries(
    Object.entries({ ...shapes, "mlp.fc1": [9, 8], "mlp.fc2": [8, 9] }).map(
      ([name, shape]) => [`layers.0.${name}.weight`, shape] as const,
    ),
  ),
});

describe("state dicts, with a configuration beside them (hand)", () => {
  test.each<{ name: string; shapes: Shapes; config: object; heads: string[] }>([
    {
      name: "BERT",
      shapes: bert,
      config: { num_attention_heads: 2, hidden_size: 4 },
      heads: [
        "layers.0.attention.self.query query head 0: 0 1",
        "layers.0.attention.self.query query head 1: 2 3",
        "layers.0.attention.self.key key head 0: 0 1",
        "layers.0.attention.self.key key head 1: 2 3",
        "layers.0.attention.self.value value head 0: 0 1",
        "layers.0.attention.self.value value head 1: 2 3",
        "layers.0.attention.output.dense output head 0: 0 1",
        "layers.0.attention.output.dense output head 1: 2 3",
      ],
    },
    {
      name: "queries, keys and values in one matrix, one after another",
      shapes: block({ "attn.qkv": [24, 8], "attn.proj": [8, 8] }),
      config: { num_heads: 2 },
      heads: [
        "layers.0.attn.qkv query head 0: 0 1 2 3",
        "layers.0.attn.qkv query head 1: 4 5 6 7",
        "layers.0.attn.qkv key head 0: 8 9 10 11",
        "layers.0.attn.qkv key head 1: 12 13 14 15",
        "layers.0.attn.qkv value head 0: 16 17 18 19",
        "layers.0.attn.qkv value head 1: 20 21 22 23",
        "layers.0.attn.proj output head 0: 16 17 18 19",
        "layers.0.attn.proj output head 1: 20 21 22 23",
      ],
    },
    {
      name: "query, key and value of a head side by side",
      shapes: block({ "self_attention.query_key_value": [24, 8], "self_attention.dense": [8, 8] }),
      config: { num_attention_heads: 2 },
      heads: [
        "layers.0.self_attention.query_key_value query head 0: 0 1 2 3",
        "layers.0.self_attention.query_key_value key head 0: 4 5 6 7",
        "layers.0.self_attention.query_key_value value head 0: 8 9 10 11",
        "layers.0.self_attention.query_key_value query head 1: 12 13 14 15",
        "layers.0.self_attention.query_key_value key head 1: 16 17 18 19",
        "layers.0.self_attention.query_key_value value head 1: 20 21 22 23",
        "layers.0.self_attention.dense output head 0: 8 9 10 11",
        "layers.0.self_attention.dense output head 1: 20 21 22 23",
      ],
    },
    {
      name: "grouped queries: an output for each head of them, of the values that it shares",
      shapes: block({
        "self_attn.q_proj": [8, 8],
        "self_attn.k_proj": [4, 8],
        "self_attn.v_proj": [4, 8],
        "self_attn.o_proj": [8, 8],
      }),
      config: { hidden_size: 8, num_attention_heads: 4, num_key_value_heads: 2 },
      heads: [
        "layers.0.self_attn.q_proj query head 0: 0 1",
        "layers.0.self_attn.q_proj query head 1: 2 3",
        "layers.0.self_attn.q_proj query head 2: 4 5",
        "layers.0.self_attn.q_proj query head 3: 6 7",
        "layers.0.self_attn.k_proj key head 0: 0 1",
        "layers.0.self_attn.k_proj key head 1: 2 3",
        "layers.0.self_attn.v_proj value head 0: 0 1",
        "layers.0.self_attn.v_proj value head 1: 2 3",
        "layers.0.self_attn.o_proj output head 0: 0 1",
        "layers.0.self_attn.o_proj output head 1: 0 1",
        "layers.0.self_attn.o_proj output head 2: 2 3",
        "layers.0.self_attn.o_proj output head 3: 2 3",
      ],
    },
    {
      name: "keys and values in one matrix, a normalisation as long as a head",
      shapes: {
        ...block({ "attn.q": [8, 8], "attn.kv": [16, 8], "attn.proj": [8, 8] }),
        "layers.0.attn.q_norm.weight": [4],
      },
      config: {},
      heads: [
        "layers.0.attn.q query head 0: 0 1 2 3",
        "layers.0.attn.q query head 1: 4 5 6 7",
        "layers.0.attn.kv key head 0: 0 1 2 3",
        "layers.0.attn.kv key head 1: 4 5 6 7",
        "layers.0.attn.kv value head 0: 8 9 10 11",
        "layers.0.attn.kv value head 1: 12 13 14 15",
        "layers.0.attn.proj output head 0: 8 9 10 11",
        "layers.0.attn.proj output head 1: 12 13 14 15",
      ],
    },
  ])("$name", async ({ shapes, config, heads }) => {
    expect(headsOf(await splitOf(await stateDict(shapes, config)))).toEqual(heads);
  });

  test.each([
    { name: "no configuration", config: undefined },
    { name: "one of a part that is wider", config: { num_attention_heads: 2, hidden_size: 16 } },
    { name: "a number of heads that does not divide", config: { num_attention_heads: 3 } },
    { name: "a single head", config: { num_attention_heads: 1 } },
    {
      name: "two parts of the same width that differ",
      config: {
        text_config: { num_attention_heads: 2, hidden_size: 4 },
        vision_config: { num_attention_heads: 4, hidden_size: 4 },
      },
    },
    {
      name: "halves that differ",
      config: { encoder_attention_heads: 2, decoder_attention_heads: 4 },
    },
  ])("not known: $name", async ({ config }) => {
    const { topology } = await stateDict(bert, config);
    expect(topology.attention).toBeUndefined();
  });

  test.each([
    {
      name: "the part of their width",
      config: {
        text_config: { num_attention_heads: 4, hidden_size: 8 },
        vision_config: { num_attention_heads: 2, hidden_size: 4 },
      },
    },
    { name: "halves alike", config: { encoder_attention_heads: 2, decoder_attention_heads: 2 } },
  ])("known: $name", async ({ config }) => {
    const { topology } = await stateDict(bert, config);
    expect(topology.attention!.map(({ role, heads }) => [role, heads])).toEqual([
      ["query", 2],
      ["key", 2],
      ["value", 2],
    ]);
  });
});

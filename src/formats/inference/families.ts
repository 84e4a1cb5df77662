/**
 * What the world calls the parts of its networks, one family a line; paths are relative to the module that holds them. A line is
 * believed only where the shapes fit as well.
 */

/** Separate query, key and value projections: [q, k, v, outputs]. */
export const attentions: readonly (readonly [string, string, string, readonly string[]])[] = [
  ["q_proj", "k_proj", "v_proj", ["out_proj", "o_proj", "dense", "c_proj", "proj"]],
  ["self.query", "self.key", "self.value", ["output.dense"]],
  ["self.query_proj", "self.key_proj", "self.value_proj", ["output.dense"]],
  ["attention.query", "attention.key", "attention.value", ["output.dense", "out_proj"]],
  ["query", "key", "value", ["dense", "proj", "out", "output.dense", "out_proj", "projection"]],
  ["q", "k", "v", ["o", "proj", "out", "out_proj", "proj_out", "to_out"]],
  ["attn_q", "attn_k", "attn_v", ["attn_output"]],
  ["to_q", "to_k", "to_v", ["to_out.0", "to_out"]],
  ["wq", "wk", "wv", ["wo"]],
  ["w_q", "w_k", "w_v", ["w_o", "fc"]],
  ["W_q", "W_k", "W_v", ["W_o"]],
  ["W_query", "W_key", "W_value", ["out_proj"]],
  ["w_qs", "w_ks", "w_vs", ["fc"]],
  ["q_lin", "k_lin", "v_lin", ["out_lin"]],
  ["linear_q", "linear_k", "linear_v", ["linear_out"]],
  ["q_linear", "k_linear", "v_linear", ["out", "out_linear"]],
  ["query_layer", "key_layer", "value_layer", ["output_layer"]],
  ["queries", "keys", "values", ["projection", "fc_out", "out"]],
  ["query_proj", "key_proj", "value_proj", ["out_proj", "output_proj"]],
];

/** Queries of their own, keys and values in one matrix: [q, kv, outputs]. */
export const halfFused: readonly (readonly [string, string, readonly string[]])[] = [
  ["q", "kv", ["proj", "o"]],
  ["to_q", "to_kv", ["to_out.0", "to_out"]],
  ["q_proj", "kv_proj", ["out_proj", "o_proj", "proj"]],
];

/** `blocks`: all queries, then all keys, then all values. `heads`: query, key and value of a head side by side. */
export type FusedOrder = "blocks" | "heads" | "groups";

/** Query, key and value in one matrix: [qkv, order, outputs]. */
export const fusedAttentions: readonly (readonly [string, FusedOrder, readonly string[]])[] = [
  ["in_proj", "blocks", ["out_proj"]],
  ["qkv", "blocks", ["proj", "out_proj", "o_proj", "dense"]],
  ["qkv", "heads", ["proj_out"]],
  ["c_attn", "blocks", ["c_proj"]],
  ["attn_qkv", "blocks", ["attn_output"]],
  ["Wqkv", "blocks", ["out_proj", "Wo", "wo"]],
  ["qkv_proj", "blocks", ["o_proj", "out_proj"]],
  ["to_qkv", "blocks", ["to_out.0", "to_out"]],
  ["query_key_value", "heads", ["dense"]],
  ["wqkv", "groups", ["wo"]],
];

/** Modules whose keys and values come from elsewhere. */
export const crossAttention: RegExp =
  /cross|enc_?dec|encoder_attn|multihead_attn|^attn2$|src_attn/i;

/** Two matrices: [in, out]. */
export const feedForwards: readonly (readonly [string, string])[] = [
  ["fc1", "fc2"],
  ["c_fc", "c_proj"],
  ["intermediate.dense", "output.dense"],
  ["dense_h_to_4h", "dense_4h_to_h"],
  ["fc_in", "fc_out"],
  ["linear1", "linear2"],
  ["linear_1", "linear_2"],
  ["lin1", "lin2"],
  ["lin_in", "lin_out"],
  ["wi", "wo"],
  ["Wi", "Wo"],
  ["w_1", "w_2"],
  ["w1", "w2"],
  ["intermediate_dense", "output_dense"],
  ["up_proj", "down_proj"],
  ["ffn_up", "ffn_down"],
  ["ffn", "ffn_output"],
  ["net.0.proj", "net.2"],
  ["net.0", "net.2"],
  ["net.0", "net.3"],
  ["net.1", "net.4"],
  ["mlp.0", "mlp.2"],
  ["mlp.0", "mlp.3"],
  ["fc", "proj"],
  ["gate_up_proj", "down_proj"],
  ["w12", "w3"],
  ["0", "2"],
  ["0", "3"],
];

/** Two matrices into the hidden units, whose products the third reads: [main, other, out]. */
export const gatedForwards: readonly (readonly [string, string, string])[] = [
  ["gate_proj", "up_proj", "down_proj"],
  ["w1", "w3", "w2"],
  ["ffn_gate", "ffn_up", "ffn_down"],
  ["wi_0", "wi_1", "wo"],
  ["fc1_g", "fc1_x", "fc2"],
  ["linear1", "linear_v", "linear2"],
];

/** One matrix for both halves of a gated pair: true where the second half is the signal (it comes first in the product). */
export const secondHalfFirst: ReadonlySet<string> = new Set(["gate_up_proj"]);

/** Parallel experts and what chooses among them. */
export const expertLists: readonly string[] = ["experts"];
export const routers: readonly string[] = [
  "gate",
  "router",
  "gate.wg",
  "router.layer",
  "router.classifier",
];
export const sharedExperts: readonly string[] = ["shared_expert", "shared_experts", "shared_mlp"];

/** Tables of what a token, a word or a class is: the row sends. */
export const tokenTables: RegExp =
  /^(?:embed_tokens|wte|word_embeddings?|tok(?:en)?_embd|tok_embeddings?|tok_emb|token_emb(?:ed(?:ding)?s?(?:_table)?)?|embed_in|embedding_table|(?:src|tgt)_(?:tok_)?emb\w*|shared|emb(?:ed(?:ding)?s?)?|embedder|item_emb\w*|user_emb\w*)$/;
export const segmentTables: RegExp =
  /^(?:token_type_embeddings?|token_types|segment_embeddings?|tok_type_embd)$/;
/** Tables added at positions, and offsets between them: no neuron sends. */
export const positionTables: RegExp =
  /^(?:wpe|(?:embed_)?positions?|pos(?:ition)?s?_?(?:emb\w*|encoding\w*|enc|table)?|\w*pos(?:ition(?:al)?)?_(?:emb|enc)\w*|position_embd|relative_attention_bias|relative_position_bias_table|rel_pos\w*|distance_embedding|pe|cls_token|class_token|class_embedding|dist_token|mask_token|register_tokens|reg_token|query_tokens|latents?|logit_scale|bias_[kv]|[hv]_pos_emb|absolute_pos_embed|rel_(?:embed\w*|attn_bias)|attention_biases|gamma_?\d?|ls\d?|layer_?scale\w*|scale_shift_table)$/;
/** Masks and tables that are worked out, not trained. */
export const buffers: RegExp =
  /^(?:inv_freq|masked_bias|attn_mask|causal_mask|relative_position_index|position_ids|token_type_ids|rope_freqs|cos_cached|sin_cached|freqs_cis|freqs|num_batches_tracked|attn_bias)$/;

/** Side paths of a residual block. */
export const shortcuts: RegExp =
  /^(?:downsample|shortcut|short_?cut\w*|skip|skip_?(?:connection|conv|layer|path)|conv_?(?:shortcut|skip)|convShortcut|nin_shortcut|identity_(?:conv|downsample|map\w*)|residual_?(?:conv|layer|path|proj\w*|connection)?|res_?conv|res_skip|proj|project(?:ion)?_?(?:shortcut)?|match_?conv|downsampler|side)$/;

/** Squeeze and excitation: a gate of channels beside the signal. */
export const gates: RegExp =
  /^_?(?:se\d*|se_?(?:block|layer|module|net)|squeeze\w*|channel_?att\w*|ca|eca|effective_se)$/i;

/** Parallel branches: those of one key follow one another. */
export const branches: RegExp =
  /^(branch(?:_?\d+(?:x\d+(?:dbl)?)?|_?pool|_?[a-z]+|\d+x\d+\w*?)?|b\d|path\d|expand\d+x\d+|p\d_\d)(?:_(\d+)([ab])?)?$/;

/** Ends of a network that read the same trunk. */
export const headNames: RegExp =
  /(?:^|_)(?:head(?:er)?s?|cls|classifier|classification|reg|regression|regressor|bbox|box(?:es)?|conf|loc|landmarks?|mu|mean|log_?var|logvar|sigma|std|policy|value|seq_relationship|actor|critic|advantage|pi|v|score|obj|centerness)(?:_?\d+|$|_)/i;

/** Layers that turn maps into larger ones: stored [in, out, …]. */
export const transposed: RegExp =
  /(?:conv_?transpose|transp?_?conv|conv_?trans|de_?conv|tconv|up_?conv|^up$|^ups$|up_?sample\w*|upscale)/i;

/** The first layers of an image, sound or patch. */
export const stems: RegExp =
  /^(?:patch_?embed(?:ding|dings|s)?|conv_stem|stem|inc|conv_in|projection|feature_extractor|conv1|conv_pre|input_conv)$/;

/** What is told a network beside its input: a time, a class; and the layers that bring it into a block. */
export const conditions: RegExp =
  /^(?:time_?emb\w*|temb\w*|t_embedder|time_mlp|emb_layers|add_embedding|label_emb|y_embedder|cond_proj)$/;

/** Where children stand if the file does not say: first the inputs, last the heads. */
const ranks: readonly (readonly [RegExp, number])[] = [
  [/^(?:module|model|net|network|backbone|base\w*|encoder|down\w*|enc\d*|features?)$/i, 2],
  [tokenTables, 0],
  [
    /emb|wte|wpe|^stem|stem$|^conv_?(?:in|0|1)$|^bn_?[01]$|^norm_?0$|^inc$|^inconv|^first|^pre_?(?!logits)|^cls_token|patch|^stft/i,
    0,
  ],
  [/^(?:shared|tok_|token_)/, 0],
  [/^mid|^bottleneck|^neck|^bridge/, 3],
  [/^(?:decoder|up|upconv|dec)\w*\d*$/, 4],
  [
    /^(?:norm|ln_f|ln_post|ln_final|final_(?:layer_?)?norm|output_norm|layer_?norm|post\w*|conv_head|bn2|last\w*|conv_norm_out|pooler)$/i,
    5,
  ],
  [
    /^(?:fc|fcs?_?out|heads?|classifier|lm_head|output|out|logits?|linear|score|cls|pred\w*|conv_out|outc|qa_outputs|proj_out|final\w*|generator|\w+_head(?:er)?s?|last_linear)\d*$/i,
    6,
  ],
];

/** `isLayer`: it is a layer itself, not a list of modules. */
export function rankOf(name: string, isLayer: boolean): number {
  if (isLayer && /^(?:up|up_?sample|up_?conv|squeeze)$/.test(name)) return 1;
  const plain = name.replace(/^_+/, "");
  return ranks.find(([pattern]) => pattern.test(plain))?.[1] ?? 2;
}

/** Heads stand last in a transformer whatever the file's order. */
export const lateNames: RegExp =
  /^(?:lm_head|output|embed_out|output_norm|norm|ln_f|cls|pooler|head)$/;

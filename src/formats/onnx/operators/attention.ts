/**
 * Attention in one operator: ONNX's own and those of com.microsoft. What comes out has the neurons of the values; queries and
 * keys only say how much of them.
 * Source: https://onnx.ai/onnx/operators and https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md
 */
import type { NeuronIds } from "../../../model/topology.ts";
import {
  axisSize,
  featuresOf,
  freshAxis,
  shapeOf,
  uncarried,
  unknownActivation,
  withAxes,
  withFeatures,
  type Activation,
  type Axis,
} from "../activation.ts";
import type { Collector } from "../collector.ts";
import { tellHeads, tellPacked, tellRow } from "../heads.ts";
import { activationAt, claimInputs, constantAt, isWeighty, type Call } from "../operator.ts";
import { lengthAlong, pickAlong } from "../pick.ts";
import { placeDense, placeDenseAlong } from "../placeDense.ts";
import { regroup } from "../regroup.ts";
import { dropAxis, reshape } from "../reshape.ts";

/** ONNX's operator takes three activations; that of com.microsoft has the weights of all three in one matrix. */
export function attention(call: Call): readonly Activation[] {
  return constantAt(call, 1) !== null && call.node.domain !== ""
    ? packedAttention(call)
    : attend(call);
}

/** input, weights [in, queries + keys + values], bias. */
export function packedAttention(call: Call): readonly Activation[] {
  claimInputs(call, 2, "bias", 3);
  claimInputs(call, 3, "constant");
  const to = project(call, 1, 0);
  if (to === null) return [unknownActivation];
  const declared = call.node.ints("qkv_hidden_sizes");
  const third = Math.floor(to.length / 3);
  const sizes = declared?.length === 3 ? declared : [third, third, third];
  const size = sizes[2]!;
  const heads = call.node.int("num_heads", 0);
  const keys = to.length - size - sizes[1]!;
  tellRow(call.collect, "query", { ids: to.slice(0, keys), heads });
  tellRow(call.collect, "key", { ids: to.slice(keys, -size), heads });
  tellRow(call.collect, "value", { ids: to.slice(-size), heads });
  const { axes } = activationAt(call, 0);
  const own = axes ?? [freshAxis(null), freshAxis(null), []];
  return [withFeatures(own, own.length - 1, to.slice(-size))];
}

/** input, weight, bias, mask, then a weight and a bias for tokens that attend to all: the same neurons by other weights. */
export function longformerAttention(call: Call): readonly Activation[] {
  claimInputs(call, 5, "bias", 6);
  const [output = unknownActivation] = packedAttention(call);
  const others = project(call, 4, 0);
  if (others !== null && output.ids !== null) {
    call.collect.merge(output.ids, others.slice(-output.ids.length));
  }
  return [output];
}

/** query, key, weight of the queries, weight [in, keys + values], bias. */
export function decoderAttention(call: Call): readonly Activation[] {
  claimInputs(call, 4, "bias", 5);
  claimInputs(call, 5, "constant");
  const heads = call.node.int("num_heads", 0);
  tellRow(call.collect, "query", { ids: project(call, 2, 0), heads });
  const to = project(call, 3, 1);
  const { axes } = activationAt(call, 0);
  if (to === null || axes === null) return [unknownActivation];
  tellRow(call.collect, "key", { ids: to.slice(0, to.length / 2), heads });
  tellRow(call.collect, "value", { ids: to.slice(to.length / 2), heads });
  return [withFeatures(axes, axes.length - 1, to.slice(to.length / 2))];
}

function project(call: Call, weight: number, input: number): NeuronIds | null {
  const constant = constantAt(call, weight);
  if (!isWeighty(constant) || constant.shape.length !== 2) return null;
  const activation = activationAt(call, input);
  const axis = (activation.axes?.length ?? 3) - 1;
  const split = constant.shape;
  return placeDense(call, { constant, split, roles: ["in", "out"], activation, axis });
}

/** query, key, value; the first may hold all three, the second the last two. */
export function attend(call: Call): readonly Activation[] {
  claimInputs(call, 3, "constant");
  return attended(call);
}

/** com.microsoft MultiHeadAttention and its packed form: a bias of all three comes fourth. */
export function attendWithBias(call: Call): readonly Activation[] {
  claimInputs(call, 3, "bias", 4);
  claimInputs(call, 4, "constant");
  return attended(call);
}

/** com.microsoft DecoderMaskedMultiHeadAttention: its bias comes eleventh. */
export function decoderMaskedAttention(call: Call): readonly Activation[] {
  claimInputs(call, 3, "constant", 10);
  claimInputs(call, 10, "bias");
  return attended(call);
}

function attended(call: Call): readonly Activation[] {
  tellInputs(call);
  return [seen(call, valuesOf(call))];
}

/** Heads of the queries, and how many of them keys and values have. */
function headsOf({ node }: Call): { readonly heads: number; readonly shared: number } {
  const heads = node.int("num_heads", node.int("q_num_heads", 0));
  return { heads, shared: node.int("kv_num_heads", heads) };
}

function tellInputs(call: Call): void {
  const { collect } = call;
  const { heads, shared } = headsOf(call);
  const given = [0, 1, 2].filter((at) => call.inputs[at] !== undefined);
  const query = activationAt(call, 0);
  if (given.length < 3 && given.length > 0) {
    const packed = activationAt(call, given.at(-1)!);
    const roles = (["query", "key", "value"] as const).slice(given.length - 1);
    if ((packed.axes?.length ?? 0) >= 4) tellPacked(collect, packed, roles);
    else if (given.length === 1) tellFewer(collect, query, { heads, shared });
  }
  if (given.length === 1) return;
  const roles = given.length === 3 ? (["query", "key", "value"] as const) : (["query"] as const);
  for (const [at, role] of roles.entries()) {
    const activation = activationAt(call, at);
    const axis = (activation.axes?.length ?? 0) - 1;
    const apart = axis === 3 ? activation.axes?.[1] : undefined;
    if (apart !== undefined) tellHeads(collect, role, { activation, shared: [apart] });
    if (axis !== 2) continue;
    const size = lengthAlong(activation, axis);
    const ids = size === null ? null : featuresOf(activation, axis, size);
    tellRow(collect, role, { ids, heads: role === "query" ? heads : shared });
  }
}

/** [batch, positions, (queries + keys + values) x width] with fewer heads for keys and values. */
function tellFewer(
  collect: Collector,
  all: Activation,
  { heads, shared }: { readonly heads: number; readonly shared: number },
): void {
  const axis = (all.axes?.length ?? 0) - 1;
  const size = axis < 0 ? null : lengthAlong(all, axis);
  const ids = size === null ? null : featuresOf(all, axis, size);
  const width = (ids?.length ?? 0) / (heads + 2 * shared);
  if (ids === null || !Number.isInteger(width)) return;
  const [queries, keys] = [heads * width, (heads + shared) * width];
  tellRow(collect, "query", { ids: ids.slice(0, queries), heads });
  tellRow(collect, "key", { ids: ids.slice(queries, keys), heads: shared });
  tellRow(collect, "value", { ids: ids.slice(keys), heads: shared });
}

/** The neurons of the values as the queries' positions see them; heads that share values see the same ones. */
function seen(call: Call, values: Activation): Activation {
  const query = activationAt(call, 0);
  if (values.axes === null || values.ids === null) return { ...unknownActivation, axes: null };
  const { node } = call;
  const { heads, shared } = headsOf(call);
  const repeats = shared > 0 && heads % shared === 0 ? heads / shared : 1;
  const isApart = values.axes.length === 4;
  const axis = isApart ? 1 : values.axes.length - 1;
  const own = values.axes[axis];
  if (own === undefined) return unknownActivation;
  const parts = repeats > 1 && !isApart ? regroup([own], [shared, null]) : null;
  const repeat: Axis = repeats > 1 ? [{ size: repeats, carries: false }] : [];
  const stretched = isApart
    ? [...own, ...repeat]
    : parts
      ? [...parts.target[0]!, ...repeat, ...parts.target[1]!]
      : own;
  const before = parts ? { ...values, axes: values.axes.with(axis, parts.atoms) } : values;
  const made = withAxes(before, before.axes!.with(axis, stretched));
  return atPositionsOf(query, made, { isApart, isTogether: node.domain !== "" });
}

/** The query's positions; com.microsoft's operators put heads that come apart together. */
function atPositionsOf(
  query: Activation,
  made: Activation,
  { isApart, isTogether }: { isApart: boolean; isTogether: boolean },
): Activation {
  const axes = made.axes!;
  const given = query.axes?.length === axes.length ? query.axes : null;
  const place = isApart ? 2 : axes.length - 2;
  const positions = uncarried(given?.[place] ?? freshAxis(null));
  if (axes[place] === undefined) return made;
  const placed = withAxes(made, axes.with(place, positions));
  if (!isApart || !isTogether) return placed;
  const [batch, heads, rows, width] = placed.axes as [Axis, Axis, Axis, Axis];
  return withAxes(placed, [batch, rows, [...heads, ...width]]);
}

function valuesOf(call: Call): Activation {
  const value = call.inputs[2];
  if (value !== undefined) return activationAt(call, 2);
  const key = call.inputs[1];
  if (key !== undefined) return ofPacked(activationAt(call, 1), 2);
  const query = activationAt(call, 0);
  if ((query.axes?.length ?? 0) >= 4) return ofPacked(query, 3);
  return lastHeads(call, query);
}

/** [batch, positions, heads, `count`, width]: the last of `count`. */
function ofPacked(activation: Activation, count: number): Activation {
  const { axes } = activation;
  if (axes === null || axes.length < 4) return unknownActivation;
  const axis = axes.length - 2;
  const picks = { count: 1, at: () => count - 1 };
  if (axisSize(axes[axis]!) !== count) return unknownActivation;
  const picked = dropAxis(pickAlong(activation, axis, picks), axis);
  if (picked.axes === null) return unknownActivation;
  const heads = picked.axes.slice(-2).flat();
  return withAxes(picked, [...picked.axes.slice(0, -2), heads]);
}

/** [batch, positions, (queries + keys + values) x width] with fewer heads for keys and values. */
function lastHeads(call: Call, query: Activation): Activation {
  const { heads, shared } = headsOf(call);
  const axis = (query.axes?.length ?? 0) - 1;
  const size = axis < 0 ? null : lengthAlong(query, axis);
  if (size === null || !(heads > 0 && shared > 0)) return unknownActivation;
  const count = (size / (heads + 2 * shared)) * shared;
  if (!Number.isSafeInteger(count)) return unknownActivation;
  return pickAlong(query, axis, { count, at: (i) => size - count + i });
}

/** com.microsoft RelativePositionBias: a table of numbers that are added to the scores. */
export function positionBias(call: Call): readonly Activation[] {
  claimInputs(call, 0, "bias", 1);
  return [unknownActivation];
}

/** com.microsoft GatedRelativePositionBias: query, its bias, positions, weight [width, gates], bias, factor. */
export function gatedPositionBias(call: Call): readonly Activation[] {
  claimInputs(call, 1, "bias", 2);
  claimInputs(call, 4, "bias", 5);
  claimInputs(call, 5, "normalisation", 6);
  const constant = constantAt(call, 3);
  if (!isWeighty(constant) || constant.shape.length !== 2) return [unknownActivation];
  const query = activationAt(call, 0);
  const heads = call.node.int("num_heads", 0);
  const shape = shapeOf(query);
  const isPlain = shape?.length === 3 && heads > 0;
  const apart = isPlain ? reshape(query, [shape[0]!, shape[1]!, heads, constant.shape[0]!]) : query;
  const axes = apart.axes ?? [];
  const at = axes.length > 0 ? axes.length - 1 : 3;
  const split = constant.shape;
  const weight = { constant, split, roles: ["in", "out"] as const, activation: apart, axis: at };
  placeDenseAlong(call, weight, { axes: axes.length > 0 ? axes : [[], [], [], []], at });
  return [unknownActivation];
}

/** com.microsoft GemmaRotaryEmbedding: angles, query, query turned, key, key turned. */
export function turnedPair(call: Call): readonly Activation[] {
  return [activationAt(call, 1), activationAt(call, 3)];
}

/** Operators that join, part and pick along an axis; along the channels, neurons keep who they are. */
import {
  axisSize,
  carriesNeurons,
  featuresOf,
  freshAxis,
  neuronLimit,
  plainActivation,
  shapeOf,
  uncarried,
  unknownActivation,
  withAxes,
  withFeatures,
  type Activation,
} from "../activation.ts";
import { slicePicks, type Picks } from "../foldSelection.ts";
import {
  activationAt,
  asActivation,
  claimInputs,
  constantAt,
  integersAt,
  knownIntegersAt,
  placeDense,
  type Call,
  type Operator,
} from "../operator.ts";
import { dropAxis, wrapAxis } from "../reshape.ts";
/** Along the channels identities are kept part by part; along positions the parts must have the same neurons. */
export const concat: Operator = (call) => {
  const parts = call.inputs.filter((value) => value !== undefined).map(asActivation);
  const first = parts.find((part) => part.axes !== null);
  if (!first?.axes || parts.some((part) => part.axes?.length !== first.axes?.length)) {
    return [unknownActivation];
  }
  const axis = call.node.axis(first.axes.length, 1);
  if (first.axes[axis] === undefined) return [unknownActivation];
  const sizes = parts.map((part) => axisSize(part.axes![axis]!));
  const size = sizes.reduce<number | null>(
    (sum, own) => (sum === null || own === null ? null : sum + own),
    0,
  );
  const isChannel = parts.some(
    (part, i) => sizes[i] !== null && featuresOf(part, axis, sizes[i]!) !== null,
  );
  const joinsInputs = axis === (first.axes.length > 2 ? 1 : first.axes.length - 1);
  const isOpen =
    parts.some((part) => part.open !== null) && parts.every((part) => part.ids === null);
  const isCountable = size !== null && size <= neuronLimit;
  if (isCountable && (isChannel || (isOpen && joinsInputs))) {
    const name = call.node.outputs[0] ?? call.node.opType;
    const ids = parts.map((part, i) =>
      call.collect.part(part, axis, sizes[i]!, `${name} (part ${i + 1})`),
    );
    const joined = new Int32Array(size);
    let at = 0;
    for (const own of ids) {
      joined.set(own, at);
      at += own.length;
    }
    return [withFeatures(first.axes, axis, joined)];
  }
  const carrier = parts.find((part) => part.ids !== null) ?? first;
  const same = parts.every((part) => part.ids === null || part.ids === carrier.ids);
  const axes = (same ? carrier : first).axes!.with(axis, freshAxis(size));
  return [same ? withAxes(carrier, axes) : { ...unknownActivation, axes: axes.map(uncarried) }];
};

export const split: Operator = async (call) => {
  const activation = activationAt(call, 0);
  claimInputs(call, 1, "constant");
  const count = call.node.outputs.length;
  const axis = call.node.axis(activation.axes?.length ?? 0, 0);
  const own = activation.axes?.[axis];
  if (own === undefined) return call.node.outputs.map(() => unknownActivation);
  const size = axisSize(own) ?? ownSize(activation, axis);
  const named = (await knownIntegersAt(call, 1)) ?? call.node.ints("split");
  const share = size === null ? null : Math.ceil(size / count);
  const sizes =
    named ?? call.node.outputs.map((_, i) => share && Math.min(share, size! - i * share));
  let start = 0;
  return sizes.map((length) => {
    if (length === null || length < 1) return pick(activation, axis, null);
    const from = start;
    start += length;
    return pick(activation, axis, { count: length, at: (i) => from + i });
  });
};

/** Length of an axis of which the atom sizes are not known but whose neurons are. */
function ownSize({ axes, ids }: Activation, axis: number): number | null {
  const own = axes?.[axis];
  return own?.length === 1 && own[0]!.carries ? (ids?.length ?? null) : null;
}

export const slice: Operator = async (call) => {
  let activation = activationAt(call, 0);
  claimInputs(call, 1, "constant");
  if (activation.axes === null) return [unknownActivation];
  const list = async (at: number, name: string): Promise<readonly (number | null)[] | null> =>
    call.inputs[at] === undefined ? call.node.ints(name) : integersAt(call, at);
  const starts = (await list(1, "starts")) ?? [];
  const ends = (await list(2, "ends")) ?? [];
  const axes = await list(3, "axes");
  const steps = await list(4, "steps");
  const isBlind = call.inputs[1] !== undefined && starts.length === 0;
  if (isBlind) return [unknownActivation];
  for (const [i, start] of starts.entries()) {
    const axis = wrapAxis(axes ? (axes[i] ?? 0) : i, activation.axes?.length ?? 0);
    const own = activation.axes?.[axis];
    if (own === undefined) return [unknownActivation];
    const size = axisSize(own);
    const end = ends[i] ?? null;
    const step = steps ? (steps[i] ?? null) : 1;
    const isKnown = size !== null && start !== null && end !== null && step !== null;
    const picks = isKnown ? slicePicks(size, { start, end, step }) : null;
    const isAll = start === 0 && (end ?? 0) >= (size ?? 2 ** 31 - 1);
    if (isAll && step === 1) continue;
    activation = pick(activation, axis, picks);
  }
  return [activation];
};

/** Keeps `picks` of `axis`, null being some: their neurons, if it is the channel axis. */
function pick(activation: Activation, axis: number, picks: Picks | null): Activation {
  const axes = activation.axes!;
  const own = axes[axis]!;
  const picked = axes.with(axis, freshAxis(picks && picks.count));
  if (!carriesNeurons(own)) return withAxes(activation, picked);
  const length = axisSize(own) ?? ownSize(activation, axis);
  const features = length === null ? null : featuresOf(activation, axis, length);
  const isInside = (at: number): boolean => at >= 0 && at < (length ?? 0);
  const { count, at } = picks ?? { count: 0, at: Number };
  if (features === null || count === 0 || !isInside(at(0)) || !isInside(at(count - 1))) {
    return { ...unknownActivation, axes: picked.map(uncarried) };
  }
  return withFeatures(
    axes,
    axis,
    Int32Array.from({ length: count }, (_, i) => features[at(i)]!),
  );
}

/** Rows of a constant table are an embedding; constant indices into an activation select. */
export const gather: Operator = async (call) => {
  const table = constantAt(call, 0);
  if (table !== null) return [embedding(call)];
  const activation = activationAt(call, 0);
  const { axes } = activation;
  claimInputs(call, 1, "constant");
  const axis = call.node.axis(axes?.length ?? 0, 0);
  const own = axes?.[axis];
  const where = asActivation(call.inputs[1]);
  if (own === undefined || axes === null || where.axes === null) return [unknownActivation];
  const size = axisSize(own);
  const found = await knownIntegersAt(call, 1);
  const indices = size === null ? null : found?.map((at) => (at < 0 ? at + size : at));
  const isInside = indices?.every((at) => at >= 0 && at < size!) === true;
  const picks = { count: indices?.length ?? 0, at: (i: number) => indices![i]! };
  const picked = pick(activation, axis, isInside ? picks : null);
  if (where.axes.length === 1) return [picked];
  if (where.axes.length > 1) return [plainActivation(null)];
  return [dropAxis(picked, axis)];
};

function embedding(call: Call): Activation {
  const table = constantAt(call, 0)!;
  const where = asActivation(call.inputs[1]);
  const isTable = table.shape.length === 2 && table.shape.every((size) => size > 0);
  const isFloat = table.quantisation !== undefined || /float/.test(table.dtype);
  if (!isTable || !isFloat || call.node.axis(2, 0) !== 0) {
    const shape = shapeOf(where);
    return plainActivation(shape && [...shape, ...table.shape.slice(1)]);
  }
  // Every index stands for a neuron of the input: a token, a category.
  const tokens: Activation = {
    ...where,
    axes: [freshAxis(table.shape[0]!)],
    ids: null,
    open: where.open ?? { name: `${table.name} (indices)`, taken: new Map() },
  };
  const to = placeDense(call, {
    constant: table,
    kind: "embedding",
    split: table.shape,
    roles: ["in", "out"],
    activation: tokens,
    axis: 0,
  });
  const axes = where.axes ?? [freshAxis(null), freshAxis(null)];
  return withFeatures([...axes, []], axes.length, to);
}

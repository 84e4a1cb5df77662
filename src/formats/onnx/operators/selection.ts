/** Operators that join, part and pick along an axis; along the channels, neurons keep who they are. */
import {
  axisSize,
  carriesNeurons,
  freshAxis,
  plainActivation,
  shapeOf,
  unknownActivation,
  withFeatures,
  type Activation,
  type Axis,
} from "../activation.ts";
import { slicePicks } from "../foldSelection.ts";
import {
  activationAt,
  asActivation,
  claimInputs,
  constantAt,
  integersAt,
  knownIntegersAt,
  type Call,
  type Operator,
} from "../operator.ts";
import { carrying, lengthAlong, pickAlong } from "../pick.ts";
import { placeDense } from "../placeDense.ts";
import { dropAxis, wrapAxis } from "../reshape.ts";

export const split: Operator = async (call) => {
  const activation = activationAt(call, 0);
  claimInputs(call, 1, "constant");
  const count = call.node.outputs.length;
  const axis = call.node.axis(activation.axes?.length ?? 0, 0);
  const own = activation.axes?.[axis];
  if (own === undefined) return call.node.outputs.map(() => unknownActivation);
  const size = lengthAlong(activation, axis);
  const named = (await knownIntegersAt(call, 1)) ?? call.node.ints("split");
  const share = size === null ? null : Math.ceil(size / count);
  const sizes =
    named ?? call.node.outputs.map((_, i) => share && Math.min(share, size! - i * share));
  let start = 0;
  return sizes.map((length) => {
    if (length === null || length < 1) return pickAlong(activation, axis, null);
    const from = start;
    start += length;
    return pickAlong(activation, axis, { count: length, at: (i) => from + i });
  });
};

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
    const size = lengthAlong(activation, axis);
    const end = ends[i] ?? null;
    const step = steps ? (steps[i] ?? null) : 1;
    const isKnown = size !== null && start !== null && end !== null && step !== null;
    const picks = isKnown ? slicePicks(size, { start, end, step }) : null;
    const isAll = start === 0 && (end ?? 0) >= (size ?? 2 ** 31 - 1);
    if (isAll && step === 1) continue;
    activation = pickAlong(activation, axis, picks);
  }
  return [activation];
};

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
  const size = lengthAlong(activation, axis);
  const found = await knownIntegersAt(call, 1);
  const indices = size === null ? null : found?.map((at) => (at < 0 ? at + size : at));
  const isInside = indices?.every((at) => at >= 0 && at < size!) === true;
  const picks = { count: indices?.length ?? 0, at: (i: number) => indices![i]! };
  const picked = pickAlong(activation, axis, isInside ? picks : null);
  if (where.axes.length === 0) return [dropAxis(picked, axis)];
  if (where.axes.length === 1) return [picked];
  // Indices of several axes: what they picked is dealt out to these.
  const dealt = where.axes.map((own): Axis => {
    const size = axisSize(own);
    return carriesNeurons(picked.axes![axis]) && size !== null ? carrying(size) : freshAxis(size);
  });
  return [{ ...picked, axes: picked.axes!.toSpliced(axis, 1, ...dealt) }];
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

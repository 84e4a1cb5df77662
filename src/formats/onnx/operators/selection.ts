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
import type { AxisRole } from "../../../tensor/layout.ts";
import type { Constant } from "../constant.ts";
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
  type Value,
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
  if (table !== null && (await isAngleTable(table))) {
    call.collect.claim(table, "constant");
    const sizes = shapeOf(asActivation(call.inputs[1]));
    return [plainActivation(sizes && [...sizes, ...table.shape.slice(1)])];
  }
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

/** Sines or cosines of a rotary embedding, a row for each position: at position 0 all are 0 or 1, then the first is of 1. */
async function isAngleTable(table: Constant): Promise<boolean> {
  const [rows, columns] = table.shape;
  const isTable = table.shape.length === 2 && rows! > 1 && columns! > 1;
  if (!isTable || table.readSpan === undefined || table.quantisation !== undefined) return false;
  // What cannot be read is for those to say who read it all.
  const values = await table.readSpan(0, columns! + 1).catch(() => null);
  if (values === null) return false;
  const isRow = (value: number): boolean =>
    values.subarray(0, columns).every((own) => own === value);
  const isNear = (value: number): boolean => Math.abs(values[columns!]! - value) < 2e-3;
  return (isRow(0) && isNear(Math.sin(1))) || (isRow(1) && isNear(Math.cos(1)));
}

function embedding(call: Call): Activation {
  const table = constantAt(call, 0)!;
  return lookUp(call, {
    table,
    indices: call.inputs[1],
    axis: call.node.axis(table.shape.length, 0),
  });
}

/** com.microsoft TorchEmbedding: table, indices. */
export function torchEmbedding(call: Call): readonly Activation[] {
  claimInputs(call, 2, "constant");
  const table = constantAt(call, 0);
  return [
    table === null ? unknownActivation : lookUp(call, { table, indices: call.inputs[1], axis: 0 }),
  ];
}

/** Rows of a table along `axis`: an embedding, where one other axis is left to be its neurons. */
export function lookUp(
  call: Call,
  { table, indices, axis }: { table: Constant; indices: Value | undefined; axis: number },
): Activation {
  const where = asActivation(indices);
  const { shape } = table;
  const isFloat = table.quantisation !== undefined || /float/.test(table.dtype);
  const long = shape.flatMap((size, i) => (i !== axis && size !== 1 ? [i] : []));
  const isTable = shape.length >= 2 && shape[axis] !== undefined && shape.every((size) => size > 0);
  const out = long[0] ?? shape.length - (axis === shape.length - 1 ? 2 : 1);
  const indexAxes = where.axes ?? [freshAxis(null), freshAxis(null)];
  if (!isFloat || !isTable || long.length > 1) {
    const sizes = where.axes && shapeOf(where);
    const found = sizes && [...shape.slice(0, axis), ...sizes, ...shape.slice(axis + 1)];
    return { ...plainActivation(found), stored: table };
  }
  // Every index stands for a neuron of the input: a token, a category.
  const tokens: Activation = {
    ...where,
    axes: [freshAxis(shape[axis]!)],
    ids: null,
    open: where.open ?? { name: `${table.name} (indices)`, taken: new Map() },
  };
  const to = placeDense(call, {
    constant: table,
    kind: "embedding",
    split: shape,
    roles: shape.map((_, i): AxisRole => (i === axis ? "in" : i === out ? "out" : "tap")),
    activation: tokens,
    axis: 0,
  });
  const axes: Axis[] = shape.map(() => []);
  const at = out < axis ? out : out + indexAxes.length - 1;
  return withFeatures(axes.toSpliced(axis, 1, ...indexAxes), at, to);
}

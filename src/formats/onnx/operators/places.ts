/** Operators that pick, put and count at places known only at run time. */
import {
  axisSize,
  carriesNeurons,
  freshAxis,
  plainActivation,
  shapeOf,
  shapeless,
  uncarried,
  unknownActivation,
  withAxes,
  type Activation,
} from "../activation.ts";
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
import { lengthAlong, pickAlong } from "../pick.ts";
import { wrapAxis } from "../reshape.ts";
import { combine } from "./elementwise.ts";
import { lookUp } from "./selection.ts";

/** data and updates, which take some of its places: at any of them a channel is the same neuron. */
export function scatter(call: Call): readonly Activation[] {
  const { node } = call;
  // ScatterND and ScatterElements: data, indices, updates. TensorScatter: past, update, indices.
  const at = node.opType === "TensorScatter" ? 1 : 2;
  claimInputs(call, 0, "bias");
  const data = activationAt(call, 0);
  const updates = activationAt(call, at);
  if (data.axes === null) return [shapeless(data.ids === null ? updates : data)];
  const { axes: own } = data;
  if (updates.axes?.length !== own.length) return [data];
  const axes = updates.axes.map((axis, i) => (carriesNeurons(axis) ? axis : uncarried(own[i]!)));
  const sized = { ...updates, axes };
  return [combine(call, [data, sized], "sum")];
}

/** One element for each index: along `axis` any of them, elsewhere those at the same place. */
export function gatherElements(call: Call): readonly Activation[] {
  claimInputs(call, 0, "constant", 2);
  const data = activationAt(call, 0);
  const where = activationAt(call, 1);
  const { axes } = data;
  if (axes === null) return [shapeless(data)];
  const axis = call.node.axis(axes.length, 0);
  const picked = axes.map((own, i) => {
    const length = where.axes?.[i];
    if (i === axis) return freshAxis(length ? axisSize(length) : null);
    return carriesNeurons(own) || !length
      ? own
      : length.map(({ size }) => ({ size, carries: false }));
  });
  return [withAxes(data, picked)];
}

/** Rows of a table by their number, as an embedding; of an activation the axes that the indices do not name stay. */
export function gatherND(call: Call): readonly Activation[] {
  const table = constantAt(call, 0);
  const where = activationAt(call, 1);
  claimInputs(call, 1, "constant");
  const named = where.axes?.at(-1) ? axisSize(where.axes.at(-1)!) : null;
  if (table !== null) {
    if (named !== 1 || table.shape.length !== 2) return [{ ...unknownActivation, stored: table }];
    const indices = { ...where, axes: where.axes!.slice(0, -1) };
    return [lookUp(call, { table, indices, axis: 0 })];
  }
  const data = activationAt(call, 0);
  if (data.axes === null || where.axes === null || named === null) return [shapeless(data)];
  const batch = call.node.int("batch_dims", 0);
  const places = where.axes.slice(batch, -1).map(uncarried);
  return [
    withAxes(data, [...data.axes.slice(0, batch), ...places, ...data.axes.slice(batch + named)]),
  ];
}

/** Compress: some indices of an axis, or of all of them. */
export function compress(call: Call): readonly Activation[] {
  claimInputs(call, 1, "constant");
  const data = activationAt(call, 0);
  if (data.axes === null) return [shapeless(data)];
  if (call.node.optional("axis") === null) return [plainActivation([null])];
  return [pickAlong(data, call.node.axis(data.axes.length, 0), null)];
}

/** TopK: the largest along an axis, and where they stood. */
export const topK: Operator = async (call) => {
  claimInputs(call, 1, "constant");
  const data = activationAt(call, 0);
  if (data.axes === null) return [shapeless(data), unknownActivation];
  const count = (await knownIntegersAt(call, 1))?.[0] ?? call.node.int("k", 0);
  const axis = call.node.axis(data.axes.length, -1);
  const own = data.axes[wrapAxis(axis, data.axes.length)];
  if (own === undefined) return [unknownActivation, unknownActivation];
  const axes = data.axes.with(axis, freshAxis(count > 0 ? count : null));
  return [withAxes(data, axes), { ...unknownActivation, axes: axes.map(uncarried) }];
};

/** OneHot: a new axis, whose indices are neurons of the input once a weight reads them. */
export const oneHot: Operator = async (call) => {
  claimInputs(call, 1, "constant");
  const indices = activationAt(call, 0);
  const depth = (await integersAt(call, 1))?.[0] ?? null;
  if (indices.axes === null) return [shapeless(indices)];
  const rank = indices.axes.length + 1;
  const axis = call.node.axis(rank, -1);
  const axes = indices.axes.map(uncarried).toSpliced(axis, 0, freshAxis(depth));
  return [{ ...unknownActivation, axes, open: indices.open }];
};

/** ai.onnx.ml ArrayFeatureExtractor: columns of the last axis. */
export const extractFeatures: Operator = async (call) => {
  claimInputs(call, 1, "constant");
  const data = activationAt(call, 0);
  const indices = await knownIntegersAt(call, 1);
  const axis = (data.axes?.length ?? 0) - 1;
  if (axis < 0) return [shapeless(data)];
  const size = lengthAlong(data, axis);
  const isInside = size !== null && indices?.every((at) => at >= 0 && at < size) === true;
  const picks = isInside ? { count: indices.length, at: (i: number) => indices[i]! } : null;
  return [pickAlong(data, axis, picks)];
};

/** The same places without what stood there: random numbers, ones on the diagonal. */
export function sameShape(call: Call): readonly Activation[] {
  return [plainActivation(shapeOf(asActivation(call.inputs[0])))];
}

/** Of another shape, which is not worked out; what a graph input is, it stays. */
export function otherShape(call: Call): readonly Activation[] {
  claimInputs(call, 1, "constant");
  return [shapeless(activationAt(call, 0))];
}

/** Operators that move and stretch axes. */
import {
  axisSize,
  freshAxis,
  plainActivation,
  unknownActivation,
  withAxes,
} from "../activation.ts";
import {
  activationAt,
  claimInputs,
  integersAt,
  knownIntegersAt,
  sizesAt,
  type Call,
  type Operator,
} from "../operator.ts";
import * as shapes from "../reshape.ts";
import { combine } from "./elementwise.ts";

export const reshape: Operator = async (call) => {
  const target = (await sizesAt(call, 1)) ?? call.node.ints("shape");
  claimInputs(call, 1, "constant");
  if (target === null) return [unknownActivation];
  return [shapes.reshape(activationAt(call, 0), target, call.node.int("allowzero", 0) !== 0)];
};

export const flatten: Operator = (call) => [
  shapes.flattenAt(activationAt(call, 0), call.node.int("axis", 1)),
];

export const transpose: Operator = (call) => [
  shapes.transpose(activationAt(call, 0), call.node.ints("perm")),
];

export const squeeze: Operator = async (call) => [
  shapes.squeeze(activationAt(call, 0), await axesOf(call)),
];

export const unsqueeze: Operator = async (call) => [
  shapes.unsqueeze(activationAt(call, 0), await axesOf(call)),
];

async function axesOf(call: Call): Promise<readonly number[] | null> {
  claimInputs(call, 1, "constant");
  return call.inputs[1] === undefined ? call.node.ints("axes") : knownIntegersAt(call, 1);
}

/** Stretches axes of size 1 to a shape. */
export const expand: Operator = async (call) => {
  const target = await integersAt(call, 1);
  claimInputs(call, 1, "constant");
  const activation = activationAt(call, 0);
  const { stored } = activation;
  const expanded = combine(call, [activation, plainActivation(target)], "select");
  return [{ ...expanded, ...(stored && { stored }) }];
};

export const tile: Operator = async (call) => {
  const repeats = await integersAt(call, 1);
  claimInputs(call, 1, "constant");
  const activation = activationAt(call, 0);
  if (activation.axes === null || repeats === null) return [unknownActivation];
  const axes = activation.axes.map((axis, i) => {
    const times = repeats[i] ?? null;
    const size = axisSize(axis);
    return times === 1 ? axis : freshAxis(size === null || times === null ? null : size * times);
  });
  return [withAxes(activation, axes)];
};

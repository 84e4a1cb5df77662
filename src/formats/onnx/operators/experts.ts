/** com.microsoft MoE: a stack of two-layer networks, of which a router picks some for each token. */
import {
  freshAxis,
  uncarried,
  unknownActivation,
  withAxes,
  withFeatures,
  type Activation,
} from "../activation.ts";
import type { AxisRole } from "../../../tensor/layout.ts";
import type { Constant } from "../constant.ts";
import { activationAt, claimInputs, constantAt, type Call } from "../operator.ts";
import { lengthAlong } from "../pick.ts";
import { placeStack } from "../placeDense.ts";

/**
 * input, router's shares, fc1 [experts, inner, in], bias, fc2 [experts, out, inner], bias, fc3 as fc1, bias. The outputs of all
 * experts are added, so they are the same neurons. Where fc1 has twice the rows, half of them scale the others; fc3 does so too.
 */
export function experts(call: Call): readonly Activation[] {
  for (const at of [3, 5, 7]) claimInputs(call, at, "bias", at + 1);
  const first = stackAt(call, 2);
  const second = stackAt(call, 4);
  const third = stackAt(call, 6);
  if (first === null || second === null) return [unknownActivation];
  const input = activationAt(call, 0);
  const size = input.axes === null ? null : lengthAlong(input, input.axes.length - 1);
  // Early versions stored [experts, in, inner].
  const isTurned = size !== null && first.shape[2] !== size && first.shape[1] === size;
  const last: readonly AxisRole[] = isTurned ? ["in", "out"] : ["out", "in"];
  const inner = stacked(call, first, { last, activation: input });
  if (third !== null) stacked(call, third, { last, activation: input });
  const width = second.shape[isTurned ? 1 : 2]!;
  const read = gatedHalf(inner, { count: first.shape[0]!, width, call });
  const made = stacked(call, second, { last, activation: read });
  const out = second.shape[isTurned ? 2 : 1]!;
  const ids = made.ids!;
  const sum = ids.subarray(0, out);
  call.collect.merge(
    ids,
    ids.map((_, i) => sum[i % out]!),
  );
  const axes = (input.axes ?? [freshAxis(null), freshAxis(null)]).map(uncarried);
  return [withFeatures(axes, axes.length - 1, sum.slice())];
}

function stackAt(call: Call, at: number): Constant | null {
  const constant = constantAt(call, at);
  return constant?.shape.length === 3 && constant.shape.every((size) => size > 0) ? constant : null;
}

/** The neurons [experts, inner] that a stack makes of an activation, whose last axis it reads. */
function stacked(
  call: Call,
  constant: Constant,
  { last, activation }: { last: readonly AxisRole[]; activation: Activation },
): Activation {
  const { shape } = constant;
  const axis = activation.axes === null ? 2 : activation.axes.length - 1;
  const roles: AxisRole[] = ["group", ...last];
  const weight = { constant, split: shape, roles, activation, axis };
  const { made, atoms } = placeStack(call, weight);
  const out = atoms[roles.lastIndexOf("out")]!;
  return withAxes(made, [[atoms[0]!], freshAxis(null), [out]]);
}

/** The half that is scaled by the other: every second row, or the first ones, as `swiglu_fusion` says. */
function gatedHalf(
  inner: Activation,
  { count, width, call }: { count: number; width: number; call: Call },
): Activation {
  const ids = inner.ids!;
  const rows = ids.length / count;
  if (rows !== 2 * width) return inner;
  const isInterleaved = call.node.int("swiglu_fusion", 1) === 1;
  const half = Int32Array.from({ length: count * width }, (_, i) => {
    const row = i % width;
    return ids[Math.floor(i / width) * rows + (isInterleaved ? 2 * row : row)]!;
  });
  const feature = [{ size: width, carries: true }];
  return { ...inner, axes: inner.axes!.with(2, feature), ids: half };
}

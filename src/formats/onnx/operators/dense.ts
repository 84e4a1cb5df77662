/** Matrix products with constant weights. */
import type { AxisRole } from "../../../tensor/layout.ts";
import {
  carriesNeurons,
  freshAxis,
  unknownActivation,
  uncarried,
  withFeatures,
  type Activation,
  type Axis,
} from "../activation.ts";
import type { Constant } from "../constant.ts";
import {
  activationAt,
  claimInputs,
  constantAt,
  isWeighty,
  placeDense,
  type Call,
} from "../operator.ts";

/** Y = A' B' + C. The constant one of A and B is the weight. */
export function gemm(call: Call): readonly Activation[] {
  claimInputs(call, 2, "bias");
  const isFlipped = (name: string): boolean => call.node.int(name, 0) !== 0;
  const right = constantAt(call, 1);
  if (isWeighty(right) && right.shape.length === 2) {
    const roles: AxisRole[] = isFlipped("transB") ? ["out", "in"] : ["in", "out"];
    const activation = activationAt(call, 0);
    const axes = matrixAxes(activation, 2);
    const axis = isFlipped("transA") ? 0 : 1;
    const to = placeDense(call, { constant: right, split: right.shape, roles, activation, axis });
    return [withFeatures([axes[1 - axis] ?? freshAxis(null), []], 1, to)];
  }
  const left = constantAt(call, 0);
  if (!isWeighty(left) || left.shape.length !== 2) return [unknownActivation];
  const roles: AxisRole[] = isFlipped("transA") ? ["in", "out"] : ["out", "in"];
  const activation = activationAt(call, 1);
  const axes = matrixAxes(activation, 2);
  const axis = isFlipped("transB") ? 1 : 0;
  const to = placeDense(call, { constant: left, split: left.shape, roles, activation, axis });
  return [withFeatures([[], axes[1 - axis] ?? freshAxis(null)], 0, to)];
}

/** NumPy's matmul: the last axis of the left factor meets the one before last of the right. */
export function matMul(call: Call): readonly Activation[] {
  return matMulOf(call, { left: 0, right: 1 });
}

/** Matmul of the inputs at `left` and `right`; the quantised forms have scales between them. */
export function matMulOf(
  call: Call,
  { left, right, weight }: { left: number; right: number; weight?: Constant },
): readonly Activation[] {
  const b = weight ?? constantAt(call, right);
  if (isWeighty(b)) return [timesWeight(call, b, activationAt(call, left))];
  const a = constantAt(call, left);
  if (isWeighty(a)) return [weightTimes(call, a, activationAt(call, right))];
  return [productOfActivations(activationAt(call, left), activationAt(call, right))];
}

function timesWeight(call: Call, constant: Constant, activation: Activation): Activation {
  const { shape } = constant;
  const axes = matrixAxes(activation, Math.max(2, shape.length));
  const roles = batchedRoles(shape, ["in", "out"]);
  const axis = axes.length - 1;
  const to = placeDense(call, { constant, split: shape, roles, activation, axis });
  if (roles.includes("group")) return unknownActivation;
  return withFeatures(axes.with(axis, []), axis, to);
}

function weightTimes(call: Call, constant: Constant, activation: Activation): Activation {
  const { shape } = constant;
  const axes = matrixAxes(activation, Math.max(2, shape.length));
  const roles = batchedRoles(shape, ["out", "in"]);
  const axis = Math.max(0, axes.length - 2);
  const to = placeDense(call, { constant, split: shape, roles, activation, axis });
  if (roles.includes("group")) return unknownActivation;
  return withFeatures(axes.with(axis, []), axis, to);
}

/** A stack of matrices is a group each; leading axes of size 1 mean nothing. */
function batchedRoles(shape: readonly number[], last: readonly [AxisRole, AxisRole]): AxisRole[] {
  const stacked = shape.slice(0, -2).map((size): AxisRole => (size === 1 ? "tap" : "group"));
  return [...stacked, ...last];
}

/** The activation's axes, or `rank` of unknown length where it has none to speak of. */
function matrixAxes({ axes }: Activation, rank: number): readonly Axis[] {
  return axes !== null && axes.length > 0
    ? axes
    : Array.from({ length: rank }, () => freshAxis(null));
}

/**
 * Two activations: what is summed over loses its neurons. Attention weights times values keeps those of the values, since the
 * sum runs over positions.
 */
function productOfActivations(left: Activation, right: Activation): Activation {
  if (left.axes === null || right.axes === null) return unknownActivation;
  if (left.axes.length < 2 || right.axes.length < 2) return unknownActivation;
  const rows = left.axes.at(-2)!;
  const columns = right.axes.at(-1)!;
  const batch = (left.axes.length >= right.axes.length ? left : right).axes!.slice(0, -2);
  if (right.ids !== null && !carriesNeurons(right.axes.at(-2)) && left.ids === null) {
    if (right.axes.length - 2 !== batch.length) return unknownActivation;
    const axes = [...right.axes.slice(0, -2), uncarried(rows), columns];
    return { kind: "activation", axes, ids: right.ids, open: null };
  }
  if (left.ids !== null && !carriesNeurons(left.axes.at(-1)) && right.ids === null) {
    if (left.axes.length - 2 !== batch.length) return unknownActivation;
    const axes = [...left.axes.slice(0, -2), rows, uncarried(columns)];
    return { kind: "activation", axes, ids: left.ids, open: null };
  }
  const axes = [...batch, rows, columns].map(uncarried);
  return { kind: "activation", axes, ids: null, open: null };
}

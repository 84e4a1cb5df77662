/** Matrix products with constant weights. */
import type { AxisRole } from "../../../tensor/layout.ts";
import {
  axisSize,
  carriesNeurons,
  freshAxis,
  unknownActivation,
  uncarried,
  withAxes,
  type Activation,
  type Axis,
} from "../activation.ts";
import type { Constant } from "../constant.ts";
import { tellProduct, type Factor } from "../heads.ts";
import { activationAt, claimInputs, constantAt, isWeighty, type Call } from "../operator.ts";
import { placeDenseAlong, placeStack } from "../placeDense.ts";

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
    const weight = { constant: right, split: right.shape, roles, activation, axis };
    return [
      placeDenseAlong(call, weight, { axes: [axes[1 - axis] ?? freshAxis(null), []], at: 1 }),
    ];
  }
  const left = constantAt(call, 0);
  if (!isWeighty(left) || left.shape.length !== 2) return [unknownActivation];
  const roles: AxisRole[] = isFlipped("transA") ? ["in", "out"] : ["out", "in"];
  const activation = activationAt(call, 1);
  const axes = matrixAxes(activation, 2);
  const axis = isFlipped("transB") ? 1 : 0;
  const weight = { constant: left, split: left.shape, roles, activation, axis };
  return [placeDenseAlong(call, weight, { axes: [[], axes[1 - axis] ?? freshAxis(null)], at: 0 })];
}

/** NumPy's matmul: the last axis of the left factor meets the one before last of the right. */
export function matMul(call: Call): readonly Activation[] {
  const right = constantAt(call, 1);
  if (isWeighty(right)) return [timesWeight(call, right, activationAt(call, 0))];
  const left = constantAt(call, 0);
  if (isWeighty(left)) return [weightTimes(call, left, activationAt(call, 1))];
  claimInputs(call, 0, "constant");
  return [productOfActivations(call, activationAt(call, 0), activationAt(call, 1))];
}

/** The first input times a weight [out, in], as runtimes store packed ones. */
export function matMulRows(call: Call, constant: Constant): readonly Activation[] {
  const activation = activationAt(call, 0);
  return [meetMatrix(call, { constant, activation, last: ["out", "in"], fromEnd: 1 })];
}

function timesWeight(call: Call, constant: Constant, activation: Activation): Activation {
  return meetMatrix(call, { constant, activation, last: ["in", "out"], fromEnd: 1 });
}

function weightTimes(call: Call, constant: Constant, activation: Activation): Activation {
  return meetMatrix(call, { constant, activation, last: ["out", "in"], fromEnd: 2 });
}

/** A weight whose last two axes are a matrix meets the activation's axis `fromEnd`. */
export function meetMatrix(
  call: Call,
  parts: {
    constant: Constant;
    activation: Activation;
    last: readonly [AxisRole, AxisRole];
    fromEnd: number;
  },
): Activation {
  const { constant, activation, last, fromEnd } = parts;
  const split = constant.shape;
  const axes = matrixAxes(activation, Math.max(2, split.length));
  const missing = Array.from({ length: Math.max(0, split.length - axes.length) }, () =>
    freshAxis(1),
  );
  const padded = [...missing, ...axes];
  const first = padded.length - split.length;
  const stacked = split.slice(0, -2).map((size, i) => stackRole(size, padded[first + i]!));
  const roles = [...stacked, ...last];
  const axis = Math.max(0, axes.length - fromEnd);
  const weight = { constant, split, roles, activation, axis };
  if (stacked.every((role) => role === "tap")) {
    return placeDenseAlong(call, weight, { axes: axes.with(axis, []), at: axis });
  }
  const { made, atoms } = placeStack(call, weight);
  return withAxes(
    made,
    padded.map((own, i): Axis => {
      if (i === padded.length - fromEnd) return [atoms[roles.lastIndexOf("out")]!];
      const role = i < padded.length - 2 ? stacked[i - first] : undefined;
      return role === "group" || role === "out" ? [atoms[i - first]!] : uncarried(own);
    }),
  );
}

/**
 * An axis of a stack of matrices: of size 1 it means nothing; the activation's own axis tells its neurons apart, or positions;
 * where it has none, each matrix makes neurons of its own from all of them.
 */
function stackRole(size: number, axis: Axis): AxisRole {
  if (size === 1) return "tap";
  if (carriesNeurons(axis)) return "group";
  return axisSize(axis) === 1 ? "out" : "tap";
}

/** The activation's axes, or `rank` of unknown length where it has none to speak of. */
function matrixAxes({ axes }: Activation, rank: number): readonly Axis[] {
  return axes !== null && axes.length > 0
    ? axes
    : Array.from({ length: rank }, () => freshAxis(null));
}

/**
 * Two activations: what is summed over loses its neurons. Attention weights times values keeps those of the values, since the
 * sum runs over positions; of two factors like that the right one is the value, unless the left is scaled by the right.
 */
export function productOfActivations(
  { collect }: Call,
  left: Activation,
  right: Activation,
): Activation {
  if (left.axes === null || right.axes === null) return unknownActivation;
  if (left.axes.length < 2 || right.axes.length < 2) return unknownActivation;
  const rows = left.axes.at(-2)!;
  const columns = right.axes.at(-1)!;
  const batch = (left.axes.length >= right.axes.length ? left : right).axes!.slice(0, -2);
  const keepsLeft = left.ids !== null && !carriesNeurons(left.axes.at(-1));
  const keepsRight =
    right.ids !== null &&
    !carriesNeurons(right.axes.at(-2)) &&
    !(keepsLeft && right.isGate === true);
  const factor = (activation: Activation, summed: number, isKept: boolean): Factor => {
    const axes = activation.axes!;
    return {
      activation,
      shared: axes.slice(0, -2),
      summed: [axes.at(summed)!],
      isKept,
      standsLast: summed === -2,
    };
  };
  tellProduct(collect, factor(left, -1, keepsLeft && !keepsRight), factor(right, -2, keepsRight));
  if (keepsRight) {
    const missing = batch.slice(0, Math.max(0, batch.length + 2 - right.axes.length));
    const own = [...missing.map(uncarried), ...right.axes.slice(0, -2)];
    const axes = [...stretched(own, batch), uncarried(rows), columns];
    return { kind: "activation", axes, ids: right.ids, open: null };
  }
  if (keepsLeft) {
    const missing = batch.slice(0, Math.max(0, batch.length + 2 - left.axes.length));
    const own = [...missing.map(uncarried), ...left.axes.slice(0, -2)];
    const axes = [...stretched(own, batch), rows, uncarried(columns)];
    return { kind: "activation", axes, ids: left.ids, open: null };
  }
  const axes = [...batch, rows, columns].map(uncarried);
  const isUnknown = left.ids === null && right.ids === null;
  return {
    kind: "activation",
    axes,
    ids: null,
    open: isUnknown ? (left.open ?? right.open) : null,
  };
}

/** Axes of size 1 as long as those they are broadcast to. */
function stretched(axes: readonly Axis[], target: readonly Axis[]): Axis[] {
  return axes.map((axis, i) => (axis.length > 0 ? axis : uncarried(target[i] ?? [])));
}

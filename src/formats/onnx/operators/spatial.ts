/** Operators that work on positions and leave the channels on axis 1. */
import {
  axisSize,
  carriesNeurons,
  freshAxis,
  shapeless,
  uncarried,
  unknownActivation,
  withAxes,
  type Activation,
  type Axis,
} from "../activation.ts";
import { activationAt, claimInputs, knownIntegersAt, type Call } from "../operator.ts";
import { slidingLength } from "./conv.ts";

/** MaxPool, AveragePool, LpPool. */
export function pool(call: Call): readonly Activation[] {
  const activation = activationAt(call, 0);
  const kernel = call.node.ints("kernel_shape");
  return [
    onPositions(activation, (length, i) =>
      slidingLength(call.node, i, { length, kernel: kernel?.[i] ?? 1 }),
    ),
  ];
}

export function globalPool(call: Call): readonly Activation[] {
  return [onPositions(activationAt(call, 0), () => 1)];
}

/** Resize, Upsample, GridSample: other positions, how many is not worked out. */
export function resample(call: Call): readonly Activation[] {
  claimInputs(call, 1, "constant");
  return [onPositions(activationAt(call, 0), () => null)];
}

function onPositions(
  activation: Activation,
  length: (own: number | null, i: number) => number | null,
): Activation {
  const { axes } = activation;
  if (axes === null) return shapeless(activation);
  return withAxes(
    activation,
    axes.map((axis, i) => {
      if (i < 2) return axis;
      const carriers = axis.filter((atom) => atom.carries);
      // Where a vector became a map, positions are neurons: those stay, at how many places each is not worked out.
      if (carriers.length > 0) return [...carriers, { size: null, carries: false }];
      return freshAxis(length(axisSize(axis), i - 2));
    }),
  );
}

/** Pads positions; a padded channel axis would have neurons of nothing, so then they are not known. */
export async function pad(call: Call): Promise<readonly Activation[]> {
  const activation = activationAt(call, 0);
  claimInputs(call, 1, "constant");
  const pads = (await knownIntegersAt(call, 1)) ?? call.node.ints("pads");
  const { axes } = activation;
  if (axes === null) return [shapeless(activation)];
  const padded = axes.map((axis, i): Axis => {
    if (pads === null) return carriesNeurons(axis) || i < 2 ? axis : freshAxis(null);
    const added = (pads[i] ?? 0) + (pads[i + axes.length] ?? 0);
    const size = axisSize(axis);
    return added === 0 ? axis : freshAxis(size === null ? null : size + added);
  });
  return [withAxes(activation, padded)];
}

/** ReduceMean and its kin; a reduced channel axis has no neurons left. */
export async function reduce(call: Call): Promise<readonly Activation[]> {
  const activation = activationAt(call, 0);
  claimInputs(call, 1, "constant");
  const { axes } = activation;
  if (axes === null) return [unknownActivation];
  const named =
    call.inputs[1] === undefined ? call.node.ints("axes") : await knownIntegersAt(call, 1);
  if (call.inputs[1] !== undefined && named === null) return [unknownActivation];
  const isNone = named === null || named.length === 0;
  if (isNone && call.node.int("noop_with_empty_axes", 0) !== 0) return [activation];
  const gone = isNone
    ? axes.map((_, i) => i)
    : named.map((axis) => (axis < 0 ? axis + axes.length : axis));
  const keepsAxes = call.node.int("keepdims", 1) !== 0;
  const reduced = axes.flatMap((axis, i): Axis[] => {
    if (!gone.includes(i)) return [axis];
    return keepsAxes ? [[]] : [];
  });
  return [withAxes(activation, reduced)];
}

/** ArgMax, ArgMin: numbers of positions. */
export function argument(call: Call): readonly Activation[] {
  const { axes } = activationAt(call, 0);
  if (axes === null) return [unknownActivation];
  const axis = call.node.axis(axes.length, 0);
  const isKept = call.node.int("keepdims", 1) !== 0;
  const left = axes.flatMap((own, i): Axis[] =>
    i === axis ? (isKept ? [[]] : []) : [uncarried(own)],
  );
  return [{ ...unknownActivation, axes: left }];
}

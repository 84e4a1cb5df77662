/** Convolutions: channels on axis 1, any number of spatial axes behind. */
import { weightLayout, type AxisRole } from "../../../tensor/layout.ts";
import {
  axisSize,
  freshAxis,
  unknownActivation,
  withFeatures,
  type Activation,
  type Axis,
} from "../activation.ts";
import type { Constant } from "../constant.ts";
import type { NodeReader } from "../nodeReader.ts";
import { activationAt, claimInputs, constantAt, isWeighty, type Call } from "../operator.ts";
import { wiringOf } from "../positions.ts";
import type { Dimension } from "../schema.ts";

export function conv(call: Call): readonly Activation[] {
  claimInputs(call, 2, "bias");
  return convOf(call, constantAt(call, 1));
}

/** Conv with `weight` [out, in / groups, …kernel]. */
export function convOf(
  call: Call,
  weight: Constant | null,
  options: ConvOptions = {},
): readonly Activation[] {
  return placeConv(call, weight, options);
}

/** ConvTranspose with weight [in, out / groups, …kernel]. */
export function convTranspose(call: Call): readonly Activation[] {
  claimInputs(call, 2, "bias");
  return placeTransposed(call);
}

/** ConvTranspose, its further inputs apart. */
export function placeTransposed(call: Call): readonly Activation[] {
  return placeConv(call, constantAt(call, 1), { isTransposed: true });
}

export interface ConvOptions {
  readonly isTransposed?: boolean;
  /** Channels last, in the activation as in the weight: [out, …kernel, in / groups]. */
  readonly isLast?: boolean;
  /** @defaultValue the attribute `group` */
  readonly groups?: number;
}

function placeConv(
  call: Call,
  constant: Constant | null,
  { isTransposed = false, isLast = false, groups = call.node.int("group", 1) }: ConvOptions,
): readonly Activation[] {
  const { node, collect } = call;
  if (!isWeighty(constant) || constant.shape.length < 3) return [unknownActivation];
  const { shape } = constant;
  if (!(groups >= 1) || shape[0]! % groups !== 0) return [unknownActivation];
  const kernel = isLast ? shape.slice(1, -1) : shape.slice(2);
  const taps = kernel.map((): AxisRole => "tap");
  const roles: AxisRole[] = isLast
    ? ["group", "out", ...taps, "in"]
    : ["group", isTransposed ? "in" : "out", isTransposed ? "out" : "in", ...taps];
  const split = [groups, shape[0]! / groups, ...shape.slice(1)];
  const layout = weightLayout(split, roles);
  const kind = isTransposed ? "conv_transpose" : "conv";
  const sendersKnown = groups === 1;
  const { index, name } = collect.add({ constant, op: node.opType, kind, layout, sendersKnown });
  const activation = activationAt(call, 0);
  const channels = isLast ? shape.length - 1 : 1;
  const size = layout.groups * layout.inPerGroup;
  const features = collect.senders(activation, channels, size, name);
  const to = collect.receivers(name, layout.groups * layout.outPerGroup);
  collect.connect({ index, to, ...wiringOf(features, split, roles) });
  const spatial = kernel.map((length, i): Axis => {
    const own = activation.axes?.[i + (isLast ? 1 : 2)];
    const given = own ? axisSize(own) : null;
    return freshAxis(
      isTransposed ? null : slidingLength(node, i, { length: given, kernel: length }),
    );
  });
  const batch = activation.axes?.[0] ?? freshAxis(null);
  const axes = isLast ? [batch, ...spatial, []] : [batch, [], ...spatial];
  return [withFeatures(axes, channels, to)];
}

/** How many places a window of `kernel` takes along spatial axis `i`; null where `length` is not known. */
export function slidingLength(
  node: NodeReader,
  i: number,
  { length, kernel }: { length: Dimension; kernel: number },
): Dimension {
  if (length === null) return null;
  const stride = node.ints("strides")?.[i] ?? 1;
  const reach = (kernel - 1) * (node.ints("dilations")?.[i] ?? 1) + 1;
  const auto = node.text("auto_pad", "NOTSET");
  if (auto === "SAME_UPPER" || auto === "SAME_LOWER") return positive(Math.ceil(length / stride));
  const pads = node.ints("pads") ?? [];
  const padded = length + (pads[i] ?? 0) + (pads[i + pads.length / 2] ?? 0);
  const steps = (padded - reach) / stride;
  return positive((node.int("ceil_mode", 0) !== 0 ? Math.ceil(steps) : Math.floor(steps)) + 1);
}

function positive(size: number): Dimension {
  return Number.isSafeInteger(size) && size > 0 ? size : null;
}

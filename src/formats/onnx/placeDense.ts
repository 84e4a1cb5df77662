/** Weight matrices between the features along one axis of an activation and new neurons. */
import type { WeightKind } from "../../model/model.ts";
import type { NeuronIds } from "../../model/topology.ts";
import { weightLayout, type AxisRole } from "../../tensor/layout.ts";
import type { Shape } from "../../tensor/shape.ts";
import {
  carriersOf,
  neuronLimit,
  uncarried,
  withFeatures,
  type Activation,
  type Axis,
} from "./activation.ts";
import type { Constant } from "./constant.ts";
import type { Call } from "./operator.ts";
import { carrying, stripAlong, type Strip } from "./pick.ts";
import { wiringOf } from "./positions.ts";

/** Times that a matrix is placed at most where it is shared by parts of the neurons (the heads of an attention). */
const shareLimit = 1024;

export interface DenseWeight {
  readonly constant: Constant;
  readonly kind?: WeightKind;
  readonly split: Shape;
  /** Of the axes of `split`; one or more are "in". */
  readonly roles: readonly AxisRole[];
  readonly activation: Activation;
  /** Of the activation: the features that the weight reads. */
  readonly axis: number;
}

/** The neurons that the weight makes of all features along the axis. */
export function placeDense(call: Call, weight: DenseWeight): NeuronIds {
  const { layout, index, name } = added(call, weight);
  const { activation, axis, split, roles } = weight;
  const size = layout.groups * layout.inPerGroup;
  const features = call.collect.senders(activation, axis, size, name);
  const to = call.collect.receivers(name, layout.groups * layout.outPerGroup);
  call.collect.connect({ index, to, ...wiringOf(features, split, roles) });
  return to;
}

/**
 * The same as an activation of `axes`, the new neurons along `at`. Where other axes carry neurons too and positions stand
 * beside them, each part of the neurons has a copy of the matrix: weights that the heads of an attention share.
 */
export function placeDenseAlong(
  call: Call,
  weight: DenseWeight,
  { axes, at }: { axes: readonly Axis[]; at: number },
): Activation {
  const shared = sharedParts(weight);
  if (shared === null) return withFeatures(axes, at, placeDense(call, weight));
  const { layout, index, name } = added(call, weight);
  const { outer, inner, ids } = shared;
  const { split, roles } = weight;
  const size = layout.inPerGroup;
  const made = layout.outPerGroup;
  const to = call.collect.receivers(name, outer * made * inner);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const part = (source: NeuronIds, count: number): NeuronIds =>
        Int32Array.from({ length: count }, (_, k) => source[(o * count + k) * inner + i]!);
      const wiring = wiringOf(part(ids, size), split, roles);
      call.collect.connect({ index, to: part(to, made), ...wiring });
    }
  }
  return { kind: "activation", axes: axes.with(at, carrying(made)), ids: to, open: null };
}

function added(call: Call, { constant, kind = "dense", split, roles }: DenseWeight) {
  const layout = weightLayout(split, roles);
  return { layout, ...call.collect.add({ constant, op: call.node.opType, kind, layout }) };
}

/** The parts of the neurons that share the matrix; null where there is only one, or all are one neuron at many positions. */
function sharedParts({ activation, axis, split, roles }: DenseWeight): Strip | null {
  const { axes, ids } = activation;
  const layout = weightLayout(split, roles);
  if (axes === null || ids === null || layout.groups !== 1) return null;
  const own = axes[axis];
  if (own === undefined || carriersOf([own]).length === 0) return null;
  const others = axes.toSpliced(axis, 1);
  const hasPositions = others
    .slice(axis === 0 ? 0 : 1)
    .flat()
    .some((atom) => !atom.carries && atom.size !== 1);
  if (!hasPositions || carriersOf(others).length === 0) return null;
  const strip = stripAlong(activation, axis, layout.inPerGroup);
  if (strip === null || strip.outer * strip.inner > shareLimit) return null;
  return strip.outer * strip.inner * layout.outPerGroup > neuronLimit ? null : strip;
}

/**
 * A stack of matrices [stacked…, in, out] (or [stacked…, out, in]), each for its own index of the axes before the last two.
 * Answers an activation of `axes`, of which the stacked ones and `at` carry the new neurons.
 */
export function placeStack(
  call: Call,
  weight: DenseWeight,
  { axes, at }: { axes: readonly Axis[]; at: number },
): Activation {
  const { layout, index, name } = added(call, weight);
  const { split } = weight;
  const { groups, inPerGroup, outPerGroup } = layout;
  const from = stackedSenders(call, weight, { groups, inPerGroup, name });
  const to = call.collect.receivers(name, groups * outPerGroup);
  call.collect.connect({ index, from, to, layout });
  const stacks = split.slice(0, -2);
  const first = axes.length - split.length;
  const made = axes.map((own, i): Axis => {
    if (i === at) return carrying(outPerGroup);
    const stack = i < axes.length - 2 ? stacks[i - first] : undefined;
    if (stack !== undefined && stack !== 1) return carrying(stack);
    return uncarried(own);
  });
  return { kind: "activation", axes: made, ids: to, open: null };
}

/** For each matrix its own features, where an axis in front tells them apart, or the same ones for all. */
function stackedSenders(
  call: Call,
  { activation, axis }: DenseWeight,
  { groups, inPerGroup, name }: { groups: number; inPerGroup: number; name: string },
): NeuronIds {
  const { ids } = activation;
  const strip = stripAlong(activation, axis, inPerGroup);
  if (strip !== null && ids !== null && strip.outer === groups && strip.inner === 1) {
    return strip.ids;
  }
  const one = call.collect.senders(activation, axis, inPerGroup, name);
  return Int32Array.from({ length: groups * inPerGroup }, (_, i) => one[i % inPerGroup]!);
}

/** Weight matrices between the features along one axis of an activation and new neurons. */
import type { WeightKind } from "../../model/model.ts";
import type { NeuronIds } from "../../model/topology.ts";
import { weightLayout, type AxisRole, type WeightLayout } from "../../tensor/layout.ts";
import type { Shape } from "../../tensor/shape.ts";
import {
  carriersOf,
  neuronLimit,
  withFeatures,
  type Activation,
  type Atom,
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
  /** Whether other axes hold positions, beside a batch. @defaultValue what the axes behind the first say */
  readonly hasPositions?: boolean;
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
  const to = placeShared(call, weight, shared);
  const made = weightLayout(weight.split, weight.roles).outPerGroup;
  return { kind: "activation", axes: axes.with(at, carrying(made)), ids: to, open: null };
}

/** New neurons by [parts in front, out, parts behind]. */
function placeShared(call: Call, weight: DenseWeight, { outer, inner, ids }: Strip): NeuronIds {
  const { layout, index, name } = added(call, weight);
  const { inPerGroup, outPerGroup } = layout;
  const to = call.collect.receivers(name, outer * outPerGroup * inner);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const part = (source: NeuronIds, count: number): NeuronIds =>
        Int32Array.from({ length: count }, (_, k) => source[(o * count + k) * inner + i]!);
      const wiring = wiringOf(part(ids, inPerGroup), weight.split, weight.roles);
      call.collect.connect({ index, to: part(to, outPerGroup), ...wiring });
    }
  }
  return to;
}

function added(call: Call, { constant, kind = "dense", split, roles }: DenseWeight) {
  const layout = weightLayout(split, roles);
  return { layout, ...call.collect.add({ constant, op: call.node.opType, kind, layout }) };
}

/** The parts of the neurons that share the matrix; null where there is only one, or all are one neuron at many positions. */
function sharedParts(weight: DenseWeight): Strip | null {
  const { activation, axis, split, roles } = weight;
  const { axes, ids } = activation;
  const layout = weightLayout(split, roles);
  if (axes === null || ids === null || layout.groups !== 1) return null;
  const own = axes[axis];
  if (own === undefined || carriersOf([own]).length === 0) return null;
  const others = axes.toSpliced(axis, 1);
  const { hasPositions = standsAtPositions(others.slice(axis === 0 ? 0 : 1)) } = weight;
  if (!hasPositions || carriersOf(others).length === 0) return null;
  const strip = stripAlong(activation, axis, layout.inPerGroup);
  if (strip === null || strip.outer * strip.inner > shareLimit) return null;
  return strip.outer * strip.inner * layout.outPerGroup > neuronLimit ? null : strip;
}

/** True where an axis has places that tell no neurons apart. */
export function standsAtPositions(axes: readonly Axis[]): boolean {
  return axes.flat().some((atom) => !atom.carries && atom.size !== 1);
}

/**
 * A stack of matrices: axes of the weight beside "in" and "out" may be groups, each with features of its own, or further "out"
 * axes, which read the same ones. `atoms` are the receiving axes of `split`, for the caller to arrange; where parts of the
 * neurons share the matrix (`isShared`), those stay on the axes in front.
 */
export function placeStack(
  call: Call,
  weight: DenseWeight,
): { made: Activation; atoms: Atom[]; isShared: boolean } {
  const { activation, axis, split, roles } = weight;
  const atoms = split.map((size): Atom => ({ size, carries: true }));
  const receiving = (["group", "out"] as const).flatMap((role) =>
    atoms.filter((_, i) => roles[i] === role),
  );
  const shared = sharedParts(weight);
  const isShared = shared !== null && shared.inner === 1;
  const parts = isShared ? carriersOf(activation.axes!.slice(0, axis)) : [];
  const to = isShared ? placeShared(call, weight, shared) : placeApart(call, weight);
  const axes = [[...parts, ...receiving]];
  return { made: { kind: "activation", axes, ids: to, open: null }, atoms, isShared };
}

function placeApart(call: Call, weight: DenseWeight): NeuronIds {
  if (!weight.roles.includes("group")) return placeDense(call, weight);
  const { layout, index, name } = added(call, weight);
  const from = stackedSenders(call, weight, { layout, name });
  const to = call.collect.receivers(name, layout.groups * layout.outPerGroup);
  call.collect.connect({ index, from, to, layout });
  return to;
}

/** For each matrix its own features, where axes in front tell them apart, or the same ones for all. */
function stackedSenders(
  call: Call,
  { activation, axis }: DenseWeight,
  { layout: { groups, inPerGroup }, name }: { layout: WeightLayout; name: string },
): NeuronIds {
  const strip = stripAlong(activation, axis, inPerGroup);
  if (strip !== null && strip.outer === groups && strip.inner === 1) return strip.ids;
  const one = call.collect.senders(activation, axis, inPerGroup, name);
  return Int32Array.from({ length: groups * inPerGroup }, (_, i) => one[i % inPerGroup]!);
}

/** Some indices of an axis, and several axes end to end: neurons stay who they are, whatever the other axes carry. */
import type { NeuronIds } from "../../model/topology.ts";
import {
  axisSize,
  carriersOf,
  carriesNeurons,
  freshAxis,
  localIndices,
  neuronLimit,
  unknownActivation,
  withAxes,
  type Activation,
  type Axis,
} from "./activation.ts";
import type { Picks } from "./foldSelection.ts";

/** Keeps `picks` of `axis`, null being some that are not known. */
export function pickAlong(activation: Activation, axis: number, picks: Picks | null): Activation {
  const { axes } = activation;
  const own = axes?.[axis];
  if (axes === null || own === undefined) return unknownActivation;
  const picked = axes.with(axis, freshAxis(picks && picks.count));
  if (!carriesNeurons(own)) return withAxes(activation, picked);
  const size = lengthAlong(activation, axis);
  const strip = size === null ? null : stripAlong(activation, axis, size);
  const isInside = (at: number): boolean => at >= 0 && at < (size ?? 0);
  const { count, at } = picks ?? { count: 0, at: Number };
  if (strip === null || count === 0 || !isInside(at(0)) || !isInside(at(count - 1))) {
    return { ...unknownActivation, axes: withAxes({ ...activation, ids: null }, picked).axes };
  }
  const { outer, inner } = strip;
  if (outer * count * inner > neuronLimit) return { ...unknownActivation, axes: picked };
  const ids = new Int32Array(outer * count * inner);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < count; i++) {
      const from = (o * size! + at(i)) * inner;
      copy(strip.ids, ids, { from, to: (o * count + i) * inner, count: inner });
    }
  }
  return { kind: "activation", axes: axes.with(axis, carrying(count)), ids, open: null };
}

/** Neurons by [carriers before the axis, every index along it, carriers behind]. */
export interface Strip {
  readonly ids: NeuronIds;
  readonly outer: number;
  readonly inner: number;
}

/** Null where no neuron is known, the axis is no such size, or its atoms are of unknown sizes. */
export function stripAlong(activation: Activation, axis: number, size: number): Strip | null {
  const { axes, ids } = activation;
  if (axes === null || ids === null) return null;
  const own = axes[axis]!;
  const indices = localIndices(own, size);
  if (indices === null) return null;
  const count = (part: readonly Axis[]): number =>
    carriersOf(part).reduce((product, atom) => product * (atom.size ?? 1), 1);
  const outer = count(axes.slice(0, axis));
  const inner = count(axes.slice(axis + 1));
  if (own.length === 1 && own[0]!.carries) return { ids, outer, inner };
  const places = ids.length / (outer * inner);
  if (outer * size * inner > neuronLimit) return null;
  const result = new Int32Array(outer * size * inner);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < size; i++) {
      const from = (o * places + indices[i]!) * inner;
      copy(ids, result, { from, to: (o * size + i) * inner, count: inner });
    }
  }
  return { ids: result, outer, inner };
}

function copy(
  source: NeuronIds,
  target: NeuronIds,
  { from, to, count }: { from: number; to: number; count: number },
): void {
  for (let i = 0; i < count; i++) target[to + i] = source[from + i]!;
}

/** Strips of the same outer and inner carriers, end to end; null where these differ. */
export function joinStrips(strips: readonly Strip[], sizes: readonly number[]): Strip | null {
  const [first] = strips;
  if (first === undefined) return null;
  const { outer, inner } = first;
  if (strips.some((strip) => strip.outer !== outer || strip.inner !== inner)) return null;
  const size = sizes.reduce((a, b) => a + b, 0);
  if (outer * size * inner > neuronLimit) return null;
  const ids = new Int32Array(outer * size * inner);
  let at = 0;
  for (let o = 0; o < outer; o++) {
    strips.forEach((strip, i) => {
      const length = sizes[i]! * inner;
      ids.set(strip.ids.subarray(o * length, (o + 1) * length), at);
      at += length;
    });
  }
  return { ids, outer, inner };
}

/** Length of an axis; of which the atom sizes are not known but whose neurons are, the number of these. */
export function lengthAlong({ axes, ids }: Activation, axis: number): number | null {
  const own = axes?.[axis];
  if (own === undefined || axes === null) return null;
  const known = axisSize(own);
  if (known !== null) return known;
  const isOnly = own.length === 1 && own[0]!.carries && carriersOf(axes).length === 1;
  return isOnly ? (ids?.length ?? null) : null;
}

export function carrying(size: number): Axis {
  return [{ size, carries: true }];
}

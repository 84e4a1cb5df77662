/** Concatenation: along the channels neurons keep who they are, along positions they are the same in each part. */
import {
  carriersOf,
  carriesNeurons,
  freshAxis,
  uncarried,
  unknownActivation,
  withAxes,
  type Activation,
} from "../activation.ts";
import { asActivation, type Call, type Operator } from "../operator.ts";
import { carrying, joinStrips, lengthAlong, stripAlong, type Strip } from "../pick.ts";
import { standAlike, uniteNeurons } from "../unite.ts";

export const concat: Operator = (call) => {
  for (const value of call.inputs) {
    // A learned token among others; where it turns out to be a weight, that counts.
    const stored = value?.kind === "constant" ? value : value?.stored;
    if (stored) call.collect.claim(stored, "bias");
  }
  const parts = call.inputs.filter((value) => value !== undefined).map(asActivation);
  return [concatenate(call, parts, call.node.axis(rankOf(parts), 1))];
};

/** `parts` end to end along `axis`. */
export function concatenate(call: Call, parts: readonly Activation[], axis: number): Activation {
  const first = parts.find((part) => part.axes !== null);
  if (!first?.axes || parts.some((part) => part.axes?.length !== first.axes?.length)) {
    return unknownActivation;
  }
  if (first.axes[axis] === undefined) return unknownActivation;
  const sizes = parts.map((part) => lengthAlong(part, axis));
  if (joinsChannels(parts, axis, sizes)) {
    const joined = joinChannels(call, parts, { axis, sizes: sizes as number[] });
    if (joined !== null) return joined;
  }
  const size = sizes.includes(null) ? null : sizes.reduce((sum, own) => sum! + own!, 0);
  const carrier = parts.find((part) => part.ids !== null) ?? first;
  const axes = carrier.axes!.with(axis, freshAxis(size));
  const others = parts.filter((part) => part.ids !== null && part.ids !== carrier.ids);
  if (others.some((part) => !standAlike(part, carrier)) || carriesNeurons(carrier.axes![axis])) {
    return { ...unknownActivation, axes: axes.map(uncarried) };
  }
  for (const part of others) uniteNeurons(call.collect, carrier.ids!, part.ids!);
  return withAxes(carrier, axes);
}

function rankOf(parts: readonly Activation[]): number {
  return parts.find((part) => part.axes !== null)?.axes?.length ?? 0;
}

function joinsChannels(
  parts: readonly Activation[],
  axis: number,
  sizes: readonly (number | null)[],
): boolean {
  if (sizes.includes(null)) return false;
  if (parts.some((part) => part.ids !== null && carriesNeurons(part.axes![axis]))) return true;
  const rank = rankOf(parts);
  const isChannel = axis === (rank > 2 ? 1 : rank - 1);
  if (parts.some((part) => part.ids !== null)) {
    return axis > 0 && parts.every((part, i) => part.ids?.length === 1 && sizes[i] === 1);
  }
  return isChannel && parts.some((part) => part.open !== null);
}

function joinChannels(
  call: Call,
  parts: readonly Activation[],
  { axis, sizes }: { axis: number; sizes: readonly number[] },
): Activation | null {
  const known = parts.map((part, i) => stripAlong(part, axis, sizes[i]!));
  const shape = known.find((strip) => strip !== null) ?? { outer: 1, inner: 1 };
  const name = call.node.outputs[0] ?? call.node.opType;
  const strips = parts.map((part, i): Strip => {
    const strip = known[i];
    if (strip) return strip;
    const { outer, inner } = shape;
    const own = `${name} (part ${i + 1})`;
    const size = outer * sizes[i]! * inner;
    const ids = call.collect.part(outer * inner === 1 ? part : unknownActivation, axis, size, own);
    return { outer, inner, ids };
  });
  const joined = joinStrips(strips, sizes);
  if (joined === null) return null;
  const others = (part: Activation): number => carriersOf(part.axes!.toSpliced(axis, 1)).length;
  const pattern = parts.find((part) => part.ids !== null && others(part) > 0);
  const base = pattern?.axes ?? parts.find((part) => part.axes !== null)!.axes!.map(uncarried);
  const size = sizes.reduce((sum, own) => sum + own, 0);
  return {
    kind: "activation",
    axes: base.with(axis, carrying(size)),
    ids: joined.ids,
    open: null,
  };
}

import type { NeuronIds } from "../../model/topology.ts";
import { axisSize, carriersOf, type Activation } from "./activation.ts";
import type { Collector } from "./collector.ts";

/**
 * Makes neurons that stand at the same place one. Not where they are the same neurons in another order, as a rotary embedding
 * adds them, nor parts of one layer (the middle and the width of a box): that mixes neurons, and makes none the other.
 */
export function uniteNeurons(collect: Collector, a: NeuronIds, b: NeuronIds): void {
  if (a === b || a.length !== b.length || a.length === 0) return;
  if (collect.sameLayer(a[0]!, b[0]!)) return;
  const own = new Set(a);
  let isOther = false;
  for (let i = 0; i < a.length; i++) {
    if (a[i] === b[i]) continue;
    if (own.has(b[i]!)) return;
    isOther = true;
  }
  if (isOther) collect.merge(a, b);
}

/** True where neurons stand in the same way along the same axes, counted from the end. */
export function standAlike(a: Activation, b: Activation): boolean {
  if (a.axes === null || b.axes === null || a.ids?.length !== b.ids?.length) return false;
  const pattern = ({ axes }: Activation): string =>
    axes!
      .toReversed()
      .map((axis) =>
        carriersOf([axis]).length === 0
          ? ""
          : axis.map(({ size, carries }) => `${size}${carries ? "n" : ""}`).join("*"),
      )
      .join(" ")
      .trimEnd();
  return pattern(a) === pattern(b);
}

/** Places that an activation has, as far as they are known: what is broadcast has fewer. */
export function extentOf({ axes }: Activation): number {
  return (axes ?? []).reduce((count, axis) => count + (axisSize(axis) === 1 ? 0 : 1), 0);
}

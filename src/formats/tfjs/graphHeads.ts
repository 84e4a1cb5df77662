/** Where flows meet as queries, keys and values do: how many heads part their neurons. */
import type { NeuronTracer } from "../../model/neuronTracer.ts";
import { attentionRole, type AttentionFactor } from "../attentionRole.ts";
import type { Value } from "./graphValues.ts";

/** A factor of a product of flows; axes are counted from behind. */
export interface Factor extends AttentionFactor {
  readonly value: Value | undefined;
  /** True for axes that both factors and the product have. */
  readonly isShared: (back: number) => boolean;
  /** True for axes that are summed over. */
  readonly isSummed: (back: number) => boolean;
}

type Role = Parameters<NeuronTracer["attend"]>[0];

/** What both factors are to an attention, and their heads. */
export function tellProduct(tracer: NeuronTracer, left: Factor, right: Factor): void {
  tellHeads(tracer, attentionRole(left, right, sums(left)), left);
  tellHeads(tracer, attentionRole(right, left, sums(right)), right);
}

function sums({ value, isSummed }: Factor): boolean {
  if (value?.kind !== "flow") return false;
  return [value.back, ...value.outer.map(({ back }) => back)].some(
    (back) => back !== null && isSummed(back),
  );
}

/** Outer factors of the neurons' axis that are axes of both, or went into the batch. */
function tellHeads(tracer: NeuronTracer, role: Role, { value, isShared }: Factor): void {
  if (value?.kind !== "flow" || isShared(value.back)) return;
  const areHeads = value.outer.map(({ back }) => back === null || isShared(back));
  const count = areHeads.lastIndexOf(true) + 1;
  const outer = value.outer.slice(0, count);
  if (areHeads.indexOf(false) >= 0 && areHeads.indexOf(false) < count) return;
  tracer.attend(
    role,
    outer.reduce((product, { size }) => product * size, 1),
    value.activation,
  );
}

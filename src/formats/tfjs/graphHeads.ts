/** Where flows meet as queries, keys and values do: how many heads part their neurons. */
import type { NeuronTracer } from "../../model/neuronTracer.ts";
import type { Value } from "./graphValues.ts";

/** A factor of a product of flows; axes are counted from behind. */
export interface Factor {
  readonly value: Value | undefined;
  /** True for axes that both factors and the product have. */
  readonly isShared: (back: number) => boolean;
  /** True for axes that are summed over. */
  readonly isSummed: (back: number) => boolean;
  /** True for the one whose neurons are those of the product. */
  readonly isKept: boolean;
  /** True if the last axis of the product is its own. */
  readonly standsLast: boolean;
}

type Role = Parameters<NeuronTracer["attend"]>[0];

/**
 * Attention weights keep the values' neurons and sum over positions. Queries and keys are summed over their neurons, the keys'
 * positions last; in linear attention keys meet the values first, and both sum over positions.
 */
export function tellProduct(tracer: NeuronTracer, left: Factor, right: Factor): void {
  tellHeads(tracer, roleOf(left, right), left);
  tellHeads(tracer, roleOf(right, left), right);
}

function roleOf(own: Factor, other: Factor): Role {
  if (own.isKept) return "value";
  if (other.isKept) return sums(own) ? "query" : "key";
  return own.standsLast ? "key" : "query";
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

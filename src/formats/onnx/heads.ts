/** Where activations meet as queries, keys and values do: which of their neurons are of which head. */
import type { AttentionNeurons, NeuronIds } from "../../model/topology.ts";
import { attentionRole, type AttentionFactor } from "../attentionRole.ts";
import { carriersOf, carriesNeurons, withAxes, type Activation, type Axis } from "./activation.ts";
import type { Collector } from "./collector.ts";
import { lengthAlong, pickAlong } from "./pick.ts";
import { dropAxis } from "./reshape.ts";

type Role = AttentionNeurons["role"];

/** A factor of a product of activations. */
export interface Factor extends AttentionFactor {
  readonly activation: Activation;
  /** Axes that both factors and the product have: heads, where they carry neurons. */
  readonly shared: readonly Axis[];
  /** Axes that are summed over. */
  readonly summed: readonly Axis[];
}

/** What both factors are to an attention, and their heads. */
export function tellProduct(collect: Collector, left: Factor, right: Factor): void {
  tellHeads(collect, attentionRole(left, right, sums(left)), left);
  tellHeads(collect, attentionRole(right, left, sums(right)), right);
}

function sums({ summed }: Factor): boolean {
  return summed.some(carriesNeurons);
}

/** The shared axes that carry neurons tell heads apart. */
export function tellHeads(
  collect: Collector,
  role: Role,
  { activation, shared }: Pick<Factor, "activation" | "shared">,
): void {
  const { axes } = activation;
  if (axes === null || activation.ids === null) return;
  const others = axes.filter((axis) => !shared.includes(axis));
  const { ids } = withAxes(activation, [...shared, ...others]);
  const width = sizeOf(others);
  const heads = sizeOf(shared) ?? (ids && width && ids.length / width);
  if (ids !== null && heads !== null) collect.attend(role, heads, ids);
}

/** Of the atoms that carry neurons; null where one is not known. */
function sizeOf(axes: readonly Axis[]): number | null {
  return carriersOf(axes).reduce<number | null>(
    (product, { size }) => (product === null || size === null ? null : product * size),
    1,
  );
}

/** Neurons in `heads` equal heads one after another. */
export function tellRow(
  collect: Collector,
  role: Role,
  { ids, heads }: { readonly ids: NeuronIds | null; readonly heads: number },
): void {
  if (ids !== null) collect.attend(role, heads, ids);
}

/** [batch, positions, heads, roles, width]: one of each role. */
export function tellPacked(
  collect: Collector,
  activation: Activation,
  roles: readonly Role[],
): void {
  const axis = (activation.axes?.length ?? 0) - 2;
  if (axis < 1 || lengthAlong(activation, axis) !== roles.length) return;
  for (const [place, role] of roles.entries()) {
    const picked = dropAxis(pickAlong(activation, axis, { count: 1, at: () => place }), axis);
    const shared = picked.axes?.[axis - 1];
    if (shared !== undefined) tellHeads(collect, role, { activation: picked, shared: [shared] });
  }
}

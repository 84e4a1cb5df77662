/** Positions behind a flattened channel: many features, one neuron. */
import type { NeuronIds } from "../../model/topology.ts";
import { weightLayout, type AxisRole, type WeightLayout } from "../../tensor/layout.ts";
import type { Shape } from "../../tensor/shape.ts";

/**
 * How weights of `split` and `roles` meet `features`: each neuron once, the positions that it stands at as taps. Features in no
 * such order, and those of groups, are met one by one.
 */
export function wiringOf(
  features: NeuronIds,
  split: Shape,
  roles: readonly AxisRole[],
): { readonly from: NeuronIds; readonly layout: WeightLayout } {
  const layout = weightLayout(split, roles);
  const positions = layout.groups === 1 ? positionsOf(features) : null;
  return positions === null
    ? { from: features, layout }
    : { from: positions.neurons, layout: layoutWithPositions(split, roles, positions) };
}

/** A stored shape with its input axis replaced by [positions before, channels, positions after]. */
function layoutWithPositions(
  split: Shape,
  roles: readonly AxisRole[],
  { before, after }: { before: number; after: number },
): WeightLayout {
  if (before === 1 && after === 1) return weightLayout(split, roles);
  const axis = roles.indexOf("in");
  const channels = split[axis]! / (before * after);
  const parts = [
    { size: before, role: "tap" as const },
    { size: channels, role: "in" as const },
    { size: after, role: "tap" as const },
  ].filter(({ size, role }) => role === "in" || size !== 1);
  return weightLayout(
    split.toSpliced(axis, 1, ...parts.map((part) => part.size)),
    roles.toSpliced(axis, 1, ...parts.map((part) => part.role)),
  );
}

/**
 * Features of which many belong to one neuron (a flattened channel): the neurons, and how many positions stand before and
 * behind each. Null where the features follow no such order.
 */
function positionsOf(
  features: NeuronIds,
): { readonly neurons: NeuronIds; readonly before: number; readonly after: number } | null {
  const first = features[0]!;
  let after = 1;
  while (after < features.length && features[after] === first) after++;
  let channels = 1;
  while (channels * after < features.length && features[channels * after] !== first) channels++;
  const period = channels * after;
  if (features.length % period !== 0) return null;
  const neurons = Int32Array.from({ length: channels }, (_, i) => features[i * after]!);
  if (new Set(neurons).size !== channels) return null;
  for (let i = 0; i < features.length; i++) {
    if (features[i] !== neurons[Math.floor((i % period) / after)]) return null;
  }
  return { neurons, before: features.length / period, after };
}

/** Positions behind a flattened channel: many features, one neuron. */
import type { NeuronIds, Topology, Wire } from "../../model/topology.ts";
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
  const isOne = layout.groups === 1 && roles.filter((role) => role === "in").length === 1;
  const positions = isOne ? positionsOf(features) : null;
  return positions === null
    ? { from: features, layout }
    : { from: positions.neurons, layout: layoutWithPositions(split, roles, positions) };
}

/** Wires whose neurons were made one meanwhile (a vector that becomes a map): each neuron once, its other places as taps. */
export function withRolledWires(topology: Topology): Topology {
  return { ...topology, wires: topology.wires.map((wire) => rolled(rolled(wire, "to"), "from")) };
}

function rolled(wire: Wire, side: "from" | "to"): Wire {
  const { layout } = wire;
  const role = side === "from" ? "in" : "out";
  const ids = wire[side];
  const isOne = layout.groups === 1 && layout.roles.filter((own) => own === role).length === 1;
  if (!isOne || ids.length < 2 || (wire.recurrent && side === "from")) return wire;
  const positions = positionsOf(ids);
  if (positions === null || positions.neurons.length === ids.length) return wire;
  const { split, roles } = layout;
  return {
    ...wire,
    [side]: positions.neurons,
    layout: layoutWithPositions(split, roles, positions, role),
  };
}

/** A stored shape with its axis of `role` replaced by [positions before, channels, positions after]. */
function layoutWithPositions(
  split: Shape,
  roles: readonly AxisRole[],
  { before, after }: { before: number; after: number },
  role: "in" | "out" = "in",
): WeightLayout {
  if (before === 1 && after === 1) return weightLayout(split, roles);
  const axis = roles.indexOf(role);
  const channels = split[axis]! / (before * after);
  const parts = [
    { size: before, role: "tap" as const },
    { size: channels, role },
    { size: after, role: "tap" as const },
  ].filter((part) => part.role === role || part.size !== 1);
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
  if (!isAscending(neurons) && new Set(neurons).size !== channels) return null;
  for (let i = 0; i < features.length; i++) {
    if (features[i] !== neurons[Math.floor((i % period) / after)]) return null;
  }
  return { neurons, before: features.length / period, after };
}

/** As neurons of one layer mostly are; then none stands twice. */
function isAscending(ids: NeuronIds): boolean {
  for (let i = 1; i < ids.length; i++) if (ids[i]! <= ids[i - 1]!) return false;
  return true;
}

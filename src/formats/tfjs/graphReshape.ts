import type { NeuronTracer } from "../../model/neuronTracer.ts";
import { partSizes } from "./graphParts.ts";
import type { Flow, Part, Value } from "./graphValues.ts";

type Sizes = readonly (number | null)[];

/**
 * Where neurons go in a reshape. Sizes are known of the target alone, and not all of them, so the cases are told apart by it:
 * the axis of neurons kept, parted into heads or joined again, positions put behind it (a flatten), positions taken out again.
 * Null where none fits.
 */
export function reshapeFlow(flow: Flow, target: Sizes, tracer: NeuronTracer): Value {
  const rank = target.length;
  const { activation, back } = flow;
  const { ids, size } = activation.neurons;
  const channels = ids?.length ?? size;
  const last = target.at(-1) ?? null;
  if (flow.outer.length > 0) return rejoin(flow, target, tracer);
  if (back > 0) return reshapeInFront(flow, target, tracer);
  if (rank <= 2) {
    const stays = flow.rank === rank && (last === null || last < 0 || last === channels);
    if (stays || last === channels) return { ...flow, rank };
    return { ...flow, activation: tracer.flatten(activation, "positions first"), rank };
  }
  if (channels === null) return { ...flow, rank };
  const heads = flow.rank === 2 ? null : partsOf(target, channels);
  if (heads !== null && activation.flat === null) return { ...flow, outer: heads, rank };
  if (last === null || last < 0) return { ...flow, rank };
  if (last > channels && last % channels === 0) {
    return { ...flow, activation: tracer.flatten(activation, "positions first"), rank };
  }
  const unflat = tracer.unflatten(activation, last);
  return unflat && { ...flow, activation: unflat, rank };
}

/** The last sizes, two or more, that multiply to `channels`: outer factors of the axis that was. */
function partsOf(target: Sizes, channels: number): Part[] | null {
  let filled = 1;
  const parts: Part[] = [];
  for (let back = 0; back < target.length && filled < channels; back++) {
    const size = target.at(-1 - back) ?? -1;
    if (size < 1) return null;
    filled *= size;
    parts.unshift({ back, size });
  }
  return filled === channels && parts.length > 1 ? parts.slice(0, -1) : null;
}

/** Factors side by side are joined as the target's last sizes say; others stay while their own sizes do. */
function rejoin(flow: Flow, target: Sizes, tracer: NeuronTracer): Value {
  const rank = target.length;
  const sizes = partSizes(flow);
  if (sizes === null) return null;
  const backs = [...flow.outer.map((part) => part.back), flow.back];
  if (backs.every((back, i) => back === backs.length - 1 - i)) {
    const outer = joined(sizes, target);
    if (outer !== null) return { ...flow, outer, back: 0, rank };
  }
  const inner = sizes.at(-1)!;
  if (flow.back !== 0 || target.at(-1) !== inner) return null;
  if (flow.outer.length === 1) {
    // Heads that went into the batch and come out of it again.
    const [{ size }] = flow.outer as readonly [Part];
    const at = target.indexOf(size, 1);
    const isOnly = at !== -1 && at === target.lastIndexOf(size, rank - 2);
    const back = isOnly && at < rank - 1 ? rank - 1 - at : null;
    return { ...flow, outer: [{ back, size }], rank };
  }
  const activation = tracer.unflatten(flow.activation, inner);
  return activation && { ...flow, activation, outer: [], rank };
}

/** Runs of `sizes`, from the innermost on, that fill the target's last axes: the outer factors that are left. */
function joined(sizes: readonly number[], target: Sizes): Part[] | null {
  const rest = [...sizes];
  const parts: Part[] = [];
  for (let back = 0; rest.length > 0; back++) {
    const given = target.at(-1 - back) ?? -1;
    if (back >= target.length) return null;
    const wanted = given < 0 ? Infinity : given;
    let size = rest.pop()!;
    while (rest.length > 0 && size < wanted) size *= rest.pop()!;
    if (given >= 0 && size !== given) return null;
    parts.unshift({ back, size });
  }
  return parts.slice(0, -1);
}

/** Neurons on an axis before the last: [batch, channels, …places] flattened, or left where they are. */
function reshapeInFront(flow: Flow, target: Sizes, tracer: NeuronTracer): Value {
  const rank = target.length;
  const { activation, back } = flow;
  const channels = activation.neurons.ids?.length ?? activation.neurons.size;
  const follows = flow.rank !== null && back === flow.rank - 2;
  if (rank === 2 && follows) {
    return { ...flow, activation: tracer.flatten(activation, "channels first"), back: 0, rank };
  }
  const at = target.indexOf(channels);
  const isOnly = channels !== null && at !== -1 && target.lastIndexOf(channels) === at;
  return isOnly ? { ...flow, back: rank - 1 - at, rank } : null;
}

import type { NeuronTracer } from "../../model/neuronTracer.ts";
import type { Flow, Value } from "./graphValues.ts";

/**
 * Where neurons go in a reshape. Sizes are known of the target alone, and not all of them, so the cases are told apart by it:
 * the axis of neurons kept, positions put behind it (a flatten), positions taken out again. Null where none fits.
 */
export function reshapeFlow(
  flow: Flow,
  target: readonly (number | null)[],
  tracer: NeuronTracer,
): Value {
  const rank = target.length;
  const { activation, back } = flow;
  const { ids, size } = activation.neurons;
  const channels = ids?.length ?? size;
  const last = target.at(-1) ?? null;
  if (back > 0) return reshapeInFront(flow, target, tracer);
  if (rank <= 2) {
    const stays = flow.rank === rank && (last === null || last < 0 || last === channels);
    if (stays || last === channels) return { ...flow, rank };
    return { activation: tracer.flatten(activation, "positions first"), kind: "flow", back, rank };
  }
  if (last === null || last < 0 || channels === null) return { ...flow, rank };
  if (last > channels && last % channels === 0) {
    return { ...flow, activation: tracer.flatten(activation, "positions first"), rank };
  }
  const unflat = tracer.unflatten(activation, last);
  return unflat && { ...flow, activation: unflat, rank };
}

/** Neurons on an axis before the last: [batch, channels, …places] flattened, or left where they are. */
function reshapeInFront(
  flow: Flow,
  target: readonly (number | null)[],
  tracer: NeuronTracer,
): Value {
  const rank = target.length;
  const { activation, back } = flow;
  const channels = activation.neurons.ids?.length ?? activation.neurons.size;
  const follows = flow.rank !== null && back === flow.rank - 2;
  if (rank === 2 && follows) {
    return {
      kind: "flow",
      activation: tracer.flatten(activation, "channels first"),
      back: 0,
      rank,
    };
  }
  const at = target.indexOf(channels);
  const isOnly = channels !== null && at !== -1 && target.lastIndexOf(channels) === at;
  return isOnly ? { ...flow, back: rank - 1 - at, rank } : null;
}

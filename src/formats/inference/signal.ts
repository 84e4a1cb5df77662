/**
 * A plan of a network: signals that weights read and put out, known by their sizes alone. A rule tries its shapes on the plan and
 * takes back what did not fit; only a plan that stands is laid out as neurons.
 */
import type { AttentionNeurons, NeuronLayer, Wire } from "../../model/topology.ts";
import { gatesAsTaps, readingLayout, type FlatOrder } from "../../model/readingLayout.ts";
import { weightLayout, type WeightLayout } from "../../tensor/layout.ts";
import type { Weight } from "./moduleTree.ts";

/** What a wire rests on. */
export type Basis = NonNullable<Wire["basis"]>;

export interface Signal {
  /** Neurons; null until the first reader of an input says it. */
  size: number | null;
  /** True where positions may stand behind each neuron, so that a dense layer may take a multiple. */
  readonly isMap: boolean;
  readonly origin: Origin;
}

type Origin =
  | { readonly kind: "source"; readonly name: string; readonly role: NeuronLayer["role"] }
  | { readonly kind: "weight"; readonly placement: Placement }
  | { readonly kind: "concat" | "sum"; readonly parts: readonly Signal[] }
  | { readonly kind: "pick"; readonly of: Signal; readonly at: Int32Array };

/** A weight with what it reads. */
export interface Placement {
  readonly weight: Weight;
  readonly from: Signal;
  readonly layout: WeightLayout;
  readonly basis: Basis;
  /** Neurons that it puts out. */
  readonly size: number;
  /** The weights from a recurrent layer's own past. */
  readonly past: { readonly weight: Weight; readonly layout: WeightLayout } | null;
}

interface Reading {
  readonly basis: Basis;
  /** Rows of a matrix send instead of receiving; of a kernel, its first two axes change places. */
  readonly rowsSend?: boolean;
  /** @defaultValue "depthwise" */
  readonly grouped?: "any" | "depthwise";
  /** Positions behind the senders, whatever was before. */
  readonly flat?: FlatOrder;
}

/** Queries, keys or values in heads of `size` neurons, head after head. */
interface HeadedSignal {
  readonly role: AttentionNeurons["role"];
  readonly of: Signal;
  readonly size: number;
}

export interface Plan {
  /** In the order in which they were laid. */
  readonly placements: readonly Placement[];
  /** Names of the weights before which a source began that nothing accounts for. */
  readonly breaks: readonly string[];
  /** Residual sums: what they add is one neuron. */
  readonly sums: readonly Signal[];
  readonly attention: readonly HeadedSignal[];
  /** Counts a trial; true once more were made than any network needs. */
  isExhausted(): boolean;
  source(name: string, size: number | null, role?: NeuronLayer["role"]): Signal;
  place(weight: Weight, from: Signal, reading: Reading): Signal | null;
  /** Neurons of its own for the weight of this name, which fits nothing: the basis of its wire is `break`. */
  broken(name: string, size: number): Signal;
  /** `weight_ih` and `weight_hh`: the gates of one layer. */
  placeGated(gates: { weight: Weight; past: Weight }, from: Signal, basis: Basis): Signal | null;
  concat(parts: readonly Signal[]): Signal;
  sum(parts: readonly Signal[]): Signal;
  /** Says that `of` are the queries, keys or values of heads of `size` neurons each. */
  attend(role: AttentionNeurons["role"], of: Signal, size: number): void;
  /** Some neurons of a signal, repeats allowed. */
  pick(of: Signal, at: Int32Array): Signal;
  /** What to do if the trial that is running fails. */
  remember(undo: () => void): void;
  /** Runs `trial`; what it laid is taken back if it gives null. */
  attempt<T>(trial: () => T | null): T | null;
  /** True the first time: each signal is taken once by a concatenation across the network. */
  take(signal: Signal): boolean;
  /** Gives a signal of no size yet this one. */
  resize(signal: Signal, size: number): void;
}

/** `limit`: how many trials may be made. */
export function newPlan(limit: number): Plan {
  const placements: Placement[] = [];
  const breaks: string[] = [];
  const sums: Signal[] = [];
  const attention: HeadedSignal[] = [];
  const taken = new Set<Signal>();
  const undoings: (() => void)[] = [];
  let tried = 0;

  const lay = (placement: Placement, isMap: boolean): Signal => {
    placements.push(placement);
    return { size: placement.size, isMap, origin: { kind: "weight", placement } };
  };
  const source: Plan["source"] = (name, size, role = "input") => ({
    size,
    isMap: false,
    origin: { kind: "source", name, role },
  });
  const resize = (signal: Signal, size: number): void => {
    if (signal.size !== null) return;
    signal.size = size;
    undoings.push(() => {
      signal.size = null;
    });
  };

  return {
    placements,
    breaks,
    sums,
    attention,
    isExhausted: () => ++tried > limit,
    source,
    resize,
    place(weight, from, { basis, rowsSend = false, grouped = "depthwise", flat }) {
      const { kind } = weight.layer;
      const oriented = rowsSend ? turned(weight) : weight.layer.layout;
      const mayFlatten = from.isMap && weight.shape.length === 2;
      const layout = readingLayout(oriented, kind, {
        channels: from.size,
        flat: flat ?? (mayFlatten ? "channels first" : null),
        grouped,
      });
      if (layout === null) return null;
      resize(from, layout.groups * layout.inPerGroup);
      const size = layout.groups * layout.outPerGroup;
      const placement = { weight, from, layout, basis: restsOn(from, basis), size, past: null };
      return lay(placement, weight.shape.length > 2);
    },
    broken(name, size) {
      breaks.push(name);
      return source(`before ${name}`, size, "unknown");
    },
    placeGated({ weight, past }, from, basis) {
      const units = past.layer.layout.inPerGroup;
      const layout = readingLayout(weight.layer.layout, weight.layer.kind, {
        channels: from.size,
        flat: null,
        grouped: "depthwise",
      });
      if (layout === null || units === 0 || layout.outPerGroup % units !== 0) return null;
      resize(from, layout.groups * layout.inPerGroup);
      return lay(
        {
          weight,
          from,
          layout: gatesAsTaps(layout, units),
          basis: restsOn(from, basis),
          size: units,
          past: { weight: past, layout: gatesAsTaps(past.layer.layout, units) },
        },
        false,
      );
    },
    concat: (parts) => ({
      size: parts.reduce((sum, { size }) => sum + (size ?? 0), 0),
      isMap: parts.some(({ isMap }) => isMap),
      origin: { kind: "concat", parts },
    }),
    sum(parts) {
      const isMap = parts.some((part) => part.isMap);
      const signal: Signal = { size: parts[0]!.size, isMap, origin: { kind: "sum", parts } };
      sums.push(signal);
      return signal;
    },
    attend: (role, of, size) => void attention.push({ role, of, size }),
    pick: (of, at) => ({ size: at.length, isMap: of.isMap, origin: { kind: "pick", of, at } }),
    remember: (undo) => void undoings.push(undo),
    take(signal) {
      if (taken.has(signal)) return false;
      taken.add(signal);
      undoings.push(() => void taken.delete(signal));
      return true;
    },
    attempt(trial) {
      const lists = [placements, breaks, sums, attention];
      const lengths = lists.map(({ length }) => length);
      const done = undoings.length;
      const result = trial();
      if (result !== null) return result;
      lists.forEach((list, i) => (list.length = lengths[i]!));
      for (const undo of undoings.splice(done).reverse()) undo();
      return null;
    },
  };
}

function restsOn({ origin }: Signal, basis: Basis): Basis {
  return origin.kind === "source" && origin.role === "unknown" ? "break" : basis;
}

/** The layout with the first two axes' roles changed. */
function turned({ layer }: Weight): WeightLayout {
  const roles = layer.layout.roles.map((role) =>
    role === "in" ? "out" : role === "out" ? "in" : role,
  );
  return weightLayout(layer.layout.split, roles);
}

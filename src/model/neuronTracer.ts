/**
 * Follows neurons through a network while its graph is walked: an activation carries the neurons on its channel axis, weight
 * layers connect them, sums unite them, a flatten puts positions behind them.
 */
import { FormatError } from "../errors.ts";
import { splitAxis, type WeightLayout } from "../tensor/layout.ts";
import type { WeightLayer } from "./model.ts";
import { gatesAsTaps, readingLayout, type FlatOrder } from "./readingLayout.ts";
import {
  topologyBuilder,
  type AttentionNeurons,
  type NeuronIds,
  type NeuronLayer,
  type Topology,
  type Wire,
} from "./topology.ts";

export interface Activation {
  readonly neurons: Neurons;
  /** How positions and channels lie in one axis; null while channels have an axis of their own. */
  readonly flat: FlatOrder | null;
}

/** Numbered when first connected, since an input may not say its size. */
interface Neurons {
  readonly name: string;
  readonly role: NeuronLayer["role"];
  /** As declared, or null. */
  readonly size: number | null;
  ids: NeuronIds | null;
}

/** Neurons that one activation may have where no weights stand behind them: sizes in a file are only numbers. */
const maxNeurons = 2 ** 22;
/** Neurons that one walk may touch, over and over. */
const maxWork = 2 ** 25;

/** A weight layer with its index in `Model.layers`. */
export interface Placed {
  readonly index: number;
  readonly layer: WeightLayer;
}

export interface NeuronTracer {
  /** Neurons that come from nowhere; of `size` null, as many as the first weight layer takes. */
  source(name: string, size: number | null, role?: NeuronLayer["role"]): Activation;
  /** True if the layer can read the activation: as many neurons as it takes, a multiple after a flatten, or groups of them. */
  fits(layer: WeightLayer, from: Activation): boolean;
  /** The neurons that the layer puts out. Where it does not fit, it reads from a new source, and `breaks` names it. */
  connect(placed: Placed, from: Activation): Activation;
  /** The same for a recurrent layer, whose gates are taps of one unit; `past` are the weights from its own past. */
  connectGated(placed: Placed, past: Placed, from: Activation): Activation;
  /** One neuron per place; activations of other sizes (a broadcast) are passed over. */
  unite(parts: readonly Activation[]): Activation;
  concatenate(name: string, parts: readonly Activation[]): Activation;
  /** Some of an activation's neurons: a slice of its channels. */
  slice(from: Activation, start: number, end: number): Activation;
  flatten(from: Activation, order: FlatOrder): Activation;
  /** `channels` neurons out of a vector that holds, position after position, all of them; null if it does not divide. */
  unflatten(from: Activation, channels: number): Activation | null;
  /** Says that the activation is parted into heads of an attention, one after another. */
  attend(role: AttentionNeurons["role"], heads: number, of: Activation): void;
  /** Names of the layers that fitted nothing. */
  readonly breaks: readonly string[];
  finish(certainty: Topology["certainty"]): Topology;
}

export interface NeuronTracerOptions {
  /** Which kernels with fewer inputs than there are channels are taken for grouped ones. @defaultValue "any" */
  readonly grouped?: "any" | "depthwise";
}

export function neuronTracer({ grouped = "any" }: NeuronTracerOptions = {}): NeuronTracer {
  const builder = topologyBuilder();
  const wires: Wire[] = [];
  const breaks: string[] = [];

  let work = 0;

  /** @throws {FormatError} `FORMAT_LIMIT` */
  const spend = (neurons: number): void => {
    work += neurons;
    if (work <= maxWork) return;
    throw new FormatError("FORMAT_LIMIT", "the graph joins and parts its neurons without end", {
      hint: "No trained network needs so many steps; the file is damaged or made to be slow.",
    });
  };
  const numbered = ({ neurons }: Activation, size: number | null): NeuronIds | null => {
    const declared = (neurons.size ?? 0) <= maxNeurons ? neurons.size : null;
    const known = size ?? declared;
    if (neurons.ids === null && known !== null) {
      neurons.ids = builder.addLayer(neurons.name, known, neurons.role);
    }
    return neurons.ids;
  };
  const activation = (ids: NeuronIds, name: string): Activation => ({
    neurons: { name, role: "hidden", size: ids.length, ids },
    flat: null,
  });

  const layoutFor = (layer: WeightLayer, from: Activation): WeightLayout | null => {
    const { ids, role } = from.neurons;
    // What an input declares may be another axis, or the size before a reshape: its first reader knows better.
    return splitFor(layer, from) ?? (ids === null && role === "input" ? layer.layout : null);
  };
  const splitFor = (layer: WeightLayer, { neurons, flat }: Activation): WeightLayout | null =>
    readingLayout(layer.layout, layer.kind, {
      channels: neurons.ids?.length ?? neurons.size,
      flat,
      grouped,
    });

  /** The neurons and the layout with which `layer` reads `from`. */
  const reading = (
    layer: WeightLayer,
    from: Activation,
  ): { from: NeuronIds; layout: WeightLayout } => {
    const layout = layoutFor(layer, from);
    const senders = layer.layout.groups * layer.layout.inPerGroup;
    const size = layout === layer.layout ? senders : from.neurons.size;
    const ids = layout && numbered(from, size);
    if (layout !== null && ids !== null) return { from: ids, layout };
    breaks.push(layer.name);
    const fresh = builder.addLayer(`before ${layer.name}`, senders, "unknown");
    return { from: fresh, layout: layer.layout };
  };

  return {
    breaks,
    source: (name, size, role = "input") => ({
      neurons: { name, role, size, ids: null },
      flat: null,
    }),
    fits: (layer, from) => layoutFor(layer, from) !== null,
    connect({ index, layer }, from) {
      const read = reading(layer, from);
      const to = builder.addLayer(layer.name, layer.out, "hidden");
      wires.push({ layer: index, to, recurrent: false, ...read });
      return activation(to, layer.name);
    },
    connectGated({ index, layer }, past, from) {
      const read = reading(layer, from);
      const units = past.layer.layout.inPerGroup;
      const to = builder.addLayer(layer.name, units, "hidden");
      const layout = gatesAsTaps(read.layout, units);
      wires.push({ layer: index, to, recurrent: false, ...read, layout });
      const own = gatesAsTaps(past.layer.layout, units);
      wires.push({ layer: past.index, from: to, to, layout: own, recurrent: true });
      return activation(to, layer.name);
    },
    unite(parts) {
      if (parts.every(({ neurons }) => neurons === parts[0]!.neurons)) return parts[0]!;
      for (const part of parts) spend(numbered(part, null)?.length ?? 0);
      const size = Math.max(0, ...parts.map(({ neurons }) => neurons.ids?.length ?? 0));
      const same = parts.filter(({ neurons }) => neurons.ids?.length === size);
      const [first = parts[0]!, ...others] = same;
      for (const { neurons } of others) {
        if (neurons.ids !== first.neurons.ids) builder.merge(first.neurons.ids!, neurons.ids!);
      }
      return first;
    },
    concatenate(name, parts) {
      const ids = parts.map((part) => numbered(part, null));
      const size = ids.reduce((sum, own) => sum + (own?.length ?? Infinity), 0);
      if (size > maxNeurons) return this.source(name, null, "unknown");
      spend(size);
      const all = new Int32Array(size);
      let at = 0;
      for (const own of ids) {
        all.set(own!, at);
        at += own!.length;
      }
      const joined = activation(all, name);
      return { ...joined, flat: parts.find(({ flat }) => flat !== null)?.flat ?? null };
    },
    slice(from, start, end) {
      const ids = numbered(from, null);
      if (ids === null) return from;
      spend(Math.max(0, end - start));
      return activation(ids.slice(start, end), from.neurons.name);
    },
    // The positions of an input that nothing has read yet are neurons of their own.
    flatten: (from, order) => {
      const isInput = from.neurons.ids === null && from.neurons.role === "input";
      return isInput
        ? { neurons: { ...from.neurons, size: null }, flat: null }
        : { ...from, flat: from.flat ?? order };
    },
    unflatten(from, channels) {
      const { ids, name, role } = from.neurons;
      if (ids === null) return this.source(name, channels, role);
      if (ids.length === channels) return { ...from, flat: null };
      if (from.flat !== null || channels === 0 || ids.length % channels !== 0) return null;
      spend(ids.length);
      const kept = ids.slice(0, channels);
      builder.merge(
        ids,
        ids.map((_, i) => kept[i % channels]!),
      );
      wires.forEach((wire, i) => {
        if (wire.to === ids) wires[i] = receiversAsTaps(wire, kept);
      });
      return activation(kept, from.neurons.name);
    },
    attend(role, heads, { neurons: { ids } }) {
      if (ids !== null) builder.attend({ role, heads, ids });
    },
    finish(certainty) {
      for (const wire of wires) builder.connect(wire);
      return builder.build(certainty);
    },
  };
}

/** A vector that becomes a map: units of one channel at other positions are one neuron, its weights taps. */
function receiversAsTaps(wire: Wire, channels: NeuronIds): Wire {
  const { layout } = wire;
  if (layout.groups !== 1 || layout.roles.filter((role) => role === "out").length !== 1)
    return wire;
  const parts = [
    [layout.outPerGroup / channels.length, "tap"],
    [channels.length, "out"],
  ] as const;
  const split = splitAxis(layout, layout.roles.indexOf("out"), parts);
  return { ...wire, to: channels, layout: split };
}

/**
 * Which neurons a weight layer connects. Readers walk their graph and tell a `TopologyBuilder` what they see; what a residual
 * sum adds up is one neuron, what a concatenation joins keeps its identity.
 */
import { ShapeError } from "../errors.ts";
import type { WeightLayout } from "../tensor/layout.ts";

/** Ids of neurons in channel order: what one activation carries. */
export type NeuronIds = Int32Array;

export interface NeuronLayer {
  readonly name: string;
  readonly size: number;
  readonly role: "input" | "hidden" | "unknown";
}

/** One weight layer, placed between neurons. */
export interface Wire {
  /** Index into `Model.layers`. */
  readonly layer: number;
  /** The neuron of each input channel, as an index into all neurons, layer after layer. */
  readonly from: NeuronIds;
  /** The neuron of each output channel. */
  readonly to: NeuronIds;
  /** Like the weight layer's own, but with the positions behind a flattened channel as taps. */
  readonly layout: WeightLayout;
  /** True for weights from a layer's own past (the R of an LSTM): no edge of a layered graph. */
  readonly recurrent: boolean;
  /**
   * What the wire rests on where topology is inferred: the names of a known family, verified by shapes (`name`), order and shape
   * alone (`shape`), or nothing, its senders being neurons of their own (`break`). Absent where the file declares it.
   */
  readonly basis?: "name" | "shape" | "break";
}

/** Neurons that an attention layer parts into heads: each head's queries meet the keys of its own head only. */
export interface AttentionNeurons {
  readonly role: "query" | "key" | "value";
  readonly heads: number;
  /** Head after head, equally many each. */
  readonly ids: NeuronIds;
}

export interface Topology {
  /** `declared`: the file says how layers connect. `inferred`: read from names, order and shapes; each wire has its `basis`. */
  readonly certainty: "declared" | "inferred";
  readonly layers: readonly NeuronLayer[];
  readonly wires: readonly Wire[];
  /** Where the heads of attention are known; absent where there are none. */
  readonly attention?: readonly AttentionNeurons[] | undefined;
}

export interface TopologyBuilder {
  /** New neurons, in one layer. */
  addLayer(name: string, size: number, role: NeuronLayer["role"]): NeuronIds;
  /** Declares `a[i]` and `b[i]` to be one neuron (a residual sum). @throws {ShapeError} `SHAPE_MISMATCH` */
  merge(a: NeuronIds, b: NeuronIds): void;
  connect(wire: Wire): void;
  /** Says which neurons are of which head; a single head, heads of one neuron (channels), and no whole number of heads are passed over. */
  attend(neurons: AttentionNeurons): void;
  build(certainty: Topology["certainty"]): Topology;
}

export function topologyBuilder(): TopologyBuilder {
  const layers: NeuronLayer[] = [];
  const wires: Wire[] = [];
  const attention = new Map<string, AttentionNeurons>();
  const parent: number[] = [];

  const rootOf = (id: number): number => {
    let root = id;
    while (parent[root] !== root) root = parent[root]!;
    for (let at = id; parent[at] !== root;) {
      const next = parent[at]!;
      parent[at] = root;
      at = next;
    }
    return root;
  };

  return {
    addLayer(name, size, role) {
      layers.push({ name, size, role });
      const first = parent.length;
      const ids = new Int32Array(size);
      for (let i = 0; i < size; i++) {
        parent.push(first + i);
        ids[i] = first + i;
      }
      return ids;
    },
    merge(a, b) {
      if (a.length !== b.length) {
        throw new ShapeError("SHAPE_MISMATCH", `${a.length} neurons cannot be ${b.length} neurons`);
      }
      a.forEach((id, i) => {
        const one = rootOf(id);
        const other = rootOf(b[i]!);
        parent[Math.max(one, other)] = Math.min(one, other);
      });
    },
    connect(wire) {
      const { groups, outPerGroup, inPerGroup } = wire.layout;
      if (wire.to.length !== groups * outPerGroup || wire.from.length !== groups * inPerGroup) {
        throw new ShapeError(
          "SHAPE_MISMATCH",
          `weights of ${groups * outPerGroup} x ${groups * inPerGroup} cannot connect ` +
            `${wire.from.length} to ${wire.to.length} neurons`,
        );
      }
      wires.push(wire);
    },
    attend(neurons) {
      const { role, heads, ids } = neurons;
      // Keys that several layers share are told of once by each.
      const key = [role, heads, ids.length, ids[0], ids.at(-1)].join();
      const isWhole = heads > 1 && ids.length > heads && ids.length % heads === 0;
      if (!isWhole || attention.has(key)) return;
      attention.set(key, neurons);
    },
    build(certainty) {
      // A merged neuron lives on in the layer of its first name; a layer left without neurons is gone.
      const index = new Int32Array(parent.length);
      const kept: NeuronLayer[] = [];
      let next = 0;
      let id = 0;
      for (const layer of layers) {
        const first = next;
        for (let i = 0; i < layer.size; i++, id++) {
          const root = rootOf(id);
          index[id] = root === id ? next++ : index[root]!;
        }
        if (next > first) kept.push({ ...layer, size: next - first });
      }
      const renumber = (ids: NeuronIds): NeuronIds => ids.map((own) => index[own]!);
      return {
        certainty,
        layers: kept,
        wires: wires.map((wire) => ({ ...wire, from: renumber(wire.from), to: renumber(wire.to) })),
        ...(attention.size > 0 && {
          attention: Array.from(attention.values(), (own) => ({ ...own, ids: renumber(own.ids) })),
        }),
      };
    },
  };
}

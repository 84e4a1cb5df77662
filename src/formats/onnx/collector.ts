/** Gathers what the walk over the graph finds: weight layers, the neurons they connect, and what every stored tensor is for. */
import { FormatError } from "../../errors.ts";
import type { StoredTensor, TensorRole, WeightKind, WeightLayer } from "../../model/model.ts";
import {
  topologyBuilder,
  type AttentionNeurons,
  type NeuronIds,
  type NeuronLayer,
  type Topology,
} from "../../model/topology.ts";
import { isFloat } from "../../tensor/dtype.ts";
import type { WeightLayout } from "../../tensor/layout.ts";
import { sameShape } from "../../tensor/shape.ts";
import { carriesNeurons, featuresOf, neuronLimit, type Activation } from "./activation.ts";
import type { LayerAdditions } from "./layerAdditions.ts";
import type { Constant } from "./constant.ts";
import { stripAlong } from "./pick.ts";
import { withRolledWires } from "./positions.ts";
import type { TensorRecord } from "./schema.ts";

interface WeightSpec {
  /** Of the layer. @defaultValue the constant's */
  readonly name?: string;
  readonly constant: Constant;
  readonly op: string;
  readonly kind: WeightKind;
  readonly layout: WeightLayout;
  readonly sendersKnown?: boolean;
}

export interface Collector {
  /** Adds a weight layer. Its number, and a name that no other layer has, for its neurons. */
  add(spec: WeightSpec): { readonly index: number; readonly name: string };
  /** Sizes of the taps of each weight layer so far. */
  kernels(): readonly (readonly number[])[];
  /** Says what a constant is for; the strongest claim on a stored tensor counts. */
  claim(constant: Constant, role: TensorRole): void;
  receivers(name: string, size: number): NeuronIds;
  /** The `size` neurons along `axis`; those of an open input are given now, unknown ones become a layer before `layerName`. */
  senders(activation: Activation, axis: number, size: number, layerName: string): NeuronIds;
  /** The neurons of a part of a concatenation, known or not. */
  part(activation: Activation, axis: number, size: number, name: string): NeuronIds;
  merge(a: NeuronIds, b: NeuronIds): void;
  /** True for two neurons that one weight layer made. */
  sameLayer(a: number, b: number): boolean;
  connect(wire: {
    readonly index: number;
    readonly from: NeuronIds;
    readonly to: NeuronIds;
    readonly layout: WeightLayout;
    readonly recurrent?: boolean;
  }): void;
  /** Says which neurons are of which head of an attention, head after head. */
  attend(role: AttentionNeurons["role"], heads: number, ids: NeuronIds): void;
  /** Notes an operator that is not known, once per call. */
  unknownOperator(op: string): void;
  finish(
    records: readonly TensorRecord[],
    additions: ReadonlyMap<number, LayerAdditions>,
  ): Collected;
}

export interface Collected {
  readonly tensors: readonly StoredTensor[];
  readonly layers: readonly WeightLayer[];
  readonly topology: Topology;
  /** Weight layers whose senders were not found. */
  readonly partial: readonly string[];
  /** How often each unknown operator took a weight. */
  readonly unknownOperators: ReadonlyMap<string, number>;
}

/** Weakest first. */
const claims: readonly TensorRole[] = ["constant", "unknown", "bias", "normalisation", "weight"];

export function collector(): Collector {
  const builder = topologyBuilder();
  const drafts: WeightSpec[] = [];
  const kernels: (readonly number[])[] = [];
  const roles = new Map<TensorRecord, TensorRole>();
  const usedNames = new Map<string, number>();
  const partial: string[] = [];
  const unknownOperators = new Map<string, number>();

  let neuronCount = 0;
  const firsts: number[] = [];

  const addLayer = (name: string, size: number, role: NeuronLayer["role"]): NeuronIds => {
    neuronCount += size;
    if (neuronCount > neuronLimit) {
      throw new FormatError("FORMAT_LIMIT", `over ${neuronLimit} neurons are announced`, {
        path: [name],
      });
    }
    firsts.push(neuronCount - size);
    return builder.addLayer(name, size, role);
  };
  const unique = (name: string): string => {
    const uses = (usedNames.get(name) ?? 0) + 1;
    usedNames.set(name, uses);
    return uses === 1 ? name : `${name}#${uses}`;
  };
  const claim = ({ records }: Constant, role: TensorRole): void => {
    for (const record of records) {
      const own = roles.get(record);
      if (own === undefined || claims.indexOf(role) > claims.indexOf(own)) roles.set(record, role);
    }
  };
  const known = (activation: Activation, axis: number, size: number): NeuronIds | null => {
    const features = featuresOf(activation, axis, size);
    if (features !== null) return features;
    const { open } = activation;
    if (open === null) return null;
    const taken = open.taken.get(size);
    if (taken !== undefined) return taken;
    const ids = addLayer(unique(open.name), size, "input");
    open.taken.set(size, ids);
    return ids;
  };
  /** Neurons of one feature that other axes tell apart become one: units of a channel at other positions. */
  const rolled = (activation: Activation, axis: number, size: number): NeuronIds | null => {
    const strip = carriesNeurons(activation.axes?.[axis])
      ? stripAlong(activation, axis, size)
      : null;
    if (strip === null) return null;
    const { ids, inner } = strip;
    const first = Int32Array.from({ length: size }, (_, i) => ids[i * inner]!);
    builder.merge(
      ids,
      ids.map((_, i) => first[Math.floor(i / inner) % size]!),
    );
    return first;
  };
  return {
    claim,
    add(spec) {
      claim(spec.constant, "weight");
      drafts.push(spec);
      const { split, roles: axes } = spec.layout;
      kernels.push(split.filter((_, axis) => axes[axis] === "tap"));
      return { index: drafts.length - 1, name: unique(spec.name ?? spec.constant.name) };
    },
    kernels: () => kernels,
    receivers: (name, size) => addLayer(name, size, "hidden"),
    senders(activation, axis, size, layerName) {
      const ids = known(activation, axis, size) ?? rolled(activation, axis, size);
      if (ids !== null) return ids;
      partial.push(layerName);
      return addLayer(unique(`${layerName} (senders)`), size, "unknown");
    },
    part: (activation, axis, size, name) =>
      known(activation, axis, size) ?? addLayer(unique(name), size, "unknown"),
    merge: (a, b) => builder.merge(a, b),
    sameLayer: (a, b) => layerOf(firsts, a) === layerOf(firsts, b),
    connect({ index, from, to, layout, recurrent = false }) {
      builder.connect({ layer: index, from, to, layout, recurrent });
    },
    attend: (role, heads, ids) => builder.attend({ role, heads, ids }),
    unknownOperator(op) {
      unknownOperators.set(op, (unknownOperators.get(op) ?? 0) + 1);
    },
    finish(records, additions) {
      const inFile = new Set(records);
      const generated = [...roles.keys()].filter((record) => !inFile.has(record));
      const all = [...records, ...generated];
      const stored = new Map(
        all.map((record) => [record, storedTensor(record, roles.get(record))] as const),
      );
      const layers = drafts.map((draft, index) => ({
        ...weightLayer(draft, stored),
        ...withTensors(additions.get(index) ?? {}, stored),
      }));
      return {
        tensors: all.map((record) => stored.get(record)!),
        layers,
        topology: withRolledWires(builder.build("declared")),
        partial,
        unknownOperators,
      };
    },
  };
}

/** Number of the layer of neuron `id`: the last whose first neuron is not behind it. */
function layerOf(firsts: readonly number[], id: number): number {
  let low = 0;
  let high = firsts.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (firsts[middle]! <= id) low = middle;
    else high = middle;
  }
  return low;
}

/** A stored tensor that nothing claimed: integers, complex and single numbers are constants, other floats a riddle. */
function storedTensor(record: TensorRecord, role: TensorRole | undefined): StoredTensor {
  const { name, dtype, shape, location, readSpan, encode } = record;
  const isParameter = isFloat(dtype) || dtype === "unknown";
  const isSingle = shape.every((size) => size === 1);
  return {
    name,
    dtype,
    shape,
    role: role ?? (isParameter && !isSingle ? "unknown" : "constant"),
    ...(location && { location }),
    ...(readSpan && { readSpan }),
    ...(encode && { encode }),
    read: () => record.read(),
  };
}

function weightLayer(
  { constant, name = constant.name, op, kind, layout, sendersKnown = true }: WeightSpec,
  stored: Map<TensorRecord, StoredTensor>,
): WeightLayer {
  return {
    name,
    op,
    kind,
    tensor: layerTensor(constant, stored),
    in: layout.groups * layout.inPerGroup,
    out: layout.groups * layout.outPerGroup,
    layout,
    sendersKnown,
  };
}

function withTensors(
  { bias, normalisation }: LayerAdditions,
  stored: Map<TensorRecord, StoredTensor>,
): Pick<WeightLayer, "bias" | "normalisation"> {
  const read = (constant: Constant): StoredTensor => layerTensor(constant, stored, "bias");
  return {
    ...(bias !== undefined && { bias: bias && read(bias) }),
    ...(normalisation && {
      normalisation: {
        scale: read(normalisation.scale),
        shift: read(normalisation.shift),
        mean: read(normalisation.mean),
        variance: read(normalisation.variance),
        epsilon: normalisation.epsilon,
      },
    }),
  };
}

/** The file's own tensor where the layer reads it as it is, so that both are one object. */
function layerTensor(
  constant: Constant,
  stored: Map<TensorRecord, StoredTensor>,
  role: TensorRole = "weight",
): StoredTensor {
  const { name, dtype, shape, quantisation, location, records, readSpan, encode } = constant;
  const [record] = records;
  const own = record && stored.get(record);
  const isSame = own?.name === name && (constant.isUnpacked || sameShape(own.shape, shape));
  const isWhole = records.length === 1 && isSame;
  if (isWhole && quantisation === undefined) return own;
  const tensor: StoredTensor = {
    name,
    dtype,
    shape,
    role,
    ...(quantisation !== undefined && { quantisation }),
    ...(location && { location }),
    ...(readSpan && { readSpan }),
    ...(encode && { encode }),
    read: () => constant.read(),
  };
  if (isWhole && role === "weight") stored.set(record!, tensor);
  return tensor;
}

/**
 * A graph of operators for a model's weight layers: the same neurons connected by the same weights. What lies between layers
 * (activations, pooling, strides) a `Model` does not know, so every layer is linear, and maps keep their size from layer to layer.
 */
import type { Model, StoredTensor, WeightLayer } from "../../model/model.ts";
import type { NeuronIds, Wire } from "../../model/topology.ts";
import type { DType } from "../../tensor/dtype.ts";
import { weightOperand, type GraphOptions } from "./writeOperand.ts";
import type { WrittenNode, WrittenTensor, WrittenValue } from "./writeProto.ts";

/** What layers hand on: [N, features], or [N, channels, …] with `spatial` axes behind. */
interface Carried {
  readonly name: string;
  readonly ids: NeuronIds;
  readonly spatial: number;
  /** Nothing reads it yet. */
  isOpen: boolean;
}

export interface GraphDraft {
  readonly nodes: WrittenNode[];
  readonly inputs: WrittenValue[];
  readonly outputs: WrittenValue[];
  /** Shapes that reshapes need. */
  readonly extra: WrittenTensor[];
  /** Names of the tensors that nodes read. */
  readonly read: Set<string>;
  /** Layers that no operator was found for. */
  readonly left: WeightLayer[];
  /** Layers that read an input of their own, since what feeds them could not be expressed. */
  readonly cut: WeightLayer[];
}

const kinds: Readonly<Partial<Record<WeightLayer["kind"], "dense" | "conv" | "embedding">>> = {
  dense: "dense",
  torch_dense: "dense",
  conv: "conv",
  torch_conv: "conv",
  conv_transpose: "conv",
  depthwise: "conv",
  pointwise: "conv",
  embedding: "embedding",
};

export function draftGraph(model: Model, options: GraphOptions): GraphDraft {
  const draft: GraphDraft = {
    nodes: [],
    inputs: [],
    outputs: [],
    extra: [],
    read: new Set(),
    left: [],
    cut: [],
  };
  const drafting = { draft, options, carried: [] as Carried[], positions: positionsOf(model) };
  for (const [index, layer] of model.layers.entries()) {
    const wire = model.topology.wires.find((own) => own.layer === index);
    const isPlaced = wire !== undefined && !wire.recurrent && placeLayer(drafting, layer, wire);
    if (!isPlaced) draft.left.push(layer);
  }
  for (const { name, isOpen, ids, spatial } of drafting.carried) {
    if (!isOpen || draft.inputs.some((input) => input.name === name)) continue;
    draft.outputs.push({ name, dtype: options.dtype, shape: shapeOf(ids.length, spatial, null) });
  }
  return draft;
}

interface Drafting {
  readonly draft: GraphDraft;
  readonly options: GraphOptions;
  readonly carried: Carried[];
  /** How many positions a flatten puts behind a channel, of the first flatten that there is; null: none. */
  readonly positions: number | null;
}

function positionsOf({ layers, topology }: Model): number | null {
  const flat = topology.wires.find(
    (wire) =>
      kinds[layers[wire.layer]!.kind] === "dense" && flattenOf(layers[wire.layer]!, wire) !== null,
  );
  return flat?.layout.taps ?? null;
}

/** False where the layer cannot be expressed. */
function placeLayer(drafting: Drafting, layer: WeightLayer, wire: Wire): boolean {
  const { draft, options, carried } = drafting;
  const kind = kinds[layer.kind];
  const operand = kind && weightOperand(layer, kind, options);
  if (!kind || !operand) return false;
  const spatial = kind === "conv" ? operand.spatial : 0;
  const x =
    kind === "embedding"
      ? openInput(drafting, { ids: wire.from, spatial: 0, dtype: "int64", size: null })
      : sourceOf(drafting, layer, { wire, spatial });
  draft.nodes.push(...operand.nodes);
  draft.extra.push(...operand.tensors);
  draft.read.add(layer.tensor.name);
  const name = options.unique(`${layer.name}/out`);
  const bias = kind === "embedding" ? null : options.biasOf(layer);
  if (bias !== null) draft.read.add(bias.name);
  const inputs = kind === "embedding" ? [operand.name, x.name] : [x.name, operand.name];
  if (bias !== null) inputs.push(castTo(draft, bias, options));
  draft.nodes.push({
    opType: operand.opType,
    inputs,
    outputs: [name],
    attributes: operand.attributes,
  });
  carried.push({ name, ids: wire.to, spatial, isOpen: true });
  return true;
}

function castTo(
  draft: GraphDraft,
  tensor: StoredTensor,
  { dtype, typeOf, unique }: GraphOptions,
): string {
  if (typeOf(tensor) === dtype) return tensor.name;
  const name = unique(`${tensor.name}/cast`);
  const to = dtype === "float32" ? 1 : dtype === "float16" ? 10 : 11;
  draft.nodes.push({ opType: "Cast", inputs: [tensor.name], outputs: [name], attributes: { to } });
  return name;
}

/** Channel by channel or position by position; null: features are the neurons themselves. */
function flattenOf(layer: WeightLayer, { layout }: Wire): "channels" | "positions" | null {
  if (layout.taps <= 1 || layer.layout.taps !== 1) return null;
  return layout.roles.indexOf("in") < layout.roles.indexOf("tap") ? "channels" : "positions";
}

/** What the layer reads: what was made before, made to fit, or an input of its own. */
function sourceOf(
  drafting: Drafting,
  layer: WeightLayer,
  { wire, spatial }: { wire: Wire; spatial: number },
): { readonly name: string } {
  const { draft, positions, options } = drafting;
  const { from, layout } = wire;
  const size = layer.layout.groups * layer.layout.inPerGroup;
  const flatten = spatial === 0 ? flattenOf(layer, wire) : null;
  const isOwn = from.length === size;
  const isFlat = flatten !== null && layout.taps === positions;
  const own =
    isOwn || isFlat
      ? (joinedSource(drafting, from) ?? firstSource(drafting, from, isOwn ? spatial : 2))
      : null;
  if (own !== null) {
    own.isOpen = false;
    if (isFlat && own.spatial > 0) return flattened(drafting, own, flatten);
    if (isOwn && own.spatial === spatial) return own;
    if (isOwn && spatial === 0) return pooled(drafting, own);
  }
  draft.cut.push(layer);
  return openInput(drafting, { ids: null, spatial, dtype: options.dtype, size });
}

/** An input of the graph for neurons that no layer ends in; null where some of them are known. */
function firstSource(drafting: Drafting, from: NeuronIds, spatial: number): Carried | null {
  const known = new Set(drafting.carried.flatMap(({ ids }) => [...ids]));
  if (from.some((id) => known.has(id))) return null;
  const { dtype } = drafting.options;
  return openInput(drafting, { ids: from, spatial, dtype, size: from.length });
}

/** Every layer that ends in these neurons, summed; or parts that follow each other, joined. */
function joinedSource(drafting: Drafting, from: NeuronIds): Carried | null {
  const whole = summed(drafting, from);
  if (whole !== null) return whole;
  const parts: Carried[] = [];
  for (let at = 0; at < from.length;) {
    const part = drafting.carried.findLast(({ ids }) => ids.length > 0 && startsAt(from, at, ids));
    if (part === undefined) return null;
    parts.push(summed(drafting, part.ids) ?? part);
    at += part.ids.length;
  }
  const spatial = parts[0]?.spatial;
  if (spatial === undefined || parts.some((part) => part.spatial !== spatial)) return null;
  return made(drafting, { opType: "Concat", parts, ids: from, attributes: { axis: 1 } });
}

function startsAt(from: NeuronIds, at: number, ids: NeuronIds): boolean {
  return at + ids.length <= from.length && ids.every((id, i) => from[at + i] === id);
}

function summed(drafting: Drafting, from: NeuronIds): Carried | null {
  const same = drafting.carried.filter(
    ({ ids }) => ids.length === from.length && startsAt(from, 0, ids),
  );
  const last = same.at(-1);
  if (last === undefined) return null;
  const fitting = same.filter(({ spatial }) => spatial === last.spatial);
  if (fitting.length === 1) return last;
  const sum = made(drafting, { opType: "Sum", parts: fitting, ids: from });
  // Once summed they are one.
  for (const part of fitting) drafting.carried.splice(drafting.carried.indexOf(part), 1);
  return sum;
}

function made(
  { draft, carried, options }: Drafting,
  step: {
    opType: string;
    parts: readonly Carried[];
    ids: NeuronIds;
    attributes?: WrittenNode["attributes"];
  },
): Carried {
  const { opType, parts, ids, attributes } = step;
  const name = options.unique(opType.toLowerCase());
  const inputs = parts.map((part) => part.name);
  for (const part of parts) part.isOpen = false;
  draft.nodes.push({ opType, inputs, outputs: [name], ...(attributes && { attributes }) });
  const own = { name, ids, spatial: parts[0]!.spatial, isOpen: true };
  carried.push(own);
  return own;
}

function flattened(
  { draft, options }: Drafting,
  { name, spatial }: Carried,
  order: "channels" | "positions",
): { readonly name: string } {
  let source = name;
  if (order === "positions") {
    const turned = options.unique("positions");
    const perm = [0, ...Array.from({ length: spatial }, (_, i) => i + 2), 1];
    draft.nodes.push({
      opType: "Transpose",
      inputs: [name],
      outputs: [turned],
      attributes: { perm },
    });
    source = turned;
  }
  const flat = options.unique("flat");
  draft.nodes.push({
    opType: "Flatten",
    inputs: [source],
    outputs: [flat],
    attributes: { axis: 1 },
  });
  return { name: flat };
}

/** One number for each channel. */
function pooled({ draft, options }: Drafting, { name }: Carried): { readonly name: string } {
  const mean = options.unique("mean");
  const flat = options.unique("flat");
  draft.nodes.push({ opType: "GlobalAveragePool", inputs: [name], outputs: [mean] });
  draft.nodes.push({ opType: "Flatten", inputs: [mean], outputs: [flat], attributes: { axis: 1 } });
  return { name: flat };
}

/** A new input of the graph; neurons that it stands for (`ids`) are found there by later layers too. */
function openInput(
  { draft, carried, options, positions }: Drafting,
  input: { ids: NeuronIds | null; spatial: number; dtype: DType; size: number | null },
): Carried {
  const { ids, spatial, dtype, size } = input;
  const name = options.unique("input");
  const shape = size === null ? ["N"] : shapeOf(size, spatial, positions);
  draft.inputs.push({ name, dtype, shape });
  const own = { name, ids: ids ?? new Int32Array(0), spatial, isOpen: true };
  if (ids !== null && size !== null) carried.push(own);
  return own;
}

/** As square as `positions` allow, where a flatten fixes how many there are. */
function shapeOf(size: number, spatial: number, positions: number | null): (number | string)[] {
  if (spatial === 0) return ["N", size];
  const side = positions === null ? 0 : Math.round(positions ** (1 / spatial));
  const sides = Array.from({ length: spatial }, (_, i): number | string => {
    if (positions === null) return `size${i + 1}`;
    if (side ** spatial === positions) return side;
    return i === spatial - 1 ? positions : 1;
  });
  return ["N", size, ...sides];
}

/** A plain chain of layers as the Keras configuration of a Sequential model. */
import type { Model, StoredTensor, WeightLayer } from "../../model/model.ts";
import type { NeuronIds, Wire } from "../../model/topology.ts";
import { encodeTensor } from "../../tensor/encode.ts";
import { toCanonical } from "../../tensor/layout.ts";
import { permute } from "../../tensor/permute.ts";
import { elementCount } from "../../tensor/shape.ts";
import type { TensorToWrite } from "./shardWriter.ts";

export interface SequentialModel {
  readonly topology: object;
  readonly tensors: readonly TensorToWrite[];
}

interface Link {
  readonly layer: WeightLayer;
  readonly wire: Wire;
  readonly bias: StoredTensor | null;
  /** Of its own in the chain, without slashes. */
  readonly name: string;
}

/** Null unless each weight layer reads what the one before puts out, and every parameter belongs to one of them. */
export function sequentialOf(model: Model): SequentialModel | null {
  const links = linksOf(model);
  const parts = links?.map((link, i) => partOf(link, links[i - 1] ?? null)) ?? [];
  if (links === null || parts.length === 0 || parts.some((part) => part === null)) return null;
  const known = parts.filter((part) => part !== null);
  const layers = known.flatMap((part) => part.layers);
  const first = layers[0]!;
  const places = placesOf(links);
  if (places === null) return null;
  const shape = [null, ...places, links[0]!.wire.from.length];
  const opened = { ...first, config: { batch_input_shape: shape, ...first.config } };
  return {
    topology: {
      class_name: "Sequential",
      config: { name: "sequential", layers: [opened, ...layers.slice(1)] },
      keras_version: "tfjs-layers",
      backend: "tensor_flow.js",
    },
    tensors: known.flatMap((part) => part.tensors),
  };
}

function linksOf({ topology, layers, tensors }: Model): Link[] | null {
  const { wires } = topology;
  if (wires.length !== layers.length || wires.length === 0) return null;
  const biases = biasesOf(layers, tensors);
  if (biases === null) return null;
  const links: Link[] = [];
  for (const [i, wire] of wires.entries()) {
    const layer = layers[i]!;
    const before = wires[i - 1];
    const follows = before === undefined || sameNeurons(before.to, wire.from);
    const isWhole = wire.to.length === layer.out && new Set(wire.to).size === layer.out;
    const isPlain = isWhole && isOutsideOf(wire);
    if (wire.layer !== i || wire.recurrent || !follows || !isPlain) return null;
    const name = `layer${i + 1}_${prefixOf(layer.name).replaceAll(/[^\w.-]/g, "_")}`;
    links.push({ layer, wire, bias: biases[i]!, name });
  }
  return links;
}

function sameNeurons(one: NeuronIds, other: NeuronIds): boolean {
  return one.length === other.length && one.every((id, i) => id === other[i]);
}

/** What a layer puts out are other neurons than it reads: no residual sum. */
function isOutsideOf({ from, to }: Wire): boolean {
  const own = new Set(to);
  return !from.some((id) => own.has(id));
}

/** The bias of each layer, by the name before the last part, else by order; null where a parameter belongs to none. */
function biasesOf(
  layers: readonly WeightLayer[],
  tensors: readonly StoredTensor[],
): (StoredTensor | null)[] | null {
  const parameters = tensors.filter(({ role }) => role !== "constant");
  const vectors = parameters.filter(({ role }) => role === "bias");
  const weights = new Set(layers.map(({ tensor }) => tensor.name));
  if (weights.size !== layers.length) return null;
  if (parameters.length !== weights.size + vectors.length) return null;
  const fits = (layer: WeightLayer, bias: StoredTensor | undefined): boolean =>
    bias !== undefined && elementCount(bias.shape) === layer.out;
  const named = layers.map(
    (layer) =>
      vectors.find(
        (bias) => prefixOf(bias.name) === prefixOf(layer.tensor.name) && fits(layer, bias),
      ) ?? null,
  );
  if (new Set(named.filter((bias) => bias !== null)).size === vectors.length) return named;
  const isOnePerLayer =
    vectors.length === layers.length && layers.every((layer, i) => fits(layer, vectors[i]));
  return isOnePerLayer ? vectors : null;
}

/** `net.0.weight` is of `net.0`, `dense/kernel:0` of `dense`. */
function prefixOf(name: string): string {
  return name.slice(0, Math.max(name.lastIndexOf("."), name.lastIndexOf("/"), 0));
}

interface Part {
  readonly layers: readonly { readonly class_name: string; readonly config: object }[];
  readonly tensors: readonly TensorToWrite[];
}

/** The configuration and the weights of one layer; null for a kind that no class of TensorFlow.js is for. */
function partOf(link: Link, before: Link | null): Part | null {
  const { layer, wire, bias, name } = link;
  const { groups, taps } = wire.layout;
  const isDense = layer.kind === "dense" || layer.kind === "torch_dense";
  const own = isDense ? [taps] : placeSizes(layer);
  const config = { name, use_bias: bias !== null, ...optionsOf(link, own) };
  const vector = bias === null ? [] : [vectorToWrite(`${name}/bias`, bias)];
  if (isDense) {
    if (groups !== 1) return null;
    const isFlat = taps > 1 && (before === null || placeSizes(before.layer).length > 0);
    if (taps > 1 && !isFlat) return null;
    const flatten = { class_name: "Flatten", config: { name: `${name}_flatten` } };
    return {
      layers: [...(taps > 1 ? [flatten] : []), { class_name: "Dense", config }],
      tensors: [kernelToWrite(link, [], ["tap", "in", "out"]), ...vector],
    };
  }
  const className = classOf(layer, wire, own.length);
  if (className === null) return null;
  const isDepthwise = className === "DepthwiseConv2D";
  const isTransposed = className.endsWith("Transpose");
  const order: Axis[] = isDepthwise
    ? ["tap", "group", "out"]
    : ["tap", ...(isTransposed ? (["out", "in"] as const) : (["in", "out"] as const))];
  return {
    layers: [{ class_name: className, config }],
    tensors: [kernelToWrite(link, own, order), ...vector],
  };
}

function classOf({ kind }: WeightLayer, { layout }: Wire, places: number): string | null {
  const { groups, inPerGroup } = layout;
  if (places < 1 || places > 3) return null;
  if (kind === "conv_transpose")
    return groups === 1 && places > 1 ? `Conv${places}DTranspose` : null;
  if (groups > 1) return inPerGroup === 1 && places === 2 ? "DepthwiseConv2D" : null;
  return /^(?:conv|torch_conv|pointwise)$/.test(kind) ? `Conv${places}D` : null;
}

/** Sizes of a kernel's own taps; none for a dense layer. */
function placeSizes({ kind, layout }: WeightLayer): number[] {
  if (kind === "dense" || kind === "torch_dense") return [];
  return layout.split.filter((_, axis) => layout.roles[axis] === "tap");
}

function optionsOf({ layer, wire }: Link, sizes: readonly number[]): object {
  const { kind, out } = layer;
  const zeros = { class_name: "Zeros", config: {} };
  if (kind === "dense" || kind === "torch_dense") return { units: out, kernel_initializer: zeros };
  const size = { kernel_size: sizes, padding: "same" };
  return wire.layout.groups > 1
    ? { ...size, depth_multiplier: wire.layout.outPerGroup, depthwise_initializer: zeros }
    : { ...size, filters: out, kernel_initializer: zeros };
}

/** Sizes of the input's places: any, unless a flatten counts them. Null where places and layers contradict each other. */
function placesOf(links: readonly Link[]): (number | null)[] | null {
  const counts = links.map(({ layer }) => placeSizes(layer).length);
  const dimensions = counts[0]!;
  const firstDense = counts.indexOf(0);
  const end = firstDense === -1 ? counts.length : firstDense;
  const isOrdered = counts.every((count, i) => count === (i < end ? dimensions : 0));
  if (!isOrdered) return null;
  const flattened = links[end]?.wire.layout.taps ?? 1;
  if (links.slice(end + 1).some(({ wire }) => wire.layout.taps > 1)) return null;
  if (dimensions === 0) return flattened > 1 ? [flattened] : [];
  if (flattened === 1) return new Array<null>(dimensions).fill(null);
  const side = Math.round(flattened ** (1 / dimensions));
  return side ** dimensions === flattened
    ? new Array<number>(dimensions).fill(side)
    : [flattened, ...new Array<number>(dimensions - 1).fill(1)];
}

type Axis = "group" | "out" | "in" | "tap";
const canonical: readonly Axis[] = ["group", "out", "in", "tap"];

/** From the wire's own order to the one that TensorFlow.js has; `order` leaves out axes of size 1. */
function kernelToWrite(
  { layer, wire, name }: Link,
  places: readonly number[],
  order: readonly Axis[],
): TensorToWrite {
  const { layout } = wire;
  const sizes: Readonly<Record<Axis, number>> = {
    group: layout.groups,
    out: layout.outPerGroup,
    in: layout.inPerGroup,
    tap: layout.taps,
  };
  const missing = canonical.filter((axis) => !order.includes(axis));
  const turned = [...missing, ...order].map((axis) => canonical.indexOf(axis));
  const isDense = places.length === 0;
  const shape = isDense
    ? [sizes.tap * sizes.in, sizes.out]
    : [...places, ...order.slice(1).map((axis) => sizes[axis])];
  const variable = order.includes("group") ? "depthwise_kernel" : "kernel";
  return {
    entry: { name: `${name}/${variable}`, shape, dtype: "float32" },
    byteLength: 4 * elementCount(shape),
    async bytes() {
      const values = toCanonical(await layer.tensor.read(), layout);
      const stored = permute(
        values,
        canonical.map((axis) => sizes[axis]),
        turned,
      );
      return encodeTensor(stored, "float32");
    },
  };
}

function vectorToWrite(name: string, bias: StoredTensor): TensorToWrite {
  const count = elementCount(bias.shape);
  return {
    entry: { name, shape: [count], dtype: "float32" },
    byteLength: 4 * count,
    bytes: async () => encodeTensor(await bias.read(), "float32"),
  };
}

/**
 * Topology for files that have none: layers are chained by order and shape, and every guess is told.
 */
import { splitAxis, type WeightLayout } from "../tensor/layout.ts";
import type { ModelWarning, WeightLayer } from "./model.ts";
import { naturalOrder } from "./naturalOrder.ts";
import {
  topologyBuilder,
  type NeuronIds,
  type Topology,
  type TopologyBuilder,
} from "./topology.ts";

export interface LayerChain {
  /** In the order of the chain. */
  readonly layers: readonly WeightLayer[];
  readonly topology: Topology;
  readonly warnings: readonly ModelWarning[];
}

/**
 * Chains `layers`: one follows the other when it takes in as many neurons as that puts out, or a multiple after a convolution
 * (a flatten: channel-major in PyTorch files, position-major elsewhere). A kernel for one channel after a layer of several
 * whose outputs it divides among them is read as depthwise. `weight_ih` and `weight_hh` of fitting shapes are the gates of one
 * recurrent layer. Where nothing fits, a new source layer begins. The file's order is kept unless natural order of names
 * (numbers as numbers) has fewer such breaks, as in a file sorted by letter.
 */
export function chainLayers(layers: readonly WeightLayer[]): LayerChain {
  const asStored = placeLayers(layers);
  if (asStored.breaks.length === 0) return chainOf(layers, asStored, "file order");
  const byName = [...layers].sort((a, b) => naturalOrder(a.name, b.name));
  const sorted = placeLayers(byName);
  return sorted.breaks.length < asStored.breaks.length
    ? chainOf(byName, sorted, "natural order of names")
    : chainOf(layers, asStored, "file order");
}

interface Placement {
  readonly topology: Topology;
  /** Names of the layers before which a new source began. */
  readonly breaks: readonly string[];
}

function chainOf(
  layers: readonly WeightLayer[],
  { topology, breaks }: Placement,
  order: string,
): LayerChain {
  if (layers.length === 0) return { layers, topology, warnings: [] };
  const named = breaks.slice(0, 8).join(", ") + (breaks.length > 8 ? ", …" : "");
  const message =
    `the file does not say how its layers connect: ${layers.length} were chained by shape in ${order}, ` +
    (breaks.length === 0
      ? "and all of them fit"
      : `with ${breaks.length} new source layers where nothing fitted: before ${named}`);
  return { layers, topology, warnings: [{ code: "TOPOLOGY_INFERRED", message }] };
}

/** What the layer before puts out; `isMap` when a position may stand behind each neuron. */
interface Activation {
  readonly ids: NeuronIds;
  readonly isMap: boolean;
}

function placeLayers(layers: readonly WeightLayer[]): Placement {
  const builder = topologyBuilder();
  const breaks: string[] = [];
  const gates = gatePairs(layers);
  const recurrent = new Set(gates.values());
  const inputs = new Map<string, Activation>();
  let current: Activation | null = null;

  layers.forEach((layer, index) => {
    if (recurrent.has(index)) return;
    // The backward half of a bidirectional layer reads what the forward half read.
    const forward =
      layer.name.endsWith("_reverse") && inputs.get(layer.name.replace(/_reverse$/, ""));
    let fitted = forward ? fitSenders(layer, forward) : null;
    const joins = fitted !== null;
    fitted ??= current && fitSenders(layer, current);
    if (fitted === null) {
      if (current !== null) breaks.push(layer.name);
      const size = layer.layout.groups * layer.layout.inPerGroup;
      const isFirst = current === null;
      const name = isFirst ? "input" : `before ${layer.name}`;
      const ids = builder.addLayer(name, size, isFirst ? "input" : "unknown");
      fitted = { before: { ids, isMap: false }, layout: layer.layout };
    }
    inputs.set(layer.name, fitted.before);
    const past = gates.get(index);
    const output =
      past === undefined
        ? connectPlain(builder, layer, { index, ...fitted })
        : connectGates(builder, layer, { index, ...fitted, past, pastLayer: layers[past]! });
    current =
      joins && current
        ? { ids: Int32Array.of(...current.ids, ...output), isMap: false }
        : { ids: output, isMap: isConvolution(layer) };
  });
  return { topology: builder.build("inferred"), breaks };
}

interface Fitted {
  readonly before: Activation;
  readonly layout: WeightLayout;
}

/** How the layer reads from `before`, or null when its shape does not allow it. */
function fitSenders({ kind, layout }: WeightLayer, before: Activation): Fitted | null {
  const channels = before.ids.length;
  const senders = layout.groups * layout.inPerGroup;
  if (senders === channels) return { before, layout };
  if (
    kind === "torch_conv" &&
    senders === 1 &&
    channels > 0 &&
    layout.outPerGroup % channels === 0
  ) {
    const perChannel = layout.outPerGroup / channels;
    const axis = layout.roles.indexOf("out");
    const parts = [
      [channels, "group"],
      [perChannel, "out"],
    ] as const;
    return { before, layout: splitAxis(layout, axis, parts) };
  }
  const isDense = kind === "torch_dense" || kind === "dense";
  if (!isDense || !before.isMap || channels === 0 || senders % channels !== 0) return null;
  const channel = [channels, "in"] as const;
  const position = [senders / channels, "tap"] as const;
  const parts =
    kind === "torch_dense" ? ([channel, position] as const) : ([position, channel] as const);
  return { before, layout: splitAxis(layout, layout.roles.indexOf("in"), parts) };
}

function connectPlain(
  builder: TopologyBuilder,
  layer: WeightLayer,
  { index, before, layout }: Fitted & { index: number },
): NeuronIds {
  const to = builder.addLayer(layer.name, layout.groups * layout.outPerGroup, "hidden");
  builder.connect({ layer: index, from: before.ids, to, layout, recurrent: false });
  return to;
}

/** Units of a recurrent layer: its gates are taps between an input and a unit, and between a unit's past and a unit. */
function connectGates(
  builder: TopologyBuilder,
  layer: WeightLayer,
  wires: Fitted & { index: number; past: number; pastLayer: WeightLayer },
): NeuronIds {
  const { index, before, layout, past, pastLayer } = wires;
  const units = pastLayer.in;
  const to = builder.addLayer(layer.name, units, "hidden");
  const ways = [
    { layer: index, from: before.ids, layout, recurrent: false },
    { layer: past, from: to, layout: pastLayer.layout, recurrent: true },
  ];
  for (const way of ways) {
    const gates = [
      [way.layout.outPerGroup / units, "tap"],
      [units, "out"],
    ] as const;
    const split = splitAxis(way.layout, way.layout.roles.indexOf("out"), gates);
    builder.connect({ ...way, to, layout: split });
  }
  return to;
}

/** Index of each `weight_ih` (Keras: `kernel`) to that of the `weight_hh` (`recurrent_kernel`) of the same units. */
function gatePairs(layers: readonly WeightLayer[]): ReadonlyMap<number, number> {
  const byName = new Map(layers.map((layer, index) => [layer.name, index]));
  const pairs = new Map<number, number>();
  layers.forEach((layer, index) => {
    const name = layer.name
      .replace("weight_ih", "weight_hh")
      .replace(/(^|\/)kernel/, "$1recurrent_kernel");
    const past = name === layer.name ? undefined : byName.get(name);
    if (past === undefined) return;
    const { in: units, out, tensor } = layers[past]!;
    const isSquare = tensor.shape.length === 2 && layer.tensor.shape.length === 2;
    if (isSquare && units > 0 && out === layer.out && [1, 3, 4].includes(out / units)) {
      pairs.set(index, past);
    }
  });
  return pairs;
}

function isConvolution({ kind }: WeightLayer): boolean {
  return ["torch_conv", "conv", "conv_transpose", "depthwise", "pointwise"].includes(kind);
}

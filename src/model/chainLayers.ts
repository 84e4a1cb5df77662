/**
 * Topology for files that have none: layers are chained by order and shape, and every guess is told.
 */
import type { ModelWarning, WeightLayer } from "./model.ts";
import { naturalOrder } from "./naturalOrder.ts";
import { neuronTracer, type Activation } from "./neuronTracer.ts";
import type { Topology } from "./topology.ts";

export interface LayerChain {
  /** In the order of the chain. */
  readonly layers: readonly WeightLayer[];
  readonly topology: Topology;
  readonly warnings: readonly ModelWarning[];
  /** Names of the layers before which a new source began. */
  readonly breaks: readonly string[];
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

type Placement = Pick<LayerChain, "topology" | "breaks">;

function chainOf(
  layers: readonly WeightLayer[],
  { topology, breaks }: Placement,
  order: string,
): LayerChain {
  if (layers.length === 0) return { layers, topology, breaks, warnings: [] };
  const named = breaks.slice(0, 8).join(", ") + (breaks.length > 8 ? ", …" : "");
  const message =
    `the file does not say how its layers connect: ${layers.length} were chained by shape in ${order}, ` +
    (breaks.length === 0
      ? "and all of them fit"
      : `with ${breaks.length} new source layers where nothing fitted: before ${named}`);
  return { layers, topology, breaks, warnings: [{ code: "TOPOLOGY_INFERRED", message }] };
}

function placeLayers(layers: readonly WeightLayer[]): Placement {
  const tracer = neuronTracer({ grouped: "depthwise" });
  const gates = gatePairs(layers);
  const recurrent = new Set(gates.values());
  const inputs = new Map<string, Activation>();
  /** What the layer before put out; `isMap` where positions may stand behind each neuron. */
  let current: { activation: Activation; isMap: boolean } | null = null as {
    activation: Activation;
    isMap: boolean;
  } | null;

  layers.forEach((layer, index) => {
    if (recurrent.has(index)) return;
    // The backward half of a bidirectional layer reads what the forward half read.
    const forward = layer.name.endsWith("_reverse") && inputs.get(layer.name.slice(0, -8));
    const joins = forward && tracer.fits(layer, forward);
    const order = layer.kind === "torch_dense" ? "channels first" : "positions first";
    const plain = current === null ? tracer.source("input", null) : current.activation;
    const mayFlatten = current?.isMap === true && ["dense", "torch_dense"].includes(layer.kind);
    const before = joins ? forward : mayFlatten ? tracer.flatten(plain, order) : plain;
    inputs.set(layer.name, before);
    const past = gates.get(index);
    const output =
      past === undefined
        ? tracer.connect({ index, layer }, before)
        : tracer.connectGated({ index, layer }, { index: past, layer: layers[past]! }, before);
    const both = joins ? tracer.concatenate(layer.name, [plain, output]) : output;
    current = { activation: both, isMap: isConvolution(layer) };
  });
  return { topology: tracer.finish("inferred"), breaks: tracer.breaks };
}

/**
 * Index of each `weight_ih` (Keras: `kernel`, or numbered and known by its kind) to that of the `weight_hh` (`recurrent_kernel`)
 * of the same units.
 */
function gatePairs(layers: readonly WeightLayer[]): ReadonlyMap<number, number> {
  const byName = new Map(layers.map((layer, index) => [layer.name, index]));
  const pairs = new Map<number, number>();
  layers.forEach((layer, index) => {
    const name = layer.name
      .replace("weight_ih", "weight_hh")
      .replace(/(^|\/)kernel/, "$1recurrent_kernel");
    const isNumbered = layer.kind === "recurrent_W" && layers[index + 1]?.kind === "recurrent_R";
    const past = name === layer.name ? (isNumbered ? index + 1 : undefined) : byName.get(name);
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

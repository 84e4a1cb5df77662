/**
 * Walks a Keras configuration and says which neurons each kernel connects. Channels are the last axis; what a layer class does
 * to them is one line of `actions` below.
 */
import { FormatError } from "../errors.ts";
import type { ModelWarning, StoredTensor, WeightLayer } from "../model/model.ts";
import {
  neuronTracer,
  type Activation,
  type NeuronTracer,
  type Placed,
} from "../model/neuronTracer.ts";
import type { Topology } from "../model/topology.ts";
import type { KerasLayer, KerasNetwork, KerasReference } from "./kerasConfig.ts";
import { isRecurrentClass, kerasKernel, variableOf } from "./kerasKernels.ts";
import { traceWarnings } from "./traceWarnings.ts";

/** Tensors of a layer; `parents` are the names of the models it stands in, outermost first. */
export type KerasWeights = (layer: string, parents: readonly string[]) => readonly StoredTensor[];

export interface KerasTrace {
  /** In the order of calls; a kernel that two calls share stands once and has two wires. */
  readonly layers: readonly WeightLayer[];
  readonly topology: Topology;
  readonly warnings: readonly ModelWarning[];
}

/** @throws {FormatError} `FORMAT_MALFORMED` if layers wait for each other. */
export function traceKeras(network: KerasNetwork, weightsOf: KerasWeights): KerasTrace {
  const placed = new Map<StoredTensor, Placed>();
  const walk: Walk = {
    tracer: neuronTracer(),
    weightsOf,
    unknown: new Set(),
    broken: [],
    place(tensor, className) {
      const known = placed.get(tensor);
      if (known !== undefined) return known;
      const one = { index: placed.size, layer: kerasKernel(tensor, className) };
      placed.set(tensor, one);
      return one;
    },
  };
  walkNetwork(network, { feeds: [], parents: [], walk });
  return {
    layers: [...placed.values()].map(({ layer }) => layer),
    topology: walk.tracer.finish("declared"),
    warnings: traceWarnings(walk.unknown, [...walk.broken, ...walk.tracer.breaks]),
  };
}

interface Walk {
  readonly tracer: NeuronTracer;
  readonly weightsOf: KerasWeights;
  readonly place: (tensor: StoredTensor, className: string) => Placed;
  /** Classes whose effect on channels is not known. */
  readonly unknown: Set<string>;
  /** Layers that no channels could be followed through. */
  readonly broken: string[];
}

interface Surroundings {
  /** What the inputs of a nested model are given. */
  readonly feeds: readonly Activation[];
  readonly parents: readonly string[];
  readonly walk: Walk;
}

/** One use of a layer; `reads` is null where the network begins. */
interface Call {
  readonly layer: KerasLayer;
  readonly reads: readonly KerasReference[] | null;
}

function walkNetwork(network: KerasNetwork, around: Surroundings): Activation[] {
  const done = new Map<string, Activation[][]>();
  const resolve = ({ layer, call, tensor }: KerasReference): Activation | undefined => {
    const calls = done.get(layer);
    // A model used as a layer counts its own building as call 0, so numbers may run ahead of the calls listed.
    return calls && (calls[call] ?? calls.at(-1))?.at(tensor);
  };
  let waiting = network.layers.flatMap((layer): Call[] =>
    (layer.calls.length === 0 ? [null] : layer.calls).map((reads) => ({ layer, reads })),
  );
  while (waiting.length > 0) {
    const blocked: Call[] = [];
    for (const call of waiting) {
      const { layer, reads } = call;
      const inputs = reads === null ? [entry(network, layer, around)] : reads.map(resolve);
      const ready = inputs.filter((input) => input !== undefined);
      if (ready.length < inputs.length) blocked.push(call);
      else done.set(layer.name, [...(done.get(layer.name) ?? []), callLayer(layer, ready, around)]);
    }
    if (blocked.length === waiting.length) {
      throw new FormatError("FORMAT_MALFORMED", "layers wait for each other's output", {
        path: [...around.parents, blocked[0]!.layer.name],
      });
    }
    waiting = blocked;
  }
  return network.outputs.map(resolve).filter((output) => output !== undefined);
}

function entry(
  network: KerasNetwork,
  layer: KerasLayer,
  { feeds, walk }: Surroundings,
): Activation {
  const fed = feeds[network.inputs.indexOf(layer.name)];
  if (fed !== undefined) return fed;
  const { batch_input_shape: old, batch_shape: shape = old } = layer.config;
  const channels: unknown = Array.isArray(shape) && shape.length > 1 ? shape.at(-1) : null;
  const isSize = Number.isSafeInteger(channels) && (channels as number) > 0;
  const name = layer.className === "InputLayer" ? layer.name : "input";
  return walk.tracer.source(name, isSize ? (channels as number) : null);
}

function callLayer(
  layer: KerasLayer,
  inputs: readonly Activation[],
  { parents, walk }: Surroundings,
): Activation[] {
  const inner = [...parents, layer.name];
  if (layer.model !== null) {
    return walkNetwork(layer.model, { feeds: inputs, parents: inner, walk });
  }
  const wrapped = layer.config["layer"] ?? layer.config["cell"];
  const innerClass = (wrapped as { class_name?: unknown } | undefined)?.class_name;
  const className = typeof innerClass === "string" ? innerClass : layer.className;
  const weights = walk.weightsOf(layer.name, parents).filter(({ role }) => role === "weight");
  if (weights.length > 0) {
    return [connectWeights({ ...layer, className }, { inputs, weights, walk })];
  }
  const action = actions.find(([classes]) => classes.test(className))?.[1];
  if (action === undefined) walk.unknown.add(layer.className);
  return [action?.(layer, inputs, walk) ?? inputs[0]!];
}

type Action = (layer: KerasLayer, inputs: readonly Activation[], walk: Walk) => Activation;

const pass: Action = (_, inputs) => inputs[0]!;

const actions: readonly (readonly [RegExp, Action])[] = [
  [/^InputLayer$|Pooling\dD$|Dropout(\dD)?$|Normalization$|ReLU$|ELU$|Softmax$/, pass],
  [/^(Activation|Masking|Rescaling|RepeatVector|ActivityRegularization|Identity)$/, pass],
  [/^(UpSampling|ZeroPadding|Cropping)\dD$|^Gaussian|^Random|^Resizing$|^CenterCrop$/, pass],
  [
    /^(Add|Subtract|Average|Maximum|Minimum|Multiply)$/,
    (_, inputs, { tracer }) => tracer.unite(inputs),
  ],
  [/^Concatenate$/, concatenate],
  [/^Flatten$/, flatten],
  [/^Reshape$/, reshape],
  [/^Permute$/, permute],
];

/** Along places (an axis before the last, counted from the back) channels stay what they are; else they stand side by side. */
function concatenate(
  layer: KerasLayer,
  inputs: readonly Activation[],
  { tracer }: Walk,
): Activation {
  const { axis = -1 } = layer.config;
  const isPlace = typeof axis === "number" && axis < -1;
  return isPlace ? tracer.unite(inputs) : tracer.concatenate(layer.name, inputs);
}

function flatten(layer: KerasLayer, [input]: readonly Activation[], { tracer }: Walk): Activation {
  // With channels in front, Keras turns them to the back first, which leaves the same order.
  return tracer.flatten(input!, "positions first");
}

function reshape(layer: KerasLayer, [input]: readonly Activation[], walk: Walk): Activation {
  const { target_shape: target } = layer.config;
  const channels: unknown = Array.isArray(target) ? target.at(-1) : null;
  if (Array.isArray(target) && target.length === 1)
    return walk.tracer.flatten(input!, "positions first");
  if (!Number.isSafeInteger(channels) || (channels as number) < 1) return input!;
  const size = channels as number;
  const reshaped = walk.tracer.unflatten(input!, size);
  if (reshaped !== null) return reshaped;
  walk.broken.push(layer.name);
  return walk.tracer.source(layer.name, size, "unknown");
}

function permute(layer: KerasLayer, [input]: readonly Activation[], walk: Walk): Activation {
  const { dims } = layer.config;
  if (Array.isArray(dims) && dims.at(-1) === dims.length) return input!;
  walk.broken.push(layer.name);
  return walk.tracer.source(layer.name, null, "unknown");
}

interface Connection {
  readonly inputs: readonly Activation[];
  readonly weights: readonly StoredTensor[];
  readonly walk: Walk;
}

/** The kernels of one layer, each reading what the one before puts out. */
function connectWeights(layer: KerasLayer, { inputs, weights, walk }: Connection): Activation {
  const { tracer, place } = walk;
  const { className } = layer;
  if (className.endsWith("Attention")) return connectAttention(layer, { inputs, weights, walk });
  if (isRecurrentClass(className)) return connectRecurrent(layer, { inputs, weights, walk });
  let current = inputs[0]!;
  for (const tensor of weights) {
    const one = place(tensor, className);
    // An embedding reads words, whatever stands before it.
    if (one.layer.kind === "embedding") current = tracer.source(`${layer.name} words`, null);
    current = tracer.connect(one, current);
  }
  return current;
}

/** One pair of kernels, or two in a Bidirectional layer, whose outputs are joined as `merge_mode` says. */
function connectRecurrent(layer: KerasLayer, { inputs, weights, walk }: Connection): Activation {
  const { tracer, place } = walk;
  const of = (variable: string): StoredTensor[] =>
    weights.filter(({ name }) => variableOf(name) === variable);
  // Numbered variables, as Keras 3 stores them, come in pairs.
  const isNamed = of("kernel").length > 0;
  const pasts = isNamed ? of("recurrent_kernel") : weights.filter((_, i) => i % 2 === 1);
  const kernels = isNamed ? of("kernel") : weights.filter((_, i) => i % 2 === 0);
  const halves = kernels.map((kernel, i) => {
    const current = place(kernel, layer.className);
    const past = pasts[i] && place(pasts[i], layer.className);
    const gates = past ? current.layer.out / past.layer.layout.inPerGroup : NaN;
    return past && Number.isSafeInteger(gates) && past.layer.out === current.layer.out
      ? tracer.connectGated(current, past, inputs[0]!)
      : tracer.connect(current, inputs[0]!);
  });
  const [first = inputs[0]!] = halves;
  if (halves.length < 2) return first;
  return (layer.config["merge_mode"] ?? "concat") === "concat"
    ? tracer.concatenate(layer.name, halves)
    : tracer.unite(halves);
}

/** Query, key and value read the inputs, the last kernel reads what the values put out. */
function connectAttention(layer: KerasLayer, { inputs, weights, walk }: Connection): Activation {
  const { tracer, place } = walk;
  const [query, value = query!, key = value] = inputs;
  const sources = new Map([
    ["query", query!],
    ["value", value],
    ["key", key],
  ]);
  const outputs = new Map<string, Activation>();
  let output = value;
  for (const tensor of weights) {
    const part = tensor.name.split("/").at(-2) ?? "";
    const from = sources.get(part) ?? outputs.get("value") ?? output;
    output = tracer.connect(place(tensor, layer.className), from);
    outputs.set(part, output);
  }
  return outputs.get("attention_output") ?? output;
}

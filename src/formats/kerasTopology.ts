/**
 * Walks a Keras configuration and says which neurons each kernel connects. What a layer with weights does stands in
 * `kerasConnections`, what one without does to channels in `kerasActions`, and Keras' operations in `kerasOperations`.
 */
import { FormatError } from "../errors.ts";
import type { Geometry } from "../model/geometry.ts";
import type { ModelWarning, StoredTensor, WeightLayer } from "../model/model.ts";
import { neuronTracer, type Placed } from "../model/neuronTracer.ts";
import type { Topology } from "../model/topology.ts";
import { actionOf } from "./kerasActions.ts";
import { kerasAdditions, type KerasAdditions } from "./kerasAdditions.ts";
import {
  textOf,
  type KerasCall,
  type KerasLayer,
  type KerasNetwork,
  type KerasReference,
} from "./kerasConfig.ts";
import { connectWeights } from "./kerasConnections.ts";
import { flowOf, type Flow, type KerasPlace, type KerasWalk, type Read } from "./kerasFlow.ts";
import { kerasKernel, namedVariable, type KerasVariable } from "./kerasKernels.ts";
import { operationName, operationOutputs } from "./kerasOperations.ts";
import { kerasPlaces } from "./kerasPlaces.ts";
import { isJsonObject } from "./strictJson.ts";
import { traceWarnings } from "./traceWarnings.ts";

/** Tensors of a layer; `parents` are the names of the models it stands in, outermost first. */
export type KerasWeights = (layer: string, parents: readonly string[]) => readonly StoredTensor[];

export interface KerasTrace {
  /** In the order of calls; a kernel that two calls share stands once and has two wires. */
  readonly layers: readonly WeightLayer[];
  readonly topology: Topology;
  readonly geometry: Geometry;
  readonly warnings: readonly ModelWarning[];
}

export interface KerasTraceOptions {
  /** What a tensor is to its layer, where its name does not say. @defaultValue by name */
  readonly variableOf?: (tensor: StoredTensor) => KerasVariable;
}

/** @throws {FormatError} `FORMAT_MALFORMED` if layers wait for each other. */
export function traceKeras(
  network: KerasNetwork,
  weightsOf: KerasWeights,
  { variableOf = namedVariable }: KerasTraceOptions = {},
): KerasTrace {
  const placed = new Map<StoredTensor, Placed>();
  const walk: KerasWalk = {
    tracer: neuronTracer(),
    places: kerasPlaces(),
    placed,
    unknown: new Set(),
    broken: [],
    variableOf,
    place(tensor, className, hints) {
      const known = placed.get(tensor);
      if (known !== undefined) return known;
      const layer = kerasKernel(tensor, className, { known: variableOf(tensor), hints });
      const one = { index: placed.size, layer };
      placed.set(tensor, one);
      return one;
    },
  };
  const additions = kerasAdditions(walk);
  const ends = walkNetwork(network, { feeds: [], parents: [], walk, weightsOf, additions });
  for (const end of ends) additions.read(end);
  return {
    layers: additions.finish([...placed.values()].map(({ layer }) => layer)),
    topology: walk.tracer.finish("declared"),
    geometry: walk.places.finish(),
    warnings: traceWarnings(walk.unknown, [...walk.broken, ...walk.tracer.breaks]),
  };
}

interface Surroundings {
  /** What the inputs of a nested model are given. */
  readonly feeds: readonly Flow[];
  readonly parents: readonly string[];
  readonly walk: KerasWalk;
  readonly weightsOf: KerasWeights;
  readonly additions: KerasAdditions;
}

/** One use of a layer; `call` is null where the network begins. */
interface Use {
  readonly layer: KerasLayer;
  readonly call: KerasCall | null;
}

function walkNetwork(network: KerasNetwork, around: Surroundings): Flow[] {
  const done = new Map<string, (readonly Flow[])[]>();
  const resolve = ({ layer, call, tensor }: KerasReference): Flow | undefined => {
    const calls = done.get(layer);
    // A model used as a layer counts its own building as call 0, so numbers may run ahead of the calls listed.
    const outputs = calls && (calls[call] ?? calls.at(-1));
    return outputs?.[tensor] ?? outputs?.[0];
  };
  let waiting = network.layers.flatMap((layer): Use[] =>
    (layer.calls.length === 0 ? [null] : layer.calls).map((call) => ({ layer, call })),
  );
  while (waiting.length > 0) {
    const blocked: Use[] = [];
    for (const use of waiting) {
      const { layer, call } = use;
      const reads = (call?.reads ?? []).flatMap((reference): Read[] => {
        const flow = resolve(reference);
        return flow === undefined ? [] : [{ flow, argument: reference.argument }];
      });
      if (reads.length < (call?.reads.length ?? 0)) blocked.push(use);
      else {
        for (const { flow } of reads) around.additions.read(flow);
        if (call === null) reads.push({ flow: entry(network, layer, around), argument: null });
        const outputs = callLayer(layer, { reads, stated: call?.stated ?? null }, around);
        done.set(layer.name, [...(done.get(layer.name) ?? []), outputs]);
      }
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

function entry(network: KerasNetwork, layer: KerasLayer, { feeds, walk }: Surroundings): Flow {
  const fed = feeds[network.inputs.indexOf(layer.name)];
  const { batch_input_shape: old, batch_shape: shape = old } = layer.config;
  const rank = Array.isArray(shape) ? shape.length : null;
  const channels: unknown = Array.isArray(shape) && shape.length > 1 ? shape.at(-1) : null;
  const isSize = Number.isSafeInteger(channels) && (channels as number) > 0;
  const name = layer.className === "InputLayer" ? layer.name : "input";
  const sizes = rank === null || rank < 2 ? null : (shape as readonly unknown[]).slice(1);
  const known =
    sizes && sizes.map((size) => (Number.isSafeInteger(size) ? (size as number) : null));
  const place: KerasPlace = { kind: "input", name, shape: known };
  if (fed?.place?.kind === "input" && fed.place.shape === null) return { ...fed, place };
  if (fed !== undefined) return fed;
  const flow = flowOf(walk.tracer.source(name, isSize ? (channels as number) : null), rank);
  return { ...flow, place };
}

interface Reading {
  readonly reads: readonly Read[];
  readonly stated: unknown;
}

const timed: KerasPlace = { kind: "lost", reason: "a model at every step is not followed" };

/** What goes in beside the values that neurons carry. */
const sideways = /mask$|^training$|^initial_state$|^return_|^padding$/;

function callLayer(layer: KerasLayer, reading: Reading, around: Surroundings): readonly Flow[] {
  const { parents, walk, weightsOf, additions } = around;
  const { reads, stated } = reading;
  const main = reads.filter(({ argument }) => argument === null || !sideways.test(argument));
  const own = main.length > 0 ? main : reads;
  const flows = own.map(({ flow }) => flow);
  const isTimed = layer.className === "TimeDistributed";
  if (layer.model !== null) {
    const feeds = isTimed ? flows.map((flow) => ({ ...ranked(flow, -1), place: timed })) : flows;
    const inside = { ...around, feeds, parents: [...parents, layer.name] };
    const outputs = walkNetwork(layer.model, inside);
    if (!isTimed) return outputs;
    for (const flow of outputs) additions.read(flow);
    return outputs.map((flow) => ranked(flow, 1));
  }
  if (layer.isOperation || /^(TFOp|SlicingOp)(Lambda|Layer)$/.test(layer.className)) {
    const outputs = operationOutputs(layer, { flows, stated, walk });
    const place = walk.places.follow({
      layer,
      flows,
      kernels: [],
      operation: operationName(layer),
    });
    return outputs.map((flow) => ({ ...flow, place }));
  }
  const inner = unwrapped(layer);
  const tensors = weightsOf(layer.name, parents);
  const weights = tensors.filter(({ role }) => role === "weight");
  if (weights.length > 0) {
    const outputs = connectWeights(inner, { reads: own, weights, walk });
    const kernels = weights.flatMap((tensor) => walk.placed.get(tensor) ?? []);
    const place = walk.places.follow({ layer: inner, flows, kernels, operation: null });
    const placed = outputs.map((flow) => ({ ...flow, place }));
    additions.connect(inner, { tensors, output: placed[0]! });
    return placed;
  }
  const place = walk.places.follow({ layer: inner, flows, kernels: [], operation: null });
  const action = actionOf(inner.className);
  if (action === undefined) walk.unknown.add(inner.className);
  const given = isTimed ? flows.map((flow) => ranked(flow, -1)) : flows;
  const made = action?.(inner, given, walk) ?? given[0]!;
  const output = { ...(isTimed ? ranked(made, 1) : made), place };
  additions.pass(layer, { tensors, reads: own, output, stated });
  return [output];
}

function ranked(flow: Flow, by: number): Flow {
  return { ...flow, rank: flow.rank === null ? null : flow.rank + by };
}

/** The layer that a wrapper repeats or turns round, the cell that it runs; `merge_mode` is the wrapper's. */
function unwrapped(layer: KerasLayer): KerasLayer {
  const wrapped = layer.config["layer"] ?? layer.config["cell"];
  const className = textOf(wrapped, "class_name");
  if (className === null || !isJsonObject(wrapped)) return layer;
  const config = isJsonObject(wrapped["config"]) ? wrapped["config"] : {};
  const { merge_mode: merge = config["merge_mode"], ...own } = layer.config;
  const both = { ...own, ...config, merge_mode: merge, wrapper: layer.className };
  const inner = { ...layer, className, config: both };
  return className === "RNN"
    ? unwrapped({ ...inner, config: { ...both, layer: undefined } })
    : inner;
}

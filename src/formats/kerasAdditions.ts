/**
 * What is added to the outputs of a Keras layer, and what normalises them, before anything else reads them: its bias, then a batch
 * normalisation, with no activation between.
 */
import type { ChannelNormalisation, StoredTensor, WeightLayer } from "../model/model.ts";
import { elementCount, sameShape } from "../tensor/shape.ts";
import { textOf, type KerasLayer } from "./kerasConfig.ts";
import { isAttention, isChained } from "./kerasConnections.ts";
import { isChannelAxis, type Flow, type KerasWalk, type Read } from "./kerasFlow.ts";
import { isJsonObject } from "./strictJson.ts";

export interface KerasAdditions {
  /** Notes that something reads `flow`. */
  read(flow: Flow): void;
  /** A layer with weights; `tensors` are all that it has, `output` what it puts out first. */
  connect(layer: KerasLayer, made: { tensors: readonly StoredTensor[]; output: Flow }): void;
  /** A layer without weights. */
  pass(layer: KerasLayer, passed: Passed): void;
  /** The layers in their order, with what was found. */
  finish(layers: readonly WeightLayer[]): WeightLayer[];
}

interface Passed {
  readonly tensors: readonly StoredTensor[];
  readonly reads: readonly Read[];
  readonly output: Flow;
  /** The call as it stands in the file. */
  readonly stated: unknown;
}

/** One use of a weight layer, and the flows that hold its outputs as they are. */
interface Trail {
  readonly size: number;
  readonly flows: Flow[];
  normalisation: ChannelNormalisation | null;
}

export function kerasAdditions(walk: KerasWalk): KerasAdditions {
  const readers = new Map<Flow, number>();
  const biases = new Map<number, StoredTensor | null>();
  const uses = new Map<number, Trail[]>();
  const trails = new Map<Flow, Trail>();
  return {
    read(flow) {
      readers.set(flow, (readers.get(flow) ?? 0) + 1);
    },
    connect(layer, { tensors, output }) {
      for (const [kernel, bias] of biasesOf(layer, tensors, walk)) {
        const placed = walk.placed.get(kernel);
        if (placed !== undefined) biases.set(placed.index, bias);
      }
      const last = lastKernel(layer, tensors, walk);
      const placed = last && walk.placed.get(last);
      if (!placed) return;
      const trail: Trail = { size: placed.layer.out, flows: [output], normalisation: null };
      uses.set(placed.index, [...(uses.get(placed.index) ?? []), trail]);
      const isKnown = biases.has(placed.index) && standsAtChannels(layer, output);
      const isAlone = !tensors.some((one) => isLowRank(one, walk));
      if (isKnown && isAlone && isLinear(layer)) trails.set(output, trail);
    },
    pass(layer, { tensors, reads, output, stated }) {
      const [from] = reads;
      const trail = from && reads.length === 1 ? trails.get(from.flow) : undefined;
      if (trail === undefined) return;
      if (isIdentity(layer)) {
        trail.flows.push(output);
        trails.set(output, trail);
      } else if (!isTraining(stated) && isOfChannels(layer, from!.flow)) {
        trail.normalisation = batchNormalisation(layer, { tensors, size: trail.size, walk });
      }
    },
    finish: (layers) =>
      layers.map((layer, index) => {
        const bias = biases.get(index);
        const normalisation = sharedNormalisation(uses.get(index) ?? [], readers);
        return {
          ...layer,
          ...(bias !== undefined && { bias }),
          ...(normalisation && { normalisation }),
        };
      }),
  };
}

/** Of every use the same, and each time the only thing that reads the outputs. */
function sharedNormalisation(
  uses: readonly Trail[],
  readers: ReadonlyMap<Flow, number>,
): ChannelNormalisation | null {
  const own = uses[0]?.normalisation ?? null;
  const isShared = uses.every(
    ({ normalisation, flows }) =>
      normalisation?.mean === own?.mean &&
      normalisation?.epsilon === own?.epsilon &&
      flows.every((flow) => readers.get(flow) === 1),
  );
  return isShared ? own : null;
}

/** By kernel: null where there is none. Kernels left out: not known. */
function biasesOf(
  layer: KerasLayer,
  tensors: readonly StoredTensor[],
  walk: KerasWalk,
): ReadonlyMap<StoredTensor, StoredTensor | null> {
  const kernels = tensors.filter(({ role }) => role === "weight");
  const stored = tensors.filter((tensor) => walk.variableOf(tensor).variable === "bias");
  const found = new Map<StoredTensor, StoredTensor | null>();
  if (isAttention(layer.className)) {
    for (const kernel of kernels) {
      const { part } = walk.variableOf(kernel);
      const own = stored.filter((bias) => walk.variableOf(bias).part === part);
      const isFit = own.every(({ shape }) => sameShape(shape, kernel.shape.slice(-shape.length)));
      if (own.length < 2 && isFit && sized(own, kernel, walk)) found.set(kernel, own[0] ?? null);
    }
    return found;
  }
  const last = lastKernel(layer, tensors, walk);
  if (last === null) return found;
  for (const kernel of kernels) if (kernel !== last) found.set(kernel, null);
  const { use_bias: isDeclared = layer.config["bias"] } = layer.config;
  const isThere = stored.length > 0 || isDeclared !== true;
  const isFit = stored.every(({ shape }) => shape.length === 1) && isBehindEquation(layer);
  if (stored.length < 2 && isThere && isFit && sized(stored, last, walk))
    found.set(last, stored[0] ?? null);
  return found;
}

function sized(biases: readonly StoredTensor[], kernel: StoredTensor, walk: KerasWalk): boolean {
  const size = walk.placed.get(kernel)?.layer.out;
  return biases.every(({ shape }) => elementCount(shape) === size);
}

/** The kernel whose outputs are the layer's, of kernels in a row; low-rank pairs stand beside it. */
function lastKernel(
  { className }: KerasLayer,
  tensors: readonly StoredTensor[],
  walk: KerasWalk,
): StoredTensor | null {
  if (!isChained(className)) return null;
  const kernels = tensors.filter((one) => one.role === "weight" && !isLowRank(one, walk));
  const isRow = className.startsWith("Separable") ? kernels.length === 2 : kernels.length === 1;
  return isRow ? kernels.at(-1)! : null;
}

function isLowRank(tensor: StoredTensor, walk: KerasWalk): boolean {
  return walk.variableOf(tensor).variable.startsWith("lora_");
}

/** A bias of one axis lies along the last axis of the output. */
function isBehindEquation({ config }: KerasLayer): boolean {
  const [, kernel = "", output = ""] = (textOf(config, "equation") ?? ",->").split(/,|->/);
  return kernel.trim().endsWith(output.trim().slice(-1));
}

/** True if what the layer puts out stands along the axis that the flow has for channels. */
function standsAtChannels(layer: KerasLayer, { channelsFirst, rank }: Flow): boolean {
  if (!isBehindEquation(layer)) return false;
  const isAtBack =
    /(Dense|Embedding)$/.test(layer.className) || layer.config["wrapper"] === "TimeDistributed";
  return !isAtBack || !channelsFirst || rank === 2;
}

function isLinear({ config }: KerasLayer): boolean {
  const { activation = null } = config;
  if (activation === null || activation === "linear") return true;
  if (!isJsonObject(activation)) return false;
  return activation["class_name"] === "linear" || activation["config"] === "linear";
}

function isIdentity(layer: KerasLayer): boolean {
  if (layer.className === "Activation") return isLinear(layer);
  return /^(InputLayer|Identity|ActivityRegularization)$/.test(layer.className);
}

/** Called so that it takes the batch's own mean. */
function isTraining(stated: unknown): boolean {
  return JSON.stringify(stated).includes('"training":true');
}

/** True for a batch normalisation along the channels, with the statistics of training. */
function isOfChannels({ className, config }: KerasLayer, flow: Flow): boolean {
  const { axis: stated, mode = 0 } = config;
  const axis: unknown = Array.isArray(stated) && stated.length === 1 ? stated[0] : stated;
  if (!/^(Sync)?BatchNormalization(V[12])?$/.test(className) || mode !== 0) return false;
  const own = axis ?? -1;
  return flow.rank === null ? own === -1 && !flow.channelsFirst : isChannelAxis(own, flow);
}

interface Normalised {
  readonly tensors: readonly StoredTensor[];
  readonly size: number;
  readonly walk: KerasWalk;
}

/** Null where a vector is missing that the layer should have, or is of another length. */
function batchNormalisation(
  { config }: KerasLayer,
  { tensors, size, walk }: Normalised,
): ChannelNormalisation | null {
  const vector = (variable: string): StoredTensor | undefined =>
    tensors.find(
      (one) =>
        walk.variableOf(one).variable === variable &&
        one.shape.length === 1 &&
        one.shape[0] === size,
    );
  const scale = config["scale"] === false ? null : vector("gamma");
  const shift = config["center"] === false ? null : vector("beta");
  const mean = vector("moving_mean");
  const variance = vector("moving_variance");
  // Keras' own default.
  const { epsilon = 1e-3 } = config;
  if (scale === undefined || shift === undefined || !mean || !variance) return null;
  return typeof epsilon === "number" ? { scale, shift, mean, variance, epsilon } : null;
}

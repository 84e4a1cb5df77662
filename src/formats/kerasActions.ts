/** What layers without weights do to channels, by class. */
import type { KerasLayer } from "./kerasConfig.ts";
import {
  flowOf,
  isChannelAxis,
  joined,
  lost,
  united,
  type Flow,
  type KerasWalk,
} from "./kerasFlow.ts";

export type KerasAction = (layer: KerasLayer, flows: readonly Flow[], walk: KerasWalk) => Flow;

const pass: KerasAction = (_, flows) => flows[0]!;
/** Passes channels on, and knows where they stand. */
const placed: KerasAction = (layer, flows) => withOrder(layer, flows[0]!);
const sum: KerasAction = (_, flows, walk) => united(flows, walk);

const actions: readonly (readonly [RegExp, KerasAction])[] = [
  [/^Global(Average|Max)Pooling\dD$/, globalPooling],
  [/Pooling\dD$|^(UpSampling|ZeroPadding|Cropping)\dD$/, placed],
  [/^InputLayer$|Dropout(\dD)?$|Normalization(V\d)?$|ReLU$|ELU$|Softmax$/, pass],
  [/^(Activation|Masking|Rescaling|ActivityRegularization|Identity|SpectralNormalization)$/, pass],
  [/^Gaussian|^Random|^Resizing$|^CenterCrop$|^Alpha|^(Swish|Softplus|Softsign|Maxout)$/, pass],
  [
    /^(AutoContrast|Equalization|MixUp|CutMix|Solarization|AugMix|Pipeline|MaxNumBoundingBoxes)$/,
    pass,
  ],
  [/^(Add|Subtract|Average|Maximum|Minimum|Multiply)$/, sum],
  [
    /^(StringLookup|IntegerLookup|TextVectorization|Hashing|Discretization|CategoryEncoding)$/,
    codes,
  ],
  [/^RepeatVector$/, (_, [flow]) => ({ ...flow!, rank: 3 })],
  [/^(Additive)?Attention$/, (_, flows) => flows[1] ?? flows[0]!],
  [/^Concatenate$/, concatenate],
  [/^Merge$/, merge],
  [/^Dot$/, (layer, [flow], walk) => lost(flow!, { name: layer.name, size: null, walk })],
  [/^Flatten$/, flatten],
  [/^Reshape$/, reshape],
  [/^Permute$/, permute],
];

/** Undefined for a class that nobody described. */
export function actionOf(className: string): KerasAction | undefined {
  return actions.find(([classes]) => classes.test(className))?.[1];
}

/** The flow with channels where the layer says that they are. */
export function withOrder({ config }: KerasLayer, flow: Flow): Flow {
  const { data_format: format, dim_ordering: old = format } = config;
  if (old !== "channels_first" && old !== "th" && old !== "channels_last" && old !== "tf")
    return flow;
  return { ...flow, channelsFirst: old === "channels_first" || old === "th" };
}

function globalPooling({ config }: KerasLayer, [flow]: readonly Flow[]): Flow {
  return config["keepdims"] === true ? flow! : flowOf(flow!.activation, 2);
}

/** Words and classes become numbers of their own. */
function codes(layer: KerasLayer, [flow]: readonly Flow[], { tracer }: KerasWalk): Flow {
  return { ...flow!, activation: tracer.source(layer.name, null) };
}

/** Along places channels stay what they are; else they stand side by side. */
function concatenate(layer: KerasLayer, flows: readonly Flow[], walk: KerasWalk): Flow {
  const { axis = layer.config["concat_axis"] } = layer.config;
  return isChannelAxis(axis, flows[0]!) ? joined(layer.name, flows, walk) : united(flows, walk);
}

/** Keras 1: one layer for every way to merge. */
function merge(layer: KerasLayer, flows: readonly Flow[], walk: KerasWalk): Flow {
  const { mode = "sum" } = layer.config;
  if (mode === "concat") return concatenate(layer, flows, walk);
  if (typeof mode === "string" && /^(sum|ave|max|mul)$/.test(mode)) return united(flows, walk);
  return lost(flows[0]!, { name: layer.name, size: null, walk });
}

function flatten({ config }: KerasLayer, [flow]: readonly Flow[], { tracer }: KerasWalk): Flow {
  // A Flatten that is told of channels in front turns them to the back first.
  const isPlain = flow!.channelsFirst && config["data_format"] !== "channels_first";
  const order = isPlain ? "channels first" : "positions first";
  return flowOf(tracer.flatten(flow!.activation, order), 2);
}

function reshape(layer: KerasLayer, [flow]: readonly Flow[], walk: KerasWalk): Flow {
  return reshaped(flow!, { name: layer.name, target: layer.config["target_shape"], walk });
}

/** `target` is the new shape, without the batch. */
export function reshaped(
  flow: Flow,
  { name, target, walk }: { name: string; target: unknown; walk: KerasWalk },
): Flow {
  const { activation, channelsFirst } = flow;
  if (!Array.isArray(target)) return { ...flow, rank: null };
  const sizes: readonly unknown[] = target;
  const order = channelsFirst ? "channels first" : "positions first";
  if (sizes.length === 1) return flowOf(walk.tracer.flatten(activation, order), 2);
  const rank = sizes.length + 1;
  const known = activation.neurons.ids?.length ?? activation.neurons.size;
  const wide = sizes.filter((size) => size !== 1);
  // A vector that becomes a map of one place.
  if (flow.rank === 2 && known !== null && wide.length === 1 && wide[0] === known) {
    return flowOf(activation, rank, sizes[0] === known && known !== sizes.at(-1));
  }
  const channels = sizes.at(-1);
  if (!Number.isSafeInteger(channels) || (channels as number) < 1) return { ...flow, rank };
  const size = channels as number;
  const split = walk.tracer.unflatten(activation, size);
  if (split !== null) return flowOf(split, rank);
  return { ...lost(flow, { name, size, walk }), rank, channelsFirst: false };
}

function permute(layer: KerasLayer, [flow]: readonly Flow[], walk: KerasWalk): Flow {
  const { dims } = layer.config;
  const order: readonly unknown[] = Array.isArray(dims) ? dims : [];
  const channels = flow!.channelsFirst ? 1 : order.length;
  if (order.at(-1) === channels) return flowOf(flow!.activation, flow!.rank);
  if (order[0] === channels) return flowOf(flow!.activation, flow!.rank, true);
  return { ...lost(flow!, { name: layer.name, size: null, walk }), channelsFirst: false };
}

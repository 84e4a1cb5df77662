/** Keras' operations as nodes of a network: `keras.ops` of Keras 3, calls of TensorFlow and slices in Keras 2. */
import { reshaped } from "./kerasActions.ts";
import { textOf, type KerasLayer } from "./kerasConfig.ts";
import { isChannelAxis, joined, lost, united, type Flow, type KerasWalk } from "./kerasFlow.ts";
import { snakeCase } from "./kerasVariables.ts";
import { isJsonObject } from "./strictJson.ts";

interface Operands {
  readonly flows: readonly Flow[];
  /** The call as it stands in the file. */
  readonly stated: unknown;
  readonly walk: KerasWalk;
}

const together =
  /^_*(add|add_n|sub|subtract|mul|multiply|div|divide|true_?div|true_?divide|divide_no_nan|maximum|minimum|squared_difference|where|pow|power|r?add|r?sub|r?mul|r?truediv|logical_.*|greater.*|less.*|equal|not_equal)_*(v2)?$/;
const unchanged =
  /^_*(relu6?|re_lu6?|leaky_relu|elu|selu|gelu|silu|swish|sigmoid|hard_.*|log_.*|tanh|softmax|softplus|softsign|cast|identity|stop_gradient|clip.*|exp|expm1|log|log1p|sqrt|rsqrt|square|abs|absolute|neg|negative|sign|floor|ceil|round|sin|cos|expand_dims|squeeze|resize.*|pad|dropout|.*normaliz.*|max_pool.*|avg_pool.*|average_pool|image_.*|tile|repeat|roll|flip|convert_to_tensor|ensure_shape|broadcast_to|rescale.*)_*(v2)?$/;
const reduced =
  /^(reduce_)?(mean|sum|max|min|prod|amax|amin|any|all|std|var|variance|norm|arg_?max|arg_?min)$/;
const mixed =
  /^(batch_)?(mat_?mul|dot|einsum|tensordot|outer|inner|vdot|one_hot|gather|take|conv.*|depthwise.*|top_k|sort)(v2)?$/;

/** What each output of the node carries. */
export function operationOutputs(layer: KerasLayer, operands: Operands): readonly Flow[] {
  return operationName(layer) === "split"
    ? splitFlow(layer, operands)
    : [operationOf(layer, operands)];
}

function operationOf(layer: KerasLayer, { flows, stated, walk }: Operands): Flow {
  const name = operationName(layer);
  const flow = flows[0]!;
  const option = optionsOf(layer, stated);
  if (name === "getitem") return sliced(flow, { layer, stated, walk });
  if (/^(concat|concatenate)(_?v2)?$/.test(name)) {
    const isChannels = isChannelAxis(option("axis") ?? -1, flow);
    return isChannels ? joined(layer.name, flows, walk) : united(flows, walk);
  }
  if (together.test(name)) return united(flows, walk);
  if (name.endsWith("attention")) return flows[2] ?? flow;
  if (name === "stack") {
    const isLast = option("axis") === -1 || option("axis") === flow.rank;
    if (isLast) return lost(flow, { name: layer.name, size: null, walk });
    return { ...united(flows, walk), rank: flow.rank === null ? null : flow.rank + 1 };
  }
  if (name === "reshape" || name === "flatten") {
    const shape = option("shape") ?? option("newshape") ?? option("target_shape");
    const target = name === "flatten" ? [-1] : (listOf(shape)?.slice(1) ?? null);
    return reshaped(flow, { name: layer.name, target, walk });
  }
  if (/^(transpose|permute|moveaxis|swapaxes)$/.test(name))
    return transposed(flow, { layer, axes: option("perm") ?? option("axes"), walk });
  if (reduced.test(name))
    return reducedFlow(flow, {
      layer,
      axis: option("axis"),
      keeps: option("keepdims") === true,
      walk,
    });
  if (mixed.test(name)) return lost(flow, { name: layer.name, size: null, walk });
  if (!unchanged.test(name)) walk.unknown.add(`${layer.className} ${name}`);
  return flow;
}

/** `math.add` is `add`, `__operators__.getitem` `getitem`. */
export function operationName({ className, config }: KerasLayer): string {
  if (className.startsWith("SlicingOp")) return "getitem";
  const full = textOf(config, "function");
  if (full === null) return snakeCase(className).replace("get_item", "getitem");
  return full.slice(full.lastIndexOf(".") + 1).toLowerCase();
}

interface Slicing {
  readonly layer: KerasLayer;
  readonly stated: unknown;
  readonly walk: KerasWalk;
}

/** A slice of the channels keeps those; places that are left out change nothing. */
function sliced(flow: Flow, { layer, stated, walk }: Slicing): Flow {
  const { rank, activation } = flow;
  const spec = sliceSpec(stated);
  if (spec === null) return lost(flow, { name: layer.name, size: null, walk });
  const singles = spec.filter((one) => typeof one === "number").length;
  const isNew = spec.includes("new");
  const fullRank = rank === null || isNew ? null : rank - singles;
  const dots = spec.indexOf("dots");
  const reachesEnd = rank === null ? dots !== -1 : dots !== -1 || spec.length === rank;
  const last = spec.at(-1);
  if (!reachesEnd || dots === spec.length - 1 || isNew) return { ...flow, rank: fullRank };
  if (typeof last === "number")
    return { ...lost(flow, { name: layer.name, size: null, walk }), rank: fullRank };
  if (typeof last !== "object" || (last.start === null && last.stop === null))
    return { ...flow, rank: fullRank };
  const size = activation.neurons.ids?.length ?? activation.neurons.size;
  if (size === null || (last.step ?? 1) !== 1 || flow.channelsFirst) {
    return { ...lost(flow, { name: layer.name, size: null, walk }), rank: fullRank };
  }
  const at = (value: number | null, otherwise: number): number =>
    Math.min(size, Math.max(0, value === null ? otherwise : value < 0 ? value + size : value));
  const [start, stop] = [at(last.start, 0), at(last.stop, size)];
  return {
    ...flow,
    rank: fullRank,
    activation: walk.tracer.slice(activation, start, Math.max(start, stop)),
  };
}

type SliceAxis =
  { start: number | null; stop: number | null; step: number | null } | number | "dots" | "new";

/** The list of slices: of Keras 2 called `slice_spec`, of Keras 3 the second argument. */
function sliceSpec(stated: unknown): readonly SliceAxis[] | null {
  const args = isJsonObject(stated) ? listOf(stated["args"]) : null;
  const kwargs = isJsonObject(stated) ? stated["kwargs"] : undefined;
  const key = found(stated, "slice_spec") ?? args?.[1] ?? found(kwargs, "key");
  if (key === undefined) return null;
  const axes = (listOf(key) ?? [key]).map(sliceAxis);
  return axes.every((axis) => axis !== null) ? axes.filter((axis) => axis !== null) : null;
}

/** A list, or a tuple as Keras 3 writes it. */
function listOf(value: unknown): readonly unknown[] | null {
  if (Array.isArray(value)) return value;
  if (!isJsonObject(value)) return null;
  const { items = isJsonObject(value["config"]) ? value["config"]["value"] : undefined } = value;
  return Array.isArray(items) ? items : null;
}

function sliceAxis(value: unknown): SliceAxis | null {
  if (Number.isSafeInteger(value)) return value as number;
  if (value === "..." || textOf(value, "class_name") === "__ellipsis__") return "dots";
  if (value === null) return "new";
  const axis = isJsonObject(value) && isJsonObject(value["config"]) ? value["config"] : value;
  if (!isJsonObject(axis) || !("start" in axis && "stop" in axis)) return null;
  const number = (key: string): number | null => {
    const own = axis[key];
    return Number.isSafeInteger(own) ? (own as number) : null;
  };
  return { start: number("start"), stop: number("stop"), step: number("step") };
}

function transposed(
  flow: Flow,
  { layer, axes, walk }: { layer: KerasLayer; axes: unknown; walk: KerasWalk },
): Flow {
  const order: readonly unknown[] = Array.isArray(axes) ? axes : [];
  const channels = flow.channelsFirst ? 1 : order.length - 1;
  if (order.length > 0 && order.at(-1) === channels) return { ...flow, channelsFirst: false };
  if (order.length > 2 && order[1] === channels) return { ...flow, channelsFirst: true };
  return { ...lost(flow, { name: layer.name, size: null, walk }), channelsFirst: false };
}

interface Reduction {
  readonly layer: KerasLayer;
  readonly axis: unknown;
  readonly keeps: boolean;
  readonly walk: KerasWalk;
}

function reducedFlow(flow: Flow, { layer, axis, keeps, walk }: Reduction): Flow {
  const axes: readonly unknown[] = Array.isArray(axis) ? axis : [axis];
  const isOfChannels = axis == null || axes.some((one) => isChannelAxis(one, flow));
  const rank = flow.rank === null || keeps ? flow.rank : axis == null ? 0 : flow.rank - axes.length;
  if (!isOfChannels) return { ...flow, rank, channelsFirst: flow.channelsFirst && rank !== 2 };
  return { ...lost(flow, { name: layer.name, size: keeps ? 1 : null, walk }), rank };
}

/** An option of the operation: its configuration's, or one that the call states. */
function optionsOf({ config }: KerasLayer, stated: unknown): (key: string) => unknown {
  return (key) => (Object.hasOwn(config, key) ? config[key] : found(stated, key)) ?? undefined;
}

/** Parts of the channels, or all of them at other places. */
function splitFlow(layer: KerasLayer, { flows, stated, walk }: Operands): readonly Flow[] {
  const flow = flows[0]!;
  const option = optionsOf(layer, stated);
  const parts = option("num_or_size_splits") ?? option("indices_or_sections");
  if (!isChannelAxis(option("axis") ?? 0, flow)) return [flow];
  const { ids, size } = flow.activation.neurons;
  const all = ids?.length ?? size;
  const sizes =
    listOf(parts) ??
    (typeof parts === "number" && all !== null ? new Array<number>(parts).fill(all / parts) : []);
  const isSound = sizes.every((one) => Number.isSafeInteger(one) && (one as number) >= 0);
  if (all === null || sizes.length === 0 || sizes.length > all || !isSound) {
    return [lost(flow, { name: layer.name, size: null, walk })];
  }
  let start = 0;
  return sizes.map((one): Flow => {
    const end = start + (one as number);
    const part = {
      ...flow,
      activation: walk.tracer.slice(flow.activation, start, Math.min(end, all)),
    };
    start = Math.min(end, all);
    return part;
  });
}

/** The first value of `key` in what a call states; what a tensor says of itself is no part of it. */
function found(value: unknown, key: string): unknown {
  if (textOf(value, "class_name") === "__keras_tensor__") return undefined;
  if (isJsonObject(value) && Object.hasOwn(value, key)) return value[key] ?? undefined;
  const inner: readonly unknown[] = Array.isArray(value)
    ? value
    : isJsonObject(value)
      ? Object.values(value)
      : [];
  for (const one of inner) {
    const own = found(one, key);
    if (own !== undefined) return own;
  }
  return undefined;
}

/**
 * Writes down how positions go through a Keras configuration, layer by layer, beside the walk that follows neurons. A layer that
 * is not followed here is lost by name, so that unrolling says what stands in its way.
 */
import type { GeometryStep, Window } from "../model/geometry.ts";
import type { KerasLayer } from "./kerasConfig.ts";
import {
  isChannelAxis,
  type Flow,
  type KerasPlace,
  type KerasPlaces,
  type PlacedUse,
} from "./kerasFlow.ts";
import { kerasWindow, poolingWindow, upsamplingWindow, zeroPadding } from "./kerasWindow.ts";

interface Steps {
  push(step: GeometryStep): number;
  /** The step behind a flow, read by `layer`; null where it is lost. */
  at(flow: Flow, layer: KerasLayer): number | null;
}

type Rule = (use: PlacedUse, steps: Steps) => KerasPlace;

export function kerasPlaces(): KerasPlaces {
  const list: GeometryStep[] = [];
  const opened = new Map<KerasPlace, Map<boolean, number>>();
  const push = (step: GeometryStep): number => list.push(step) - 1;
  const open = (place: Extract<KerasPlace, { kind: "input" }>, isFirst: boolean): number => {
    const known = opened.get(place) ?? new Map<boolean, number>();
    opened.set(place, known);
    const own = known.get(isFirst);
    if (own !== undefined) return own;
    const { name, shape } = place;
    const positions = isFirst ? shape?.slice(1) : shape?.slice(0, -1);
    const channels = (isFirst ? shape?.[0] : shape?.at(-1)) ?? null;
    const step = push({ op: "input", name, channels, positions: positions ?? null });
    known.set(isFirst, step);
    return step;
  };
  const steps: Steps = {
    push,
    at({ place, channelsFirst, rank }, layer) {
      const isTurned = rank !== 2 && (statedOrder(layer) ?? channelsFirst) !== channelsFirst;
      if (place?.kind === "step") return isTurned ? null : place.step;
      if (place?.kind !== "input") return null;
      return open(place, statedOrder(layer) ?? channelsFirst);
    },
  };
  return {
    follow(use) {
      const lost = use.flows.find(({ place }) => place?.kind !== "step" && place?.kind !== "input");
      const rule = lost === undefined ? ruleOf(use) : undefined;
      const reason = lost?.place?.kind === "lost" ? lost.place.reason : null;
      const place = rule?.(use, steps) ?? lostAt(use, reason);
      if (place.kind === "lost" && use.kernels.length > 0) {
        const of = push({ op: "unknown", reason: place.reason });
        for (const { index } of use.kernels)
          push({ op: "connect", layer: index, of, window: null });
      }
      return place;
    },
    finish: () => ({ steps: list }),
  };
}

/** True for channels in front, where the layer says which. */
function statedOrder({ config }: KerasLayer): boolean | null {
  const { data_format: format, dim_ordering: old = format } = config;
  if (old === "channels_first" || old === "th") return true;
  return old === "channels_last" || old === "tf" ? false : null;
}

function lostAt({ layer, operation }: PlacedUse, reason: string | null = null): KerasPlace {
  const what = operation ?? layer.className;
  return { kind: "lost", reason: reason ?? `${what} (${layer.name}) is not followed to positions` };
}

function stepPlace(step: number): KerasPlace {
  return { kind: "step", step };
}

const pass: Rule = ({ flows }) => flows[0]!.place!;

const chain: Rule = (use, steps) => {
  const { layer, flows, kernels } = use;
  let of = steps.at(flows[0]!, layer);
  for (const [i, { index, layer: kernel }] of kernels.entries()) {
    const isPointwise = kernel.kind === "pointwise" && i > 0;
    const window = kerasWindow(layer, kernel, { isPointwise });
    if (of === null || window === null) return lostAt(use);
    of = steps.push({ op: "connect", layer: index, of, window });
  }
  return of === null || kernels.length === 0 ? lostAt(use) : stepPlace(of);
};

/** Along the last axis, which is that of the channels. */
const dense: Rule = (use, steps) => {
  const { layer, flows, kernels } = use;
  const of = steps.at(flows[0]!, layer);
  const [kernel] = kernels;
  const isLast = !flows[0]!.channelsFirst || flows[0]!.rank === 2;
  if (of === null || kernel === undefined || kernels.length > 1 || !isLast) return lostAt(use);
  return stepPlace(steps.push({ op: "connect", layer: kernel.index, of, window: null }));
};

function pool(use: PlacedUse, steps: Steps, window: Window | "all" | null): number | null {
  const { layer, flows } = use;
  const of = steps.at(flows[0]!, layer);
  if (of === null || window === null) return null;
  const mode = layer.className.includes("Max") ? "max" : "average";
  return steps.push({ op: "pool", name: layer.name, of, mode, window });
}

const poolSome: Rule = (use, steps) => {
  const step = pool(use, steps, poolingWindow(use.layer));
  return step === null ? lostAt(use) : stepPlace(step);
};

const poolAll: Rule = (use, steps) => {
  const of = pool(use, steps, "all");
  if (of === null) return lostAt(use);
  if (use.layer.config["keepdims"] === true) return stepPlace(of);
  return stepPlace(steps.push({ op: "flatten", of, order: "channels first" }));
};

const pad: Rule = (use, steps) => {
  const of = steps.at(use.flows[0]!, use.layer);
  const pads = zeroPadding(use.layer);
  return of === null || pads === null
    ? lostAt(use)
    : stepPlace(steps.push({ op: "pad", of, pads }));
};

const flatten: Rule = (use, steps) => {
  const { layer, flows } = use;
  const [flow] = flows as [Flow];
  const target: unknown = layer.config["target_shape"];
  if (layer.className === "Reshape" && Array.isArray(target) && target.length > 1) {
    return unflatten(use, steps, target);
  }
  if (layer.className === "Reshape" && !Array.isArray(target)) return lostAt(use);
  // A Flatten that is told of channels in front turns them to the back first.
  const isTold = layer.className === "Flatten" && layer.config["data_format"] === "channels_first";
  if (flow.place?.kind === "input" && flow.place.shape?.length === 1) return flow.place;
  const of = steps.at(flow, layer);
  if (of === null) return lostAt(use);
  const order = flow.channelsFirst && !isTold ? "channels first" : "positions first";
  return stepPlace(steps.push({ op: "flatten", of, order }));
};

/** Features become a map, channels last. */
function unflatten(use: PlacedUse, steps: Steps, target: readonly unknown[]): KerasPlace {
  const { layer, flows } = use;
  const of = steps.at(flows[0]!, layer);
  const sizes = target.map((size) =>
    Number.isSafeInteger(size) && size !== -1 ? (size as number) : null,
  );
  if (of === null || flows[0]!.rank !== 2 || sizes.some((size) => size !== null && size < 1))
    return lostAt(use);
  const [channels, positions] = [sizes.at(-1)!, sizes.slice(0, -1)];
  const order = "positions first";
  return stepPlace(
    steps.push({ op: "unflatten", name: layer.name, of, channels, positions, order }),
  );
}

const upsample: Rule = (use, steps) => {
  const { layer, flows } = use;
  const of = steps.at(flows[0]!, layer);
  const window = upsamplingWindow(layer);
  if (of === null || window === null) return lostAt(use);
  return stepPlace(steps.push({ op: "pool", name: layer.name, of, mode: "copy", window }));
};

const sum: Rule = (use, steps) => {
  const of = use.flows.map((flow) => steps.at(flow, use.layer));
  const known = of.filter((step) => step !== null);
  const isAlike = use.flows.every(
    ({ channelsFirst }) => channelsFirst === use.flows[0]!.channelsFirst,
  );
  if (known.length < of.length || !isAlike) return lostAt(use);
  return known.every((step) => step === known[0])
    ? stepPlace(known[0]!)
    : stepPlace(steps.push({ op: "sum", of: known }));
};

const concatenate: Rule = (use, steps) => {
  const { layer, flows } = use;
  const of = flows.flatMap((flow) => steps.at(flow, layer) ?? []);
  const { axis = layer.config["concat_axis"] } = layer.config;
  const isAlong = flows.every((flow) => isChannelAxis(axis, flow));
  return of.length < flows.length || !isAlong
    ? lostAt(use)
    : stepPlace(steps.push({ op: "concatenate", of }));
};

/** Of one value alone it bends that, of several it is as a sum. */
const combine: Rule = (use, steps) => (use.flows.length === 1 ? pass : sum)(use, steps);

const ofKernels: readonly (readonly [RegExp, Rule])[] = [
  [/^Dense$/, dense],
  [
    /^(Separable|Depthwise|Atrous)?Conv(olution)?[123]D(Transpose)?$|^Deconv(olution)?[123]D$/,
    chain,
  ],
];

const ofLayers: readonly (readonly [RegExp, Rule])[] = [
  [/^Global(Average|Max)Pooling[123]D$/, poolAll],
  [/^(Average|Max)Pooling[123]D$/, poolSome],
  [/^UpSampling[123]D$/, upsample],
  [/^ZeroPadding[123]D$/, pad],
  [/^(Flatten|Reshape)$/, flatten],
  [/^(Add|Subtract|Average|Maximum|Minimum|Multiply)$/, sum],
  [/^Concatenate$/, concatenate],
  [/^InputLayer$|Dropout(\dD)?$|Normalization(V\d)?$|ReLU$|ELU$|Softmax$/, pass],
  [/^(Activation|Masking|Rescaling|ActivityRegularization|Identity)$|^Gaussian|^Alpha/, pass],
  [
    /^Random(Flip|Rotation|Translation|Zoom|Contrast|Brightness)$|^(Swish|Softplus|Softsign)$/,
    pass,
  ],
];

/** Operations that leave every element where it is. */
const unmoved =
  /^_*(relu6?|re_lu6?|leaky_relu|elu|selu|gelu|silu|swish|sigmoid|hard_.*|tanh|softmax|softplus|softsign|cast|identity|stop_gradient|clip.*|exp|log|sqrt|rsqrt|square|abs|neg|negative|dropout|add|sub|subtract|mul|multiply|div|divide|true_?div|truediv|maximum|minimum|r?add|r?sub|r?mul|r?truediv)_*(v2)?$/;

function ruleOf({ layer, operation, kernels }: PlacedUse): Rule | undefined {
  if (layer.config["wrapper"] !== undefined) return undefined;
  if (operation !== null) return unmoved.test(operation) ? combine : undefined;
  const rules = kernels.length > 0 ? ofKernels : ofLayers;
  return rules.find(([classes]) => classes.test(layer.className))?.[1];
}

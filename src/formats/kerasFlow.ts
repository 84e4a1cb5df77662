/** What flows between the layers of a Keras configuration. */
import type { Geometry } from "../model/geometry.ts";
import type { StoredTensor, WeightLayer } from "../model/model.ts";
import type { Activation, NeuronTracer, Placed } from "../model/neuronTracer.ts";
import type { KerasLayer } from "./kerasConfig.ts";
import type { KernelHints, KerasVariable } from "./kerasKernels.ts";

/** Where elements stand, as far as positions are followed: a step of the geometry, or an input that nothing has read. */
export type KerasPlace =
  | { readonly kind: "step"; readonly step: number }
  /** `shape` is without the batch. */
  | {
      readonly kind: "input";
      readonly name: string;
      readonly shape: readonly (number | null)[] | null;
    }
  | { readonly kind: "lost"; readonly reason: string };

export interface Flow {
  readonly activation: Activation;
  /** Axes, that of the batch too; null where they were lost count of. */
  readonly rank: number | null;
  /** True where channels stand before places. */
  readonly channelsFirst: boolean;
  /** Set by the walk for whatever a layer puts out. */
  readonly place?: KerasPlace;
}

/** A flow as a layer is handed it. */
export interface Read {
  readonly flow: Flow;
  /** The name under which; null for one that is known by its place. */
  readonly argument: string | null;
}

/** One use of a layer. */
export interface PlacedUse {
  readonly layer: KerasLayer;
  /** What it reads. */
  readonly flows: readonly Flow[];
  /** Its kernels, with their index in `Model.layers`. */
  readonly kernels: readonly { readonly index: number; readonly layer: WeightLayer }[];
  /** For an operation of Keras 2 or 3, what it is called. */
  readonly operation: string | null;
}

export interface KerasPlaces {
  /** Where the layer's first output stands. */
  follow(use: PlacedUse): KerasPlace;
  finish(): Geometry;
}

export interface KerasWalk {
  readonly tracer: NeuronTracer;
  readonly place: (tensor: StoredTensor, className: string, hints?: KernelHints) => Placed;
  /** What was placed so far. */
  readonly placed: ReadonlyMap<StoredTensor, Placed>;
  readonly variableOf: (tensor: StoredTensor) => KerasVariable;
  readonly places: KerasPlaces;
  /** Classes whose effect on channels is not known. */
  readonly unknown: Set<string>;
  /** Layers that no channels could be followed through. */
  readonly broken: string[];
}

export function flowOf(activation: Activation, rank: number | null, channelsFirst = false): Flow {
  return { activation, rank, channelsFirst };
}

/** The axis of the channels, counted from the front; null where axes were lost count of. */
function channelAxis({ rank, channelsFirst }: Flow): number | null {
  if (rank === null) return null;
  return channelsFirst && rank > 2 ? 1 : rank - 1;
}

/** True if `axis`, which may count from the back, is that of the channels. */
export function isChannelAxis(axis: unknown, flow: Flow): boolean {
  if (typeof axis !== "number") return axis === undefined || axis === null;
  const channels = channelAxis(flow);
  if (channels === null) return axis === -1 || axis > 0;
  return (axis < 0 ? axis + flow.rank! : axis) === channels;
}

/** Several flows that are one from here on: a sum, a join along places. */
export function united(flows: readonly Flow[], { tracer }: KerasWalk): Flow {
  const activation = tracer.unite(flows.map((flow) => flow.activation));
  const ranks = flows.map(({ rank }) => rank);
  const rank = ranks.some((one) => one === null) ? null : Math.max(...ranks.map((one) => one!));
  return { ...flows[0]!, activation, rank };
}

/** Side by side, in order. */
export function joined(name: string, flows: readonly Flow[], { tracer }: KerasWalk): Flow {
  return {
    ...flows[0]!,
    activation: tracer.concatenate(
      name,
      flows.map((flow) => flow.activation),
    ),
  };
}

/** New neurons where those before could not be followed. */
export function lost(
  flow: Flow,
  { name, size, walk }: { name: string; size: number | null; walk: KerasWalk },
): Flow {
  walk.broken.push(name);
  return { ...flow, activation: walk.tracer.source(name, size, "unknown") };
}

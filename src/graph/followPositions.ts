/** Works out the sizes of every step of a geometry and the nodes that it makes. */
import { GraphError, isWeightGraphError } from "../errors.ts";
import type { Geometry, GeometryStep, Window } from "../model/geometry.ts";
import type { Model, WeightLayer } from "../model/model.ts";
import type { FlatOrder } from "../model/readingLayout.ts";
import type { WeightLayout } from "../tensor/layout.ts";
import { elementCount, sameShape, type Shape } from "../tensor/shape.ts";
import { axisWindow, pairCount, type AxisWindow } from "./axisWindow.ts";
import { channelMaps, mapLimit, type ChannelMaps } from "./channelMaps.ts";
import {
  planOf,
  positionsUnknown,
  sizesDiffer,
  type UnrolledLink,
  type UnrolledOptions,
  type UnrolledPlan,
} from "./unrolledPlan.ts";

/** Channels that all steps may make together, far beyond any network. */
const workLimit = 2 ** 26;

type Pads = readonly (readonly [number, number])[];
type Step<Op extends GeometryStep["op"]> = Extract<GeometryStep, { op: Op }>;

/** What a step makes: channels at positions, or why that is not known. */
interface Value {
  /** Map of each channel. */
  readonly maps: Int32Array;
  readonly positions: Shape;
  /** Padding that the next window reads. */
  readonly pads: Pads | null;
  /** How channels and positions follow each other where they have become one axis of features. */
  readonly flat: FlatOrder | null;
}
type Traced = Value | { readonly unknown: string };

/** A link as long as maps may still become one. */
interface Draft extends Pick<UnrolledLink, "name" | "weights" | "groups" | "axes" | "edges"> {
  readonly from: Pick<Value, "maps" | "positions" | "flat">;
  readonly to: Int32Array;
}

/** @throws see `planUnrolled` */
export function followPositions(
  model: Model,
  { steps }: Geometry,
  { inputShape }: UnrolledOptions,
): UnrolledPlan {
  const maps = channelMaps();
  const drafts: Draft[] = [];
  const values: Traced[] = [];
  const connected = new Set<WeightLayer>();

  const plain = (own: Int32Array, positions: Shape): Value => ({
    maps: own,
    positions,
    pads: null,
    flat: null,
  });

  const input = (step: Step<"input">, index: number): Traced => {
    const declared = step.channels ?? readerSize(model, steps, index);
    const channels = inputShape?.[0] ?? declared;
    const positions = inputShape?.slice(1) ?? step.positions;
    if (inputShape !== undefined && declared !== null && declared !== channels) {
      throw sizesDiffer(model, step.name, `the input has ${declared} channels, not ${channels}`);
    }
    if (inputShape !== undefined && step.positions && step.positions.length !== positions?.length) {
      const want = ["channels", ...step.positions.map((size) => size ?? "positions")].join(", ");
      throw sizesDiffer(model, step.name, `the input is [${want}], not [${inputShape.join(", ")}]`);
    }
    const isKnown = positions?.every((size): size is number => size !== null) === true;
    if (channels === null || !isKnown) {
      return { unknown: `the input ${step.name} has no size in the file: state its shape` };
    }
    return plain(maps.add(step.name, channels, positions), positions);
  };

  const connect = (step: Step<"connect">, value: Value): Traced => {
    const layer = model.layers[step.layer]!;
    connected.add(layer);
    const isWhole = value.flat !== null || value.positions.length === 0;
    if (step.window === null && isWhole) return dense(layer, value);
    const ones = value.positions.map(() => 1);
    const window = step.window ?? { kernel: ones, strides: ones, dilations: ones, padding: [] };
    const layout = layoutFor(model, step.layer, value.maps.length);
    if (layout === null || layout.taps !== elementCount(window.kernel) || value.flat !== null) {
      throw sizesDiffer(
        model,
        layer.name,
        `a kernel for ${layer.in} channels and ${window.kernel.join(" x ")} taps reads ${described(value)}`,
      );
    }
    const axes = axesOf(model, layer.name, { window, value });
    const positions = axes.map(({ output }) => output);
    const to = maps.add(layer.name, layer.out, positions);
    const edges = elementCount([to.length, layout.inPerGroup, ...axes.map(pairCount)]);
    const { groups } = layout;
    drafts.push({
      name: layer.name,
      weights: { layer, layout },
      groups,
      axes,
      edges,
      from: value,
      to,
    });
    return plain(to, positions);
  };

  const dense = (layer: WeightLayer, value: Value): Traced => {
    const { layout, name } = layer;
    if (elementCount([value.maps.length, ...value.positions]) !== layer.in || layout.taps !== 1) {
      throw sizesDiffer(model, name, `a layer for ${layer.in} features reads ${described(value)}`);
    }
    const to = maps.add(name, layer.out, []);
    const { groups, inPerGroup } = layout;
    const edges = elementCount([to.length, inPerGroup]);
    drafts.push({ name, weights: { layer, layout }, groups, axes: [], edges, from: value, to });
    return plain(to, []);
  };

  const pool = (step: Step<"pool">, value: Value): Traced => {
    if (value.flat !== null) return { unknown: `${step.name} pools features that were flattened` };
    const ones = value.positions.map(() => 1);
    const all = { kernel: value.positions, strides: ones, dilations: ones, padding: [] };
    const axes = axesOf(model, step.name, {
      window: step.window === "all" ? all : step.window,
      value,
    });
    const positions = axes.map(({ output }) => output);
    const to = maps.add(step.name, value.maps.length, positions);
    const edges = elementCount([to.length, ...axes.map(pairCount)]);
    drafts.push({
      name: step.name,
      weights: { pooling: step.mode, countsPadding: step.countsPadding === true },
      groups: to.length,
      axes,
      edges,
      from: value,
      to,
    });
    return plain(to, positions);
  };

  const unflatten = (step: Step<"unflatten">, value: Value): Traced => {
    const units = value.maps;
    const sizes = [step.channels, ...step.positions];
    const stated = elementCount(sizes.filter((size) => size !== null));
    const rest = units.length / stated;
    const open = sizes.filter((size) => size === null).length;
    const fits = elementCount(value.positions) === 1 && (open === 0 ? rest === 1 : open === 1);
    if (!fits || !Number.isSafeInteger(rest) || rest < 1) {
      return { unknown: `${step.name} makes a map of other values than units` };
    }
    const [channels, ...positions] = sizes.map((size) => size ?? rest) as [number, ...number[]];
    const made = maps.add(step.name, channels, positions);
    const places = units.length / channels;
    const isPlaced = maps.place(units, (unit) =>
      step.order === "channels first"
        ? { map: made[Math.floor(unit / places)]!, position: unit % places }
        : { map: made[unit % channels]!, position: Math.floor(unit / channels) },
    );
    return isPlaced
      ? plain(made, positions)
      : { unknown: `${step.name} puts units at two positions` };
  };

  const evaluate = (step: GeometryStep, index: number): Traced => {
    if (step.op === "unknown") return { unknown: step.reason };
    if (step.op === "input") return input(step, index);
    const sources = [step.of]
      .flat()
      .map((of) => values[of] ?? { unknown: "its input stands nowhere" });
    const lost = sources.find((value) => "unknown" in value);
    if (lost !== undefined) {
      if (step.op !== "connect") return lost;
      throw positionsUnknown(model, [model.layers[step.layer]!.name], lost.unknown);
    }
    const known = sources as readonly Value[];
    const [first] = known as [Value];
    if (step.op === "connect") return connect(step, first);
    if (step.op === "pool") return pool(step, first);
    if (step.op === "pad") return padded(first, step.pads);
    if (known.some(({ pads }) => pads !== null)) {
      return { unknown: "padding is read by more than a window" };
    }
    if (step.op === "unflatten") return unflatten(step, first);
    if (step.op === "flatten") return { ...first, flat: first.flat ?? step.order };
    return step.op === "sum" ? summed(known, maps.merge) : joined(known);
  };

  let work = 0;
  for (const [index, step] of steps.entries()) {
    const value = evaluate(step, index);
    values.push(value);
    if ("maps" in value) work += value.maps.length;
    if (work > workLimit) {
      throw new GraphError("GRAPH_TOO_LARGE", "channels are joined and parted without end", {
        path: [model.name],
      });
    }
  }
  for (const { layer: index } of model.topology.wires) {
    const layer = model.layers[index]!;
    if (connected.has(layer)) continue;
    throw positionsUnknown(model, [layer.name], "where its neurons stand could not be followed");
  }
  const numbered = maps.number();
  const links = drafts.map(({ from, to, ...link }): UnrolledLink => ({
    ...link,
    columns:
      link.axes.length === 0 ? featureNodes(from, numbered.first) : numbered.first(from.maps),
    rows: numbered.first(to),
  }));
  return planOf(model, numbered.layers, links);
}

/** As many channels as the first weight layer that reads the input takes. */
function readerSize(
  { layers }: Model,
  steps: readonly GeometryStep[],
  index: number,
): number | null {
  const reader = steps.find((step) => step.op === "connect" && step.of === index);
  return reader?.op === "connect" ? layers[reader.layer]!.in : null;
}

/** The layer's own layout, or the one with which the topology says that it reads so many channels. */
function layoutFor(
  { layers, topology }: Model,
  index: number,
  channels: number,
): WeightLayout | null {
  const reads = ({ groups, inPerGroup }: WeightLayout): boolean => groups * inPerGroup === channels;
  const { layout } = layers[index]!;
  if (reads(layout)) return layout;
  const wires = topology.wires.filter((wire) => wire.layer === index);
  return (
    wires.find((wire) => reads(wire.layout) && wire.layout.taps === layout.taps)?.layout ?? null
  );
}

/** @throws {ShapeError} `SHAPE_MISMATCH` with the layer's name */
function axesOf(
  model: Model,
  name: string,
  { window, value }: { window: Window; value: Value },
): AxisWindow[] {
  if (window.kernel.length !== value.positions.length) {
    throw sizesDiffer(
      model,
      name,
      `a window of ${window.kernel.length} axes reads ${described(value)}`,
    );
  }
  try {
    return value.positions.map((size, i) => {
      const pads = value.pads?.[i];
      return axisWindow(window, i, { input: size, ...(pads && { pads }) });
    });
  } catch (error) {
    if (isWeightGraphError(error, "SHAPE_MISMATCH")) throw sizesDiffer(model, name, error.message);
    throw error;
  }
}

function described({ maps, positions, flat }: Value): string {
  const shape = `${maps.length} channels of ${positions.join(" x ") || "one"} position(s)`;
  return flat === null ? shape : `${shape}, flattened`;
}

function padded(value: Value, pads: Pads): Traced {
  if (value.flat !== null || pads.length !== value.positions.length) {
    return { unknown: "padding along features" };
  }
  const both = pads.map(([before, after], i): [number, number] => {
    const [own, behind] = value.pads?.[i] ?? [0, 0];
    return [own + before, behind + after];
  });
  if (both.flat().some((size) => !Number.isSafeInteger(size) || size < 0)) {
    return { unknown: "positions are cut off" };
  }
  return { ...value, pads: both };
}

/** One node of each pair; values of fewer positions or channels are broadcast, and passed over. */
function summed(values: readonly Value[], merge: ChannelMaps["merge"]): Traced {
  const size = ({ maps, positions }: Value): number => elementCount([maps.length, ...positions]);
  const largest = values.reduce((most, value) => (size(value) > size(most) ? value : most));
  for (const value of values) {
    if (size(value) !== size(largest)) continue;
    const isSame =
      value.flat === largest.flat &&
      value.maps.length === largest.maps.length &&
      sameShape(value.positions, largest.positions);
    if (!isSame) return { unknown: "a sum of values of different shapes" };
    if (!merge(largest.maps, value.maps)) return { unknown: "a sum puts units at two positions" };
  }
  return largest;
}

function joined(values: readonly Value[]): Traced {
  const [first] = values as [Value];
  const fits = values.every(
    ({ positions, flat }) =>
      (flat === null || elementCount(positions) === 1) && sameShape(positions, first.positions),
  );
  const channels = values.reduce((sum, { maps }) => sum + maps.length, 0);
  if (channels > mapLimit) return { unknown: `over ${mapLimit} channels stand side by side` };
  if (!fits) return { unknown: "values of different positions stand side by side" };
  const maps = new Int32Array(channels);
  let at = 0;
  for (const value of values) {
    maps.set(value.maps, at);
    at += value.maps.length;
  }
  return { ...first, maps };
}

/** The node of each feature of a flattened value, in order. */
function featureNodes(
  { maps, positions, flat }: Draft["from"],
  first: (maps: Int32Array) => Float64Array,
): Float64Array {
  const nodes = first(maps);
  const places = elementCount(positions);
  const channels = maps.length;
  return Float64Array.from({ length: channels * places }, (_, feature) =>
    flat === "positions first"
      ? nodes[feature % channels]! + Math.floor(feature / channels)
      : nodes[Math.floor(feature / places)]! + (feature % places),
  );
}

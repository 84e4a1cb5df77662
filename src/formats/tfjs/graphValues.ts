/** What the edges of a TensorFlow graph carry, as far as neurons are concerned. */
import type { Activation } from "../../model/neuronTracer.ts";
import type { StoredTensor } from "../../model/model.ts";
import type { GraphNode } from "./schema.ts";

/** A constant, seen through transpositions and reshapes: `view[k]` are the stored axes that axis k runs over. */
export interface Constant {
  readonly kind: "constant";
  readonly tensor: StoredTensor;
  /** Null when a reshape cut through a stored axis. */
  readonly view: readonly (readonly number[])[] | null;
  /** Values of a short list of integers: a shape, a permutation, axes. */
  readonly numbers: readonly number[] | null;
}

/** Something that depends on the input. */
export interface Flow {
  readonly kind: "flow";
  readonly activation: Activation;
  /** Axes behind the one that carries neurons: 0 when it is the last. */
  readonly back: number;
  readonly rank: number | null;
  /** Where a reshape parted the neurons' axis (heads of an attention): its outer factors, outermost first. */
  readonly outer: readonly Part[];
  /** True behind a factor per channel: what is added next belongs to a normalisation. */
  readonly isScaled: boolean;
}

/** A factor of the neurons' axis. */
export interface Part {
  /** Axes behind it; null while it is joined with an axis of positions. */
  readonly back: number | null;
  readonly size: number;
}

export function flowOf(activation: Activation, back: number, rank: number | null): Flow {
  return { kind: "flow", activation, back, rank, outer: [], isScaled: false };
}

/** Computed in the graph from constants alone. */
interface Computed {
  readonly kind: "computed";
  readonly parts: readonly Constant[];
}

/** A list of integers that was put together in the graph; null where an entry depends on the input. */
export interface Numbers {
  readonly kind: "numbers";
  readonly numbers: readonly (number | null)[];
  /** True where more may stand in front. */
  readonly isOpen?: boolean;
}

/** Null: nothing is known of it. */
export type Value = Constant | Flow | Numbers | Computed | null;

export function numbersOf(value: Value | undefined): readonly (number | null)[] | null {
  return value?.kind === "constant" || value?.kind === "numbers" ? value.numbers : null;
}

export function flowsOf(values: readonly Value[]): Flow[] {
  return values.filter((value) => value?.kind === "flow");
}

/** The constants among `values`, those inside computed ones too. */
export function constantsIn(values: readonly Value[]): Constant[] {
  return values.flatMap((value): readonly Constant[] => {
    if (value?.kind === "constant") return [value];
    return value?.kind === "computed" ? value.parts : [];
  });
}

/** Distance of an axis from the last one; null when it is counted from the front of an unknown rank. */
export function backOf(axis: number, rank: number | null): number | null {
  if (axis < 0) return -axis - 1;
  return rank === null ? null : rank - 1 - axis;
}

export function transposed(value: Value, order: readonly (number | null)[] | null): Value {
  if (value?.kind === "computed") return value;
  if (order === null || order.some((axis) => axis === null)) return null;
  const axes = order as readonly number[];
  if (value?.kind === "constant") {
    const view = value.view && axes.map((axis) => value.view![axis] ?? []);
    return { ...value, view, numbers: null };
  }
  if (value?.kind !== "flow") return value;
  return mapAxes(value, axes.length, (back) => {
    const from = axes.length - 1 - back;
    const to = axes.findIndex((axis) => axis === from || axis === from - axes.length);
    return to === -1 ? null : axes.length - 1 - to;
  });
}

/** The flow with its neurons' axes where `place` puts them; null where one of them is gone. */
export function mapAxes(
  flow: Flow,
  rank: number | null,
  place: (back: number) => number | null,
): Flow | null {
  const back = place(flow.back);
  const outer = flow.outer.map((part) => ({
    ...part,
    back: part.back === null ? null : place(part.back),
    wasJoined: part.back === null,
  }));
  if (back === null || outer.some((part) => part.back === null && !part.wasJoined)) return null;
  return { ...flow, back, rank, outer: outer.map(({ back: own, size }) => ({ back: own, size })) };
}

/** A reshape of a constant keeps its axes apart as long as runs of them fill the new ones. */
export function reshapedConstant(value: Constant, target: readonly (number | null)[]): Constant {
  const { shape } = value.tensor;
  const axes = (value.view ?? []).flat();
  const known = target.map((size) => (size === null ? -1 : size));
  const total = axes.reduce((product, axis) => product * shape[axis]!, 1);
  const rest = known.reduce((product, size) => (size < 0 ? product : product * size), 1);
  let at = 0;
  const view = known.map((size) => {
    const wanted = size < 0 ? total / rest : size;
    const run: number[] = [];
    for (let filled = 1; filled < wanted && at < axes.length; at++) {
      run.push(axes[at]!);
      filled *= shape[axes[at]!]!;
    }
    return { run, fits: run.reduce((product, axis) => product * shape[axis]!, 1) === wanted };
  });
  const fits = value.view !== null && view.every((axis) => axis.fits);
  return { ...value, view: fits ? view.map(({ run }) => run) : null };
}

/** Attributes as the converter writes them: 64-bit integers as text, bytes as base64. */
export function attributeOf(node: GraphNode, name: string): Readonly<Record<string, unknown>> {
  const value = Object.hasOwn(node.attr, name) ? node.attr[name] : undefined;
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

export function integerAttribute(node: GraphNode, name: string): number {
  const value = Number(attributeOf(node, name)["i"] ?? 0);
  return Number.isSafeInteger(value) ? value : 0;
}

export function flagAttribute(node: GraphNode, name: string): boolean {
  return attributeOf(node, name)["b"] === true;
}

export function textAttribute(node: GraphNode, name: string): string {
  return decodedText(attributeOf(node, name)["s"]);
}

function decodedText(text: unknown): string {
  if (typeof text !== "string") return "";
  try {
    return atob(text);
  } catch {
    return text;
  }
}

export function integersAttribute(node: GraphNode, name: string): number[] {
  const list = attributeOf(node, name)["list"];
  const integers = (list as { i?: unknown } | undefined)?.i;
  return Array.isArray(integers) ? integers.map(Number) : [];
}

export function textsAttribute(node: GraphNode, name: string): string[] {
  const texts = (attributeOf(node, name)["list"] as { s?: unknown } | undefined)?.s;
  return Array.isArray(texts) ? texts.map((text) => decodedText(text)) : [];
}

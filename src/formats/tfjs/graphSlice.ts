import type { NeuronTracer } from "../../model/neuronTracer.ts";
import { partAt, partSizes, selectPart, takePart } from "./graphParts.ts";
import {
  backOf,
  flowsOf,
  integerAttribute,
  mapAxes,
  numbersOf,
  type Flow,
  type Numbers,
  type Value,
} from "./graphValues.ts";
import type { GraphNode } from "./schema.ts";

/** What an entry of a slice does to one axis of its input. */
type Step =
  | { readonly kind: "new" }
  | { readonly kind: "one"; readonly axis: number; readonly index: number | null }
  | {
      readonly kind: "range";
      readonly axis: number;
      readonly from: number | null;
      readonly to: number | null;
      readonly stride: number;
    };

/**
 * `x[a:b, :, newaxis, 0]`: axes come and go by the masks' bits, and a range on the neurons' own axis selects some of them.
 * With an unknown rank the axis of neurons is taken to stay.
 */
export function strideSlice(
  node: GraphNode,
  inputs: readonly Value[],
  tracer: NeuronTracer,
): Value {
  const [flow] = flowsOf(inputs.slice(0, 1));
  if (flow === undefined) return sliceNumbers(node, inputs);
  const { rank } = flow;
  const steps = rank === null ? null : stepsOf(node, inputs, rank);
  if (steps === null || rank === null) return flow;
  let chosen: Flow | null = flow;
  for (const step of steps) {
    if (step.kind !== "range" || chosen === null) continue;
    const part = partAt(chosen, rank - 1 - step.axis);
    if (part !== -1) chosen = ranged(chosen, { ...step, part }, tracer);
  }
  return chosen && shrink(chosen, steps, tracer);
}

function stepsOf(node: GraphNode, inputs: readonly Value[], rank: number): Step[] | null {
  const bit = (mask: string, i: number): boolean => ((integerAttribute(node, mask) >> i) & 1) === 1;
  const [begin, end, strides] = [inputs[1], inputs[2], inputs[3]].map(numbersOf);
  if (!begin || begin.length > 64) return null;
  const given = begin.filter((_, i) => !bit("new_axis_mask", i) && !bit("ellipsis_mask", i)).length;
  const steps: Step[] = [];
  let axis = 0;
  for (let i = 0; i < begin.length; i++) {
    if (bit("ellipsis_mask", i)) axis += Math.max(0, rank - given);
    else if (bit("new_axis_mask", i)) steps.push({ kind: "new" });
    else if (bit("shrink_axis_mask", i)) {
      steps.push({ kind: "one", axis: axis++, index: begin[i] ?? null });
    } else {
      const from = bit("begin_mask", i) ? null : (begin[i] ?? null);
      const to = bit("end_mask", i) ? null : (end?.[i] ?? null);
      steps.push({ kind: "range", axis: axis++, from, to, stride: strides?.[i] ?? 1 });
    }
  }
  return steps;
}

/** Some of the neurons along a factor; a stride other than 1 is followed for none. */
function ranged(
  flow: Flow,
  { part, from, to, stride }: Step & { kind: "range"; part: number },
  tracer: NeuronTracer,
): Flow | null {
  const size = partSizes(flow)?.[part];
  if (size === undefined) return flow;
  if (stride !== 1) return null;
  const place = (index: number): number =>
    Math.min(Math.max(index < 0 ? size + index : index, 0), size);
  const start = from === null ? 0 : place(from);
  const end = to === null ? size : place(to);
  return selectPart(flow, { part, start, end: Math.max(end, start) }, tracer) ?? flow;
}

/** Axes of one index are taken away, new ones put in. */
function shrink(flow: Flow, steps: readonly Step[], tracer: NeuronTracer): Flow | null {
  const rank = flow.rank!;
  let taken: Flow | null = flow;
  // From the last axis on, so that those before keep their numbers.
  for (const step of steps.toReversed()) {
    if (step.kind !== "one" || taken === null) continue;
    taken = takeIndex(taken, { axis: step.axis, index: step.index }, tracer);
  }
  if (taken === null) return null;
  const kept: ("new" | number)[] = [];
  let axis = 0;
  for (const step of steps) {
    if (step.kind === "new") kept.push("new");
    else {
      while (axis < step.axis) kept.push(axis++);
      axis++;
      if (step.kind === "range") kept.push(step.axis);
    }
  }
  while (axis < rank) kept.push(axis++);
  const plain = kept.filter((own) => own !== "new");
  return mapAxes(taken, kept.length, (back) => {
    const own = plain[plain.length - 1 - back];
    return own === undefined ? null : kept.length - 1 - kept.indexOf(own);
  });
}

/** One index of `axis`, which is gone then; null where the neurons were on it alone. */
export function takeIndex(
  flow: Flow,
  { axis, index }: { axis: number; index: number | null },
  tracer: NeuronTracer,
): Flow | null {
  const back = backOf(axis, flow.rank);
  if (back === null) return { ...flow, rank: null };
  const part = partAt(flow, back);
  if (part === -1) {
    const rank = flow.rank === null ? null : flow.rank - 1;
    return mapAxes(flow, rank, (own) => (own > back ? own - 1 : own));
  }
  const size = partSizes(flow)?.[part];
  if (index === null || size === undefined) return null;
  return takePart(flow, { part, index: index < 0 ? size + index : index }, tracer);
}

/** `Slice`: a begin and a size for every axis; a size of -1 takes the rest. */
export function sliceFlow(inputs: readonly Value[], tracer: NeuronTracer): Value {
  const [flow] = flowsOf(inputs.slice(0, 1));
  const [begin, size] = [numbersOf(inputs[1]), numbersOf(inputs[2])];
  if (flow === undefined) return sliceOfNumbers(inputs[0], begin?.[0], size?.[0]);
  if (begin === null || size === null) return flow;
  const rank = begin.length;
  let chosen: Flow = { ...flow, rank };
  for (let axis = 0; axis < rank; axis++) {
    const part = partAt(chosen, rank - 1 - axis);
    const [from, count] = [begin[axis] ?? 0, size[axis] ?? -1];
    if (part === -1) continue;
    const to = count < 0 ? null : from + count;
    chosen = ranged(chosen, { kind: "range", axis, part, from, to, stride: 1 }, tracer) ?? chosen;
  }
  return chosen;
}

function sliceOfNumbers(
  value: Value | undefined,
  begin: number | null | undefined,
  size: number | null | undefined,
): Numbers | null {
  const list = numbersOf(value);
  if (list === null || typeof begin !== "number" || typeof size !== "number") return null;
  return { kind: "numbers", numbers: list.slice(begin, size < 0 ? undefined : begin + size) };
}

/** One entry, or a range, of a list of integers such as a shape. */
function sliceNumbers(node: GraphNode, inputs: readonly Value[]): Numbers | null {
  const list = numbersOf(inputs[0]);
  const [begin] = numbersOf(inputs[1]) ?? [];
  if (list === null || typeof begin !== "number") return null;
  const [end] = numbersOf(inputs[2]) ?? [];
  const isOne = integerAttribute(node, "shrink_axis_mask") === 1;
  const start = integerAttribute(node, "begin_mask") === 1 && !isOne ? 0 : begin;
  const hasEnd = typeof end === "number" && integerAttribute(node, "end_mask") === 0;
  const stop = isOne ? start + 1 : hasEnd ? end : list.length;
  return { kind: "numbers", numbers: list.slice(start, stop === 0 ? undefined : stop) };
}

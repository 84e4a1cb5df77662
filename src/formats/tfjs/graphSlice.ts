import type { NeuronTracer } from "../../model/neuronTracer.ts";
import {
  flowsOf,
  integerAttribute,
  numbersOf,
  type Flow,
  type Numbers,
  type Value,
} from "./graphValues.ts";
import type { GraphNode } from "./schema.ts";

/**
 * `x[a:b, :, newaxis, 0]`: axes come and go by the masks' bits, and a range on the neurons' own axis selects some of them.
 * With an ellipsis or an unknown rank the axis of neurons is taken to stay.
 */
export function strideSlice(
  node: GraphNode,
  inputs: readonly Value[],
  tracer: NeuronTracer,
): Value {
  const [flow] = flowsOf(inputs.slice(0, 1));
  if (flow === undefined) return sliceNumbers(node, inputs);
  const bit = (mask: string, i: number): boolean => ((integerAttribute(node, mask) >> i) & 1) === 1;
  const [begin, end, strides] = [inputs[1], inputs[2], inputs[3]].map(numbersOf);
  const { rank } = flow;
  if (!begin || rank === null || integerAttribute(node, "ellipsis_mask") !== 0) return flow;
  const kept: ("new" | number)[] = [];
  let axis = 0;
  let selected: Flow = flow;
  for (let i = 0; i < begin.length; i++) {
    if (bit("new_axis_mask", i)) kept.push("new");
    else if (bit("shrink_axis_mask", i)) axis++;
    else {
      if (axis === rank - 1 - flow.back && (strides?.[i] ?? 1) === 1) {
        const from = bit("begin_mask", i) ? 0 : begin[i];
        const to = bit("end_mask", i) ? null : end?.[i];
        selected = select(flow, [from ?? 0, to ?? null], tracer);
      }
      kept.push(axis++);
    }
  }
  while (axis < rank) kept.push(axis++);
  const at = kept.indexOf(rank - 1 - flow.back);
  if (at === -1) return null;
  return { ...selected, back: kept.length - 1 - at, rank: kept.length };
}

function select(
  flow: Flow,
  [from, to]: readonly [number, number | null],
  tracer: NeuronTracer,
): Flow {
  const size = flow.activation.neurons.ids?.length;
  if (size === undefined || flow.activation.flat !== null) return flow;
  const place = (index: number): number =>
    Math.min(Math.max(index < 0 ? size + index : index, 0), size);
  const [start, end] = [place(from), to === null ? size : place(to)];
  if (start === 0 && end === size) return flow;
  return { ...flow, activation: tracer.slice(flow.activation, start, Math.max(end, start)) };
}

/** One entry, or a range, of a list of integers such as a shape. */
function sliceNumbers(node: GraphNode, inputs: readonly Value[]): Numbers | null {
  const list = numbersOf(inputs[0]);
  const [begin] = numbersOf(inputs[1]) ?? [];
  if (list === null || typeof begin !== "number") return null;
  const [end] = numbersOf(inputs[2]) ?? [];
  const isOne = integerAttribute(node, "shrink_axis_mask") === 1;
  const hasEnd = typeof end === "number" && integerAttribute(node, "end_mask") === 0;
  const stop = isOne ? begin + 1 : hasEnd ? end : list.length;
  return { kind: "numbers", numbers: list.slice(begin, stop === 0 ? undefined : stop) };
}

/** Operators that put axes or neurons together, and that part them. */
import type { Activation, NeuronTracer } from "../../model/neuronTracer.ts";
import { computedOf, uniteFlows, withoutAxes } from "./graphArithmetic.ts";
import { maxNeurons, partAt, partSizes, selectPart } from "./graphParts.ts";
import { takeIndex } from "./graphSlice.ts";
import {
  backOf,
  flowsOf,
  integerAttribute,
  integersAttribute,
  mapAxes,
  numbersOf,
  type Flow,
  type Numbers,
  type Value,
} from "./graphValues.ts";
import type { GraphNode } from "./schema.ts";

const maxOutputs = 2 ** 14;
/** Sizes in a list, axes of a constant: more than any shape has. */
const maxList = 4096;
const maxAxes = 64;

export function expandDims(value: Value, axis: number | null | undefined): Value {
  if (axis === null || axis === undefined || value === null) return null;
  if (value.kind === "numbers" || value.kind === "computed") return value;
  if (value.kind === "constant") {
    const { view } = value;
    if (view === null || view.length >= maxAxes) return { ...value, view: null };
    const at = axis < 0 ? view.length + 1 + axis : axis;
    return { ...value, view: view.toSpliced(at, 0, []) };
  }
  const rank = value.rank === null ? null : value.rank + 1;
  const place = backOf(axis, rank);
  return mapAxes(value, rank, (back) => (place !== null && place <= back ? back + 1 : back));
}

export function squeeze(node: GraphNode, value: Value): Value {
  const listed = integersAttribute(node, "squeeze_dims");
  const axes = listed.length > 0 ? listed : integersAttribute(node, "axis");
  if (value?.kind === "constant") {
    const { view, tensor } = value;
    if (view === null) return value;
    const gone = new Set(axes.map((axis) => (axis < 0 ? view.length + axis : axis)));
    const isOne = (own: readonly number[]): boolean =>
      own.every((axis) => tensor.shape[axis] === 1);
    return {
      ...value,
      view: view.filter((own, i) => (gone.size > 0 ? !gone.has(i) : !isOne(own))),
    };
  }
  if (value?.kind !== "flow") return value;
  if (axes.length === 0) return { ...value, rank: null };
  return withoutAxes(
    value,
    axes.map((axis) => backOf(axis, value.rank)),
  );
}

/** Numbers make a list; flows get a new axis, along which each neuron stays itself. */
export function pack(node: GraphNode, inputs: readonly Value[], tracer: NeuronTracer): Value {
  const flows = flowsOf(inputs);
  const axis = integerAttribute(node, "axis");
  const isShape = flows.length < inputs.length && axis === 0;
  if (flows.length === 0 || isShape) return listOf(inputs);
  return expandDims(uniteFlows(flows, tracer), axis);
}

/** The axis goes, and every output has what was at its index. */
export function unpack(node: GraphNode, inputs: readonly Value[], tracer: NeuronTracer): Value[] {
  const count = Math.min(Math.max(integerAttribute(node, "num"), 1), maxOutputs);
  const [value = null] = inputs;
  const axis = integerAttribute(node, "axis");
  if (value?.kind !== "flow") {
    const numbers = numbersOf(value);
    return Array.from({ length: count }, (_, i): Value =>
      numbers === null ? computedOf([value]) : { kind: "numbers", numbers: [numbers[i] ?? null] },
    );
  }
  return Array.from({ length: count }, (_, index) => takeIndex(value, { axis, index }, tracer));
}

function listOf(inputs: readonly Value[], isPartial = false): Numbers | null {
  const numbers = inputs.flatMap((value): readonly (number | null)[] => numbersOf(value) ?? [null]);
  if (numbers.length > maxList) return null;
  const isOpen =
    isPartial || inputs.some((value) => value?.kind === "numbers" && value.isOpen === true);
  return { kind: "numbers", numbers, ...(isOpen && { isOpen }) };
}

/** `axis` is a value of its own: the last input of ConcatV2, the first of Concat. */
export function concatenate(
  node: GraphNode,
  { parts, axis: axisValue }: { parts: readonly Value[]; axis: Value | undefined },
  tracer: NeuronTracer,
): Value {
  const flows = flowsOf(parts);
  const [axis] = numbersOf(axisValue) ?? [];
  const [first] = flows;
  if (first === undefined) {
    const hasNumbers = parts.some((part) => numbersOf(part) !== null);
    return hasNumbers ? listOf(parts, parts.includes(null)) : computedOf(parts);
  }
  const rank = flows.find((flow) => flow.rank !== null)?.rank ?? null;
  const along = axis === null || axis === undefined ? null : backOf(axis, rank);
  if (along !== first.back) {
    if (partAt(first, along) === -1) return uniteFlows(flows, tracer);
    return null;
  }
  if (first.outer.length > 0) return null;
  const joined = parts.map((part) => besides(part, { along, name: node.name }, tracer));
  if (joined.some((part) => part === null)) return null;
  const activation = tracer.concatenate(
    node.name,
    joined.filter((part) => part !== null),
  );
  return { ...first, rank, activation, isScaled: false };
}

/** What a part brings to a concatenation along `along`: its neurons, or new ones for a constant. */
function besides(
  part: Value,
  { along, name }: { along: number; name: string },
  tracer: NeuronTracer,
): Activation | null {
  if (part?.kind === "flow") {
    return part.back === along && part.outer.length === 0 ? part.activation : null;
  }
  const size = part?.kind === "constant" ? part.tensor.shape.at(-1 - along) : undefined;
  if (size === undefined || size > maxNeurons) return null;
  return tracer.source(`constants of ${name}`, size, "unknown");
}

export interface Splitting {
  readonly axis: number | null | undefined;
  readonly count: number;
  readonly sizes?: readonly number[];
}

export function splitFlow(
  value: Value,
  { axis, count, sizes }: Splitting,
  tracer: NeuronTracer,
): readonly Value[] {
  const parts = Math.min(Math.max(count, 1), maxOutputs);
  if (value?.kind !== "flow") return new Array<Value>(parts).fill(computedOf([value]));
  const along = axis === null || axis === undefined ? null : backOf(axis, value.rank);
  const part = partAt(value, along);
  if (part === -1) return new Array<Value>(parts).fill(value);
  const length = partSizes(value)?.[part];
  if (length === undefined) return new Array<Value>(parts).fill(null);
  const known = (sizes ?? []).reduce((sum, size) => sum + Math.max(size, 0), 0);
  let start = 0;
  return Array.from({ length: parts }, (_, i): Value => {
    const size = sizes?.[i] ?? length / parts;
    const end = start + (size < 0 ? length - known : size);
    const chosen = selectPart(value, { part, start, end }, tracer);
    start = end;
    return chosen;
  });
}

/** Paddings on the neurons' own axis are neurons that nothing sends to. */
export function pad(node: GraphNode, inputs: readonly Value[], tracer: NeuronTracer): Value {
  const [flow] = flowsOf(inputs.slice(0, 1));
  if (flow === undefined) return computedOf(inputs.slice(0, 1));
  const paddings = numbersOf(inputs[1]);
  if (paddings === null) return flow;
  const rank = paddings.length / 2;
  const along = (back: number): readonly (number | null)[] =>
    paddings.slice(2 * (rank - 1 - back), 2 * (rank - back));
  const isKept = flow.outer.every(
    ({ back }) => back === null || along(back).every((size) => size === 0),
  );
  const [before = 0, after = 0] = along(flow.back);
  if (!isKept || before === null || after === null) return null;
  // An input that nothing has read yet has no neurons on this axis or that.
  const isOpen = flow.activation.neurons.ids === null && flow.activation.neurons.role === "input";
  if ((before === 0 && after === 0) || isOpen) return { ...flow, rank };
  const isMirror = node.op.startsWith("Mirror");
  if (isMirror || flow.outer.length > 0 || Math.max(before, after) > maxNeurons) return null;
  const fresh = (size: number): Activation[] =>
    size > 0 ? [tracer.source(`padding of ${node.name}`, size, "unknown")] : [];
  const activation = tracer.concatenate(node.name, [
    ...fresh(before),
    flow.activation,
    ...fresh(after),
  ]);
  return { ...flow, activation, rank };
}

/** The same neurons again, as often as the neurons' axis is repeated. */
export function repeat(name: string, flow: Flow, times: number, tracer: NeuronTracer): Value {
  const count = flow.activation.neurons.ids?.length ?? 0;
  if (times === 1) return flow;
  if (flow.outer.length > 0 || count === 0 || times < 1 || times * count > maxNeurons) return null;
  const copies = new Array<Activation>(times).fill(flow.activation);
  return { ...flow, activation: tracer.concatenate(name, copies) };
}

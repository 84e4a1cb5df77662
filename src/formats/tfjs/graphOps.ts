/** What the operators without weights do to neurons: pass them on, move their axis, join, cut or lose them. */
import type { NeuronTracer } from "../../model/neuronTracer.ts";
import { reshapeFlow } from "./graphReshape.ts";
import {
  backOf,
  flagAttribute,
  flowsOf,
  integerAttribute,
  integersAttribute,
  numbersOf,
  reshapedConstant,
  transposed,
  type Flow,
  type Numbers,
  type Value,
} from "./graphValues.ts";
import { strideSlice } from "./graphSlice.ts";
import type { GraphNode } from "./schema.ts";

/** The outputs of a node; an operator that is not known passes its first flow on, and `known` says so. */
export function outputsOf(
  node: GraphNode,
  inputs: readonly Value[],
  tracer: NeuronTracer,
): { readonly values: readonly Value[]; readonly known: boolean } {
  if (Object.hasOwn(operators, node.op)) {
    return { values: operators[node.op]!(node, inputs, tracer), known: true };
  }
  const [flow] = flowsOf(inputs);
  return { values: [flow ?? null], known: flow === undefined || passing.test(node.op) };
}

const passing =
  /^(Relu6?|LeakyRelu|Elu|Selu|Prelu|Sigmoid|Tanh|Softplus|Softsign|Softmax|LogSoftmax|Exp|Expm1|Log|Log1p|Sqrt|Rsqrt|Square|Neg|Abs|Erf|Sign|Sin|Cos|Floor|Ceil|Round|Rint|Reciprocal|Inv|ClipByValue|Cast|StopGradient|PreventGradient|CheckNumerics|EnsureShape|LRN|MaxPool|AvgPool|MaxPool3D|AvgPool3D|MaxPoolWithArgmax|ResizeBilinear|ResizeNearestNeighbor|MirrorPad|Pad|PadV2|Tile|Reverse|ReverseV2|SpaceToBatchND|BatchToSpaceND|FusedBatchNorm(V[23])?|FakeQuantWithMinMax\w+|Cumsum|OneHot|LogicalNot|IsNan|IsInf|IsFinite)$/;

type Operator = (
  node: GraphNode,
  inputs: readonly Value[],
  tracer: NeuronTracer,
) => readonly Value[];

const elementwise: Operator = (_, inputs, tracer) => {
  const flow = uniteFlows(flowsOf(inputs), tracer);
  const sizes = inputs.map((input) => (input?.kind === "constant" ? input.tensor.shape.at(-1) : 1));
  return [
    flow?.kind === "flow"
      ? spread(flow, Math.max(...sizes.map((size) => size ?? 1)), tracer)
      : flow,
  ];
};
const same: Operator = (_, inputs) => [inputs[0] ?? null];
const nothing: Operator = () => [null];
const reduce: Operator = (node, inputs) => [reduceFlow(node, inputs)];
const arithmetic =
  "Add AddV2 AddN BiasAdd Sub Mul Div RealDiv DivNoNan FloorDiv FloorMod Mod Maximum Minimum SquaredDifference Pow Select SelectV2 " +
  "Greater GreaterEqual Less LessEqual Equal NotEqual LogicalAnd LogicalOr Merge";
const reductions = "Sum Mean Max Min Prod All Any EuclideanNorm";
const forAll = (names: string, operator: Operator): Record<string, Operator> =>
  Object.fromEntries(names.split(" ").map((name) => [name, operator]));

const operators: Readonly<Record<string, Operator>> = {
  ...forAll(arithmetic, elementwise),
  ...forAll(reductions, reduce),
  ...forAll("Identity ReadVariableOp Snapshot IdentityN", same),
  ...forAll("Shape Size Rank ArgMax ArgMin TopKV2 Where NonMaxSuppressionV3 NoOp Assert", nothing),
  Switch: (_, inputs) => [inputs[0] ?? null, inputs[0] ?? null],
  Transpose: (_, inputs) => [transposed(inputs[0] ?? null, numbersOf(inputs[1]))],
  ExpandDims: (_, inputs) => [expandDims(inputs[0] ?? null, numbersOf(inputs[1])?.[0])],
  Squeeze: (node, inputs) => [squeeze(inputs[0] ?? null, squeezedAxes(node))],
  Reshape: (_, inputs, tracer) => [reshape(inputs, tracer)],
  BroadcastTo: (_, inputs, tracer) => [broadcast(inputs, tracer)],
  StridedSlice: (node, inputs, tracer) => [strideSlice(node, inputs, tracer)],
  Pack: (node, inputs, tracer) => [pack(node, inputs, tracer)],
  ConcatV2: (node, inputs, tracer) => [concatenate(node, inputs, tracer)],
  Split: (node, inputs, tracer) => {
    const count = integerAttribute(node, "num_split");
    return splitFlow(inputs[1] ?? null, { axis: numbersOf(inputs[0])?.[0], count, tracer });
  },
  SplitV: (node, inputs, tracer) => {
    const sizes = numbersOf(inputs[1])?.map((size) => size ?? -1);
    const count = integerAttribute(node, "num_split") || (sizes?.length ?? 1);
    return splitFlow(inputs[0] ?? null, {
      axis: numbersOf(inputs[2])?.[0],
      count,
      tracer,
      ...(sizes && { sizes }),
    });
  },
  DepthToSpace: (node, inputs, tracer) => {
    const [flow] = flowsOf(inputs);
    const channels = flow?.activation.neurons.ids?.length ?? 0;
    const block = integerAttribute(node, "block_size");
    const depth = block > 0 ? channels / block ** 2 : NaN;
    if (!flow || !Number.isSafeInteger(depth)) return [flow ?? null];
    const activation = tracer.unflatten(flow.activation, depth);
    return [activation && { ...flow, activation }];
  },
};

/** Those that carry as many neurons on the same axis become one; a constant or a broadcast changes nothing. */
function uniteFlows(flows: readonly Flow[], tracer: NeuronTracer): Value {
  const [first] = flows;
  if (first === undefined) return null;
  const aligned = flows.filter(({ back }) => back === first.back);
  const activation = tracer.unite(aligned.map((flow) => flow.activation));
  const widest = aligned.find((flow) => flow.activation === activation) ?? first;
  return { ...widest, rank: flows.find(({ rank }) => rank !== null)?.rank ?? null };
}

function reduceFlow(node: GraphNode, inputs: readonly Value[]): Value {
  const [flow] = flowsOf(inputs);
  const axes = numbersOf(inputs[1]);
  if (flow === undefined || axes === null) return null;
  const { back, rank } = flow;
  const gone = axes.map((axis) => (axis === null ? null : backOf(axis, rank)));
  if (gone.includes(back)) return null;
  if (flagAttribute(node, "keep_dims") || flagAttribute(node, "keepdims")) return flow;
  return { ...flow, ...withoutAxes(flow, gone) };
}

/** An axis of unknown place is taken to lie before the neurons' own. */
function withoutAxes(
  { back, rank }: Flow,
  gone: readonly (number | null)[],
): Pick<Flow, "back" | "rank"> {
  const behind = gone.filter((axis) => axis !== null && axis < back).length;
  return { back: back - behind, rank: rank === null ? null : rank - gone.length };
}

function expandDims(value: Value, axis: number | null | undefined): Value {
  if (axis === null || axis === undefined || value === null || value.kind === "numbers")
    return null;
  if (value.kind === "constant") {
    const at = axis < 0 ? (value.view?.length ?? 0) + 1 + axis : axis;
    return { ...value, view: value.view?.toSpliced(at, 0, []) ?? null };
  }
  const rank = value.rank === null ? null : value.rank + 1;
  const place = backOf(axis, rank);
  const isBehind = place !== null && place <= value.back;
  return { ...value, rank, back: isBehind ? value.back + 1 : value.back };
}

function squeezedAxes(node: GraphNode): number[] {
  const axes = integersAttribute(node, "squeeze_dims");
  return axes.length > 0 ? axes : integersAttribute(node, "axis");
}

function squeeze(value: Value, axes: readonly number[]): Value {
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
  if (value?.kind !== "flow") return null;
  const gone = axes.map((axis) => backOf(axis, value.rank));
  if (axes.length === 0) return { ...value, rank: null };
  return gone.includes(value.back) ? null : { ...value, ...withoutAxes(value, gone) };
}

function reshape(inputs: readonly Value[], tracer: NeuronTracer): Value {
  const [value = null] = inputs;
  const target = numbersOf(inputs[1]);
  if (value === null || value.kind === "numbers" || target === null) return null;
  return value.kind === "constant"
    ? reshapedConstant(value, target)
    : reshapeFlow(value, target, tracer);
}

function broadcast(inputs: readonly Value[], tracer: NeuronTracer): Value {
  const [flow] = flowsOf(inputs);
  const size = numbersOf(inputs[1])?.at(-1);
  return flow === undefined || typeof size !== "number"
    ? (flow ?? null)
    : spread(flow, size, tracer);
}

/** An input that is spread over an axis of its own (compared to a list: a one-hot code) has a neuron for each place there. */
function spread(flow: Flow, size: number, tracer: NeuronTracer): Flow {
  const { ids, name, role, size: own } = flow.activation.neurons;
  if (ids !== null || own !== 1 || size <= 1) return flow;
  return { ...flow, activation: tracer.source(name, size, role) };
}

/** Numbers make a list; flows get a new axis, along which each neuron stays itself. */
function pack(node: GraphNode, inputs: readonly Value[], tracer: NeuronTracer): Value {
  const flows = flowsOf(inputs);
  if (flows.length === 0 || integerAttribute(node, "axis") === 0) return listOf(inputs);
  const axis = integerAttribute(node, "axis");
  return expandDims(uniteFlows(flows, tracer), axis);
}

function listOf(inputs: readonly Value[]): Numbers {
  return {
    kind: "numbers",
    numbers: inputs.flatMap((value): readonly (number | null)[] => numbersOf(value) ?? [null]),
  };
}

function concatenate(node: GraphNode, inputs: readonly Value[], tracer: NeuronTracer): Value {
  const parts = inputs.slice(0, -1);
  const flows = flowsOf(parts);
  const [axis] = numbersOf(inputs.at(-1)) ?? [];
  const [first] = flows;
  if (first === undefined) return listOf(parts);
  const rank = flows.find((flow) => flow.rank !== null)?.rank ?? null;
  const along = axis === null || axis === undefined ? null : backOf(axis, rank);
  if (along !== first.back) return uniteFlows(flows, tracer);
  const aligned = flows.every(({ back }) => back === along) && flows.length === parts.length;
  if (!aligned) return null;
  const activation = tracer.concatenate(
    node.name,
    flows.map((flow) => flow.activation),
  );
  return { ...first, rank, activation };
}

function splitFlow(
  value: Value,
  {
    axis,
    count,
    sizes,
    tracer,
  }: {
    axis: number | null | undefined;
    count: number;
    sizes?: readonly number[];
    tracer: NeuronTracer;
  },
): readonly Value[] {
  const parts = Math.min(Math.max(count, 1), 65_536);
  if (value?.kind !== "flow") return [null];
  const along = axis === null || axis === undefined ? null : backOf(axis, value.rank);
  const channels = value.activation.neurons.ids?.length;
  if (along !== value.back) return new Array<Value>(parts).fill(value);
  if (channels === undefined) return new Array<Value>(parts).fill(null);
  const known = (sizes ?? []).reduce((sum, size) => sum + Math.max(size, 0), 0);
  let start = 0;
  return Array.from({ length: parts }, (_, i): Value => {
    const size = sizes?.[i] ?? channels / parts;
    const end = start + (size < 0 ? channels - known : size);
    const activation = tracer.slice(value.activation, start, end);
    start = end;
    return { ...value, activation };
  });
}

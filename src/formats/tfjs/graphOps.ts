/** What the operators without weights do to neurons: pass them on, move their axis, join, cut or lose them. */
import type { NeuronTracer } from "../../model/neuronTracer.ts";
import { computedOf, elementwise, productFlow, reduceFlow, spread } from "./graphArithmetic.ts";
import {
  concatenate,
  expandDims,
  pack,
  pad,
  repeat,
  splitFlow,
  squeeze,
  unpack,
} from "./graphJoin.ts";
import { gatherFlow, einsumFlow, oneHot, shapeOf } from "./graphLookup.ts";
import { reshapeFlow } from "./graphReshape.ts";
import { sliceFlow, strideSlice } from "./graphSlice.ts";
import {
  flowsOf,
  integerAttribute,
  numbersOf,
  reshapedConstant,
  transposed,
  type Value,
} from "./graphValues.ts";
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
  const known = passing.test(node.op);
  return {
    values: [flow === undefined ? computedOf(inputs) : { ...flow, isScaled: false }],
    known,
  };
}

const passing =
  /^(?:Relu6?|LeakyRelu|Elu|Selu|Prelu|Sigmoid|Tanh|Softplus|Softsign|Softmax|LogSoftmax|Exp|Expm1|Log|Log1p|Sqrt|Rsqrt|Square|Neg|Abs|Erf|Erfc|Sign|A?(?:Sin|Cos|Tan)h?|Floor|Ceil|Round|Rint|Reciprocal|Inv|ClipByValue|Cast|StopGradient|PreventGradient|CheckNumerics|EnsureShape|Print|LRN|L2Loss|(?:Max|Avg)Pool(?:3D|V2)?|MaxPoolWithArgmax|Resize(?:Bilinear|NearestNeighbor|Bicubic|Area)|CropAndResize|ImageProjectiveTransformV[23]|MatrixBandPart|SpaceToBatch(?:ND)?|BatchToSpace(?:ND)?|FusedBatchNorm(?:V[23])?|FakeQuant\w+|Cum(?:sum|prod)|Logical(?:Not|And|Or)|IsNan|IsInf|IsFinite|Real|Imag|ComplexAbs|TensorScatter\w+|Const|Placeholder\w*)$/;

type Operator = (
  node: GraphNode,
  inputs: readonly Value[],
  tracer: NeuronTracer,
) => readonly Value[];

const same: Operator = (_, inputs) => [inputs[0] ?? null];
const nothing: Operator = () => [null];
const product: Operator = (node, inputs, tracer) => [productFlow(node, inputs, tracer)];
const arithmetic =
  "Add AddV2 AddN BiasAdd Sub Mul Div RealDiv DivNoNan FloorDiv FloorMod Mod Maximum Minimum SquaredDifference Pow Atan2 Select SelectV2 " +
  "Greater GreaterEqual Less LessEqual Equal NotEqual LogicalAnd LogicalOr BitwiseAnd Complex";
const reductions = "Sum Mean Max Min Prod All Any EuclideanNorm";
const lost =
  "Size Rank ArgMax ArgMin TopKV2 Where NoOp Assert Fill Range LinSpace Ones Zeros OnesLike ZerosLike RandomStandardNormal RandomUniform " +
  "RandomUniformInt TruncatedNormal Multinomial NonMaxSuppression NonMaxSuppressionV2 NonMaxSuppressionV3 NonMaxSuppressionV4 " +
  "NonMaxSuppressionV5 Unique UniqueV2 ListDiff LowerBound UpperBound Bincount DenseBincount ScatterNd SparseToDense BroadcastArgs " +
  "BroadcastGradientArgs FFT IFFT RFFT IRFFT LoopCond HashTable HashTableV2 LookupTableImport LookupTableImportV2 LookupTableFind " +
  "LookupTableFindV2 LookupTableSize LookupTableSizeV2 InitializeTable InitializeTableV2 StaticRegexReplace StringNGrams StringSplit " +
  "StringToHashBucketFast RaggedRange SparseFillEmptyRows SparseReshape TensorArraySizeV3 TensorArrayCloseV3 TensorListLength " +
  "SimpleMLCreateModelResource SimpleMLLoadModelFromPathWithHandle SimpleMLInferenceOpWithHandle";
const forAll = (names: string, operator: Operator): Record<string, Operator> =>
  Object.fromEntries(names.split(" ").map((name) => [name, operator]));

const operators: Readonly<Record<string, Operator>> = {
  ...forAll(arithmetic, (node, inputs, tracer) => [elementwise(node, inputs, tracer)]),
  ...forAll(reductions, (node, inputs) => [reduceFlow(node, inputs)]),
  ...forAll("Identity ReadVariableOp Snapshot Enter RefEnter Exit RefExit NextIteration", same),
  ...forAll("Cast StopGradient PreventGradient CheckNumerics EnsureShape Print", same),
  ...forAll(lost, nothing),
  ...forAll("MatMul _FusedMatMul BatchMatMul BatchMatMulV2 BatchMatMulV3 SparseMatMul", product),
  IdentityN: (_, inputs) => inputs,
  Shape: (_, inputs) => [shapeOf(inputs[0] ?? null)],
  ShapeN: (_, inputs) => inputs.map(shapeOf),
  Einsum: (node, inputs, tracer) => [einsumFlow(node, inputs, tracer)],
  OneHot: (node, inputs, tracer) => [oneHot(node, inputs, tracer)],
  ...forAll("Gather GatherV2 GatherNd RaggedGather", (node, inputs, tracer) => [
    gatherFlow(node, inputs, tracer),
  ]),
  Transpose: (_, inputs) => [transposed(inputs[0] ?? null, numbersOf(inputs[1]))],
  ExpandDims: (_, inputs) => [expandDims(inputs[0] ?? null, numbersOf(inputs[1])?.[0])],
  Squeeze: (node, inputs) => [squeeze(node, inputs[0] ?? null)],
  Reshape: (_, inputs, tracer) => [reshape(inputs, tracer)],
  BroadcastTo: (_, inputs, tracer) => [broadcast(inputs, tracer)],
  StridedSlice: (node, inputs, tracer) => [strideSlice(node, inputs, tracer)],
  Slice: (_, inputs, tracer) => [sliceFlow(inputs, tracer)],
  ...forAll("Pad PadV2 MirrorPad", (node, inputs, tracer) => [pad(node, inputs, tracer)]),
  Pack: (node, inputs, tracer) => [pack(node, inputs, tracer)],
  Unpack: (node, inputs, tracer) => unpack(node, inputs, tracer),
  ConcatV2: (node, inputs, tracer) => [
    concatenate(node, { parts: inputs.slice(0, -1), axis: inputs.at(-1) }, tracer),
  ],
  Concat: (node, inputs, tracer) => [
    concatenate(node, { parts: inputs.slice(1), axis: inputs[0] }, tracer),
  ],
  Split: (node, inputs, tracer) => {
    const count = integerAttribute(node, "num_split");
    return splitFlow(inputs[1] ?? null, { axis: numbersOf(inputs[0])?.[0], count }, tracer);
  },
  SplitV: (node, inputs, tracer) => {
    const sizes = numbersOf(inputs[1])?.map((size) => size ?? -1);
    const count = integerAttribute(node, "num_split") || (sizes?.length ?? 1);
    const axis = numbersOf(inputs[2])?.[0];
    return splitFlow(inputs[0] ?? null, { axis, count, ...(sizes && { sizes }) }, tracer);
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
  SpaceToDepth: (node, inputs, tracer) => {
    const [flow] = flowsOf(inputs);
    const block = integerAttribute(node, "block_size");
    return [flow === undefined ? null : repeat(node.name, flow, block ** 2, tracer)];
  },
  Tile: (node, inputs, tracer) => {
    const [flow] = flowsOf(inputs.slice(0, 1));
    if (flow === undefined) return [computedOf(inputs.slice(0, 1))];
    const times = numbersOf(inputs[1])?.at(-1 - flow.back);
    return [typeof times === "number" ? repeat(node.name, flow, times, tracer) : flow];
  },
  ...forAll("Reverse ReverseV2", (node, inputs) => {
    const [flow] = flowsOf(inputs.slice(0, 1));
    const axes = node.op === "ReverseV2" ? numbersOf(inputs[1]) : [];
    const isOwn = axes?.some((axis) => axis === -1 - (flow?.back ?? 0)) ?? false;
    return [isOwn ? null : (flow ?? null)];
  }),
};

function reshape(inputs: readonly Value[], tracer: NeuronTracer): Value {
  const [value = null, shape] = inputs;
  const target = numbersOf(shape);
  if (value === null || value.kind === "numbers" || value.kind === "computed") return value;
  if (target === null) return null;
  if (value.kind === "constant") return reshapedConstant(value, target);
  const reshaped = reshapeFlow(value, target, tracer);
  const isOpen = shape?.kind === "numbers" && shape.isOpen === true;
  return isOpen && reshaped?.kind === "flow" ? { ...reshaped, rank: null } : reshaped;
}

function broadcast(inputs: readonly Value[], tracer: NeuronTracer): Value {
  const [flow] = flowsOf(inputs);
  if (flow === undefined) return computedOf(inputs.slice(0, 1));
  const size = numbersOf(inputs[1])?.at(-1);
  return typeof size !== "number" ? flow : spread(flow, size, tracer);
}

/** Which operator is read by which function. */
import type { Activation } from "../activation.ts";
import type { Constant } from "../constant.ts";
import type { Call } from "../operator.ts";
import { depthToSpace, spaceToDepth } from "./blocks.ts";
import { concat } from "./concat.ts";
import { conv, convTranspose } from "./conv.ts";
import { gemm, matMul } from "./dense.ts";
import { compare, gate, normalise, pass, product, skipNormalise, sum } from "./elementwise.ts";
import { einsum } from "./einsum.ts";
import * as packed from "./packed.ts";
import * as quantised from "./quantised.ts";
import { quantisedForms } from "./quantisedForms.ts";
import { recurrent } from "./recurrent.ts";
import { argument, globalPool, pad, pool, reduce, resample } from "./spatial.ts";
import * as selection from "./selection.ts";
import * as structure from "./structure.ts";

type Result = Constant | readonly Activation[];
type Rule = (call: Call) => Result | Promise<Result>;

const rules: readonly (readonly [Rule, readonly string[]])[] = [
  [gemm, ["Gemm", "FusedGemm"]],
  [matMul, ["MatMul", "FusedMatMul"]],
  [einsum, ["Einsum"]],
  [conv, ["Conv", "FusedConv"]],
  [convTranspose, ["ConvTranspose"]],
  [recurrent, ["LSTM", "GRU", "RNN"]],
  [selection.gather, ["Gather"]],
  [quantised.dequantizeLinear, ["DequantizeLinear"]],
  [quantised.qLinearConv, ["QLinearConv"]],
  [quantised.qLinearMatMul, ["QLinearMatMul"]],
  [quantised.convInteger, ["ConvInteger"]],
  [quantised.matMulInteger, ["MatMulInteger"]],
  [quantised.dynamicQuantize, ["DynamicQuantizeLinear"]],
  [quantised.quantizeLinear, ["QuantizeLinear"]],
  [quantised.qGemm, ["QGemm"]],
  [quantised.dynamicQuantizeMatMul, ["DynamicQuantizeMatMul"]],
  [quantised.matMulIntegerToFloat, ["MatMulIntegerToFloat"]],
  [packed.matMulNBits, ["MatMulNBits"]],
  [packed.matMulBnb4, ["MatMulBnb4"]],
  [packed.gatherBlockQuantized, ["GatherBlockQuantized"]],
  [sum, ["Add", "Sub", "Sum", "Mean"]],
  [product, ["Mul", "Div"]],
  [compare, ["Max", "Min", "Pow", "Mod", "Where", "Equal", "Greater", "GreaterOrEqual", "Less"]],
  [compare, ["LessOrEqual", "And", "Or", "Xor", "BitShift", "BitwiseAnd", "BitwiseOr"]],
  [gate, ["Sigmoid", "HardSigmoid", "Softmax", "Clip"]],
  [
    normalise,
    ["BatchNormalization", "InstanceNormalization", "LayerNormalization", "GroupNormalization"],
  ],
  [normalise, ["RMSNormalization", "SimplifiedLayerNormalization", "PRelu", "QuickGelu"]],
  [skipNormalise, ["SkipLayerNormalization", "SkipSimplifiedLayerNormalization"]],
  [pass, ["Abs", "Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "Ceil", "Celu", "Cos", "Cosh"]],
  [
    pass,
    ["Elu", "Erf", "Exp", "Floor", "Gelu", "HardSwish", "Hardmax", "Identity", "IsInf", "IsNaN"],
  ],
  [pass, ["LeakyRelu", "Log", "LogSoftmax", "LpNormalization", "LRN", "MeanVarianceNormalization"]],
  [
    pass,
    ["Mish", "Neg", "Not", "Reciprocal", "Relu", "Round", "Selu", "Shrink", "Sign", "Sin", "Sinh"],
  ],
  [pass, ["Softplus", "Softsign", "Sqrt", "Swish", "Tan", "Tanh", "ThresholdedRelu", "Trilu"]],
  [pass, ["BitwiseNot", "Cast", "CastLike", "CumSum", "Dropout", "FastGelu"]],
  [pool, ["MaxPool", "AveragePool", "LpPool"]],
  [globalPool, ["GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"]],
  [resample, ["Resize", "Upsample", "GridSample"]],
  [pad, ["Pad"]],
  [
    reduce,
    ["ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2"],
  ],
  [reduce, ["ReduceSumSquare", "ReduceLogSum", "ReduceLogSumExp"]],
  [argument, ["ArgMax", "ArgMin"]],
  [structure.reshape, ["Reshape"]],
  [depthToSpace, ["DepthToSpace"]],
  [spaceToDepth, ["SpaceToDepth"]],
  [structure.flatten, ["Flatten"]],
  [structure.transpose, ["Transpose"]],
  [structure.squeeze, ["Squeeze"]],
  [structure.unsqueeze, ["Unsqueeze"]],
  [concat, ["Concat"]],
  [selection.split, ["Split"]],
  [selection.slice, ["Slice"]],
  [structure.expand, ["Expand"]],
  [structure.tile, ["Tile"]],
];

const known = new Map(rules.flatMap(([rule, names]) => names.map((name) => [name, rule] as const)));
for (const [name, form] of quantisedForms) {
  const rule = known.get(form.as);
  if (rule !== undefined) known.set(name, (call) => rule(quantised.onReals(call, form)));
}

/** Operators without neurons of their own, whose tensors are no weights. */
const plain: ReadonlySet<string> = new Set([
  "Shape",
  "Size",
  "Range",
  "ConstantOfShape",
  "NonZero",
  "NonMaxSuppression",
  "TopK",
  "OneHot",
  "EyeLike",
  "RandomNormal",
  "RandomNormalLike",
  "RandomUniform",
  "RandomUniformLike",
]);

/** The rule for an operator of ONNX or of a runtime's own domain; null: `isPlain`, or not known. */
export function ruleFor(opType: string): Rule | null {
  return known.get(opType) ?? null;
}

export function isPlain(opType: string): boolean {
  return plain.has(opType);
}

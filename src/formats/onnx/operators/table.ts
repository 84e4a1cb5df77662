/** Which operator is read by which function. */
import type { Activation } from "../activation.ts";
import type { Constant } from "../constant.ts";
import type { Call } from "../operator.ts";
import * as attention from "./attention.ts";
import { depthToSpace, spaceToDepth } from "./blocks.ts";
import * as classical from "./classical.ts";
import { concat } from "./concat.ts";
import { conv, convTranspose } from "./conv.ts";
import { gemm, matMul } from "./dense.ts";
import { clip, compare, gate, merge, normalise, pass, product, sum } from "./elementwise.ts";
import { einsum } from "./einsum.ts";
import { experts } from "./experts.ts";
import * as fused from "./fused.ts";
import { comparing, gating, normalising, passing, reshaping, sources } from "./passing.ts";
import * as packed from "./packed.ts";
import * as places from "./places.ts";
import * as quantised from "./quantised.ts";
import * as quantisedFused from "./quantisedFused.ts";
import { quantisedForms } from "./quantisedForms.ts";
import { recurrent } from "./recurrent.ts";
import * as regions from "./regions.ts";
import * as sequence from "./sequence.ts";
import { argument, globalPool, pad, pool, reduce, resample } from "./spatial.ts";
import * as selection from "./selection.ts";
import * as structure from "./structure.ts";

type Result = Constant | readonly Activation[];
type Rule = (call: Call) => Result | Promise<Result>;

const rules: readonly (readonly [Rule, readonly string[]])[] = [
  [gemm, ["Gemm", "FusedGemm"]],
  [fused.scaledGemm, ["GemmFloat8"]],
  [matMul, ["MatMul"]],
  [fused.fusedMatMul, ["FusedMatMul", "TransposeMatMul", "FusedMatMulActivation"]],
  [fused.matMulWithBias, ["GemmFastGelu"]],
  [einsum, ["Einsum"]],
  [conv, ["Conv"]],
  [fused.fusedConv, ["FusedConv"]],
  [fused.lastConv, ["NhwcConv", "NhwcFusedConv"]],
  [fused.deformConv, ["DeformConv"]],
  [fused.causalConv, ["CausalConvWithState"]],
  [convTranspose, ["ConvTranspose"]],
  [fused.convTransposeWithPads, ["ConvTransposeWithDynamicPads"]],
  [recurrent, ["LSTM", "GRU", "RNN", "AttnLSTM"]],
  [attention.attention, ["Attention"]],
  [attention.packedAttention, ["PackedAttention", "DecoderMaskedSelfAttention"]],
  [attention.longformerAttention, ["LongformerAttention"]],
  [attention.decoderAttention, ["DecoderAttention"]],
  [attention.attendWithBias, ["MultiHeadAttention", "PackedMultiHeadAttention"]],
  [attention.decoderMaskedAttention, ["DecoderMaskedMultiHeadAttention"]],
  [attention.attend, ["GroupQueryAttention", "SparseAttention", "PagedAttention"]],
  [attention.attend, ["FlexAttention", "LinearAttention"]],
  [attention.positionBias, ["RelativePositionBias"]],
  [attention.gatedPositionBias, ["GatedRelativePositionBias"]],
  [attention.turnedPair, ["GemmaRotaryEmbedding"]],
  [experts, ["MoE"]],
  [fused.embedNormalise, ["EmbedLayerNormalization"]],
  [fused.skipNormalise, ["SkipLayerNormalization", "SkipSimplifiedLayerNormalization"]],
  [fused.skipGroupNormalise, ["SkipGroupNorm"]],
  [fused.biased, ["BiasGelu", "FastGelu", "BiasAdd"]],
  [fused.biasedDropout, ["BiasDropout", "BitmaskBiasDropout"]],
  [fused.biasedHalves, ["BiasSplitGelu"]],
  [selection.gather, ["Gather"]],
  [selection.torchEmbedding, ["TorchEmbedding"]],
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
  [quantisedFused.qAttention, ["QAttention"]],
  [quantisedFused.qEmbedNormalise, ["QEmbedLayerNormalization"]],
  [quantisedFused.dynamicQuantizeLstm, ["DynamicQuantizeLSTM"]],
  [quantisedFused.quantisedExperts, ["QMoE"]],
  [packed.matMulNBits, ["MatMulNBits"]],
  [packed.matMulBnb4, ["MatMulBnb4"]],
  [packed.gatherBlockQuantized, ["GatherBlockQuantized"]],
  [sum, ["Add", "Sub", "Sum", "Mean"]],
  [product, ["Mul", "Div"]],
  [merge, ["Max", "Min", "Where"]],
  [clip, ["Clip"]],
  [compare, comparing],
  [gate, gating],
  [normalise, normalising],
  [pass, passing],
  [pool, ["MaxPool", "AveragePool", "LpPool"]],
  [regions.lastPool, ["NhwcMaxPool"]],
  [globalPool, ["GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"]],
  [resample, ["Resize", "Upsample", "GridSample", "MaxUnpool", "MaxpoolWithMask"]],
  [regions.regions, ["RoiAlign", "MaxRoiPool", "CropAndResize"]],
  [regions.cropOrPad, ["CenterCropPad"]],
  [regions.columnsToImage, ["Col2Im"]],
  [regions.determinant, ["Det"]],
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
  [selection.slice, ["Slice", "DynamicSlice"]],
  [structure.expand, ["Expand"]],
  [structure.tile, ["Tile"]],
  [places.scatter, ["Scatter", "ScatterElements", "ScatterND", "TensorScatter"]],
  [places.gatherElements, ["GatherElements"]],
  [places.gatherND, ["GatherND"]],
  [places.compress, ["Compress"]],
  [places.topK, ["TopK"]],
  [places.oneHot, ["OneHot"]],
  [places.sameShape, ["RandomNormalLike", "RandomUniformLike", "Bernoulli"]],
  [places.otherShape, reshaping],
  [places.extractFeatures, ["ArrayFeatureExtractor"]],
  [sequence.construct, ["SequenceConstruct"]],
  [sequence.insert, ["SequenceInsert"]],
  [sequence.erase, ["SequenceErase"]],
  [sequence.elementAt, ["SequenceAt"]],
  [sequence.joinElements, ["ConcatFromSequence"]],
  [sequence.splitToList, ["SplitToSequence"]],
  [classical.linear, ["LinearClassifier", "LinearRegressor"]],
  [classical.supportVectors, ["SVMClassifier", "SVMRegressor"]],
  [classical.trees, ["TreeEnsemble", "TreeEnsembleClassifier", "TreeEnsembleRegressor"]],
  [classical.scaled, ["Scaler"]],
  [classical.sideBySide, ["FeatureVectorizer"]],
];

const known = new Map(rules.flatMap(([rule, names]) => names.map((name) => [name, rule] as const)));
for (const [name, form] of quantisedForms) {
  const rule = known.get(form.as);
  if (rule !== undefined) known.set(name, (call) => rule(quantised.onReals(call, form)));
}

const plain: ReadonlySet<string> = new Set(sources);

/** The rule for an operator of ONNX or of a runtime's own domain; null: `isPlain`, or not known. */
export function ruleFor(opType: string): Rule | null {
  return known.get(opType) ?? null;
}

/** Operators without neurons of their own, whose tensors are no weights. */
export function isPlain(opType: string): boolean {
  return plain.has(opType);
}

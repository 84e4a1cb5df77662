/** Every operator of ONNX is known in some way, and the fused ones of a runtime connect what their parts did. */
import { expect, test } from "vitest";
import { memorySource, readOnnx, type Model } from "../../../src/index.ts";
import {
  graph,
  integers,
  microsoftNode,
  node,
  onnxModel,
  tensor,
  type OnnxModelParts,
} from "../../helpers/onnxModel.ts";
import { wiresOf } from "../../helpers/topology.ts";

async function read(parts: OnnxModelParts): Promise<Model> {
  return readOnnx(memorySource(onnxModel(parts), "net.onnx"));
}

/** Origin: onnx.ai/onnx/operators, opsets 1 to 27 and ai.onnx.preview. */
const operators = `
  Abs Acos Acosh Add AffineGrid And ArgMax ArgMin Asin Asinh Atan Atanh Attention AveragePool BatchNormalization
  Bernoulli BitCast BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor BlackmanWindow Cast CastLike CausalConvWithState
  Ceil Celu CenterCropPad Clip Col2Im Compress Concat ConcatFromSequence Constant ConstantOfShape Conv ConvInteger
  ConvTranspose Cos Cosh CumProd CumSum DFT DeformConv DepthToSpace DequantizeLinear Det Div Dropout
  DynamicQuantizeLinear Einsum Elu Equal Erf Exp Expand EyeLike Flatten FlexAttention Floor GRU Gather GatherElements
  GatherND Gelu Gemm GlobalAveragePool GlobalLpPool GlobalMaxPool Greater GreaterOrEqual GridSample GroupNormalization
  HammingWindow HannWindow HardSigmoid HardSwish Hardmax Identity If ImageDecoder InstanceNormalization IsInf IsNaN LRN
  LSTM LayerNormalization LeakyRelu Less LessOrEqual LinearAttention Log LogSoftmax Loop LpNormalization LpPool MatMul
  MatMulInteger Max MaxPool MaxRoiPool MaxUnpool Mean MeanVarianceNormalization MelWeightMatrix Min Mish Mod Mul
  Multinomial Neg NegativeLogLikelihoodLoss NonMaxSuppression NonZero Not OneHot Optional OptionalGetElement
  OptionalHasElement Or PRelu Pad Pow QLinearConv QLinearMatMul QuantizeLinear RMSNormalization RNN RandomNormal
  RandomNormalLike RandomUniform RandomUniformLike Range Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp
  ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare RegexFullMatch Relu Reshape Resize ReverseSequence
  RoiAlign RotaryEmbedding Round STFT Scan Scatter ScatterElements ScatterND Selu SequenceAt SequenceConstruct
  SequenceEmpty SequenceErase SequenceInsert SequenceLength SequenceMap Shape Shrink Sigmoid Sign Sin Sinh Size Slice
  Softmax SoftmaxCrossEntropyLoss Softplus Softsign SpaceToDepth Split SplitToSequence Sqrt Squeeze StringConcat
  StringNormalizer StringSplit Sub Sum Swish Tan Tanh TensorScatter TfIdfVectorizer ThresholdedRelu Tile TopK Transpose
  Trilu Unique Unsqueeze Upsample Where Xor`;
/** Of ai.onnx.ml; trees are followed by nobody, and counted. */
const classical = `
  ArrayFeatureExtractor Binarizer CastMap CategoryMapper DictVectorizer FeatureVectorizer Imputer LabelEncoder
  LinearClassifier LinearRegressor Normalizer OneHotEncoder SVMClassifier SVMRegressor Scaler TreeEnsemble
  TreeEnsembleClassifier TreeEnsembleRegressor ZipMap`;
const words = (text: string): string[] => text.trim().split(/\s+/);

test.each([...words(operators), ...words(classical)])("%s is known", async (opType) => {
  const model = await read({
    inputs: { x: ["N", 3, 4, 4], i: [2] },
    nodes: [node(opType, ["x", "i", "i"], ["y", "z"])],
  });
  const unknown = opType.startsWith("TreeEnsemble") ? ["OPERATOR_UNKNOWN"] : [];
  expect(model.warnings.map(({ code }) => code)).toEqual(unknown);
});

test("an operator of nobody's is named and counted, and so are the weights that it takes", async () => {
  const model = await read({
    inputs: { x: ["N", 2] },
    initializers: [tensor("w", [2, 2])],
    nodes: [
      node("Mystery", ["x"], ["y"]),
      node("Mystery", ["y"], ["z"]),
      microsoftNode("Riddle", ["z", "w"], ["out"]),
    ],
  });
  expect(model.warnings.map(({ message }) => message)).toEqual([
    expect.stringContaining("Mystery (2), Riddle (1)"),
  ]);
  expect(model.tensors.map(({ role }) => role)).toEqual(["unknown"]);
});

const tokens = { x: ["N", "T", 4] };
const dense = (from: string, weight: string, to: string) => node("MatMul", [from, weight], [to]);
const end = tensor("end", [4, 1]);
const project = (names: string): ReturnType<typeof node>[] =>
  names.split("").map((name) => dense("x", name, `${name}1`));
const matrices = (names: string, width: number) =>
  names.split("").map((name) => tensor(name, [4, width]));

/** Every expected wire is counted by hand. */
const cases: readonly { name: string; parts: OnnxModelParts; wires: string[] }[] = [
  {
    name: "Attention of com.microsoft: values are the last third of one matrix",
    parts: {
      inputs: tokens,
      initializers: [tensor("qkv", [4, 12]), tensor("b", [12]), end],
      nodes: [
        microsoftNode("Attention", ["x", "qkv", "b"], ["y"], { num_heads: 2 }),
        dense("y", "end", "out"),
      ],
    },
    wires: ["qkv: x -> qkv [in4 out12]", "end: qkv -> end [in4 out1]"],
  },
  {
    name: "MultiHeadAttention: what comes out has the neurons of the values",
    parts: {
      inputs: tokens,
      initializers: [...matrices("qkv", 4), tensor("b", [12]), end],
      nodes: [
        ...project("qkv"),
        microsoftNode("MultiHeadAttention", ["q1", "k1", "v1", "b"], ["y"], { num_heads: 2 }),
        dense("y", "end", "out"),
      ],
    },
    wires: [
      "q: x -> q [in4 out4]",
      "k: x -> k [in4 out4]",
      "v: x -> v [in4 out4]",
      "end: v -> end [in4 out1]",
    ],
  },
  {
    name: "GroupQueryAttention: two heads read the values of one",
    parts: {
      inputs: tokens,
      initializers: [tensor("q", [4, 4]), ...matrices("kv", 2), end],
      nodes: [
        ...project("qkv"),
        microsoftNode("GroupQueryAttention", ["q1", "k1", "v1"], ["y"], {
          num_heads: 2,
          kv_num_heads: 1,
        }),
        dense("y", "end", "out"),
      ],
    },
    wires: [
      "q: x -> q [in4 out4]",
      "k: x -> k [in4 out2]",
      "v: x -> v [in4 out2]",
      "end: v -> end [tap2 in2 out1]",
    ],
  },
  {
    name: "GroupQueryAttention of one packed input: its last columns are the values",
    parts: {
      inputs: tokens,
      initializers: [tensor("qkv", [4, 8]), end],
      nodes: [
        dense("x", "qkv", "p"),
        microsoftNode("GroupQueryAttention", ["p", "", ""], ["y"], {
          num_heads: 2,
          kv_num_heads: 1,
        }),
        dense("y", "end", "out"),
      ],
    },
    wires: ["qkv: x -> qkv [in4 out8]", "end: qkv -> end [tap2 in2 out1]"],
  },
  {
    name: "Attention of opset 23, its heads apart",
    parts: {
      inputs: tokens,
      initializers: [
        ...matrices("qkv", 4),
        integers("heads", [0, 0, 2, 2]),
        integers("flat", [0, 0, 4]),
        end,
      ],
      nodes: [
        ...project("qkv"),
        ...["q", "k", "v"].flatMap((name) => [
          node("Reshape", [`${name}1`, "heads"], [`${name}2`]),
          node("Transpose", [`${name}2`], [`${name}3`], { perm: [0, 2, 1, 3] }),
        ]),
        node("Attention", ["q3", "k3", "v3"], ["y"]),
        node("Transpose", ["y"], ["y1"], { perm: [0, 2, 1, 3] }),
        node("Reshape", ["y1", "flat"], ["y2"]),
        dense("y2", "end", "out"),
      ],
    },
    wires: [
      "q: x -> q [in4 out4]",
      "k: x -> k [in4 out4]",
      "v: x -> v [in4 out4]",
      "end: v -> end [in4 out1]",
    ],
  },
  {
    name: "DecoderAttention: a matrix for queries, one for keys and values",
    parts: {
      inputs: { ...tokens, memory: ["N", "S", 4] },
      initializers: [tensor("q", [4, 4]), tensor("kv", [4, 8]), tensor("b", [12]), end],
      nodes: [
        microsoftNode("DecoderAttention", ["x", "memory", "q", "kv", "b"], ["y"], { num_heads: 2 }),
        dense("y", "end", "out"),
      ],
    },
    wires: ["q: x -> q [in4 out4]", "kv: memory -> kv [in4 out8]", "end: kv -> end [in4 out1]"],
  },
  {
    name: "EmbedLayerNormalization adds three embeddings up",
    parts: {
      inputs: { words: ["N", "T"], segments: ["N", "T"] },
      initializers: [
        tensor("word", [7, 4]),
        tensor("position", [5, 4]),
        tensor("segment", [2, 4]),
        tensor("scale", [4]),
        tensor("shift", [4]),
        end,
      ],
      nodes: [
        microsoftNode(
          "EmbedLayerNormalization",
          ["words", "segments", "word", "position", "segment", "scale", "shift"],
          ["y", "mask"],
        ),
        microsoftNode("SkipLayerNormalization", ["y", "y", "scale", "shift"], ["n"]),
        dense("n", "end", "out"),
      ],
    },
    wires: [
      "word: words -> word [in7 out4]",
      "position: position (indices) -> word [in5 out4]",
      "segment: segments -> word [in2 out4]",
      "end: word -> end [in4 out1]",
    ],
  },
  {
    name: "MoE: experts side by side, their outputs one; half of the rows are gates",
    parts: {
      inputs: tokens,
      initializers: [
        tensor("router", [4, 2]),
        tensor("fc1", [2, 6, 4]),
        tensor("fc2", [2, 4, 3]),
        end,
      ],
      nodes: [
        dense("x", "router", "r"),
        microsoftNode("MoE", ["x", "r", "fc1", "", "fc2"], ["y"], { k: 1, swiglu_fusion: 1 }),
        dense("y", "end", "out"),
      ],
    },
    wires: [
      "router: x -> router [in4 out2]",
      "fc1: x -> fc1 [group2 out6 in4]",
      "fc2: fc1 -> fc2 [group2 out4 in3]",
      "end: fc2 -> end [in4 out1]",
    ],
  },
  {
    name: "FusedMatMul of a transposed weight, BiasGelu",
    parts: {
      inputs: tokens,
      initializers: [tensor("a", [3, 4]), tensor("bias", [3]), tensor("b", [3, 1])],
      nodes: [
        microsoftNode("FusedMatMul", ["x", "a"], ["a1"], { transB: 1 }),
        microsoftNode("BiasGelu", ["a1", "bias"], ["a2"]),
        dense("a2", "b", "out"),
      ],
    },
    wires: ["a: x -> a [out3 in4]", "b: a -> b [in3 out1]"],
  },
  {
    name: "FusedConv adds its fourth input, NhwcConv has channels last",
    parts: {
      inputs: { x: ["N", 2, 4, 4] },
      initializers: [
        tensor("a", [3, 2, 1, 1]),
        tensor("b", [3, 3, 1, 1]),
        tensor("bias", [3]),
        tensor("c", [1, 1, 1, 3]),
      ],
      nodes: [
        microsoftNode("FusedConv", ["x", "a", "bias"], ["a1"], { activation: "Relu" }),
        microsoftNode("FusedConv", ["a1", "b", "bias", "a1"], ["b1"]),
        node("Transpose", ["b1"], ["t"], { perm: [0, 2, 3, 1] }),
        microsoftNode("NhwcConv", ["t", "c"], ["out"]),
      ],
    },
    wires: [
      "a: x -> a [group1 out3 in2 tap1 tap1]",
      "b: a -> a [group1 out3 in3 tap1 tap1]",
      "c: a -> c [group1 out1 tap1 tap1 in3]",
    ],
  },
  {
    name: "CausalConvWithState has a kernel for each channel",
    parts: {
      inputs: { x: ["N", 3, "L"] },
      initializers: [tensor("a", [3, 1, 4])],
      nodes: [node("CausalConvWithState", ["x", "a"], ["y", "state"])],
    },
    wires: ["a: x -> a [group3 out1 in1 tap4]"],
  },
  {
    name: "one-hot tokens meet a matrix",
    parts: {
      inputs: { x: ["N", "T"] },
      initializers: [
        integers("depth", [7], []),
        tensor("values", [2], [0, 1]),
        tensor("a", [7, 2]),
      ],
      nodes: [node("OneHot", ["x", "depth", "values"], ["h"]), dense("h", "a", "out")],
    },
    wires: ["a: x -> a [in7 out2]"],
  },
  {
    name: "elements of a sequence are told apart",
    parts: {
      inputs: { x: ["N", 2] },
      initializers: [
        tensor("a", [2, 4]),
        integers("sizes", [3, 1]),
        integers("zero", [0], []),
        tensor("b", [3, 1]),
      ],
      nodes: [
        dense("x", "a", "a1"),
        node("SplitToSequence", ["a1", "sizes"], ["list"], { axis: 1 }),
        node("SequenceAt", ["list", "zero"], ["first"]),
        dense("first", "b", "out"),
      ],
    },
    wires: ["a: x -> a [in2 out4]", "b: a -> b [in3 out1]"],
  },
  {
    name: "messages scattered over nodes of a graph are the neurons of what they came from",
    parts: {
      inputs: { x: ["V", 2], edges: ["E"] },
      initializers: [tensor("a", [2, 3]), tensor("zeros", [4, 3]), tensor("b", [3, 1])],
      nodes: [
        dense("x", "a", "a1"),
        node("Gather", ["a1", "edges"], ["sent"], { axis: 0 }),
        node("ScatterElements", ["zeros", "edges", "sent"], ["got"], { axis: 0 }),
        dense("got", "b", "out"),
      ],
    },
    wires: ["a: x -> a [in2 out3]", "b: a -> b [in3 out1]"],
  },
  {
    name: "a linear classifier and support vectors",
    parts: {
      inputs: { x: ["N", 3] },
      nodes: [
        {
          ...node("LinearClassifier", ["x"], ["label", "scores"], {
            coefficients: { floats: [1, 2, 3, 4, 5, 6] },
            intercepts: { floats: [0, 1] },
          }),
          name: "logistic",
        },
        {
          ...node("SVMRegressor", ["x"], ["y"], {
            coefficients: { floats: [1, -1] },
            support_vectors: { floats: [1, 2, 3, 4, 5, 6] },
            n_supports: 2,
            rho: { floats: [0.5] },
          }),
          name: "svm",
        },
      ],
    },
    wires: [
      "logistic.coefficients: x -> logistic.coefficients [out2 in3]",
      "svm.support_vectors: x -> svm.support_vectors [out2 in3]",
      "svm.coefficients: svm.support_vectors -> svm.coefficients [out1 in2]",
    ],
  },
  {
    name: "the decoder inside a beam search",
    parts: {
      inputs: { ids: ["N", "T"] },
      nodes: [
        microsoftNode("BeamSearch", ["ids"], ["sequences"], {
          decoder: {
            graph: graph({
              inputs: { tokens: ["N", "T"] },
              initializers: [tensor("table", [5, 4]), tensor("head", [4, 5])],
              nodes: [node("Gather", ["table", "tokens"], ["e"]), dense("e", "head", "logits")],
            }),
          },
        }),
      ],
    },
    wires: ["table: tokens -> table [in5 out4]", "head: table -> head [in4 out5]"],
  },
];

test.each(cases)("$name", async ({ parts, wires }) => {
  const model = await read(parts);
  expect(wiresOf(model)).toEqual(wires);
  expect(model.warnings).toEqual([]);
  expect(model.tensors.filter(({ role }) => role === "unknown")).toEqual([]);
});

test("values are told from queries and keys by their place in one matrix", async () => {
  const packed = await read(cases[0]!.parts);
  // x is 0 to 3, the matrix's neurons 4 to 15: the last four of them are the values.
  expect([...packed.topology.wires[1]!.from]).toEqual([12, 13, 14, 15]);
  const grouped = await read(cases.find(({ name }) => name.includes("packed input"))!.parts);
  expect([...grouped.topology.wires[1]!.from]).toEqual([10, 11]);
  const experts = await read(cases.find(({ name }) => name.startsWith("MoE"))!.parts);
  // x, the router's two, then six rows of each expert: gates are every second row.
  expect([...experts.topology.wires[2]!.from]).toEqual([6, 8, 10, 12, 14, 16]);
});

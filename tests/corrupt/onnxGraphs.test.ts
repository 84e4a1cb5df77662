/** Well-formed files that make no sense: any operators, wired and parametrised at random, still give a model or a typed error. */
import { expect, test } from "vitest";
import { createRandom, type Random } from "../../src/random.ts";
import { isWeightGraphError, layeredGraph, memorySource, readOnnx } from "../../src/index.ts";
import {
  bytes,
  graph,
  integers,
  microsoftNode,
  node,
  onnxModel,
  tensor,
  type AttributeValue,
  type GraphNode,
} from "../helpers/onnxModel.ts";

const operators = (
  "Conv ConvTranspose Gemm MatMul Einsum LSTM GRU Gather Reshape Transpose Flatten Squeeze Unsqueeze Slice Split Concat Add Mul " +
  "Sub Where Pad MaxPool GlobalAveragePool ReduceMean ArgMax Expand Tile Shape Size Cast Constant ConstantOfShape DequantizeLinear " +
  "QLinearConv QLinearMatMul ConvInteger MatMulInteger BatchNormalization Softmax Resize If Loop Scan Mystery " +
  "Attention MultiHeadAttention GroupQueryAttention LongformerAttention DecoderAttention GatedRelativePositionBias MoE " +
  "EmbedLayerNormalization SkipLayerNormalization BiasSplitGelu FusedMatMul FusedConv NhwcConv CausalConvWithState DeformConv " +
  "DepthToSpace SpaceToDepth Col2Im CenterCropPad RoiAlign Compress TopK OneHot GatherND GatherElements ScatterND ScatterElements " +
  "SequenceConstruct SequenceInsert SequenceAt SequenceMap ConcatFromSequence SplitToSequence LinearClassifier SVMRegressor " +
  "TreeEnsembleRegressor FeatureVectorizer ArrayFeatureExtractor Range Mod Det Clip Max"
).split(" ");

/** One random graph; `names` are the values that a node may read. */
function randomNodes(random: Random, names: string[], depth: number): GraphNode[] {
  const pick = <T>(from: readonly T[]): T => from[random.integer(from.length)]!;
  return Array.from({ length: 1 + random.integer(8) }, () => {
    const opType = pick(operators);
    const attributes: Record<string, AttributeValue> = { kernel_shape: [1, 2] };
    const choices: readonly (readonly [string, AttributeValue])[] = [
      ["axis", pick([-3, -1, 0, 1, 2, 7])],
      ["axes", [pick([-1, 0, 1, 2, 8])]],
      ["perm", pick([[1, 0], [0, 2, 1], [2, 2, 9], []])],
      ["group", pick([0, 1, 2, -1, 2 ** 40])],
      ["transA", 1],
      ["transB", 1],
      ["keepdims", 0],
      [
        "strides",
        pick([
          [1, 1],
          [0, 0],
        ]),
      ],
      ["pads", [0, 0, 1, 1]],
      ["to", pick([1, 7, 8, 99])],
      ["split", [1, 2]],
      ["starts", [pick([0, -1, 2 ** 40])]],
      ["ends", [pick([1, -1, 2 ** 40])]],
      ["shape", [pick([-1, 0, 2]), 2]],
      ["block_size", 2],
      ["num_heads", pick([0, 1, 2, 3])],
      ["kv_num_heads", pick([0, 1, 2])],
      ["blocksize", pick([0, 1, 2, -2])],
      ["mode", "CRD"],
      ["batch_dims", pick([0, 1, 9])],
      ["new_axis", 1],
      ["coefficients", { floats: [1, 2, 3, 4] }],
      ["support_vectors", { floats: [1, 2] }],
      ["n_supports", pick([0, 1, 3])],
      ["nodes_values", { floats: [1, 2] }],
      ["num_scan_inputs", pick([0, 1, 5, -1])],
      ["equation", pick(["ab,bc->ac", "abc,bcd->ad", "ab,ab->a", "a", "...a,ab->b"])],
    ];
    for (const [name, value] of choices) if (random.integer(3) === 0) attributes[name] = value;
    if (depth < 2 && ["If", "Loop", "Scan", "SequenceMap"].includes(opType)) {
      for (const name of ["then_branch", "else_branch", "body"]) {
        const inner = randomNodes(random, names, depth + 1);
        attributes[name] = {
          graph: graph({ nodes: inner, inputs: { i: [], c: [], h: ["N", 2] } }),
        };
      }
    }
    const inputs = Array.from({ length: random.integer(5) }, () => pick(names));
    const output = `v${names.length}`;
    names.push(output);
    return (random.integer(2) === 0 ? node : microsoftNode)(opType, inputs, [output], attributes);
  });
}

test("3000 graphs", async () => {
  const random = createRandom(13);
  for (let round = 0; round < 3000; round++) {
    const dims = (): number[] =>
      Array.from({ length: random.integer(5) }, () => [1, 2, 2, 3, 0][random.integer(5)]!);
    const initializers = [
      ...["a", "b", "c"].map((name) => tensor(name, dims())),
      integers("i", [random.integer(4) - 1], []),
      integers("j", [random.integer(4) - 1, 2]),
      bytes("q", [2, 3], [1, 2, 3, 4, 5, 6]),
    ];
    const x = [["N", 3, 4, 4], [1, 2], ["N", "T", 3], [1, 2 ** 40], null][random.integer(5)]!;
    const nodes = randomNodes(random, ["x", "a", "b", "c", "i", "j", "q", ""], 0);
    try {
      const file = onnxModel({ inputs: { x }, initializers, nodes });
      const model = await readOnnx(memorySource(file));
      await layeredGraph(model);
    } catch (error) {
      expect(isWeightGraphError(error), `round ${round}: ${String(error)}`).toBe(true);
      expect(isWeightGraphError(error, "SHAPE_MISMATCH"), `round ${round}`).toBe(false);
    }
  }
}, 60_000);

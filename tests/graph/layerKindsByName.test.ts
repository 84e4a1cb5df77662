/** What becomes of each kind of layer in files without a graph: names and shapes have to tell. Every expected value by hand. */
import { expect, test } from "vitest";
import { memorySource } from "../../src/bytes/source.ts";
import { readSafetensors } from "../../src/formats/safetensors/read.ts";
import { writeSafetensors } from "../../src/formats/safetensors/write.ts";
import { layeredGraph, type LayeredGraph } from "../../src/graph/layeredGraph.ts";
import { elementCount } from "../../src/tensor/shape.ts";
import { ends, layersOf, partsOf } from "../helpers/graphInWords.ts";

async function ofStateDict(
  shapes: Readonly<Record<string, readonly number[]>>,
): Promise<LayeredGraph> {
  const tensors = Object.entries(shapes).map(([name, shape]) => {
    const data = Float32Array.from({ length: elementCount(shape) }, (_, i) => i + 1);
    return { name, shape, data, dtype: "float32" as const };
  });
  const source = memorySource(writeSafetensors({ tensors }), "net.safetensors");
  return layeredGraph(await readSafetensors(source));
}

test.each<{
  name: string;
  shapes: Readonly<Record<string, readonly number[]>>;
  layers: readonly string[];
  blocks: readonly string[];
  recurrent?: readonly string[];
  components: readonly number[];
}>([
  {
    name: "depthwise by shape",
    shapes: { stem: [2, 1, 1, 1], depth: [4, 1, 3, 3], point: [1, 4, 1, 1] },
    layers: ["input:1", "stem:2", "depth:4", "point:1"],
    blocks: ["stem 0 -> 1,2", "depth 1,2 -> 3,4,5,6 in 2 x9", "point 3,4,5,6 -> 7"],
    components: [8],
  },
  {
    // Two channels of four could be a group or another layer's: only depthwise kernels show what they are.
    name: "groups that nothing but the graph tells begin anew",
    shapes: { conv1: [4, 1, 1, 1], conv2: [6, 2, 1, 1], conv3: [1, 6, 1, 1] },
    layers: ["input:1", "conv1:4", "before conv2:2", "conv2:6", "conv3:1"],
    blocks: ["conv1 0 -> 1,2,3,4", "conv2 5,6 -> 7,8,9,10,11,12", "conv3 7,8,9,10,11,12 -> 13"],
    components: [5, 9],
  },
  {
    name: "attention by name",
    shapes: {
      "embed.weight": [3, 2],
      "attn.q_proj.weight": [2, 2],
      "attn.k_proj.weight": [2, 2],
      "attn.v_proj.weight": [2, 2],
      "attn.o_proj.weight": [2, 2],
    },
    layers: [
      "tokens of embed:3",
      "embed.weight:2",
      "attn.q_proj.weight:2",
      "attn.k_proj.weight:2",
      "attn.v_proj.weight:2",
    ],
    blocks: [
      "embed.weight 0,1,2 -> 3,4",
      "attn.q_proj.weight 3,4 -> 5,6",
      "attn.k_proj.weight 3,4 -> 7,8",
      "attn.v_proj.weight 3,4 -> 9,10",
      "attn.o_proj.weight 9,10 -> 3,4",
    ],
    components: [11],
  },
  {
    name: "queries, keys and values in one matrix: its last third goes on",
    shapes: { "attn.in_proj_weight": [6, 2], "attn.out_proj.weight": [2, 2] },
    layers: ["input:2", "attn.in_proj_weight:6"],
    blocks: ["attn.in_proj_weight 0,1 -> 2,3,4,5,6,7", "attn.out_proj.weight 6,7 -> 0,1"],
    components: [8],
  },
  {
    name: "an attention module alone, as MultiheadAttention saves itself",
    shapes: { in_proj_weight: [6, 2], "out_proj.weight": [2, 2] },
    layers: ["input:2", "in_proj_weight:6"],
    blocks: ["in_proj_weight 0,1 -> 2,3,4,5,6,7", "out_proj.weight 6,7 -> 0,1"],
    components: [8],
  },
  {
    name: "the same in four matrices",
    shapes: {
      "q_proj.weight": [2, 2],
      "k_proj.weight": [2, 2],
      "v_proj.weight": [2, 2],
      "o_proj.weight": [2, 2],
    },
    layers: ["input:2", "q_proj.weight:2", "k_proj.weight:2", "v_proj.weight:2"],
    blocks: [
      "q_proj.weight 0,1 -> 2,3",
      "k_proj.weight 0,1 -> 4,5",
      "v_proj.weight 0,1 -> 6,7",
      "o_proj.weight 6,7 -> 0,1",
    ],
    components: [8],
  },
  {
    name: "a transformer block alone, as TransformerEncoderLayer saves itself",
    shapes: {
      "self_attn.in_proj_weight": [6, 2],
      "self_attn.out_proj.weight": [2, 2],
      "linear1.weight": [3, 2],
      "linear2.weight": [2, 3],
      "norm1.weight": [2],
    },
    layers: ["input:2", "self_attn.in_proj_weight:6", "linear1.weight:3"],
    blocks: [
      "self_attn.in_proj_weight 0,1 -> 2,3,4,5,6,7",
      "self_attn.out_proj.weight 6,7 -> 0,1",
      "linear1.weight 0,1 -> 8,9,10",
      "linear2.weight 8,9,10 -> 0,1",
    ],
    components: [11],
  },
  {
    name: "LSTM by name",
    shapes: {
      "lstm.weight_ih_l0": [8, 1],
      "lstm.weight_hh_l0": [8, 2],
      "head.weight": [1, 2],
    },
    layers: ["input:1", "lstm.weight_ih_l0:2", "head.weight:1"],
    blocks: ["lstm.weight_ih_l0 0 -> 1,2 x4", "head.weight 1,2 -> 3"],
    recurrent: ["lstm.weight_hh_l0 1,2 -> 1,2 x4"],
    components: [4],
  },
  {
    name: "parts that do not fit each other",
    shapes: { "a.weight": [2, 3], "b.weight": [1, 4] },
    layers: ["input:3", "a.weight:2", "before b.weight:4", "b.weight:1"],
    blocks: ["a.weight 0,1,2 -> 3,4", "b.weight 5,6,7,8 -> 9"],
    components: [5, 5],
  },
])("state dict: $name (hand)", async ({ shapes, layers, blocks, recurrent = [], components }) => {
  const graph = await ofStateDict(shapes);
  expect(graph.certainty).toBe("inferred");
  expect(layersOf(graph)).toEqual(layers);
  expect(ends(graph.blocks)).toEqual(blocks);
  expect(ends(graph.recurrentBlocks)).toEqual(recurrent);
  expect(partsOf(graph)).toEqual(components);
});

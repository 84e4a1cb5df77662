/** Attention layers of two heads in files of every kind, and graphs split by them in words. */
import { expect } from "vitest";
import {
  layeredGraph,
  memorySource,
  readModel,
  splitHeads,
  writeSafetensors,
  type LayeredGraph,
  type Model,
} from "../../src/index.ts";
import { signedWeights, type Block } from "../../src/graph/block.ts";
import { createRandom } from "../../src/random.ts";
import { integers, node, tensor, type GraphNode, type Tensor } from "./onnxModel.ts";

export type Shapes = Readonly<Record<string, readonly number[]>>;

export function stateDictBytes(shapes: Shapes): Uint8Array {
  const random = createRandom(7);
  const tensors = Object.entries(shapes).map(([name, shape]) => {
    const count = shape.reduce((product, size) => product * size, 1);
    const data = Float32Array.from({ length: count }, () => random.normal());
    return { name, dtype: "float32" as const, shape, data };
  });
  return writeSafetensors({ tensors });
}

export function stateDict(shapes: Shapes, config?: object): Promise<Model> {
  const beside = config && { "config.json": new TextEncoder().encode(JSON.stringify(config)) };
  return readModel(memorySource(stateDictBytes(shapes), "net.safetensors", beside));
}

/** `NAME ROLE head N: neurons of the layer that has them`, of rows, or of columns for an output. */
export function headsOf({ blocks, layers }: LayeredGraph): string[] {
  return blocks.flatMap(({ name, head, rowNodes, columnNodes }) => {
    if (head === undefined) return [];
    const nodes = head.role === "output" ? columnNodes : rowNodes;
    const { offset } = layers.findLast((own) => own.offset <= nodes[0]!)!;
    const places = Array.from(nodes, (own) => own - offset);
    return [`${name.replace(".weight", "")}: ${places.join(" ")}`];
  });
}

export async function splitOf(model: Model): Promise<LayeredGraph> {
  const whole = await layeredGraph(model);
  const split = splitHeads(whole, model.topology);
  expect(edgesOf(split)).toEqual(edgesOf(whole));
  expect(split.edgeCount).toBe(whole.edgeCount);
  return split;
}

/** Every edge of every layer, in no order of blocks. */
export function edgesOf({ blocks }: LayeredGraph): string[] {
  return blocks.flatMap((block) => edgesOfBlock(block)).toSorted();
}

function edgesOfBlock(block: Block): string[] {
  const { rows, columns, groups, rowNodes, columnNodes } = block;
  const name = block.name.replace(/ \w+ head \d+$/, "");
  const weights = signedWeights(block);
  const width = columns / groups;
  return Array.from(weights, (weight, edge) => {
    const row = Math.floor(edge / width);
    const first = Math.floor(row / (rows / groups)) * width;
    return `${name} ${columnNodes[first + (edge % width)]} -> ${rowNodes[row]}: ${weight}`;
  });
}

/** Four neurons wide. */
export const bert: Shapes = {
  "embed_tokens.weight": [9, 4],
  "layers.0.attention.self.query.weight": [4, 4],
  "layers.0.attention.self.key.weight": [4, 4],
  "layers.0.attention.self.value.weight": [4, 4],
  "layers.0.attention.output.dense.weight": [4, 4],
  "layers.0.intermediate.dense.weight": [6, 4],
  "layers.0.output.dense.weight": [4, 6],
};
export const end: Tensor = tensor("end", [4, 1]);
export const dense = (source: string, weight: string, to: string): GraphNode =>
  node("MatMul", [source, weight], [to]);
export const projected: readonly GraphNode[] = ["q", "k", "v"].map((name) =>
  dense("x", name, `${name}1`),
);
export const squares: readonly Tensor[] = ["q", "k", "v"].map((name) => tensor(name, [4, 4]));
export const apart = (perm: readonly number[], names: readonly string[]): GraphNode[] =>
  names.flatMap((name) => [
    node("Reshape", [`${name}1`, "heads"], [`${name}2`]),
    node("Transpose", [`${name}2`], [`${name}3`], { perm: [...perm] }),
  ]);
export const together: readonly GraphNode[] = [
  node("Transpose", ["y"], ["y1"], { perm: [0, 2, 1, 3] }),
  node("Reshape", ["y1", "flat"], ["y2"]),
  dense("y2", "end", "out"),
];
export const sizes: readonly Tensor[] = [
  integers("heads", [0, 0, 2, 2]),
  integers("flat", [0, 0, 4]),
];
export const separate = (values: string): string[] => [
  "q query head 0: 0 1",
  "q query head 1: 2 3",
  "k key head 0: 0 1",
  "k key head 1: 2 3",
  "v value head 0: 0 1",
  "v value head 1: 2 3",
  `end output head 0: ${values}`,
  "end output head 1: 2 3",
];

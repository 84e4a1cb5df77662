/** Graphs of random dense blocks, in the memory of the kernels or outside it. */
import { assembleGraph, type Block, type LayeredGraph } from "../../src/graph/layeredGraph.ts";
import { allocateWeights } from "../../src/kernels/weightArena.ts";
import { createRandom, type Random } from "../../src/random.ts";

export interface DenseBlock {
  /** Nodes of the columns and of the rows: a range [first, end), or one by one. */
  readonly from: readonly [number, number] | Int32Array;
  readonly to: readonly [number, number] | Int32Array;
  readonly draw: Draw;
  readonly groups?: number;
}

/** A weight; `at` counts them. */
export type Draw = (random: Random, at: number) => number;

/** Student's t of `degrees` degrees of freedom, by normals over a root of a chi-square. */
const student =
  (degrees: number): Draw =>
  (random) => {
    let squares = 0;
    for (let i = 0; i < degrees; i++) squares += random.normal() ** 2;
    return random.normal() / Math.sqrt(squares / degrees);
  };

const gaussian: Draw = (random) => random.normal();

type Kind =
  | ("gaussian" | "student2" | "cauchy" | "pareto" | "whole" | "ties")
  | ("sparse" | "zeros" | "denormal" | "oneHuge" | "wideRange");

export const draws: Readonly<Record<Kind, Draw>> = {
  gaussian,
  student2: student(2),
  cauchy: student(1),
  pareto: (random) => (random.uniform() + 1e-9) ** -0.6,
  whole: (random) => Math.floor(random.uniform() * 9) - 4,
  ties: (random) => (random.uniform() < 0.5 ? 1 : -1),
  sparse: (random) => (random.uniform() < 0.9 ? 0 : random.normal()),
  zeros: () => 0,
  denormal: (random) => random.normal() * 1e-42,
  oneHuge: (random, at) => (at === 7 ? 1e30 : random.normal()),
  wideRange: (random) => random.normal() * 10 ** Math.floor(random.uniform() * 30 - 15),
};

/** `inKernels`: float32 in one memory with room beside it, else float64. */
export function denseGraph(
  nodeCount: number,
  blocks: readonly DenseBlock[],
  { inKernels, seed = 1 }: { readonly inKernels: boolean; readonly seed?: number },
): LayeredGraph {
  const random = createRandom(seed);
  const nodesOf = (nodes: DenseBlock["from"]): Int32Array =>
    nodes instanceof Int32Array
      ? nodes
      : Int32Array.from({ length: nodes[1] - nodes[0] }, (_, i) => nodes[0] + i);
  const counts = blocks.map(
    ({ from, to, groups = 1 }) => (nodesOf(from).length * nodesOf(to).length) / groups,
  );
  // A memory is made for large graphs only: one more array makes this one large.
  const rooms = allocateWeights([...counts, 2 ** 14], 2 ** 22);
  const placed = blocks.map(({ from, to, draw, groups = 1 }, i): Block => {
    const values = rooms[i]!;
    for (let at = 0; at < values.length; at++) values[at] = draw(random, at);
    const [columnNodes, rowNodes] = [nodesOf(from), nodesOf(to)];
    return {
      name: `block${i}`,
      weights: inKernels ? values : Float64Array.from(values),
      rows: rowNodes.length,
      columns: columnNodes.length,
      groups,
      taps: 1,
      rowNodes,
      columnNodes,
    };
  });
  return assembleGraph("dense", [{ name: "all", size: nodeCount }], placed, "declared");
}

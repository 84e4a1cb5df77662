import { GraphError } from "../errors.ts";
import type { SignedSums } from "../kernels/strengthSums.ts";
import type { Head } from "../model/attentionHeads.ts";
import type { FloatArray } from "../tensor/dtype.ts";

/** `weights`, or where they are not kept `collapsed`, tells the edges: `edgeWeights` reads either. */
export interface Block {
  readonly name: string;
  /**
   * `recurrent`: from a layer's own past; `bias`: of a node that is always 1; `normalisation`: from the nodes of a normalisation.
   * Absent for the weights between two layers.
   */
  readonly kind?: "recurrent" | "bias" | "normalisation";
  /** The attention head that the weights are of, `splitHeads`. */
  readonly head?: Head;
  /** [groups, rows / groups, columns / groups, taps]: a row per receiving neuron. Null where only `collapsed` is kept. */
  readonly weights: FloatArray | null;
  readonly collapsed?: CollapsedTaps;
  /** Kept where the weights are not: sums, and which edges are there. `blockSums` and `blockPattern` read either. */
  readonly sums?: BlockSums;
  readonly pattern?: BlockPattern;
  readonly rows: number;
  readonly columns: number;
  /** Row r meets only the columns of its own group. */
  readonly groups: number;
  /** Weights between the same two neurons: kernel area, positions of a flattened channel, gates. */
  readonly taps: number;
  /** Node of each row. */
  readonly rowNodes: Int32Array;
  /** Node of each column. */
  readonly columnNodes: Int32Array;
}

/** What the taps of each edge come to, in float64: all that a graph needs of a kernel. */
export interface CollapsedTaps {
  /** Magnitude of the edge: the L2 norm, unless `weighEdges` chose another. [groups, rows / groups, columns / groups] */
  readonly norm: Float64Array;
  /** Sum of the positive taps. */
  readonly positiveSum: Float64Array;
  /** Sum of the magnitudes of the negative taps. */
  readonly negativeSum: Float64Array;
}

export interface SideSums extends SignedSums {
  /** Sums of the edge weights, an edge weight being the L2 norm of its taps. */
  readonly norm: Float64Array;
}

export interface BlockSums {
  /** [rows]: into each receiving neuron. */
  readonly rows: SideSums;
  /** [columns]: out of each sending neuron. */
  readonly columns: SideSums;
}

export interface BlockPattern {
  /** Edges of non-zero weight. */
  readonly nonZero: number;
  /** The largest norm of an edge. */
  readonly largest: number;
  /** [rows + columns]: which rows, then columns, the edges join: those of a part have its smallest number. */
  readonly parts: Int32Array;
}

/**
 * How the taps between two neurons become one number: the magnitude of the edge (`norm`: their L2 norm, unless the graph was
 * weighed otherwise, `weighEdges`), their signed sum, the sum of absolute values, or the sums of their positive parts and of the
 * magnitudes of their negative parts.
 */
export type TapReduction = "norm" | "sum" | "absoluteSum" | "positiveSum" | "negativeSum";

/**
 * One weight per edge, [groups, rows / groups, columns / groups]. A view when the block has one tap and `reduction` is "sum",
 * or where its taps are collapsed already. With one tap, "norm" and "absoluteSum" are both |w|.
 * Cost: one pass over the weights; float64 sums.
 */
export function edgeWeights(block: Block, reduction: TapReduction): FloatArray {
  const { weights, taps, collapsed } = block;
  if (weights === null) return ofCollapsed(collapsed ?? noWeights(block), reduction);
  if (taps === 1) return reduction === "sum" ? weights : partsOf(weights, reduction);
  const reduced = new Float64Array(weights.length / taps);
  if (reduction === "norm") {
    for (let edge = 0; edge < reduced.length; edge++)
      reduced[edge] = tapNorm(weights, edge * taps, taps);
    return reduced;
  }
  const part = partOf[reduction];
  for (let edge = 0, at = 0; edge < reduced.length; edge++) {
    let sum = 0;
    for (let tap = 0; tap < taps; tap++, at++) sum += part(weights[at]!);
    reduced[edge] = sum;
  }
  return reduced;
}

/** For a block of sums only. @throws {GraphError} `GRAPH_WEIGHTS_NOT_KEPT` */
export function noWeights({ name }: Block): never {
  throw new GraphError("GRAPH_WEIGHTS_NOT_KEPT", "only sums of its weights were kept", {
    path: [name],
    hint: "Build the graph with keep: edges; for strengths and degrees its sums suffice.",
  });
}

function ofCollapsed(taps: CollapsedTaps, reduction: TapReduction): Float64Array {
  if (reduction === "sum" || reduction === "absoluteSum") {
    const sign = reduction === "sum" ? -1 : 1;
    return taps.positiveSum.map((positive, edge) => positive + sign * taps.negativeSum[edge]!);
  }
  return taps[reduction];
}

/** The weight of each edge with a sign: its magnitude, with the sign of the sum of its taps; for one tap the weight itself. */
export function signedWeights(block: Block): FloatArray {
  if (block.taps === 1 && block.weights !== null) return block.weights;
  const sums = edgeWeights(block, "sum");
  return edgeWeights(block, "norm").map((norm, edge) => (sums[edge]! < 0 ? -norm : norm));
}

/** The block without what it keeps of its weights. */
export function blockFrame(
  block: Block,
): Omit<Block, "weights" | "collapsed" | "sums" | "pattern"> {
  const { weights: _w, collapsed: _c, sums: _s, pattern: _p, ...frame } = block;
  return frame;
}

/** The block with one weight per edge, `weights`, instead of its taps. */
export function withOneTap(block: Block, weights: FloatArray): Block {
  return { ...blockFrame(block), taps: 1, weights };
}

/** `signedWeights` of one edge. */
export function signedWeightAt(block: Block, edge: number): number {
  const { weights, collapsed, taps } = block;
  if (weights === null) {
    const { positiveSum, negativeSum, norm } = collapsed ?? noWeights(block);
    return positiveSum[edge]! < negativeSum[edge]! ? -norm[edge]! : norm[edge]!;
  }
  if (taps === 1) return weights[edge]!;
  let sum = 0;
  for (let at = edge * taps; at < (edge + 1) * taps; at++) sum += weights[at]!;
  const norm = tapNorm(weights, edge * taps, taps);
  return sum < 0 ? -norm : norm;
}

/** What the taps of one edge come to, as `CollapsedTaps` has it of all. */
export function tapsAt(block: Block, edge: number): Record<keyof CollapsedTaps, number> {
  const { weights, collapsed, taps } = block;
  if (weights === null) {
    const { norm, positiveSum, negativeSum } = collapsed ?? noWeights(block);
    return {
      norm: norm[edge]!,
      positiveSum: positiveSum[edge]!,
      negativeSum: negativeSum[edge]!,
    };
  }
  let positiveSum = 0;
  let negativeSum = 0;
  for (let at = edge * taps; at < (edge + 1) * taps; at++) {
    positiveSum += partOf.positiveSum(weights[at]!);
    negativeSum += partOf.negativeSum(weights[at]!);
  }
  return { norm: tapNorm(weights, edge * taps, taps), positiveSum, negativeSum };
}

/** The parts of single weights, in the weights' own precision. */
function partsOf(weights: FloatArray, reduction: TapReduction): FloatArray {
  const part = partOf[reduction];
  const parts = weights.slice();
  for (let i = 0; i < parts.length; i++) parts[i] = part(parts[i]!);
  return parts;
}

/** What one weight adds to an edge. */
const partOf: Readonly<Record<TapReduction, (weight: number) => number>> = {
  norm: Math.abs,
  sum: (weight) => weight,
  absoluteSum: Math.abs,
  positiveSum: (weight) => (weight > 0 ? weight : 0),
  negativeSum: (weight) => (weight < 0 ? -weight : 0),
};

/** L2 norm of weights[first … first + count), by the largest magnitude where the squares leave the range of float64. */
export function tapNorm(weights: FloatArray, first: number, count: number): number {
  let squares = 0;
  for (let at = first; at < first + count; at++) squares += weights[at]! * weights[at]!;
  if (squares > 1e-280 && squares < 1e300) return Math.sqrt(squares);
  let largest = 0;
  for (let at = first; at < first + count; at++)
    largest = Math.max(largest, Math.abs(weights[at]!));
  if (largest === 0) return 0;
  let scaled = 0;
  for (let at = first; at < first + count; at++) scaled += (weights[at]! / largest) ** 2;
  return largest * Math.sqrt(scaled);
}

/** First column that row `row` meets, and how many it meets. */
export function columnSpan(
  block: Block,
  row: number,
): { readonly first: number; readonly count: number } {
  const count = block.columns / block.groups;
  const group = Math.floor(row / (block.rows / block.groups));
  return { first: group * count, count };
}

/** Transforms of one weight at a time, or of one block. */
import { GraphError } from "../errors.ts";
import type { FloatArray } from "../tensor/dtype.ts";
import { tapNorm } from "./block.ts";
import type { EdgeTable } from "./edgeTable.ts";
import type { LayerNorm } from "./weighting.ts";

/** Part of each weight, exact in its own precision. */
export function takePart({ weights }: EdgeTable, part: (weight: number) => number): void {
  for (const own of weights)
    for (let edge = 0; edge < own.length; edge++) own[edge] = part(own[edge]!);
}

/** |w| < least becomes 0. */
export function dropBelow(edges: EdgeTable, least: number): void {
  takePart(edges, (weight) => (Math.abs(weight) < least ? 0 : weight));
}

/** @throws {GraphError} `GRAPH_WEIGHT_RANGE` */
export function squareWeights(edges: EdgeTable): void {
  edges.weights.forEach((_, block) => mapWeights(edges, block, (weight) => weight * weight));
}

/** Each block divided by its norm; a block of zeros stays as it is. @throws {GraphError} `GRAPH_WEIGHT_RANGE` */
export function scaleByNorm(edges: EdgeTable, which: LayerNorm): void {
  edges.weights.forEach((weights, block) => {
    const norm = norms[which](weights);
    if (norm > 0) mapWeights(edges, block, (weight) => weight / norm);
  });
}

const norms: Readonly<Record<LayerNorm, (weights: FloatArray) => number>> = {
  l2: (weights) => tapNorm(weights, 0, weights.length),
  l1: (weights) => {
    let sum = 0;
    for (const weight of weights) sum += Math.abs(weight);
    return sum;
  },
  max: (weights) => {
    let most = 0;
    for (const weight of weights) most = Math.max(most, Math.abs(weight));
    return most;
  },
};

/** Least and largest normal float32. */
const float32Range = { least: 2 ** -126, most: (2 - 2 ** -23) * 2 ** 127 };

/** Rounded to float32 where the block has float32 weights and all results are normal float32 numbers or 0, else float64. */
function mapWeights(edges: EdgeTable, block: number, map: (weight: number) => number): void {
  const weights = edges.weights[block]!;
  let narrow = weights instanceof Float32Array;
  for (let edge = 0; edge < weights.length; edge++) {
    const before = weights[edge]!;
    if (before === 0) continue;
    const after = Math.abs(map(before));
    if (after === 0 || after === Infinity) throw outOfRange(edges, block, before);
    if (after < float32Range.least || after > float32Range.most) narrow = false;
  }
  const room = narrow ? weights : new Float64Array(weights.length);
  for (let edge = 0; edge < weights.length; edge++) room[edge] = map(weights[edge]!);
  edges.weights[block] = room;
}

function outOfRange({ name, blocks }: EdgeTable, block: number, weight: number): GraphError {
  return new GraphError(
    "GRAPH_WEIGHT_RANGE",
    `a transform of the weight ${weight} leaves float64`,
    {
      path: [name, blocks[block]!.name],
      hint: "Scale the weights first, for instance by layerNorm.",
    },
  );
}

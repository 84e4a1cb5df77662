/**
 * Sums of a block's weights by row and by column: all that strengths and weighted degrees need, taken once per block, in one pass
 * over weights that lie where kernels reach them.
 */
import { plus } from "../numeric/vector.ts";
import { arenaOf } from "../kernels/weightArena.ts";
import {
  arenaStrengths,
  newStrengthSums,
  plainStrengths,
  type SignedSums,
  type StrengthSums,
} from "../kernels/strengthSums.ts";
import { edgeWeights, type Block, type BlockSums, type SideSums } from "./block.ts";

const known = new WeakMap<Block, BlockSums>();

/** Cost: one pass over the weights the first time, float64 sums. */
export function blockSums(block: Block): BlockSums {
  const own = block.sums ?? known.get(block) ?? sumsOf(block);
  known.set(block, own);
  return own;
}

function sumsOf(block: Block): BlockSums {
  if (block.weights !== null && block.taps === 1) return ofSigned(ofGroups(block, block.weights));
  const positive = ofGroups(block, edgeWeights(block, "positiveSum"));
  const negative = ofGroups(block, edgeWeights(block, "negativeSum"));
  const norm = ofGroups(block, edgeWeights(block, "norm"));
  const side = (name: "rows" | "columns"): SideSums => ({
    positive: positive[name].positive,
    negative: negative[name].positive,
    norm: norm[name].positive,
  });
  return { rows: side("rows"), columns: side("columns") };
}

/** With one tap the norm of an edge is its magnitude. */
export function ofSigned({ rows, columns }: StrengthSums): BlockSums {
  const side = ({ positive, negative }: SignedSums): SideSums => ({
    positive,
    negative,
    norm: plus(positive, 1, negative),
  });
  return { rows: side(rows), columns: side(columns) };
}

type Weights = NonNullable<Block["weights"]>;

/** Sums of one weight per edge, group by group. */
function ofGroups({ rows, columns, groups }: Block, weights: Weights): StrengthSums {
  if (groups === 1) return matrixSums(weights, rows, columns);
  const [height, width] = [rows / groups, columns / groups];
  const sums = newStrengthSums(rows, columns);
  for (let group = 0; group < groups; group++) {
    const first = group * height * width;
    const own = matrixSums(weights.subarray(first, first + height * width), height, width);
    for (const part of ["positive", "negative"] as const) {
      sums.rows[part].set(own.rows[part], group * height);
      sums.columns[part].set(own.columns[part], group * width);
    }
  }
  return sums;
}

/** A call into the kernels costs as much as so many weights. */
const leastWeights = 2 ** 11;

function matrixSums(weights: Weights, rows: number, columns: number): StrengthSums {
  const arena = weights.length < leastWeights ? null : arenaOf(weights);
  const fast =
    arena !== null && weights instanceof Float32Array
      ? arenaStrengths({ arena, weights, rows, columns })
      : null;
  return fast ?? plainStrengths(weights, rows, columns);
}

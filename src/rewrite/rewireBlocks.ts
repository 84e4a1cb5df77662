import type { MatrixBlock } from "../graph/matrix.ts";
import { createRandom } from "../random.ts";
import {
  rewirePreferentially,
  type RewireOptions,
  type RewireReport,
} from "./rewirePreferentially.ts";
import { matrixOf } from "./weightMatrix.ts";

export interface RewiredBlock extends MatrixBlock, RewireReport {}

/**
 * PA rewiring of the blocks of a matrix form, each on its own and with a random stream of its own.
 * @throws {ShapeError} `SHAPE_MISMATCH` for rows of unequal length; {WeightGraphError} `WEIGHTS_NOT_FINITE`; the errors of
 *   `rewirePreferentially`.
 */
export function rewireBlocks(
  blocks: readonly MatrixBlock[],
  options: RewireOptions = {},
): RewiredBlock[] {
  const { seed = 0 } = options;
  const random = typeof seed === "number" ? createRandom(seed) : seed;
  return blocks.map(({ from, to, weights }, index) => {
    const matrix = matrixOf(weights, ["blocks", index, "weights"]);
    const rewired = rewirePreferentially(matrix, { ...options, seed: random.fork(`${index}`) });
    const rows = weights.map((row, at) =>
      Array.from(rewired.weights.subarray(at * row.length, (at + 1) * row.length)),
    );
    const { before, after, passes } = rewired;
    return { from, to, weights: rows, before, after, passes };
  });
}

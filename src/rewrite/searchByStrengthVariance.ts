/**
 * Random search: draws initial weights many times and keeps those of least strength variance. Can come before PA rewiring.
 * Alone it does far less: on 64 x 64 Gaussian weights the best of 10 keeps about 79 % of the mean variance, the best of 100
 * about 70 %. Cost: `candidates` draws, two matrices in memory.
 * Source: Scabini, De Baets, Bruno 2024 (arXiv 2207.08148), `stabilize_strength` in the authors' code.
 */
import { UsageError } from "../errors.ts";
import { createRandom, type Random } from "../random.ts";
import type { FloatArray } from "../tensor/dtype.ts";
import { strengthVariance, type StrengthVariance } from "./strengthVariance.ts";
import { checkMatrix, type WeightMatrix } from "./weightMatrix.ts";

export interface SearchOptions {
  /** How many initialisations to draw. @defaultValue 100, as in the authors' code */
  readonly candidates?: number;
  /** @defaultValue 0 */
  readonly seed?: number | Random;
}

export interface SearchResult<T extends FloatArray> extends WeightMatrix<T> {
  readonly variance: StrengthVariance;
  /** Number of the draw that won, from 0. */
  readonly candidate: number;
}

/**
 * @param initialise draws one matrix; every draw gets a random stream of its own.
 * @throws {UsageError} `USAGE_INVALID_OPTION` unless there is a candidate; {ShapeError} and {WeightGraphError} of a bad draw.
 */
export function searchByStrengthVariance<T extends FloatArray>(
  initialise: (random: Random) => WeightMatrix<T>,
  { candidates = 100, seed = 0 }: SearchOptions = {},
): SearchResult<T> {
  const random = typeof seed === "number" ? createRandom(seed) : seed;
  let best: SearchResult<T> | undefined;
  for (let candidate = 0; candidate < candidates; candidate++) {
    const matrix = initialise(random.fork(`candidate ${candidate}`));
    checkMatrix(matrix);
    const variance = strengthVariance(matrix);
    if (best === undefined || variance.mean < best.variance.mean) {
      best = { ...matrix, variance, candidate };
    }
  }
  if (best === undefined) {
    throw new UsageError("USAGE_INVALID_OPTION", `candidates must be 1 or more, not ${candidates}`);
  }
  return best;
}

import { WeightGraphError } from "../errors.ts";
import { arenaOf } from "../kernels/weightArena.ts";
import type { FloatArray } from "../tensor/dtype.ts";

/** `first` is the number of the first element, for the message. Cost: one read. @throws {WeightGraphError} `WEIGHTS_NOT_FINITE` */
export function checkFinite(
  weights: FloatArray,
  path: readonly (string | number)[],
  first = 0,
): void {
  const found = firstNotFinite(weights);
  if (found < 0) return;
  throw new WeightGraphError(
    "WEIGHTS_NOT_FINITE",
    `element ${first + found} is ${weights[found]}`,
    {
      path,
      hint: "A diverged run or a damaged file: `layers` shows which tensors are affected.",
    },
  );
}

function firstNotFinite(weights: FloatArray): number {
  const arena = arenaOf(weights);
  if (arena !== null) return arena.kernels.firstNotFinite(weights.byteOffset, weights.length);
  for (let i = 0; i < weights.length; i++) if (!Number.isFinite(weights[i]!)) return i;
  return -1;
}

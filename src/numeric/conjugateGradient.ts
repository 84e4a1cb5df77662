import { addScaled, dot, norm } from "./vector.ts";

export interface ConjugateGradientOptions {
  /** Stop once the L2 norm of the residual is below target times that of the right side. */
  readonly target: number;
  /** Most products with A. */
  readonly maxIterations: number;
}

/**
 * x with A x = right, for a symmetric positive definite operator. `apply` writes y = A x. The residual that the iteration carries
 * along drifts from the true one, so it is measured anew once it is small, and the iteration starts again from there until
 * that gains nothing.
 * Cost: one product a step, about sqrt(condition) · log(1 / target) / 2 steps.
 * Source: Hestenes and Stiefel 1952, doi 10.6028/jres.049.044.
 */
export function conjugateGradient(
  apply: (x: Float64Array, y: Float64Array) => void,
  right: Float64Array,
  { target, maxIterations }: ConjugateGradientOptions,
): { readonly solution: Float64Array; readonly iterations: number } {
  const n = right.length;
  const enough = target * norm(right);
  const image = new Float64Array(n);
  let solution = new Float64Array(n);
  let residual = right.slice();
  let iterations = 0;
  for (;;) {
    const before = norm(residual);
    const { step, steps } = descend(apply, residual, {
      target: enough,
      maxIterations: maxIterations - iterations - 1,
    });
    iterations += steps + 1;
    const next = solution.map((entry, i) => entry + step[i]!);
    apply(next, image);
    const left = right.map((entry, i) => entry - image[i]!);
    const after = norm(left);
    if (after < before) {
      solution = next;
      residual = left;
    }
    // Written so that NaN ends it.
    const gains = after < before / 2;
    if (!gains || after <= enough || iterations >= maxIterations) return { solution, iterations };
  }
}

function descend(
  apply: (x: Float64Array, y: Float64Array) => void,
  right: Float64Array,
  { target, maxIterations }: ConjugateGradientOptions,
): { readonly step: Float64Array; readonly steps: number } {
  const step = new Float64Array(right.length);
  const residual = right.slice();
  const direction = right.slice();
  const image = new Float64Array(right.length);
  let square = dot(residual, residual);
  let steps = 0;
  while (steps < maxIterations && Math.sqrt(square) > target) {
    apply(direction, image);
    steps++;
    const along = square / dot(direction, image);
    addScaled(step, along, direction);
    addScaled(residual, -along, image);
    const next = dot(residual, residual);
    for (let i = 0; i < direction.length; i++)
      direction[i] = residual[i]! + (next / square) * direction[i]!;
    square = next;
  }
  return { step, steps };
}

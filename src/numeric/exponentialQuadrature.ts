import type { SymmetricOperator } from "./lanczos.ts";
import { gaussQuadrature } from "./symmetricEigenvalues.ts";
import { addScaled, dot, norm } from "./vector.ts";

export interface QuadratureOptions {
  /** exp(factor · A) is meant, factor >= 0. */
  readonly factor: number;
  /** At least the largest eigenvalue of A. */
  readonly upperBound: number;
  /** Stop once the bounds of the logarithm are so close, relative to it where it exceeds 1. */
  readonly tolerance: number;
  readonly maxSteps: number;
}

export interface LogDiagonal {
  /** ln (exp(factor · A))_ii, between the two bounds. */
  readonly value: number;
  /** Distance of the bounds. */
  readonly gap: number;
  readonly steps: number;
}

/**
 * One diagonal entry of the exponential of a symmetric operator whose entries are of the order of 1. Lanczos steps from the unit
 * vector give Gauss' quadrature, a lower bound, and with a node at `upperBound` Radau's, an upper one, as every derivative of the
 * exponential is positive. Cost: a product, O(steps · n) and O(steps²) a step.
 * Source: Golub and Meurant 2010, Matrices, Moments and Quadrature, chapters 6 and 7; Benzi and Golub 1999, doi 10.1023/A:1022362401426.
 */
export function logExponentialDiagonal(
  apply: SymmetricOperator,
  { index, size }: { readonly index: number; readonly size: number },
  { factor, upperBound, tolerance, maxSteps }: QuadratureOptions,
): LogDiagonal {
  const basis = [new Float64Array(size)];
  basis[0]![index] = 1;
  const diagonal: number[] = [];
  const offDiagonal: number[] = [];
  for (let steps = 1; ; steps++) {
    const next = new Float64Array(size);
    const last = basis[steps - 1]!;
    apply(last, next);
    diagonal.push(dot(last, next));
    for (const earlier of basis) addScaled(next, -dot(earlier, next), earlier);
    for (const earlier of basis) addScaled(next, -dot(earlier, next), earlier);
    const beyond = norm(next);
    const lower = logSum(diagonal, offDiagonal, factor);
    if (steps === size || beyond <= 8 * Number.EPSILON * upperBound) {
      return { value: lower, gap: 0, steps };
    }
    const end = upperBound + radauShift(diagonal, offDiagonal, upperBound) * beyond * beyond;
    const upper = logSum([...diagonal, end], [...offDiagonal, beyond], factor);
    const gap = Math.abs(upper - lower);
    if (gap <= tolerance * Math.max(1, Math.abs(lower)) || steps >= maxSteps) {
      return { value: (lower + upper) / 2, gap, steps };
    }
    offDiagonal.push(beyond);
    basis.push(next.map((entry) => entry / beyond));
  }
}

/** Last entry of the solution of (T - bound) x = (0, …, 0, 1). */
function radauShift(
  diagonal: readonly number[],
  offDiagonal: readonly number[],
  bound: number,
): number {
  let pivot = diagonal[0]! - bound;
  for (let i = 1; i < diagonal.length; i++)
    pivot = diagonal[i]! - bound - offDiagonal[i - 1]! ** 2 / pivot;
  return 1 / pivot;
}

/** Logarithm of the quadrature of exp(factor · x), the largest exponent taken out. */
function logSum(
  diagonal: readonly number[],
  offDiagonal: readonly number[],
  factor: number,
): number {
  const { nodes, weights } = gaussQuadrature(
    Float64Array.from(diagonal),
    Float64Array.from(offDiagonal),
  );
  let largest = -Infinity;
  for (const node of nodes) largest = Math.max(largest, node);
  let sum = 0;
  nodes.forEach((node, i) => (sum += weights[i]! * Math.exp(factor * (node - largest))));
  return factor * largest + Math.log(sum);
}

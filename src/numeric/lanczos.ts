import { largestTridiagonalPair } from "./tridiagonal.ts";
import { addScaled, dot, norm, toUnit } from "./vector.ts";

/** y = A x for a symmetric A; writes y, leaves x alone. */
export type SymmetricOperator = (x: Float64Array, y: Float64Array) => void;

export interface LanczosOptions {
  /** Stop once the estimate of ‖Ax − λx‖ is below target · λ. */
  readonly target: number;
  /** Most products with A. */
  readonly maxIterations: number;
  /** Numbers that the basis may hold: past that it is replaced by its best vector. @defaultValue 2^24 */
  readonly memory?: number;
}

export interface LanczosResult {
  readonly value: number;
  /** Unit L2 norm. */
  readonly vector: Float64Array;
  readonly iterations: number;
}

/**
 * Eigenpair of the largest eigenvalue of a symmetric operator whose entries are of the order of 1, from a start vector that is
 * not orthogonal to the one sought. Every basis vector is made orthogonal to all earlier ones, twice, so no spurious copies
 * arise and n steps always suffice while the basis fits. The caller checks the residual.
 * Cost: one product and O(basis · n) a step.
 * Source: Lanczos 1950, doi 10.6028/jres.045.026; twice is enough: Giraud et al. 2005, doi 10.1007/s00211-005-0615-4.
 */
export function largestEigenpair(
  apply: SymmetricOperator,
  start: Float64Array,
  { target, maxIterations, memory = 2 ** 24 }: LanczosOptions,
): LanczosResult {
  const n = start.length;
  const capacity = Math.min(n, Math.max(64, Math.floor(memory / n)));
  let best = toUnit(start);
  let value = 0;
  let iterations = 0;
  for (;;) {
    const basis = [best];
    const diagonal: number[] = [];
    const offDiagonal: number[] = [];
    let converged = false;
    let magnitude = 0;
    let ritz = new Float64Array([1]);
    for (let check = 1; !converged;) {
      const last = basis.at(-1)!;
      const next = new Float64Array(n);
      apply(last, next);
      iterations++;
      const along = dot(last, next);
      diagonal.push(along);
      for (let pass = 0; pass < 2; pass++)
        for (const earlier of basis) addScaled(next, -dot(earlier, next), earlier);
      const beyond = norm(next);
      const size = basis.length;
      // Nothing is left outside the basis: the eigenvector lies in it.
      magnitude = Math.max(magnitude, Math.abs(along), beyond);
      const complete = size === n || beyond <= Number.EPSILON * magnitude;
      const exhausted = size === capacity || iterations >= maxIterations;
      if (complete || exhausted || size === check) {
        const pair = largestTridiagonalPair(
          Float64Array.from(diagonal),
          Float64Array.from(offDiagonal),
        );
        value = pair.value;
        ritz = Float64Array.from(pair.vector);
        converged = complete || beyond * Math.abs(ritz[size - 1]!) <= target * value;
        // Ever rarer, as each check costs as much as the basis is long.
        check = size + Math.max(4, size >> 3);
        if (exhausted) break;
      }
      if (converged) break;
      offDiagonal.push(beyond);
      basis.push(next.map((entry) => entry / beyond));
    }
    const combined = new Float64Array(n);
    basis.forEach((vector, i) => addScaled(combined, ritz[i]!, vector));
    best = toUnit(combined);
    if (converged || iterations >= maxIterations) return { value, vector: best, iterations };
  }
}

import { largestTridiagonalPair } from "./tridiagonal.ts";
import { addScaled, dot, norm, toUnit } from "./vector.ts";

/** y = A x for a symmetric A; writes y, leaves x alone. */
export type SymmetricOperator = (x: Float64Array, y: Float64Array) => void;

/** A cheaper product with the same symmetric A, all of whose entries are zero or above. */
export interface RoughOperator {
  readonly apply: SymmetricOperator;
  /** At least ‖y − Ax‖ / (‖A‖ ‖x‖). */
  readonly error: number;
}

export interface LanczosOptions {
  /** Stop once the estimate of ‖Ax − λx‖ is below target · λ. */
  readonly target: number;
  /** Most products with A. */
  readonly maxIterations: number;
  /** Taken instead once its error can move the residual by a part of the target at most. @defaultValue null */
  readonly rough?: RoughOperator | null;
  /**
   * True where entries have two sides, A leads from each to the other, and the start lies on one: then so does every step, and those
   * an odd number apart have nothing in common. @defaultValue false
   */
  readonly alternates?: boolean;
  /** Numbers that the basis may hold: past that it is replaced by its best vector. @defaultValue 2^24 */
  readonly memory?: number;
}

export interface LanczosResult {
  readonly value: number;
  /** Unit L2 norm. */
  readonly vector: Float64Array;
  /** ‖Ax − λx‖ / λ by the recurrence, which holds to rounding; what rough products may have added is counted in full. */
  readonly residual: number;
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
  { target, maxIterations, rough = null, alternates = false, memory = 2 ** 24 }: LanczosOptions,
): LanczosResult {
  const n = start.length;
  const capacity = Math.min(n, Math.max(64, Math.floor(memory / n)));
  let vector = toUnit(start);
  let iterations = 0;
  for (let isFirst = true; ; isFirst = false) {
    const steps = Math.min(capacity, maxIterations - iterations);
    // Should rough products have led astray after all, the rest is done without; and what is best lies on both sides.
    const own = isFirst ? { rough, stride: alternates ? 2 : 1 } : { rough: null, stride: 1 };
    const basis = growBasis(apply, vector, { target, steps, ...own });
    iterations += basis.vectors.length;
    vector = basis.best();
    if (basis.converged || iterations >= maxIterations) {
      return { value: basis.value, vector, residual: basis.residual, iterations };
    }
  }
}

interface Basis {
  readonly vectors: readonly Float64Array[];
  readonly converged: boolean;
  /** Largest eigenvalue within the basis. */
  readonly value: number;
  /** That of its vector, relative. */
  readonly residual: number;
  /** Its vector, of unit norm. */
  best(): Float64Array<ArrayBuffer>;
}

interface Growth {
  readonly target: number;
  readonly steps: number;
  readonly rough: RoughOperator | null;
  /** Steps from one vector to the next with which it can have anything in common. */
  readonly stride: number;
}

/** Lanczos steps from `start`, a unit vector, until the estimate is below target or `steps` are done. */
function growBasis(
  apply: SymmetricOperator,
  start: Float64Array,
  { target, steps, rough, stride }: Growth,
): Basis {
  const n = start.length;
  const vectors = [start];
  const diagonal: number[] = [];
  const offDiagonal: number[] = [];
  let magnitude = 0;
  let firstRough = Infinity;
  let last = Infinity;
  let pace = 0;
  for (let nextCheck = 1; ;) {
    const next = new Float64Array(n);
    // Of each vector the answer holds about as much as was left before it, so that what errors add up to is a series of that pace.
    if (rough !== null && rough.error * last <= (target / 2) * Math.max(0, 1 - pace) ** 2) {
      firstRough = Math.min(firstRough, vectors.length - 1);
      rough.apply(vectors.at(-1)!, next);
    } else {
      apply(vectors.at(-1)!, next);
    }
    const along = stride === 1 ? dot(vectors.at(-1)!, next) : 0;
    diagonal.push(along);
    // All but rounding lies along these two, so that one time is enough for the rest.
    if (along !== 0) addScaled(next, -along, vectors.at(-1)!);
    if (vectors.length > 1) addScaled(next, -offDiagonal.at(-1)!, vectors.at(-2)!);
    const beyond = makeOrthogonal(next, vectors, stride);
    magnitude = Math.max(magnitude, Math.abs(along), beyond);
    const size = vectors.length;
    // Nothing is left outside the basis: the eigenvector lies in it.
    const complete = size === n || beyond <= Number.EPSILON * magnitude;
    if (complete || size === steps || size === nextCheck) {
      const { value, vector: ritz } = largestTridiagonalPair(
        Float64Array.from(diagonal),
        Float64Array.from(offDiagonal),
      );
      const rest = beyond * Math.abs(ritz[size - 1]!);
      const left = rest === 0 ? 0 : rest / Math.abs(value);
      pace = left / last;
      last = left;
      const added = rough === null ? 0 : rough.error * strayed(ritz, firstRough);
      const residual = left + added;
      const converged = (complete || rest <= target * value) && (added === 0 || residual <= target);
      if (converged || complete || size === steps || added > target) {
        return { vectors, converged, value, residual, best: () => combine(vectors, ritz) };
      }
      // Ever rarer, as each check costs as much as the basis is long.
      nextCheck = size + Math.max(1, size >> 3);
    }
    offDiagonal.push(beyond);
    for (let i = 0; i < n; i++) next[i]! /= beyond;
    vectors.push(next);
  }
}

/**
 * Takes away from `next` what lies along the unit vectors `earlier`, the last, `stride` before and so on; again if little was left, and
 * gives the norm of the rest. A second time is needed only where rounding could leave something along them.
 */
function makeOrthogonal(
  next: Float64Array,
  earlier: readonly Float64Array[],
  stride: number,
): number {
  let before = norm(next);
  for (let pass = 0; ; pass++) {
    for (let i = earlier.length - stride; i >= 0; i -= stride) {
      addScaled(next, -dot(earlier[i]!, next), earlier[i]!);
    }
    const beyond = norm(next);
    if (pass === 1 || beyond > Math.SQRT1_2 * before) return beyond;
    before = beyond;
  }
}

/**
 * How far rough products, from the basis vector `first` on, can take the residual of Σ factors[i] · vectors[i], as a multiple of
 * their error: that of a product by as much as its vector has a part in the sum, and by what it was to have in common with the vectors
 * that followed.
 */
function strayed(factors: Float64Array, first: number): number {
  let sum = 0;
  let squares = 0;
  for (let i = factors.length - 1; i >= first; i--) {
    sum += Math.abs(factors[i]!) + Math.sqrt(squares);
    squares += factors[i]! ** 2;
  }
  return sum;
}

function combine(
  vectors: readonly Float64Array[],
  factors: Float64Array,
): Float64Array<ArrayBuffer> {
  const combined = new Float64Array(vectors[0]!.length);
  vectors.forEach((vector, i) => addScaled(combined, factors[i]!, vector));
  return toUnit(combined);
}

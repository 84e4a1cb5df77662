/** All eigenvalues of dense symmetric matrices whose largest entry is of the order of 1: callers scale. */
import { AnalysisError } from "../errors.ts";

/**
 * Eigenvalues of the symmetric matrix whose lower triangle is in `matrix` [n, n], ascending. Overwrites the matrix.
 * Householder's reduction to tridiagonal form, then implicit QR steps with Wilkinson's shift. The error of each is a few units in
 * the last place of the largest. Cost: n³ / 6 visits of an entry, each once updated and twice multiplied; O(n²) besides.
 * Source: Golub and Van Loan, Matrix Computations, sections 8.3.1 and 8.3.3.
 */
export function symmetricEigenvalues(
  matrix: Float64Array,
  n: number,
  room: ReductionRoom = plainReductionRoom(matrix, n),
): Float64Array {
  const { diagonal, offDiagonal } = tridiagonalise(matrix, n, room);
  return tridiagonalEigenvalues(diagonal, offDiagonal);
}

/** Beside entries of the order of 1, nothing; and its reciprocal squared is still a number. */
const negligible = 1e-140;

/** How a matrix is reduced. */
export interface ReductionRoom {
  /** Four of [n], zero to begin with. */
  readonly vectors: readonly Float64Array[];
  /** Takes `v wᵀ + w vᵀ` from the triangle of the first rows, as many as `size`; `product` becomes what is left times `next`. */
  readonly reduce: (
    size: number,
    vectors: Readonly<Record<"v" | "w" | "next" | "product", Float64Array>>,
  ) => void;
}

function plainReductionRoom(a: Float64Array, n: number): ReductionRoom {
  return {
    vectors: Array.from({ length: 4 }, () => new Float64Array(n)),
    reduce(size, { v, w, next, product }) {
      product.fill(0, 0, size);
      for (let i = 0; i < size; i++) {
        const row = i * n;
        const vi = v[i]!;
        const wi = w[i]!;
        const ni = next[i]!;
        let sum = 0;
        for (let j = 0; j < i; j++) {
          const entry = a[row + j]! - vi * w[j]! - wi * v[j]!;
          a[row + j] = entry;
          sum += entry * next[j]!;
          product[j]! += entry * ni;
        }
        const own = a[row + i]! - 2 * vi * wi;
        a[row + i] = own;
        product[i]! += sum + own * ni;
      }
    },
  };
}

interface Tridiagonal {
  /** [n] */
  readonly diagonal: Float64Array;
  /** [n - 1] */
  readonly offDiagonal: Float64Array;
}

/**
 * One pass over the triangle per column: it takes away what the reflection before left to take away, and multiplies with the
 * vector of the next reflection, which the last row alone tells.
 */
function tridiagonalise(
  a: Float64Array,
  n: number,
  { vectors, reduce }: ReductionRoom,
): Tridiagonal {
  const diagonal = new Float64Array(n);
  const offDiagonal = new Float64Array(Math.max(0, n - 1));
  // Pending: A - v wᵀ - w vᵀ.
  let [v, w, next, product] = vectors as [Float64Array, Float64Array, Float64Array, Float64Array];
  for (let k = n - 1; k >= 0; k--) {
    const last = k * n;
    for (let j = 0; j <= k; j++) a[last + j]! -= v[k]! * w[j]! + w[k]! * v[j]!;
    diagonal[k] = a[last + k]!;
    if (k === 0) break;
    const factor = reflection(a.subarray(last, last + k), next);
    offDiagonal[k - 1] = next[k]!;
    reduce(k, { v, w, next, product });
    let along = 0;
    for (let j = 0; j < k; j++) along += next[j]! * product[j]!;
    const back = (factor * factor * along) / 2;
    for (let j = 0; j < k; j++) product[j] = factor * product[j]! - back * next[j]!;
    [v, w, next, product] = [next, product, v, w];
  }
  return { diagonal, offDiagonal };
}

/**
 * Writes the vector u with (I - factor · u uᵀ) x = (0, …, 0, r) into `u`, and r behind it; returns the factor, 0 when x has that
 * form already.
 */
function reflection(x: Float64Array, u: Float64Array): number {
  const size = x.length;
  let beside = 0;
  for (let j = 0; j < size - 1; j++) beside += x[j]! * x[j]!;
  const end = x[size - 1]!;
  if (beside < negligible) {
    u.fill(0, 0, size);
    u[size] = end;
    return 0;
  }
  const length = Math.sqrt(beside + end * end);
  const result = end > 0 ? -length : length;
  u.set(x);
  u[size - 1] = end - result;
  u[size] = result;
  return 2 / (beside + (end - result) ** 2);
}

/** Eigenvalues of a symmetric tridiagonal matrix, ascending. Cost: O(n²). */
export function tridiagonalEigenvalues(
  diagonal: Float64Array,
  offDiagonal: Float64Array,
): Float64Array {
  const d = diagonal.slice();
  diagonalise(d, offDiagonal.slice(), new Float64Array(d.length));
  return d.sort();
}

/**
 * Eigenvalues of a symmetric tridiagonal matrix, in no order, and the squares of the first components of their unit eigenvectors:
 * nodes and weights of the Gauss quadrature that a Lanczos basis gives. Cost: O(n²).
 * Source: Golub and Welsch 1969, doi 10.1090/S0025-5718-69-99647-1.
 */
export function gaussQuadrature(
  diagonal: Float64Array,
  offDiagonal: Float64Array,
): { readonly nodes: Float64Array; readonly weights: Float64Array } {
  const nodes = diagonal.slice();
  const first = new Float64Array(nodes.length);
  first[0] = 1;
  diagonalise(nodes, offDiagonal.slice(), first);
  return { nodes, weights: first.map((component) => component * component) };
}

/** Turns `d` into the eigenvalues, and the row `first` along with them. */
function diagonalise(d: Float64Array, e: Float64Array, first: Float64Array): void {
  let largest = 0;
  for (const entry of d) largest = Math.max(largest, Math.abs(entry));
  for (const entry of e) largest = Math.max(largest, Math.abs(entry));
  // What the roundings of a step leave beside a converged eigenvalue, seen from the largest entry.
  const floor = largest * 8 * Number.EPSILON + negligible;
  const splits = (i: number): boolean =>
    Math.abs(e[i]!) <= Number.EPSILON * (Math.abs(d[i]!) + Math.abs(d[i + 1]!)) + floor;
  let high = d.length - 1;
  let steps = 0;
  while (high > 0) {
    if (splits(high - 1)) {
      high--;
      continue;
    }
    let low = high - 1;
    while (low > 0 && !splits(low - 1)) low--;
    if (++steps > 60 * d.length) {
      throw new AnalysisError("ANALYSIS_NOT_CONVERGED", `no eigenvalues after ${steps} QR steps`);
    }
    qrStep({ d, e, first }, low, high);
  }
}

interface Turned {
  readonly d: Float64Array;
  readonly e: Float64Array;
  readonly first: Float64Array;
}

/** One implicit QR step on rows low … high, none of whose off-diagonal entries is zero. */
function qrStep({ d, e, first }: Turned, low: number, high: number): void {
  const half = (d[high - 1]! - d[high]!) / 2;
  const corner = e[high - 1]!;
  const reach = Math.sqrt(half * half + corner * corner);
  const shift = d[high]! - (corner * corner) / (half + (half < 0 ? -reach : reach));
  let x = d[low]! - shift;
  let z = e[low]!;
  for (let k = low; k < high; k++) {
    const r = Math.sqrt(x * x + z * z);
    const cos = r === 0 ? 1 : x / r;
    const sin = r === 0 ? 0 : z / r;
    if (k > low) e[k - 1] = r;
    const upper = d[k]!;
    const lower = d[k + 1]!;
    const between = e[k]!;
    const twist = 2 * cos * sin * between;
    d[k] = cos * cos * upper + twist + sin * sin * lower;
    d[k + 1] = sin * sin * upper - twist + cos * cos * lower;
    e[k] = (cos * cos - sin * sin) * between + cos * sin * (lower - upper);
    const own = first[k]!;
    first[k] = cos * own + sin * first[k + 1]!;
    first[k + 1] = cos * first[k + 1]! - sin * own;
    if (k < high - 1) {
      x = e[k]!;
      z = sin * e[k + 1]!;
      e[k + 1] = cos * e[k + 1]!;
    }
  }
}

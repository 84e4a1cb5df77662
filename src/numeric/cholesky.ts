/**
 * Solves A x = b for a symmetric positive definite A, [n, n] row-major; reads its lower half. Null when A is not positive
 * definite, up to rounding. Cost: n³ / 3.
 * Source: Cholesky's factorisation, Golub and Van Loan, Matrix Computations, section 4.2.
 */
export function solvePositive(a: Float64Array, b: Float64Array): Float64Array | null {
  const n = b.length;
  const lower = new Float64Array(n * n);
  for (let row = 0; row < n; row++) {
    for (let column = 0; column <= row; column++) {
      let rest = a[row * n + column]!;
      for (let k = 0; k < column; k++) rest -= lower[row * n + k]! * lower[column * n + k]!;
      if (column < row) lower[row * n + column] = rest / lower[column * n + column]!;
      else if (rest > rounding * a[row * n + row]!) lower[row * n + row] = Math.sqrt(rest);
      else return null;
    }
  }
  const x = b.slice();
  for (let row = 0; row < n; row++) {
    for (let k = 0; k < row; k++) x[row]! -= lower[row * n + k]! * x[k]!;
    x[row]! /= lower[row * n + row]!;
  }
  for (let row = n - 1; row >= 0; row--) {
    for (let k = row + 1; k < n; k++) x[row]! -= lower[k * n + row]! * x[k]!;
    x[row]! /= lower[row * n + row]!;
  }
  return x;
}

/** A pivot below this share of its diagonal entry is what rounding leaves of zero. */
const rounding = 1e-12;

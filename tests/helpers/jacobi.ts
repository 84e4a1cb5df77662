/**
 * All eigenpairs of a dense symmetric matrix by cyclic Jacobi rotations: slow and obvious, for comparison only.
 * Largest eigenvalue first; vectors[k] belongs to values[k].
 */
export function jacobiEigen(matrix: readonly (readonly number[])[]): {
  values: number[];
  vectors: number[][];
} {
  const a = matrix.map((row) => [...row]);
  const n = a.length;
  const v = a.map((_, i) => a.map((_, j) => +(i === j)));
  for (let sweep = 0; sweep < 60; sweep++) {
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        if (a[p]![q] === 0) continue;
        const theta = (a[q]![q]! - a[p]![p]!) / (2 * a[p]![q]!);
        const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
        const cos = 1 / Math.hypot(t, 1);
        const sin = t * cos;
        for (let k = 0; k < n; k++) rotate(a[k]!, [p, q], [cos, sin]);
        const [rowP, rowQ] = [a[p]!, a[q]!];
        for (let k = 0; k < n; k++) {
          const [x, y] = [rowP[k]!, rowQ[k]!];
          rowP[k] = cos * x - sin * y;
          rowQ[k] = sin * x + cos * y;
        }
        for (let k = 0; k < n; k++) rotate(v[k]!, [p, q], [cos, sin]);
      }
    }
  }
  const order = a.map((_, i) => i).sort((i, j) => a[j]![j]! - a[i]![i]!);
  return {
    values: order.map((i) => a[i]![i]!),
    vectors: order.map((i) => v.map((row) => row[i]!)),
  };
}

type Pair = readonly [number, number];

function rotate(row: number[], [p, q]: Pair, [cos, sin]: Pair): void {
  const [x, y] = [row[p]!, row[q]!];
  row[p] = cos * x - sin * y;
  row[q] = sin * x + cos * y;
}

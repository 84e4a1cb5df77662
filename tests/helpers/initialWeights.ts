/** Initial weights as PyTorch's initialisers draw them, for effects that depend on the law of the weights. */
import type { Random } from "../../src/random.ts";

/** N(0, 2 / fan-in), [rows, columns]. */
export function kaimingNormal(rows: number, columns: number, random: Random): Float64Array {
  const scale = Math.sqrt(2 / columns);
  return Float64Array.from({ length: rows * columns }, () => scale * random.normal());
}

/** Orthonormal rows or columns, whichever are fewer; gain 1. Gram-Schmidt on Gaussian vectors, twice for accuracy. */
export function orthogonal(rows: number, columns: number, random: Random): Float64Array {
  const length = Math.max(rows, columns);
  const vectors: Float64Array[] = [];
  while (vectors.length < Math.min(rows, columns)) {
    const vector = Float64Array.from({ length }, () => random.normal());
    for (const other of [...vectors, ...vectors]) {
      const along = dot(vector, other);
      for (let i = 0; i < length; i++) vector[i]! -= along * other[i]!;
    }
    const norm = Math.sqrt(dot(vector, vector));
    vectors.push(vector.map((entry) => entry / norm));
  }
  return Float64Array.from({ length: rows * columns }, (_, at) => {
    const row = Math.floor(at / columns);
    const column = at % columns;
    return rows <= columns ? vectors[row]![column]! : vectors[column]![row]!;
  });
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

import type { Initializer } from "./initializer.ts";

/**
 * Weights as a matrix [out, in · taps] with orthonormal rows, or columns where there are more rows; biases zero.
 * Gram and Schmidt on normal vectors, each projected twice, which keeps them orthogonal to rounding; uniform over all such
 * matrices. Cost: O(short² · long). Source: Saxe, McClelland and Ganguli 2014, arXiv 1312.6120.
 */
export const orthogonal: Initializer = {
  name: "orthogonal",
  fill(values, { role, shape }, random) {
    if (role !== "weight") return;
    const [rows = 1] = shape;
    const columns = values.length / rows;
    const [count, size] = rows <= columns ? [rows, columns] : [columns, rows];
    const vectors: Float64Array[] = [];
    while (vectors.length < count) {
      const vector = Float64Array.from({ length: size }, () => random.normal());
      const before = norm(vector);
      for (const other of [...vectors, ...vectors]) project(vector, other);
      const length = norm(vector);
      // A vector that lies in the span of the others says nothing: draw again.
      if (length > 1e-8 * before) vectors.push(vector.map((value) => value / length));
    }
    vectors.forEach((vector, i) =>
      vector.forEach((value, j) => {
        values[rows <= columns ? i * columns + j : j * columns + i] = value;
      }),
    );
  },
};

/** Takes from `vector` what it has along the unit vector `other`. */
function project(vector: Float64Array, other: Float64Array): void {
  let along = 0;
  for (let i = 0; i < vector.length; i++) along += vector[i]! * other[i]!;
  for (let i = 0; i < vector.length; i++) vector[i]! -= along * other[i]!;
}

function norm(vector: Float64Array): number {
  let sum = 0;
  for (const value of vector) sum += value * value;
  return Math.sqrt(sum);
}

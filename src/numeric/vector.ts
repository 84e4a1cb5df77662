/** Sums over vectors of moderate entries: callers scale, so that squares neither overflow nor vanish. */

export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

export function norm(a: Float64Array): number {
  return Math.sqrt(dot(a, a));
}

/** y += factor · x, in place. */
export function addScaled(y: Float64Array, factor: number, x: Float64Array): void {
  for (let i = 0; i < y.length; i++) y[i]! += factor * x[i]!;
}

/** `vector` divided by its L2 norm, as a new array. */
export function toUnit(vector: Float64Array): Float64Array<ArrayBuffer> {
  const length = norm(vector);
  return Float64Array.from(vector, (entry) => entry / length);
}

/** Sums over vectors of moderate entries: callers scale, so that squares neither overflow nor vanish. */

/** In four sums side by side: one addition need not wait for the last. */
export function dot(a: Float64Array, b: Float64Array): number {
  const whole = a.length & ~3;
  let [first, second, third, fourth] = [0, 0, 0, 0];
  for (let i = 0; i < whole; i += 4) {
    first += a[i]! * b[i]!;
    second += a[i + 1]! * b[i + 1]!;
    third += a[i + 2]! * b[i + 2]!;
    fourth += a[i + 3]! * b[i + 3]!;
  }
  let sum = first + second + (third + fourth);
  for (let i = whole; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

export function norm(a: Float64Array): number {
  return Math.sqrt(dot(a, a));
}

/** y += factor · x, in place. */
export function addScaled(y: Float64Array, factor: number, x: Float64Array): void {
  for (let i = 0; i < y.length; i++) y[i]! += factor * x[i]!;
}

/** x + factor · y, as a new array. */
export function plus(x: Float64Array, factor: number, y: Float64Array): Float64Array<ArrayBuffer> {
  const sum = new Float64Array(x.length);
  for (let i = 0; i < sum.length; i++) sum[i] = x[i]! + factor * y[i]!;
  return sum;
}

/** `vector` divided by its L2 norm, as a new array. */
export function toUnit(vector: Float64Array): Float64Array<ArrayBuffer> {
  const length = norm(vector);
  const unit = new Float64Array(vector.length);
  for (let i = 0; i < unit.length; i++) unit[i] = vector[i]! / length;
  return unit;
}

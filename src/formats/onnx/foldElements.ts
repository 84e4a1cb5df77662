import type { FloatArray } from "../../tensor/dtype.ts";
import { elementCount, type Shape } from "../../tensor/shape.ts";
import { checkGenerated, foldedFrom, spanOf, type Constant, type Fold } from "./constant.ts";

/** One constant element by element. */
export function foldUnary(compute: (value: number) => number): Fold {
  return async (_, [data]) => {
    if (data === undefined) return null;
    const read = async (): Promise<FloatArray> => (await data.read()).map(compute);
    const readSpan = async (start: number, end: number): Promise<FloatArray> =>
      (await spanOf(data, start, end)).map(compute);
    return foldedFrom([data], { shape: data.shape, read, ...(data.readSpan && { readSpan }) });
  };
}

/** Two constants element by element, broadcast as NumPy does. */
export function foldBinary(combine: (a: number, b: number) => number): Fold {
  return async (node, [a, b]) => {
    if (a === undefined || b === undefined) return null;
    const rank = Math.max(a.shape.length, b.shape.length);
    const pad = ({ shape }: Constant): number[] => [
      ...new Array<number>(rank - shape.length).fill(1),
      ...shape,
    ];
    const one = pad(a);
    const other = pad(b);
    if (one.some((size, axis) => size !== other[axis] && size !== 1 && other[axis] !== 1))
      return null;
    const shape = one.map((size, axis) => (size === 1 ? other[axis]! : size));
    checkGenerated(shape, node);
    return foldedFrom([a, b], {
      shape,
      async read() {
        const left = await a.read();
        const right = await b.read();
        const result = new (left.constructor as typeof Float64Array)(elementCount(shape));
        const leftAt = broadcastIndex(one, shape);
        const rightAt = broadcastIndex(other, shape);
        for (let i = 0; i < result.length; i++) {
          result[i] = combine(left[leftAt(i)]!, right[rightAt(i)]!);
        }
        return result;
      },
    });
  };
}

/** Position in an array of shape `own` of element `i` of its broadcast to `shape`. */
export function broadcastIndex(own: Shape, shape: Shape): (i: number) => number {
  if (own.every((size, axis) => size === shape[axis])) return (i) => i;
  return (i) => {
    let rest = i;
    let at = 0;
    let stride = 1;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const index = rest % shape[axis]!;
      rest = (rest - index) / shape[axis]!;
      if (own[axis] !== 1) at += index * stride;
      stride *= own[axis]!;
    }
    return at;
  };
}

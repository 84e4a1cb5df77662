import type { DType, FloatArray } from "../../tensor/dtype.ts";
import { elementCount, type Shape } from "../../tensor/shape.ts";
import { checkGenerated, foldedFrom, spanOf, type Fold } from "./constant.ts";
import type { NodeReader } from "./nodeReader.ts";

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

/** Two constants element by element, broadcast as NumPy does; `dtype` is the first one's unless told. */
export function foldBinary(combine: (a: number, b: number) => number, dtype?: DType): Fold {
  return async (node, [a, b]) => {
    if (a === undefined || b === undefined) return null;
    const shape = broadcastShape([a.shape, b.shape], node);
    if (shape === null) return null;
    return foldedFrom([a, b], {
      shape,
      ...(dtype && { dtype }),
      async read() {
        const left = await a.read();
        const right = await b.read();
        const result = new (left.constructor as typeof Float64Array)(elementCount(shape));
        const leftAt = broadcastIndex(a.shape, shape);
        const rightAt = broadcastIndex(b.shape, shape);
        for (let i = 0; i < result.length; i++) {
          result[i] = combine(left[leftAt(i)]!, right[rightAt(i)]!);
        }
        return result;
      },
    });
  };
}

/** Where the first constant is true an element of the second, else of the third. */
export const foldWhere: Fold = async (node, [condition, a, b]) => {
  if (condition === undefined || a === undefined || b === undefined) return null;
  const shape = broadcastShape([condition.shape, a.shape, b.shape], node);
  if (shape === null) return null;
  return foldedFrom([a, b, condition], {
    shape,
    async read() {
      const [truth, left, right] = [await condition.read(), await a.read(), await b.read()];
      const result = new (left.constructor as typeof Float64Array)(elementCount(shape));
      const at = [condition, a, b].map((own) => broadcastIndex(own.shape, shape));
      for (let i = 0; i < result.length; i++) {
        result[i] = truth[at[0]!(i)]! !== 0 ? left[at[1]!(i)]! : right[at[2]!(i)]!;
      }
      return result;
    },
  });
};

/** Null where sizes do not meet. */
function broadcastShape(shapes: readonly Shape[], node: NodeReader): number[] | null {
  const rank = Math.max(...shapes.map(({ length }) => length));
  const shape = Array.from({ length: rank }, (_, axis) =>
    shapes
      .map((own) => own[axis - rank + own.length] ?? 1)
      .reduce((size, other) => (size === 1 || size === other ? other : other === 1 ? size : NaN)),
  );
  if (shape.some(Number.isNaN)) return null;
  checkGenerated(shape, node);
  return shape;
}

/** Position in an array of shape `own` of element `i` of its broadcast to `shape`. */
export function broadcastIndex(unpadded: Shape, shape: Shape): (i: number) => number {
  const own = [...new Array<number>(shape.length - unpadded.length).fill(1), ...unpadded];
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

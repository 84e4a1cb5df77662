/**
 * Constant folding: what some operators make of constants, so that a weight is found behind them.
 * Values are computed when they are read. Source of the rules: https://onnx.ai/onnx/operators.
 */
import { FormatError } from "../../errors.ts";
import type { FloatArray } from "../../tensor/dtype.ts";
import { permute } from "../../tensor/permute.ts";
import { elementCount, type Shape } from "../../tensor/shape.ts";
import { foldedFrom, generatedLimit, integersOf, type Constant } from "./constant.ts";
import type { NodeReader } from "./nodeReader.ts";
import { knownType } from "./tensorProto.ts";

type Fold = (
  node: NodeReader,
  inputs: readonly (Constant | undefined)[],
) => Promise<Constant | null>;

/** The operators that are folded when all their inputs are constants. Null: this use of it is not. */
export const folds: ReadonlyMap<string, Fold> = new Map<string, Fold>([
  ["Identity", async (_, [data]) => data ?? null],
  ["Cast", foldCast],
  ["Transpose", foldTranspose],
  ["Reshape", foldReshape],
  ["Flatten", foldFlatten],
  ["Squeeze", foldSqueeze],
  ["Unsqueeze", foldUnsqueeze],
  ["Slice", foldSlice],
  ["Gather", foldGather],
  ["Concat", foldConcat],
  ["ConstantOfShape", foldConstantOfShape],
  ["Add", foldBinary((a, b) => a + b)],
  ["Sub", foldBinary((a, b) => a - b)],
  ["Mul", foldBinary((a, b) => a * b)],
  ["Div", foldBinary((a, b) => a / b)],
]);

async function foldCast(node: NodeReader, [data]: readonly (Constant | undefined)[]) {
  if (data === undefined) return null;
  const dtype = knownType(node.int("to", 0));
  if (dtype === null || dtype === data.dtype) return dtype && data;
  return foldedFrom([data], { dtype, shape: data.shape, read: () => data.read() });
}

async function foldTranspose(node: NodeReader, [data]: readonly (Constant | undefined)[]) {
  if (data === undefined) return null;
  const { shape } = data;
  const order = node.ints("perm") ?? shape.map((_, axis) => shape.length - 1 - axis);
  const isOrder = order.length === shape.length && new Set(order).size === order.length;
  if (!isOrder || order.some((axis) => shape[axis] === undefined)) return null;
  return foldedFrom([data], {
    shape: order.map((axis) => shape[axis]!),
    read: async () => permute(await data.read(), shape, order),
  });
}

/** The same values under another shape; null where the counts differ. */
function reshaped(data: Constant, shape: Shape): Constant | null {
  if (shape.some((size) => !Number.isSafeInteger(size) || size < 0)) return null;
  const count = shape.reduce((a, b) => a * b, 1);
  if (count !== elementCount(data.shape)) return null;
  return foldedFrom([data], { shape, read: () => data.read() });
}

async function foldReshape(node: NodeReader, inputs: readonly (Constant | undefined)[]) {
  const [data, target] = inputs;
  const wanted = target ? await integersOf(target) : node.ints("shape");
  if (data === undefined || !wanted) return null;
  const copied = wanted.map((size, axis) =>
    size === 0 && node.int("allowzero", 0) === 0 ? (data.shape[axis] ?? 0) : size,
  );
  const known = copied.filter((size) => size !== -1).reduce((a, b) => a * b, 1);
  return reshaped(
    data,
    copied.map((size) => (size === -1 ? elementCount(data.shape) / known : size)),
  );
}

async function foldFlatten(node: NodeReader, [data]: readonly (Constant | undefined)[]) {
  if (data === undefined) return null;
  const axis = node.axis(data.shape.length, 1);
  const { shape } = data;
  return reshaped(data, [elementCount(shape.slice(0, axis)), elementCount(shape.slice(axis))]);
}

async function foldSqueeze(node: NodeReader, [data, axesInput]: readonly (Constant | undefined)[]) {
  if (data === undefined) return null;
  const rank = data.shape.length;
  const axes = (await axesOf(node, axesInput))?.map((axis) => (axis < 0 ? axis + rank : axis));
  return reshaped(
    data,
    data.shape.filter((size, axis) => (axes ? !axes.includes(axis) : size !== 1)),
  );
}

async function foldUnsqueeze(
  node: NodeReader,
  [data, axesInput]: readonly (Constant | undefined)[],
) {
  const axes = await axesOf(node, axesInput);
  if (data === undefined || !axes) return null;
  const rank = data.shape.length + axes.length;
  const shape = [...data.shape];
  for (const axis of axes.map((own) => (own < 0 ? own + rank : own)).sort((a, b) => a - b)) {
    shape.splice(axis, 0, 1);
  }
  return reshaped(data, shape);
}

/** Axes stand in an attribute up to opset 12, in an input since. */
async function axesOf(node: NodeReader, input: Constant | undefined): Promise<number[] | null> {
  return input ? integersOf(input) : (node.ints("axes")?.slice() ?? null);
}

async function foldSlice(node: NodeReader, inputs: readonly (Constant | undefined)[]) {
  const [data] = inputs;
  if (data === undefined) return null;
  const list = async (at: number, name: string) =>
    inputs[at] ? integersOf(inputs[at]) : (node.ints(name)?.slice() ?? null);
  const starts = await list(1, "starts");
  const ends = await list(2, "ends");
  if (!starts || !ends) return null;
  const axes = (await list(3, "axes")) ?? starts.map((_, i) => i);
  const steps = (await list(4, "steps")) ?? starts.map(() => 1);
  const indices: (number[] | null)[] = data.shape.map(() => null);
  for (const [i, own] of axes.entries()) {
    const axis = own < 0 ? own + data.shape.length : own;
    const size = data.shape[axis];
    if (size === undefined) return null;
    indices[axis] = sliceIndices(size, { start: starts[i], end: ends[i], step: steps[i] });
  }
  return selected(data, indices);
}

/** Positions that a slice takes, by ONNX's rules: negative counts from the end, then clamped. */
export function sliceIndices(
  size: number,
  slice: { start: number | undefined; end: number | undefined; step: number | undefined },
): number[] {
  const step = slice.step ?? 1;
  const from = (at: number): number => (at < 0 ? at + size : at);
  const indices: number[] = [];
  if (step > 0) {
    const end = Math.min(from(slice.end ?? size), size);
    for (let at = Math.max(from(slice.start ?? 0), 0); at < end; at += step) indices.push(at);
  } else if (step < 0) {
    const end = Math.max(from(slice.end ?? -size - 1), -1);
    for (let at = Math.min(from(slice.start ?? size), size - 1); at > end; at += step)
      indices.push(at);
  }
  return indices;
}

async function foldGather(node: NodeReader, [data, where]: readonly (Constant | undefined)[]) {
  const indices = where ? await integersOf(where) : null;
  if (data === undefined || where === undefined || !indices) return null;
  const axis = node.axis(data.shape.length, 0);
  const size = data.shape[axis];
  const positions = indices.map((at) => (at < 0 ? at + (size ?? 0) : at));
  if (size === undefined || positions.some((at) => at < 0 || at >= size)) return null;
  const flat = selected(
    data,
    data.shape.map((_, own) => (own === axis ? positions : null)),
  );
  const shape = [...data.shape.slice(0, axis), ...where.shape, ...data.shape.slice(axis + 1)];
  return { ...flat, shape };
}

/** Keeps `indices[axis]` of each axis, all where it is null. */
function selected(data: Constant, indices: readonly (readonly number[] | null)[]): Constant {
  const { shape } = data;
  const size = shape.map((own, axis) => indices[axis]?.length ?? own);
  return foldedFrom([data], {
    shape: size,
    async read() {
      let values = await data.read();
      const now = [...shape];
      for (const [axis, picked] of indices.entries()) {
        if (picked === null) continue;
        values = pickAxis(values, now, axis, picked);
        now[axis] = picked.length;
      }
      return values;
    },
  });
}

function pickAxis(
  values: FloatArray,
  shape: Shape,
  axis: number,
  picked: readonly number[],
): FloatArray {
  const outer = elementCount(shape.slice(0, axis));
  const inner = elementCount(shape.slice(axis + 1));
  const result = new (values.constructor as typeof Float64Array)(outer * picked.length * inner);
  let to = 0;
  for (let o = 0; o < outer; o++) {
    for (const index of picked) {
      const from = (o * shape[axis]! + index) * inner;
      result.set(values.subarray(from, from + inner), to);
      to += inner;
    }
  }
  return result;
}

async function foldConcat(node: NodeReader, inputs: readonly (Constant | undefined)[]) {
  const parts = inputs.filter((part) => part !== undefined);
  const [first] = parts;
  if (first === undefined) return null;
  const axis = node.axis(first.shape.length, 0);
  const fits = (part: Constant): boolean =>
    part.shape.length === first.shape.length &&
    part.shape.every((size, own) => own === axis || size === first.shape[own]);
  if (axis >= first.shape.length || !parts.every(fits)) return null;
  const shape = [...first.shape];
  shape[axis] = parts.reduce((sum, part) => sum + part.shape[axis]!, 0);
  checkGenerated(shape, node);
  return foldedFrom(parts, { shape, read: () => joined(parts, shape, axis) });
}

async function joined(parts: readonly Constant[], shape: Shape, axis: number): Promise<FloatArray> {
  const outer = elementCount(shape.slice(0, axis));
  const inner = elementCount(shape.slice(axis + 1));
  const read = await Promise.all(parts.map((part) => part.read()));
  const result = new (read[0]!.constructor as typeof Float64Array)(elementCount(shape));
  let to = 0;
  for (let o = 0; o < outer; o++) {
    for (const [i, values] of read.entries()) {
      const length = parts[i]!.shape[axis]! * inner;
      result.set(values.subarray(o * length, (o + 1) * length), to);
      to += length;
    }
  }
  return result;
}

async function foldConstantOfShape(node: NodeReader, [input]: readonly (Constant | undefined)[]) {
  const shape = input ? await integersOf(input) : null;
  if (!shape || shape.some((size) => size < 0)) return null;
  checkGenerated(shape, node);
  const value = node.tensor("value");
  const read = async (): Promise<FloatArray> => {
    const fill = value ? (await value.read())[0]! : 0;
    return new Float32Array(elementCount(shape)).fill(fill);
  };
  const dtype = value?.dtype ?? ("float32" as const);
  const record = { name: node.outputs[0] ?? "", dtype, shape, read };
  return { kind: "constant" as const, ...record, records: [record] };
}

/** Two constants element by element, broadcast as NumPy does. */
function foldBinary(combine: (a: number, b: number) => number): Fold {
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
function broadcastIndex(own: Shape, shape: Shape): (i: number) => number {
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

/** @throws {FormatError} `FORMAT_LIMIT`: a few bytes may announce any shape. */
function checkGenerated(shape: Shape, node: NodeReader): void {
  const count = shape.reduce((a, b) => a * b, 1);
  if (count <= generatedLimit) return;
  throw new FormatError("FORMAT_LIMIT", `a constant of ${count} elements would have to be made`, {
    path: node.path,
    hint: `At most ${generatedLimit} elements are made up by folding.`,
  });
}

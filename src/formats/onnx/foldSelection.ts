/** Folding of what joins and picks along an axis. */
import type { FloatArray } from "../../tensor/dtype.ts";
import { elementCount, type Shape } from "../../tensor/shape.ts";
import { checkGenerated, foldedFrom, integersOf, type Constant, type Inputs } from "./constant.ts";
import type { NodeReader } from "./nodeReader.ts";

export async function foldSlice(node: NodeReader, inputs: Inputs): Promise<Constant | null> {
  const [data] = inputs;
  if (data === undefined) return null;
  const list = async (at: number, name: string) =>
    inputs[at] ? integersOf(inputs[at]) : (node.ints(name)?.slice() ?? null);
  const starts = await list(1, "starts");
  const ends = await list(2, "ends");
  if (!starts || !ends) return null;
  const axes = (await list(3, "axes")) ?? starts.map((_, i) => i);
  const steps = (await list(4, "steps")) ?? starts.map(() => 1);
  const picks: (Picks | null)[] = data.shape.map(() => null);
  for (const [i, own] of axes.entries()) {
    const axis = own < 0 ? own + data.shape.length : own;
    const size = data.shape[axis];
    if (size === undefined) return null;
    picks[axis] = slicePicks(size, { start: starts[i], end: ends[i], step: steps[i] });
  }
  return selected(data, picks);
}

/** The indices that are kept along an axis: `at(0)` to `at(count - 1)`. */
export interface Picks {
  readonly count: number;
  readonly at: (i: number) => number;
}

/** What a slice keeps of `size`, by ONNX's rules: negative counts from the end, then clamped. */
export function slicePicks(
  size: number,
  slice: { start: number | undefined; end: number | undefined; step: number | undefined },
): Picks {
  const step = slice.step ?? 1;
  const from = (at: number): number => (at < 0 ? at + size : at);
  const isForward = step > 0;
  const start = isForward
    ? Math.max(from(slice.start ?? 0), 0)
    : Math.min(from(slice.start ?? size), size - 1);
  const end = isForward
    ? Math.min(from(slice.end ?? size), size)
    : Math.max(from(slice.end ?? -size - 1), -1);
  const count = step === 0 ? 0 : Math.max(0, Math.ceil((end - start) / step));
  return { count, at: (i) => start + i * step };
}

export async function foldGather(
  node: NodeReader,
  [data, where]: Inputs,
): Promise<Constant | null> {
  const indices = where ? await integersOf(where) : null;
  if (data === undefined || where === undefined || !indices) return null;
  const axis = node.axis(data.shape.length, 0);
  const size = data.shape[axis];
  const positions = indices.map((at) => (at < 0 ? at + (size ?? 0) : at));
  if (size === undefined || positions.some((at) => at < 0 || at >= size)) return null;
  const shape = [...data.shape.slice(0, axis), ...where.shape, ...data.shape.slice(axis + 1)];
  checkGenerated(shape, node);
  const picks = { count: positions.length, at: (i: number) => positions[i]! };
  return {
    ...selected(
      data,
      data.shape.map((_, own) => (own === axis ? picks : null)),
    ),
    shape,
  };
}

/** Keeps `picks[axis]` of each axis, all where it is null. */
export function selected(data: Constant, picks: readonly (Picks | null)[]): Constant {
  const { shape } = data;
  const size = shape.map((own, axis) => picks[axis]?.count ?? own);
  return foldedFrom([data], {
    shape: size,
    async read() {
      let values = await data.read();
      const now = [...shape];
      for (const [axis, kept] of picks.entries()) {
        if (kept === null) continue;
        values = pickAxis(values, { shape: now, axis }, kept);
        now[axis] = kept.count;
      }
      return values;
    },
  });
}

function pickAxis(
  values: FloatArray,
  { shape, axis }: { shape: Shape; axis: number },
  kept: Picks,
): FloatArray {
  const outer = elementCount(shape.slice(0, axis));
  const inner = elementCount(shape.slice(axis + 1));
  const result = new (values.constructor as typeof Float64Array)(outer * kept.count * inner);
  let to = 0;
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < kept.count; i++) {
      const from = (o * shape[axis]! + kept.at(i)) * inner;
      result.set(values.subarray(from, from + inner), to);
      to += inner;
    }
  }
  return result;
}

export async function foldConcat(node: NodeReader, inputs: Inputs): Promise<Constant | null> {
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

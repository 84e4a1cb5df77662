/** Quantised weights: (q - zero point) * scale, in float64, whole or a span at a time, and the way back to the nearest steps. */
import { FormatError } from "../../errors.ts";
import { isFloat, type DType, type FloatArray } from "../../tensor/dtype.ts";
import { encodeTensor, integerRange, roundToEven } from "../../tensor/encode.ts";
import { elementCount } from "../../tensor/shape.ts";
import { spanOf, type Constant } from "./constant.ts";

/** Which of a parameter's numbers belong to an element. */
export interface Groups {
  /** For `quantisation`: `per tensor`, `per axis 0`. */
  readonly title: string;
  /** The numbers [from, to) that elements [start, end) need, of which the first is 0 for `load`. */
  span(start: number, end: number): readonly [from: number, to: number];
  /** The number of element i, once what decides it is read. */
  load(): Promise<(i: number) => number>;
}

/** A scale or a zero point, with its groups. */
export interface Parameter {
  readonly values: Constant;
  readonly groups: Groups;
}

/**
 * The real values of `data`. `scale` holds one number, one per index of `axis`, or one per block of `blockSize` along it;
 * null is 1, a zero point of null 0. Null where the shapes do not fit.
 */
export function dequantise(
  data: Constant,
  scale: Constant | null,
  zeroPoint: Constant | null,
  place: { axis: number; blockSize?: number },
): Constant | null {
  const scales = scale && parameterOf(data, scale, place);
  const zeros = zeroPoint && parameterOf(data, zeroPoint, place);
  if (scales === undefined || zeros === undefined) return null;
  return scaled(data, scales, zeros);
}

/** `data` with parameters of any grouping. */
export function scaled(
  data: Constant,
  scale: Parameter | null,
  zeroPoint: Parameter | null,
): Constant {
  const count = elementCount(data.shape);
  const { encode: _, readSpan, ...rest } = data;
  const span = async (start: number, end: number): Promise<Float64Array> => {
    const scaleAt = await valuesAt(scale, 1, [start, end]);
    const zeroAt = await valuesAt(zeroPoint, 0, [start, end]);
    const stored =
      start === 0 && end === count ? await data.read() : await spanOf(data, start, end);
    const values = new Float64Array(stored.length);
    for (let i = 0; i < values.length; i++) {
      values[i] = (stored[i]! - zeroAt(start + i)) * scaleAt(start + i);
    }
    return values;
  };
  return {
    ...rest,
    quantisation: `(q - zero point) * scale, ${scale?.groups.title ?? "scale unknown"}`,
    read: () => span(0, count),
    ...(readSpan && { readSpan: span }),
    async encode(values) {
      const scaleAt = await valuesAt(scale, 1, [0, count]);
      const zeroAt = await valuesAt(zeroPoint, 0, [0, count]);
      const steps = (await data.read()).slice();
      for (let i = 0; i < steps.length; i++) {
        const old = (steps[i]! - zeroAt(i)) * scaleAt(i);
        // What is not changed keeps its step, where several mean the same number.
        if (values[i] === old || (Number.isNaN(values[i]) && Number.isNaN(old))) continue;
        steps[i] = stepOf(values[i]!, { scale: scaleAt(i), zero: zeroAt(i), data });
      }
      return data.encode ? data.encode(steps) : encodeTensor(steps, data.dtype);
    },
  };
}

/** @throws {FormatError} `FORMAT_UNSUPPORTED` for a value half a step or more beyond the last one. */
function stepOf(
  value: number,
  { scale, zero, data }: { scale: number; zero: number; data: Constant },
): number {
  const step = value / scale + zero;
  if (!Number.isFinite(step)) throw outside(value, data);
  if (data.encode !== undefined || isFloat(data.dtype)) return step;
  const [least, largest] = integerRange(data.dtype);
  const whole = roundToEven(step);
  if (whole < least || whole > largest) throw outside(value, data);
  return whole;
}

function outside(value: number, { name, dtype }: Constant): FormatError {
  return new FormatError("FORMAT_UNSUPPORTED", `${value} lies outside the steps of ${dtype}`, {
    path: [name],
    hint: "Keep the values within the range, or write the whole model as safetensors.",
  });
}

async function valuesAt(
  parameter: Parameter | null,
  otherwise: number,
  [start, end]: readonly [number, number],
): Promise<(i: number) => number> {
  if (parameter === null) return () => otherwise;
  const { values, groups } = parameter;
  const [from, to] = groups.span(start, end);
  const numbers = await spanOf(values, from, to);
  if (numbers.length === 1) return () => numbers[0]!;
  const groupOf = await groups.load();
  return (i) => numbers[groupOf(i) - from]!;
}

/** Undefined where the parameter's shape does not fit the data. */
function parameterOf(
  { shape }: Constant,
  values: Constant,
  { axis, blockSize = 0 }: { axis: number; blockSize?: number },
): Parameter | undefined {
  const count = elementCount(values.shape);
  if (count === 1) return { values, groups: oneGroup };
  const size = shape[axis] ?? 1;
  const inner = elementCount(shape.slice(axis + 1));
  if (blockSize <= 0) {
    return count === size ? { values, groups: axisGroups({ axis, size, inner }) } : undefined;
  }
  const blocks = Math.ceil(size / blockSize);
  const outer = elementCount(shape.slice(0, axis));
  if (count !== outer * blocks * inner) return undefined;
  return { values, groups: blockGroups({ axis, size, inner, blockSize }) };
}

const oneGroup: Groups = {
  title: "per tensor",
  span: () => [0, 1],
  load: async () => () => 0,
};

function axisGroups({ axis, size, inner }: { axis: number; size: number; inner: number }): Groups {
  return {
    title: `per axis ${axis}`,
    span: () => [0, size],
    load: async () => (i) => Math.floor(i / inner) % size,
  };
}

/** `stride` parameters for each stretch along the axis. @defaultValue as many as there are blocks */
export function blockGroups({
  axis,
  size,
  inner,
  blockSize,
  stride = Math.ceil(size / blockSize),
}: {
  axis: number;
  size: number;
  inner: number;
  blockSize: number;
  stride?: number;
}): Groups {
  const lineOf = (i: number): number => {
    const row = Math.floor(i / inner);
    return Math.floor(row / size) * stride + Math.floor((row % size) / blockSize);
  };
  return {
    title: `per ${blockSize} of axis ${axis}`,
    span: (start, end) =>
      start === end ? [0, 0] : [lineOf(start) * inner, (lineOf(end - 1) + 1) * inner],
    load: async () => (i) => lineOf(i) * inner + (i % inner),
  };
}

/** QuantizeLinear: the steps nearest to real values, ties to even, within the type's range; computed in float32 as runtimes do. */
export function quantise(
  data: Constant,
  scale: Constant,
  zeroPoint: Constant | null,
  place: { axis: number; blockSize?: number; dtype: DType },
): Constant | null {
  const { dtype } = place;
  const scales = parameterOf(data, scale, place);
  const zeros = zeroPoint && parameterOf(data, zeroPoint, place);
  if (scales === undefined || zeros === undefined || isFloat(dtype)) return null;
  const [least, largest] = integerRange(dtype);
  const count = elementCount(data.shape);
  return {
    kind: "constant",
    name: `fold(${data.name})`,
    dtype,
    shape: data.shape,
    records: data.records,
    cost: data.cost + 1,
    async read(): Promise<FloatArray> {
      const scaleAt = await valuesAt(scales, 1, [0, count]);
      const zeroAt = await valuesAt(zeros, 0, [0, count]);
      const values = await data.read();
      return values.map((value, i) => {
        const step = roundToEven(Math.fround(value / scaleAt(i))) + zeroAt(i);
        return Math.min(largest, Math.max(least, step));
      });
    },
  };
}

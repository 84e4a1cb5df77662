/** Quantised weights: (q - zero point) * scale, in float64, whole or a span at a time, and the way back to the nearest steps. */
import { FormatError } from "../../errors.ts";
import { decodeTensor } from "../../tensor/decode.ts";
import { isFloat, type DType, type FloatArray } from "../../tensor/dtype.ts";
import { encodeTensor, integerRange, roundToEven } from "../../tensor/encode.ts";
import { elementCount } from "../../tensor/shape.ts";
import { spanOf, type Constant } from "./constant.ts";

/** Which of a parameter's numbers belong to an element. */
export interface Groups {
  /** For `quantisation`: `per tensor`, `per axis 0`. */
  readonly title: string;
  /** The numbers [from, to) that elements [start, end) need. */
  span(start: number, end: number): readonly [from: number, to: number];
  /** Which stretches of elements share a number or take the next one each, once what decides it is read. */
  load(): Promise<(i: number) => Run>;
}

/** From one element on, `length` elements have parameter `at`, or `at`, `at + 1`, … */
interface Run {
  readonly at: number;
  readonly length: number;
  readonly isShared: boolean;
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
    const scales = await fillerOf(scale, 1, [start, end]);
    const zeros = await fillerOf(zeroPoint, 0, [start, end]);
    const stored =
      start === 0 && end === count ? await data.read() : await spanOf(data, start, end);
    const values = new Float64Array(stored.length);
    forParts(stored.length, (first, length) => {
      const scaleOf = scales(start + first, length);
      const zeroOf = zeros(start + first, length);
      for (let i = 0; i < length; i++) {
        values[first + i] = (stored[first + i]! - zeroOf[i]!) * scaleOf[i]!;
      }
    });
    return values;
  };
  return {
    ...rest,
    quantisation: `(q - zero point) * scale, ${scale?.groups.title ?? "scale unknown"}`,
    read: () => span(0, count),
    ...(readSpan && { readSpan: span }),
    async encode(values) {
      const scales = await fillerOf(scale, 1, [0, count]);
      const zeros = await fillerOf(zeroPoint, 0, [0, count]);
      const steps = (await data.read()).slice();
      forParts(steps.length, (first, length) => {
        const scaleOf = scales(first, length);
        const zeroOf = zeros(first, length);
        for (let i = 0; i < length; i++) {
          const value = values[first + i]!;
          const old = (steps[first + i]! - zeroOf[i]!) * scaleOf[i]!;
          // What is not changed keeps its step, where several mean the same number.
          if (value === old || (Number.isNaN(value) && Number.isNaN(old))) continue;
          steps[first + i] = stepOf(value, { scale: scaleOf[i]!, zero: zeroOf[i]!, data });
        }
      });
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

/** Elements that are worked on at a time: their parameters lie beside them in the cache. */
const partLength = 4096;

function forParts(count: number, work: (first: number, length: number) => void): void {
  for (let first = 0; first < count; first += partLength) {
    work(first, Math.min(partLength, count - first));
  }
}

/** A parameter of elements [first, first + length), at most `partLength` of them; good until it is asked again. */
type Filler = (first: number, length: number) => Float64Array;

async function fillerOf(
  parameter: Parameter | null,
  otherwise: number,
  [start, end]: readonly [number, number],
): Promise<Filler> {
  const part = new Float64Array(Math.min(partLength, end - start)).fill(otherwise);
  if (parameter === null) return () => part;
  const { values, groups } = parameter;
  const [from, to] = groups.span(start, end);
  const numbers = await spanOf(values, from, to);
  if (numbers.length === 1) {
    part.fill(numbers[0]!);
    return () => part;
  }
  const runOf = await groups.load();
  return (first, length) => {
    for (let i = 0; i < length;) {
      const run = runOf(first + i);
      const size = Math.min(run.length, length - i);
      const at = run.at - from;
      if (run.isShared) part.fill(numbers[at]!, i, i + size);
      else part.set(numbers.subarray(at, at + size), i);
      i += size;
    }
    return part;
  };
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
  load: async () => () => ({ at: 0, length: Infinity, isShared: true }),
};

function axisGroups({ axis, size, inner }: { axis: number; size: number; inner: number }): Groups {
  return {
    title: `per axis ${axis}`,
    span: () => [0, size],
    load: async () => (i) => {
      const at = Math.floor(i / inner) % size;
      return inner === 1
        ? { at, length: size - at, isShared: false }
        : { at, length: inner - (i % inner), isShared: true };
    },
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
  const runOf = (i: number): Run => {
    const line = lineOf(i);
    if (inner > 1)
      return { at: line * inner + (i % inner), length: inner - (i % inner), isShared: false };
    const inRow = i % size;
    return {
      at: line,
      length: Math.min(blockSize - (inRow % blockSize), size - inRow),
      isShared: true,
    };
  };
  return {
    title: `per ${blockSize} of axis ${axis}`,
    span: (start, end) =>
      start === end ? [0, 0] : [lineOf(start) * inner, (lineOf(end - 1) + 1) * inner],
    load: async () => runOf,
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
  if (scales === undefined || zeros === undefined) return null;
  const [least, largest] = isFloat(dtype) ? [-Infinity, Infinity] : integerRange(dtype);
  const count = elementCount(data.shape);
  return {
    kind: "constant",
    name: `fold(${data.name})`,
    dtype,
    shape: data.shape,
    records: data.records,
    cost: data.cost + 1,
    async read(): Promise<FloatArray> {
      const scalesOf = await fillerOf(scales, 1, [0, count]);
      const zerosOf = await fillerOf(zeros, 0, [0, count]);
      const steps = (await data.read()).slice();
      forParts(count, (first, length) => {
        const scaleOf = scalesOf(first, length);
        const zeroOf = zerosOf(first, length);
        for (let i = 0; i < length; i++) {
          const ratio = Math.fround(steps[first + i]! / scaleOf[i]!);
          const step = isFloat(dtype) ? ratio : roundToEven(ratio) + zeroOf[i]!;
          steps[first + i] = Math.min(largest, Math.max(least, step));
        }
      });
      return isFloat(dtype) ? decodeTensor(encodeTensor(steps, dtype), dtype, count) : steps;
    },
  };
}

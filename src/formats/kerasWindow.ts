/** Windows as Keras' layers of every age declare them. */
import type { Padding, Window } from "../model/geometry.ts";
import type { WeightLayer } from "../model/model.ts";
import { elementCount } from "../tensor/shape.ts";
import type { KerasLayer } from "./kerasConfig.ts";

/** The window over a kernel; null where it is not declared in a way that is known. */
export function kerasWindow(
  { className, config }: KerasLayer,
  { layout, kind }: WeightLayer,
  { isPointwise = false }: { isPointwise?: boolean } = {},
): Window | null {
  const sizes = layout.split.filter((_, axis) => layout.roles[axis] === "tap");
  // Keras 1 stored kernels of one axis with a second one of size 1.
  const kernel = /1D/.test(className) ? [elementCount(sizes)] : sizes;
  const axes = kernel.length;
  const ones = kernel.map(() => 1);
  if (isPointwise) return { kernel, strides: ones, dilations: ones, padding: [] };
  // Theano turns kernels round, TensorFlow does not; which one ran is not stored.
  if (config["dim_ordering"] === "th") return null;
  const strides = listOf(
    config["strides"] ?? config["subsample"] ?? config["subsample_length"],
    axes,
  );
  const dilations = listOf(config["dilation_rate"] ?? config["atrous_rate"], axes);
  const isTransposed = kind === "conv_transpose";
  const reach = kernel.map((size, i) => (size - 1) * (dilations?.[i] ?? 1) + 1);
  const padding = paddingOf(config, { reach, isCausal: axes === 1 });
  if (strides === null || dilations === null || padding === null) return null;
  if (isTransposed && config["output_padding"] != null) return null;
  const outputPadding = strides.map((stride, i) =>
    padding === "same upper" ? 0 : Math.max(0, stride - reach[i]!),
  );
  return {
    kernel,
    strides,
    dilations,
    padding,
    ...(isTransposed && { transposed: { outputPadding } }),
  };
}

/** The window of a pooling layer, by default as far apart as it is long. */
export function poolingWindow({ className, config }: KerasLayer): Window | null {
  const axes = axesOf(className);
  const size = config["pool_size"] ?? config["pool_length"] ?? 2;
  const kernel = listOf(size, axes);
  const strides = listOf(config["strides"] ?? config["stride"] ?? size, axes);
  if (kernel === null || strides === null) return null;
  const padding = paddingOf(config, { reach: kernel, isCausal: false });
  return padding && { kernel, strides, dilations: kernel.map(() => 1), padding };
}

/** Each position becomes as many as the layer says; null where it draws between them. */
export function upsamplingWindow({ className, config }: KerasLayer): Window | null {
  const { interpolation = "nearest" } = config;
  const kernel = listOf(config["size"] ?? config["length"] ?? 2, axesOf(className));
  if (interpolation !== "nearest" || kernel === null) return null;
  const [ones, none] = [kernel.map(() => 1), kernel.map(() => 0)];
  return {
    kernel,
    strides: kernel,
    dilations: ones,
    padding: [],
    transposed: { outputPadding: none },
  };
}

/** Positions that a padding layer adds, per axis. */
export function zeroPadding({ className, config }: KerasLayer): [number, number][] | null {
  const axes = axesOf(className);
  const { padding = 1 } = config;
  const own: readonly unknown[] = Array.isArray(padding) ? padding : new Array(axes).fill(padding);
  // Of one axis, two numbers are those in front and behind.
  const pairs: readonly unknown[] = axes === 1 && own.length === 2 ? [own] : own;
  const read = pairs.map((pair): [number, number] | null => {
    const [before, after]: readonly unknown[] = Array.isArray(pair) ? pair : [pair, pair];
    return isSize(before) && isSize(after) ? [before, after] : null;
  });
  const known = read.filter((pair) => pair !== null);
  return known.length === axes && read.length === axes ? known : null;
}

function axesOf(className: string): number {
  return Number(/([123])D/.exec(className)?.[1]);
}

/** One number for all axes, or a list; 1 where there is none. */
function listOf(value: unknown, axes: number): number[] | null {
  const own: readonly unknown[] = Array.isArray(value) ? value : new Array(axes).fill(value ?? 1);
  const known = own.filter(isSize);
  return known.length === axes && own.length === axes ? known : null;
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function paddingOf(
  { padding = "valid", border_mode: mode = padding }: KerasLayer["config"],
  { reach, isCausal }: { reach: readonly number[]; isCausal: boolean },
): Padding | null {
  if (mode === "valid") return reach.map((): [number, number] => [0, 0]);
  if (mode === "same") return "same upper";
  return mode === "causal" && isCausal
    ? reach.map((size): [number, number] => [size - 1, 0])
    : null;
}

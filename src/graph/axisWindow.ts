/** One axis of a window that slides over positions: sizes, which positions a tap joins, and how often it does. */
import { GraphError, ShapeError } from "../errors.ts";
import type { Window } from "../model/geometry.ts";

/** Positions of an axis, far beyond any network: sizes in a file are only numbers. */
const axisLimit = 2 ** 24;

/** Tap t joins position n of the narrow side with n · stride − before + t · dilation of the wide side, where that exists. */
export interface AxisWindow {
  readonly input: number;
  readonly output: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
  /** True where the input is the narrow side. */
  readonly transposed: boolean;
}

/**
 * The window's axis `i` over `input` positions, of which `pads` more stand in front and behind.
 * @throws {ShapeError} `SHAPE_MISMATCH` for sizes below 1, or an input too small for one window; {GraphError} `GRAPH_TOO_LARGE`
 */
export function axisWindow(
  window: Window,
  i: number,
  { input, pads = [0, 0] }: { input: number; pads?: readonly [number, number] },
): AxisWindow {
  const kernel = window.kernel[i] ?? 0;
  const stride = window.strides[i] ?? 0;
  const dilation = window.dilations[i] ?? 0;
  const reach = (kernel - 1) * dilation + 1;
  const padded = input + pads[0] + pads[1];
  const isTransposed = window.transposed !== undefined;
  const isSame = typeof window.padding === "string";
  const output = isTransposed
    ? isSame
      ? padded * stride
      : (padded - 1) * stride +
        reach -
        padsOf(window, i) +
        (window.transposed.outputPadding[i] ?? 0)
    : isSame
      ? Math.ceil(padded / stride)
      : slid(padded + padsOf(window, i) - reach, {
          stride,
          window,
          start: padded + firstPad(window, i),
        });
  for (const size of [kernel, stride, dilation, input, output]) {
    if (Number.isSafeInteger(size) && size >= 1) continue;
    throw new ShapeError(
      "SHAPE_MISMATCH",
      `a window of ${kernel}, stride ${stride}, dilation ${dilation} makes no positions of ${padded}`,
    );
  }
  if (Math.max(reach, padded, output) > axisLimit) {
    throw new GraphError("GRAPH_TOO_LARGE", `over ${axisLimit} positions along one axis`);
  }
  const [narrow, wide] = isTransposed ? [padded, output] : [output, padded];
  const missing = Math.max(0, (narrow - 1) * stride + reach - wide);
  const inFront =
    window.padding === "same upper" ? Math.floor(missing / 2) : Math.ceil(missing / 2);
  const before = isSame ? inFront : firstPad(window, i);
  return {
    input,
    output,
    kernel,
    stride,
    dilation,
    // Padding of a transposed window's input shifts its narrow side.
    before: isTransposed ? before - pads[0] * stride : before + pads[0],
    transposed: isTransposed,
  };
}

function slid(
  room: number,
  { stride, window, start }: { stride: number; window: Window; start: number },
): number {
  if (room < 0) return 0;
  const count =
    (window.roundsUp === true ? Math.ceil(room / stride) : Math.floor(room / stride)) + 1;
  // A window that would begin in the padding behind is none.
  return window.roundsUp === true && (count - 1) * stride >= start ? count - 1 : count;
}

function firstPad({ padding }: Window, i: number): number {
  return typeof padding === "string" ? 0 : (padding[i]?.[0] ?? 0);
}

function padsOf({ padding }: Window, i: number): number {
  return typeof padding === "string" ? 0 : (padding[i]?.[0] ?? 0) + (padding[i]?.[1] ?? 0);
}

/** The input position that output position `at` reads through `tap`; -1 where that is padding. */
export function inputAt(axis: AxisWindow, at: number, tap: number): number {
  return axis.transposed ? narrowAt(axis, at, tap, axis.input) : wideAt(axis, at, tap, axis.input);
}

/** The output position that reads input position `at` through `tap`; -1 where there is none. */
function outputAt(axis: AxisWindow, at: number, tap: number): number {
  return axis.transposed
    ? wideAt(axis, at, tap, axis.output)
    : narrowAt(axis, at, tap, axis.output);
}

function wideAt(
  { stride, before, dilation }: AxisWindow,
  at: number,
  tap: number,
  size: number,
): number {
  const wide = at * stride - before + tap * dilation;
  return wide >= 0 && wide < size ? wide : -1;
}

function narrowAt(
  { stride, before, dilation }: AxisWindow,
  at: number,
  tap: number,
  size: number,
): number {
  const narrow = (at + before - tap * dilation) / stride;
  return Number.isInteger(narrow) && narrow >= 0 && narrow < size ? narrow : -1;
}

/** Pairs of an input and an output position that a tap joins. Cost: O(kernel). */
export function pairCount(axis: AxisWindow): number {
  const { input, output, kernel, stride, dilation, before, transposed } = axis;
  const [narrow, wide] = transposed ? [input, output] : [output, input];
  let pairs = 0;
  for (let tap = 0; tap < kernel; tap++) {
    const shift = before - tap * dilation;
    const first = Math.max(0, Math.ceil(shift / stride));
    const last = Math.min(narrow - 1, Math.floor((wide - 1 + shift) / stride));
    pairs += Math.max(0, last - first + 1);
  }
  return pairs;
}

/** Positions that the same taps reach, on the output side or the input side. */
export interface TapClasses {
  /** Class of each position. */
  readonly of: Int32Array;
  /** Taps of each class, ascending. */
  readonly taps: readonly (readonly number[])[];
}

/** Cost: O(positions · kernel). */
export function tapClasses(axis: AxisWindow, side: "input" | "output"): TapClasses {
  const partner = side === "output" ? inputAt : outputAt;
  const classes = new Map<string, number>();
  const taps: number[][] = [];
  const of = Int32Array.from({ length: axis[side] }, (_, at) => {
    const own: number[] = [];
    for (let tap = 0; tap < axis.kernel; tap++) if (partner(axis, at, tap) >= 0) own.push(tap);
    const key = own.join();
    const known = classes.get(key);
    if (known !== undefined) return known;
    classes.set(key, taps.length);
    return taps.push(own) - 1;
  });
  return { of, taps };
}

/**
 * Where the elements of a stored tensor belong in the canonical order, told in runs: no layout is turned as a whole, so a tensor
 * can be put in place a span at a time.
 */
import type { FloatArray } from "../tensor/dtype.ts";
import type { WeightLayout } from "../tensor/layout.ts";

/** One axis of the stored tensor, and how far one step along it moves the place in canonical order. */
interface SteppedAxis {
  readonly size: number;
  readonly step: number;
}

/** `count` elements from `at` of a span on belong to `place`, `place + step`, … */
type RunVisitor = (at: number, count: number, place: number, step: number) => void;

/**
 * Visits the runs of elements [start, start + length) of the stored tensor. Places are edges, [groups, out, in], all taps of an edge
 * having the same, or with `taps` single weights, [groups, out, in, taps].
 */
export function canonicalRuns(
  layout: WeightLayout,
  { taps }: { readonly taps: boolean },
): (start: number, length: number, visit: RunVisitor) => void {
  const axes = steppedAxes(layout, taps);
  const inner = axes.at(-1)!;
  return (start, length, visit) => {
    const index = new Array<number>(axes.length).fill(0);
    let place = 0;
    for (let axis = axes.length - 1, rest = start; axis >= 0; axis--) {
      const { size, step } = axes[axis]!;
      index[axis] = rest % size;
      place += index[axis]! * step;
      rest = Math.floor(rest / size);
    }
    for (let at = 0; at < length;) {
      const count = Math.min(inner.size - index.at(-1)!, length - at);
      visit(at, count, place, inner.step);
      at += count;
      let move = count;
      for (let axis = axes.length - 1; axis >= 0; axis--) {
        const { size, step } = axes[axis]!;
        index[axis]! += move;
        place += move * step;
        if (index[axis]! < size) break;
        index[axis] = 0;
        place -= size * step;
        move = 1;
      }
    }
  };
}

/** Axes that together move like one are one: a kernel's height and width, the parts of a split axis. */
function steppedAxes(layout: WeightLayout, taps: boolean): SteppedAxis[] {
  const { split, roles, outPerGroup, inPerGroup } = layout;
  const tapStep = taps ? 1 : 0;
  const weightsPerEdge = taps ? layout.taps : 1;
  const unit = {
    tap: tapStep,
    in: weightsPerEdge,
    out: inPerGroup * weightsPerEdge,
    group: outPerGroup * inPerGroup * weightsPerEdge,
  };
  const inside = { group: 1, out: 1, in: 1, tap: 1 };
  const axes: SteppedAxis[] = [];
  for (let axis = split.length - 1; axis >= 0; axis--) {
    const [size, role] = [split[axis]!, roles[axis]!];
    const step = unit[role] * inside[role];
    inside[role] *= size;
    if (size === 1) continue;
    const next = axes[0];
    if (next !== undefined && step === next.step * next.size) {
      axes[0] = { step: next.step, size: next.size * size };
    } else {
      axes.unshift({ size, step });
    }
  }
  return axes.length > 0 ? axes : [{ size: 1, step: 1 }];
}

/** True where the stored order is the canonical one. */
export function isCanonical(layout: WeightLayout): boolean {
  const axes = steppedAxes(layout, true);
  return axes.length === 1 && axes[0]!.step === 1;
}

/** A tensor that is one matrix between two layers, as it is stored. */
export interface MatrixOrder {
  readonly height: number;
  readonly width: number;
  /** True where a row is of a sending neuron. */
  readonly isTurned: boolean;
}

/** Null for groups, and for kernels of more than one tap. */
export function matrixOrder(layout: WeightLayout): MatrixOrder | null {
  const { groups, taps, outPerGroup, inPerGroup } = layout;
  if (groups !== 1 || taps !== 1) return null;
  if (isCanonical(layout)) return { height: outPerGroup, width: inPerGroup, isTurned: false };
  const axes = steppedAxes(layout, true);
  const isTurned = axes.length === 2 && axes[0]!.step === 1 && axes[1]!.step === axes[0]!.size;
  return isTurned ? { height: inPerGroup, width: outPerGroup, isTurned } : null;
}

/** Rows of a transposed matrix that are put in place together, so that whole cache lines are written. */
const rowsTogether = 32;

/** Writes elements [start, start + values.length) of the stored tensor to their places in `to`, canonical with its taps. */
export function scatterCanonical(
  layout: WeightLayout,
  to: FloatArray,
): (values: FloatArray, start: number) => void {
  const axes = steppedAxes(layout, true);
  const runs = canonicalRuns(layout, { taps: true });
  const [outer, inner] = axes;
  const isTurned = axes.length === 2 && outer!.step === 1 && inner!.step === outer!.size;
  const put = (values: FloatArray, start: number): void =>
    runs(start, values.length, (at, count, place, step) => {
      if (step === 1) {
        to.set(values.subarray(at, at + count), place);
        return;
      }
      for (let i = 0; i < count; i++, place += step) to[place] = values[at + i]!;
    });
  if (!isTurned) return put;
  const width = inner!.size;
  const height = outer!.size;
  return (values, start) => {
    const firstRow = Math.ceil(start / width);
    const lastRow = Math.floor((start + values.length) / width);
    if (lastRow - firstRow < 2) return put(values, start);
    const head = firstRow * width - start;
    const tail = lastRow * width - start;
    put(values.subarray(0, head), start);
    for (let row = firstRow; row < lastRow; row += rowsTogether) {
      const rows = Math.min(rowsTogether, lastRow - row);
      const at = head + (row - firstRow) * width;
      for (let column = 0; column < width; column++) {
        const place = column * height + row;
        for (let i = 0; i < rows; i++) to[place + i] = values[at + i * width + column]!;
      }
    }
    put(values.subarray(tail), start + tail);
  };
}

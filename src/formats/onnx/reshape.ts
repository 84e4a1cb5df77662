/** Reshape on activations: which atoms end up in which axis, sizes being known or not. */
import {
  axisSize,
  freshAxis,
  plainActivation,
  shapeless,
  unknownActivation,
  withAxes,
  type Activation,
  type Size,
} from "./activation.ts";
import { regroup } from "./regroup.ts";
import type { Dimension } from "./schema.ts";

/** Axes before `axis` become one, the others another. */
export function flattenAt(activation: Activation, axis: number): Activation {
  const { axes } = activation;
  if (axes === null) return shapeless(activation);
  const at = axis < 0 ? axis + axes.length : axis;
  return withAxes(activation, [axes.slice(0, at).flat(), axes.slice(at).flat()]);
}

/**
 * ONNX Reshape: in `target`, 0 copies a size (unless `allowZero`), -1 takes what is left, null is not known.
 * Neurons are kept where the atoms fall into the new axes whole, or where the one that carries them parts evenly.
 */
export function reshape(
  activation: Activation,
  target: readonly Size[],
  allowZero = false,
): Activation {
  const { axes } = activation;
  const sizes = target.map((size, i) => {
    if (size === 0 && !allowZero) return axes?.[i] ? axisSize(axes[i]) : null;
    return size;
  });
  if (axes === null) {
    const unfolded = plainActivation(sizes.map((size) => (size === -1 ? null : knownOf(size))));
    return { ...unfolded, open: activation.open };
  }
  const total = axisSize(axes.flat());
  const given = sizes.filter((size) => size !== -1).map(knownOf);
  const known = given.includes(null) ? null : given.reduce((a, b) => a! * b!, 1);
  const left = total !== null && known !== null && known > 0 ? total / known : null;
  const wanted = sizes.map((size) => (size === -1 ? left : size));
  const grouped = regroup(axes, wanted);
  return grouped === null
    ? plainActivation(wanted.map(knownOf))
    : withAxes({ ...activation, axes: [grouped.atoms] }, grouped.target);
}

function knownOf(size: Size): Dimension {
  return typeof size === "number" ? size : null;
}

export function transpose(activation: Activation, order: readonly number[] | null): Activation {
  const { axes, integers: _, ...rest } = activation;
  if (axes === null) return shapeless(activation);
  const wanted = order ?? axes.map((_, i) => axes.length - 1 - i);
  const isOrder = wanted.length === axes.length && new Set(wanted).size === axes.length;
  if (!isOrder || wanted.some((axis) => axes[axis] === undefined)) return unknownActivation;
  return withAxes(
    { ...rest, axes },
    wanted.map((axis) => axes[axis]!),
  );
}

/** Removes axes of size 1; all of them where none are named. */
export function squeeze(activation: Activation, axes: readonly number[] | null): Activation {
  const own = activation.axes;
  if (own === null) return shapeless(activation);
  const gone = axes?.map((axis) => (axis < 0 ? axis + own.length : axis));
  const kept = own.filter((axis, i) => (gone ? !gone.includes(i) : axisSize(axis) !== 1));
  return withAxes(activation, kept);
}

export function unsqueeze(activation: Activation, axes: readonly number[] | null): Activation {
  if (activation.axes === null || axes === null) return shapeless(activation);
  const rank = activation.axes.length + axes.length;
  const own = [...activation.axes];
  for (const axis of axes.map((at) => (at < 0 ? at + rank : at)).sort((a, b) => a - b)) {
    own.splice(axis, 0, freshAxis(1));
  }
  return withAxes(activation, own);
}

export function wrapAxis(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

/** Takes one index of axis `axis`, which is gone then. */
export function dropAxis(activation: Activation, axis: number): Activation {
  const { axes } = activation;
  return axes === null ? shapeless(activation) : withAxes(activation, axes.toSpliced(axis, 1));
}

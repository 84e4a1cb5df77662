/** Reshape on activations: which atoms end up in which axis, sizes being known or not. */
import {
  axisSize,
  freshAxis,
  plainActivation,
  shapeless,
  unknownActivation,
  withAxes,
  type Activation,
  type Atom,
  type Axis,
} from "./activation.ts";
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
  target: readonly Dimension[],
  allowZero = false,
): Activation {
  const { axes } = activation;
  const sizes = target.map((size, i) => {
    if (size === 0 && !allowZero) return axes?.[i] ? axisSize(axes[i]) : null;
    return size;
  });
  if (axes === null) {
    const unfolded = plainActivation(sizes.map((size) => (size === -1 ? null : size)));
    return { ...unfolded, open: activation.open };
  }
  const total = axisSize(axes.flat());
  const given = sizes.filter((size) => size !== -1);
  const known = given.includes(null) ? null : given.reduce((a, b) => a! * b!, 1);
  const left = total !== null && known !== null && known > 0 ? total / known : null;
  const wanted = sizes.map((size) => (size === -1 ? left : size));
  const grouped = regroup(axes, wanted);
  return grouped === null
    ? plainActivation(wanted)
    : withAxes(activationWith(activation, grouped.axes), grouped.target);
}

interface Grouping {
  /** The axes as they were, with an atom replaced by its parts where it had to be. */
  readonly axes: readonly Axis[];
  readonly target: readonly Axis[];
}

/** The same activation with an atom written as the product of others. */
function activationWith(activation: Activation, axes: readonly Axis[]): Activation {
  return { ...activation, axes };
}

function regroup(axes: readonly Axis[], wanted: readonly Dimension[]): Grouping | null {
  // Axes that stay what they are, from both ends; the first may be a batch of unknown size.
  let head = 0;
  while (
    head < Math.min(axes.length, wanted.length) &&
    sameSize(axisSize(axes[head]!), wanted[head]!, head === 0)
  ) {
    head++;
  }
  let tail = 0;
  while (
    tail < Math.min(axes.length, wanted.length) - head &&
    sameSize(axisSize(axes.at(-1 - tail)!), wanted.at(-1 - tail)!, false)
  ) {
    tail++;
  }
  const middle = axes.slice(head, axes.length - tail).flat();
  const sizes = wanted.slice(head, wanted.length - tail);
  const parted = partition(middle, sizes);
  if (parted === null) return null;
  const before = axes.slice(0, head);
  const after = axes.slice(axes.length - tail);
  return {
    axes: [...before, parted.flat(), ...after],
    target: [...before, ...parted, ...after],
  };
}

function sameSize(own: Dimension, wanted: Dimension, isBatch: boolean): boolean {
  return own === null || wanted === null ? isBatch || own === wanted : own === wanted;
}

/** Deals `atoms` out to axes of `sizes`, splitting an atom where it divides. */
function partition(atoms: readonly Atom[], sizes: readonly Dimension[]): Axis[] | null {
  const long = sizes.filter((size) => size !== 1);
  if (long.length <= 1) {
    // One axis takes everything; axes of size 1 take nothing.
    const only = long.length === 1 ? sizes.findIndex((size) => size !== 1) : sizes.length - 1;
    if (only < 0) return atoms.length === 0 ? [] : null;
    return sizes.map((_, i) => (i === only ? atoms : []));
  }
  const rest = [...atoms];
  const result: Axis[] = [];
  for (const [i, size] of sizes.entries()) {
    const isLast = sizes.slice(i + 1).every((later) => later === 1);
    if (isLast && size !== 1) {
      result.push(rest.splice(0));
      continue;
    }
    const taken = size === null ? null : takeAtoms(rest, size);
    if (taken === null) return null;
    result.push(taken);
  }
  return rest.length === 0 ? result : null;
}

/** Removes atoms of product `size` from the front of `rest`. */
function takeAtoms(rest: Atom[], size: number): Atom[] | null {
  const taken: Atom[] = [];
  let left = size;
  while (left > 1) {
    const atom = rest.shift();
    if (atom === undefined || atom.size === null) return null;
    if (left % atom.size === 0) {
      taken.push(atom);
      left /= atom.size;
    } else if (atom.size % left === 0) {
      taken.push({ size: left, carries: atom.carries });
      rest.unshift({ size: atom.size / left, carries: atom.carries });
      left = 1;
    } else return null;
  }
  return taken;
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

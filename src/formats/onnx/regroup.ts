/** Which atoms end up in which axis when an activation is reshaped, sizes being known or not. */
import {
  axisSize,
  carriesNeurons,
  freshAxis,
  type Atom,
  type Axis,
  type Multiple,
  type Size,
} from "./activation.ts";

interface Grouping {
  /** The atoms as they were, one replaced by its parts where it had to be. */
  readonly atoms: readonly Atom[];
  readonly target: readonly Axis[];
}

/**
 * Deals the atoms of `axes` out to axes of the sizes `wanted`, splitting an atom where it divides. Known sizes are met from the
 * end, then from the front, where a size that is not known takes the next atom of unknown size; what is left goes to the last.
 * Null where the atoms that carry neurons do not fall into the new axes whole.
 */
export function regroup(axes: readonly Axis[], wanted: readonly Size[]): Grouping | null {
  const kept = keptAxes(axes, wanted);
  const own = axes.slice(kept.head, axes.length - kept.tail);
  const sizes = wanted.slice(kept.head, wanted.length - kept.tail);
  const middle = dealt(own.flat(), sizes);
  if (middle === null) return null;
  const before = axes.slice(0, kept.head);
  const after = axes.slice(axes.length - kept.tail);
  return {
    atoms: [...before, ...middle.atoms, ...after].flat(),
    target: [...before, ...middle.target, ...after],
  };
}

/** Axes of known size that stay what they are, from both ends: so that a size that is not known between them is no riddle. */
function keptAxes(axes: readonly Axis[], wanted: readonly Size[]): { head: number; tail: number } {
  const limit = Math.min(axes.length, wanted.length);
  const same = (axis: Axis, size: Size): boolean =>
    typeof size === "number" && axisSize(axis) === size;
  let head = 0;
  while (head < limit && same(axes[head]!, wanted[head]!)) head++;
  let tail = 0;
  while (tail < limit - head && same(axes.at(-1 - tail)!, wanted.at(-1 - tail)!)) tail++;
  return { head, tail };
}

function dealt(
  atoms: readonly Atom[],
  sizes: readonly Size[],
): { atoms: Axis[]; target: Axis[] } | null {
  const rest = [...atoms];
  const back: Axis[] = [];
  let end = sizes.length;
  // From the end. One axis that is left over takes everything, whatever its size.
  while (longOf(sizes.slice(0, end)) > 1) {
    const size = sizes[end - 1]!;
    const taken = typeof size === "number" ? takeAtoms(rest, size, "back") : null;
    if (taken === null) break;
    back.unshift(taken);
    end--;
  }
  const front: Axis[] = [];
  let start = 0;
  while (start < end && longOf(sizes.slice(start, end)) > 1) {
    const size = sizes[start]!;
    const taken =
      typeof size === "number" ? takeAtoms(rest, size, "front") : takeUnknown(rest, size);
    if (taken === null) break;
    front.push(taken);
    start++;
  }
  const left = remaining(rest, sizes.slice(start, end));
  if (left === null) return null;
  const target = [...front, ...left, ...back];
  return { atoms: target, target };
}

/** What neither end could settle: all of it where one long axis is left, fresh axes where no neurons are at stake. */
function remaining(rest: readonly Atom[], sizes: readonly Size[]): Axis[] | null {
  const long = longOf(sizes);
  if (long === 1) return sizes.map((size) => (size === 1 ? [] : rest));
  if (long === 0 && rest.length === 0) return sizes.map(() => []);
  return carriesNeurons(rest)
    ? null
    : sizes.map((size) => freshAxis(typeof size === "number" ? size : null));
}

function longOf(sizes: readonly Size[]): number {
  return sizes.reduce<number>((count, size) => (size === 1 ? count : count + 1), 0);
}

/** An atom of unknown size, and behind it as many as its known factor says. */
function takeUnknown(rest: Atom[], size: Multiple | null): Axis | null {
  if (rest[0]?.size !== null) return null;
  const others = rest.slice(1);
  const more = size === null ? [] : takeAtoms(others, size.factor, "front");
  if (more === null) return null;
  const taken = [rest[0], ...more];
  rest.splice(0, rest.length, ...others);
  return taken;
}

/** Removes atoms of product `size` from one end of `rest`; null, and nothing removed, where they do not divide. */
function takeAtoms(rest: Atom[], size: number, side: "front" | "back"): Axis | null {
  const all = [...rest];
  const taken: Atom[] = [];
  const put = (atom: Atom): unknown => (side === "front" ? taken.push(atom) : taken.unshift(atom));
  let left = size;
  while (left > 1) {
    const atom = side === "front" ? all.shift() : all.pop();
    if (atom === undefined || atom.size === null) return null;
    if (left % atom.size === 0) {
      put(atom);
      left /= atom.size;
    } else if (atom.size % left === 0) {
      const { carries } = atom;
      const other = { size: atom.size / left, carries };
      put({ size: left, carries });
      if (side === "front") all.unshift(other);
      else all.push(other);
      left = 1;
    } else return null;
  }
  rest.splice(0, rest.length, ...all);
  return taken;
}

/**
 * How a stored weight tensor is laid out, and the way to the one order that graphs use: a row per receiving neuron.
 *
 * Canonical order: [groups, out per group, in per group, taps], row-major. Taps are what lies between the same two neurons:
 * the kernel of a convolution, the positions that a flatten put behind one channel, the gates of a recurrent unit.
 */
import { ShapeError } from "../errors.ts";
import type { FloatArray } from "./dtype.ts";
import { inversePermutation, permute } from "./permute.ts";
import { elementCount, type Shape } from "./shape.ts";

export type AxisRole = "group" | "out" | "in" | "tap";

export interface WeightLayout {
  /** The stored shape, some axes split in two: `[O, I]` after a flatten becomes `[O, C, P]`. */
  readonly split: Shape;
  /** What each axis of `split` means. */
  readonly roles: readonly AxisRole[];
  readonly groups: number;
  readonly outPerGroup: number;
  readonly inPerGroup: number;
  readonly taps: number;
}

/** @throws {ShapeError} `SHAPE_MISMATCH` unless each axis has a role. */
export function weightLayout(split: Shape, roles: readonly AxisRole[]): WeightLayout {
  if (split.length !== roles.length) {
    throw new ShapeError(
      "SHAPE_MISMATCH",
      `shape [${split.join(", ")}] has ${split.length} axes, ${roles.length} roles are given`,
    );
  }
  const size = (role: AxisRole): number =>
    elementCount(split.filter((_, axis) => roles[axis] === role));
  return {
    split,
    roles,
    groups: size("group"),
    outPerGroup: size("out"),
    inPerGroup: size("in"),
    taps: size("tap"),
  };
}

/** Stored values to [groups, out per group, in per group, taps]; the same array when nothing moves. */
export function toCanonical<T extends FloatArray>(values: T, layout: WeightLayout): T {
  return permute(values, layout.split, canonicalOrder(layout));
}

/** The inverse of `toCanonical`. */
export function fromCanonical<T extends FloatArray>(values: T, layout: WeightLayout): T {
  const order = canonicalOrder(layout);
  const shape = order.map((axis) => layout.split[axis]!);
  return permute(values, shape, inversePermutation(order));
}

function canonicalOrder({ roles }: WeightLayout): number[] {
  return (["group", "out", "in", "tap"] as const).flatMap((role) =>
    roles.flatMap((own, axis) => (own === role ? [axis] : [])),
  );
}

/**
 * The same layout with one axis seen as two, outer before inner: `in` of C · P becomes `in` of C and `tap` of P.
 * @throws {ShapeError} `SHAPE_MISMATCH` unless the two sizes fill the axis.
 */
export function splitAxis(
  { split, roles }: WeightLayout,
  axis: number,
  parts: readonly [readonly [number, AxisRole], readonly [number, AxisRole]],
): WeightLayout {
  const sizes = parts.map(([size]) => size);
  if (elementCount(sizes) !== split[axis]) {
    throw new ShapeError(
      "SHAPE_MISMATCH",
      `axis ${axis} of [${split.join(", ")}] cannot be ${sizes.join(" x ")}`,
    );
  }
  return weightLayout(
    split.toSpliced(axis, 1, ...sizes),
    roles.toSpliced(axis, 1, ...parts.map(([, role]) => role)),
  );
}

/**
 * What is known of an activation: how long its axes are and which neuron stands where.
 *
 * Each axis is a product of atoms. A flatten joins the atoms of several axes in one, a reshape parts them again, a transpose
 * moves them, so that neurons are followed through any of these without knowing the sizes in between: [N, C, H, W] is
 * [[N], [C], [H], [W]], flattened [[N], [C, H, W]], and C still carries the neurons.
 */
import type { NeuronIds } from "../../model/topology.ts";
import type { Constant } from "./constant.ts";
import type { Dimension } from "./schema.ts";

/** Neurons that a model may have: sizes in a file are only numbers until something is allocated for them. */
export const neuronLimit: number = 2 ** 24;

/** An unknown size times a known number: a batch times the heads of an attention. */
export interface Multiple {
  readonly factor: number;
}

/** A number of a shape under computation. */
export type Size = Dimension | Multiple;

/** A factor of an axis. Atoms are told apart by identity: the same input axis stays the same object. */
export interface Atom {
  readonly size: Dimension;
  /** True where the index along it decides which neuron an element belongs to. */
  readonly carries: boolean;
}

export type Axis = readonly Atom[];

/** A graph input whose neurons are not decided before a weight layer reads it: channels for a Conv, features for a Gemm. */
interface OpenInput {
  readonly name: string;
  /** The neurons given so far, by how many were asked for. */
  readonly taken: Map<number, NeuronIds>;
}

export interface Activation {
  readonly kind: "activation";
  /** Outermost first; null where the rank is not known. */
  readonly axes: readonly Axis[] | null;
  /** Neuron of each combination of the carrying atoms' indices, row-major in order of appearance; null: not known. */
  readonly ids: NeuronIds | null;
  readonly open: OpenInput | null;
  /** The values themselves where they are a shape under computation. */
  readonly integers?: readonly Size[];
  /** The stored values that it consists of, as long as nothing was computed with them: their role is that of the reader. */
  readonly stored?: Constant;
  /** What a sequence holds. */
  readonly elements?: readonly Activation[];
  /** Came out of a sigmoid or the like: in a product it scales the other factor. */
  readonly isGate?: boolean;
}

/** Nothing is known. */
export const unknownActivation: Activation = {
  kind: "activation",
  axes: null,
  ids: null,
  open: null,
};

/** Of unknown rank; what a graph input is, it stays. */
export function shapeless({ open }: Activation): Activation {
  return { ...unknownActivation, open };
}

export function freshAxis(size: Dimension): Axis {
  return size === 1 ? [] : [{ size, carries: false }];
}

/** An activation of known shape and unknown neurons. */
export function plainActivation(shape: readonly Dimension[] | null): Activation {
  return { kind: "activation", axes: shape && shape.map(freshAxis), ids: null, open: null };
}

export function axisSize(axis: Axis): Dimension {
  let size = 1;
  for (const atom of axis) {
    if (atom.size === null) return null;
    size *= atom.size;
  }
  return size;
}

export function shapeOf({ axes }: Activation): Dimension[] | null {
  return axes && axes.map(axisSize);
}

/** Takes other axes; where a carrying atom is no longer among them, the neurons are lost. */
export function withAxes(activation: Activation, axes: readonly Axis[]): Activation {
  const carriers = carriersOf(activation.axes ?? []);
  const kept = carriersOf(axes);
  const { integers: _, ...rest } = activation;
  if (activation.ids === null) return { ...rest, axes };
  const isWhole = kept.length === carriers.length && kept.every((atom) => carriers.includes(atom));
  if (!isWhole) return { ...rest, axes: axes.map(uncarried), ids: null, open: null };
  return { ...rest, axes, ids: reordered(activation.ids, carriers, kept) };
}

/** `features[i]` becomes the neuron of index i along `axis`; what other axes carried is forgotten. */
export function withFeatures(axes: readonly Axis[], axis: number, features: NeuronIds): Activation {
  const own: Axis = [{ size: features.length, carries: true }];
  return {
    kind: "activation",
    axes: axes.map((other, at) => (at === axis ? own : uncarried(other))),
    ids: features,
    open: null,
  };
}

/**
 * The neuron of each index along `axis`, which has `size` indices; null where another axis decides too, or none does. Where
 * there is one neuron only, it stands everywhere.
 */
export function featuresOf(activation: Activation, axis: number, size: number): NeuronIds | null {
  const { axes, ids } = activation;
  const own = axes?.[axis];
  if (ids === null || axes === null || own === undefined || size > neuronLimit) return null;
  if (ids.length === 1) return new Int32Array(size).fill(ids[0]!);
  const carriers = carriersOf([own]).length;
  if (carriers === 0 || carriersOf(axes).length !== carriers) return null;
  if (own.length === 1 && ids.length === size) return ids;
  const indices = localIndices(own, size);
  return indices && indices.map((index) => ids[index]!);
}

/** For each index along `axis`, which has `size` of them, the place among its carrying atoms' indices. */
export function localIndices(axis: Axis, size: number): Int32Array | null {
  const sizes = size > neuronLimit ? null : resolvedSizes(axis, size);
  if (sizes === null) return null;
  const indices = new Int32Array(size);
  if (axis.length === 1 && axis[0]!.carries) return indices.map((_, i) => i);
  for (let feature = 0; feature < size; feature++) {
    let rest = feature;
    let index = 0;
    let stride = 1;
    for (let i = axis.length - 1; i >= 0; i--) {
      const at = rest % sizes[i]!;
      rest = (rest - at) / sizes[i]!;
      if (!axis[i]!.carries) continue;
      index += at * stride;
      stride *= sizes[i]!;
    }
    indices[feature] = index;
  }
  return indices;
}

export function uncarried(axis: Axis): Axis {
  return axis.some((atom) => atom.carries)
    ? axis.map((atom) => (atom.carries ? { size: atom.size, carries: false } : atom))
    : axis;
}

export function carriesNeurons(axis: Axis | undefined): boolean {
  return axis !== undefined && axis.some((atom) => atom.carries);
}

/** The atoms that tell neurons apart: those of size 1 do not. */
export function carriersOf(axes: readonly Axis[]): Atom[] {
  return axes.flatMap((axis) => axis.filter((atom) => atom.carries && atom.size !== 1));
}

/** Sizes of the atoms of an axis of `size`; one that is not known follows from the others. */
function resolvedSizes(axis: Axis, size: number): number[] | null {
  const unknown = axis.filter((atom) => atom.size === null).length;
  const known = axis.reduce((product, atom) => product * (atom.size ?? 1), 1);
  const rest = size / known;
  if (!Number.isInteger(rest) || rest < 1) return null;
  if (unknown === 0) return rest === 1 ? axis.map((atom) => atom.size!) : null;
  // Of several that are not known, the product is: which of two positions comes first makes no difference to a neuron,
  // as long as nothing that carries stands between them.
  const first = axis.findIndex((atom) => atom.size === null);
  const last = axis.findLastIndex((atom) => atom.size === null);
  if (axis.slice(first, last).some((atom) => atom.carries)) return null;
  return axis.map((atom, i) => atom.size ?? (i === first ? rest : 1));
}

/** `ids` over the atoms `from`, turned to run over the same atoms in the order `to`. */
function reordered(ids: NeuronIds, from: readonly Atom[], to: readonly Atom[]): NeuronIds {
  if (from.every((atom, i) => atom === to[i])) return ids;
  const strides = new Map<Atom, number>();
  let stride = 1;
  for (const atom of [...from].reverse()) {
    strides.set(atom, stride);
    stride *= atom.size ?? 1;
  }
  const result = new Int32Array(ids.length);
  for (let i = 0; i < result.length; i++) {
    let rest = i;
    let at = 0;
    for (let k = to.length - 1; k >= 0; k--) {
      const atom = to[k]!;
      const index = rest % (atom.size ?? 1);
      rest = (rest - index) / (atom.size ?? 1);
      at += index * strides.get(atom)!;
    }
    result[i] = ids[at]!;
  }
  return result;
}

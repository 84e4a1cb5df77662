/** Weights in the order that readers of a format expect, for files that do not record one. */
import type { Model, ModelWarning, StoredTensor, WeightLayer } from "../model/model.ts";
import { toCanonical, type WeightLayout } from "../tensor/layout.ts";
import { permute } from "../tensor/permute.ts";
import { sameShape, type Shape } from "../tensor/shape.ts";

/**
 * `torch`: [out, in / groups, ...kernel]. `keras`: [...kernel, in / groups, out], and [...kernel, channels, multiplier] for a depthwise
 * kernel.
 */
export type StoredOrder = "torch" | "keras";

/** Embeddings stay [entries, width], as both have them; so do parts of a stacked tensor. */
export function inOrder(
  model: Model,
  order: StoredOrder,
): { readonly model: Model; readonly warnings: readonly ModelWarning[] } {
  const layers = new Map<string, WeightLayer>();
  for (const layer of model.layers) {
    if (!layers.has(layer.tensor.name)) layers.set(layer.tensor.name, layer);
  }
  let turned = 0;
  const tensors = model.tensors.map((tensor) => {
    const layer = layers.get(tensor.name);
    if (layer === undefined || layer.kind === "embedding") return tensor;
    const axes = axesIn(order, layer.layout);
    if (isStoredSo(axes, layer)) return tensor;
    turned++;
    return turnedTensor(tensor, layer, axes);
  });
  const text = { torch: "[out, in, ...kernel]", keras: "[...kernel, in, out]" }[order];
  const message = `${turned} weights were turned to ${text}, as readers of this format expect them`;
  const warnings = turned === 0 ? [] : [{ code: "WEIGHTS_TURNED", message }];
  return { model: { ...model, tensors }, warnings };
}

/** The axes [group, out, in, ...taps] in another order, those that make one stored axis together. */
type AxisGroups = readonly (readonly number[])[];

function axesIn(
  order: StoredOrder,
  { groups, inPerGroup, split, roles }: WeightLayout,
): AxisGroups {
  const taps = split.filter((_, axis) => roles[axis] === "tap").map((_, tap) => [3 + tap]);
  if (order === "torch") return [[0, 1], [2], ...taps];
  return groups > 1 && inPerGroup === 1 ? [...taps, [0, 2], [1]] : [...taps, [2], [0, 1]];
}

/** Sizes of [group, out, in, ...taps]. */
function canonicalShape({ groups, outPerGroup, inPerGroup, split, roles }: WeightLayout): Shape {
  return [groups, outPerGroup, inPerGroup, ...split.filter((_, axis) => roles[axis] === "tap")];
}

function turnedShape(axes: AxisGroups, layout: WeightLayout): Shape {
  const sizes = canonicalShape(layout);
  return axes.map((group) => group.reduce((product, axis) => product * sizes[axis]!, 1));
}

/** True when the stored axes longer than one already follow each other so. */
function isStoredSo(axes: AxisGroups, { layout, tensor }: WeightLayer): boolean {
  if (!sameShape(turnedShape(axes, layout), tensor.shape)) return false;
  const sizes = canonicalShape(layout);
  let taps = 3;
  const stored = layout.roles.map((role) =>
    role === "tap" ? taps++ : { group: 0, out: 1, in: 2 }[role],
  );
  const long = (order: readonly number[]): string =>
    order.filter((axis) => sizes[axis] !== 1).join();
  return long(stored) === long(axes.flat());
}

function turnedTensor(
  { name, dtype, role, quantisation }: StoredTensor,
  { tensor, layout }: WeightLayer,
  axes: AxisGroups,
): StoredTensor {
  return {
    name,
    dtype,
    role,
    shape: turnedShape(axes, layout),
    ...(quantisation !== undefined && { quantisation }),
    read: async () =>
      permute(toCanonical(await tensor.read(), layout), canonicalShape(layout), axes.flat()),
  };
}

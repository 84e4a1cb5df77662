import type { Model, ModelWarning, StoredTensor, WeightLayer } from "../model/model.ts";
import { sameShape, type Shape } from "../tensor/shape.ts";
import { toCanonical } from "../tensor/layout.ts";

/**
 * The model with its weights as PyTorch keeps them, [out, in / groups, ...kernel], for files that do not record an order and are
 * read so by convention. Embeddings stay [entries, width], as PyTorch has them too; so do parts of a stacked tensor.
 */
export function torchOrder(model: Model): {
  readonly model: Model;
  readonly warnings: readonly ModelWarning[];
} {
  const layers = new Map<string, WeightLayer>();
  for (const layer of model.layers) {
    if (!layers.has(layer.tensor.name)) layers.set(layer.tensor.name, layer);
  }
  const turned: string[] = [];
  const tensors = model.tensors.map((tensor) => {
    const layer = layers.get(tensor.name);
    const shape = layer && torchShape(layer);
    if (layer === undefined || shape === undefined || !isMoved(layer, shape)) return tensor;
    turned.push(tensor.name);
    return turnedTensor(tensor, layer, shape);
  });
  const message = `${turned.length} weights were turned to [out, in, ...kernel], as readers of this format expect them`;
  const warnings = turned.length === 0 ? [] : [{ code: "WEIGHTS_TURNED", message }];
  return { model: { ...model, tensors }, warnings };
}

/** Undefined where the order of PyTorch is that of the file. */
function torchShape({ kind, layout }: WeightLayer): Shape | undefined {
  if (kind === "embedding") return undefined;
  const taps = layout.split.filter((_, axis) => layout.roles[axis] === "tap");
  return [layout.groups * layout.outPerGroup, layout.inPerGroup, ...taps];
}

function isMoved({ layout, tensor }: WeightLayer, shape: Shape): boolean {
  const order = { group: 0, out: 1, in: 2, tap: 3 };
  const ranks = layout.roles.map((role) => order[role]);
  const inOrder = ranks.every((rank, axis) => axis === 0 || ranks[axis - 1]! <= rank);
  return !inOrder || !sameShape(tensor.shape, shape);
}

function turnedTensor(
  { name, dtype, role, quantisation }: StoredTensor,
  { tensor, layout }: WeightLayer,
  shape: Shape,
): StoredTensor {
  return {
    name,
    dtype,
    role,
    shape,
    ...(quantisation !== undefined && { quantisation }),
    read: async () => toCanonical(await tensor.read(), layout),
  };
}

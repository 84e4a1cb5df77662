/**
 * State dicts: named tensors in the layout of PyTorch, without a graph. What a tensor is for is read from its shape, and for
 * vectors from the names beside it.
 */
import { chainLayers, type LayerChain } from "../model/chainLayers.ts";
import type { Model, ModelWarning, StoredTensor, TensorRole, WeightLayer } from "../model/model.ts";
import { dtypes, isFloat, type DType } from "../tensor/dtype.ts";
import { weightLayout, type AxisRole } from "../tensor/layout.ts";
import { elementCount } from "../tensor/shape.ts";
import { inferTopology, type StoredName } from "./inference/inferTopology.ts";
import type { AttentionHints } from "./inference/walker.ts";
import { kerasKernel } from "./kerasKernels.ts";
import { companionsOf } from "./packedWeights.ts";
import { withAdditions } from "./stateDictAdditions.ts";

export interface StateDict {
  readonly name: string;
  readonly format: string;
  /** In file order, their roles still unknown. */
  readonly tensors: readonly Omit<StoredTensor, "role">[];
  readonly metadata: Model["metadata"];
  /** Axes as PyTorch has them, or as whichever of PyTorch and Keras chains with fewer breaks. @defaultValue "torch" */
  readonly orientation?: "torch" | "unknown";
  /** What is known of a tensor beyond its name and shape, by name. */
  readonly hints?: ReadonlyMap<string, TensorHint>;
  /** What a configuration says of heads. */
  readonly attention?: readonly AttentionHints[];
}

/** Of files that keep the class of a tensor's owner. */
export interface TensorHint {
  readonly role?: TensorRole;
  /** Class of the owner, as `WeightLayer.op`. */
  readonly op?: string;
  /** Null where the shape is not what the owner's class has. */
  layer?(tensor: StoredTensor): WeightLayer | null;
}

/** A model of a state dict; its topology is inferred from names and shapes, and a warning says so. */
export function stateDictModel(dict: StateDict): Model {
  const { name, format, tensors, metadata, orientation = "torch", hints, attention = [] } = dict;
  const companions = companionsOf(tensors.map((tensor) => tensor.name));
  const roleOf = roleReader(tensors);
  const placed = tensors.map((tensor): StoredTensor => ({
    ...tensor,
    role: companions.optimiser.has(tensor.name)
      ? "constant"
      : (hints?.get(tensor.name)?.role ?? roleOf(tensor)),
  }));
  const weights = placed.filter((tensor) => tensor.role === "weight");
  const layerOf = (tensor: StoredTensor): WeightLayer =>
    torchLayer(tensor, hints?.get(tensor.name));
  const stored = placed.flatMap((tensor): StoredName[] => {
    const { name, role, shape } = tensor;
    const connects = !companions.scales.has(name);
    if (role === "weight") return [{ name, layer: layerOf(tensor), size: 0, connects }];
    return shape.length === 1 ? [{ name, layer: null, size: shape[0]! }] : [];
  });
  const asTorch =
    inferTopology(stored, { hints: attention, isOriented: orientation === "torch" }) ??
    chainLayers(weights.map(layerOf));
  const chain = orientation === "torch" ? asTorch : betterChain(asTorch, weights);
  const { layers, topology, warnings } = chain;
  return {
    name,
    format,
    producer: null,
    tensors: placed,
    layers: withAdditions(layers, placed),
    topology,
    warnings: [...warnings, ...integerWarnings(layers), ...companions.warnings],
    metadata,
  };
}

/** [in, out] where that leaves fewer breaks, with a warning that the file does not say. */
function betterChain(asTorch: LayerChain, weights: readonly StoredTensor[]): LayerChain {
  const asKeras = chainLayers(weights.map((tensor) => kerasKernel(tensor, null)));
  const isKeras = asKeras.breaks.length < asTorch.breaks.length;
  const chosen = isKeras ? asKeras : asTorch;
  if (weights.length === 0) return chosen;
  const message = `rows are taken to ${isKeras ? "send" : "receive"}, since layers chain better so than the other way round, or as well`;
  return { ...chosen, warnings: [...chosen.warnings, { code: "ORIENTATION_INFERRED", message }] };
}

/** [out, in / groups, ...kernel]: a group is not marked, so `in` counts the channels that one output channel sees. */
function torchLayer(tensor: StoredTensor, hint?: TensorHint): WeightLayer {
  const known = hint?.layer?.(tensor);
  if (known) return known;
  const { shape } = tensor;
  const roles = shape.map((_, axis): AxisRole => (["out", "in"] as const)[axis] ?? "tap");
  return {
    name: tensor.name,
    op: hint?.op ?? null,
    kind: shape.length === 2 ? "torch_dense" : "torch_conv",
    tensor,
    in: shape[1]!,
    out: shape[0]!,
    layout: weightLayout(shape, roles),
    sendersKnown: true,
  };
}

/**
 * Two and more axes: a weight, whatever its name. One axis: part of a normalisation where running statistics or a scale (a
 * vector called `weight`) stand under the same prefix, else a bias. Indices, masks and counters are constants.
 */
function roleReader(
  tensors: readonly Omit<StoredTensor, "role">[],
): (tensor: Omit<StoredTensor, "role">) => TensorRole {
  const normalised = new Set<string>();
  for (const { name, shape } of tensors) {
    const { prefix, last } = splitName(name);
    const isScale = ["weight", "gamma", "scale"].includes(last) && shape.length === 1;
    if (isScale || /^(running|moving)_(mean|var|variance)$/.test(last)) normalised.add(prefix);
  }
  return ({ name, shape, dtype, quantisation }) => {
    if (!mayBeWeight(dtype) && quantisation === undefined) return "constant";
    if (shape.length >= 2) return elementCount(shape) === 0 ? "constant" : "weight";
    if (shape.length === 0) return "unknown";
    return normalised.has(splitName(name).prefix) ? "normalisation" : "bias";
  };
}

function splitName(name: string): { prefix: string; last: string } {
  const cut = Math.max(name.lastIndexOf("."), name.lastIndexOf("/"));
  return { prefix: name.slice(0, Math.max(cut, 0)), last: name.slice(cut + 1) };
}

/** Small integers may be weights whose scale was lost; wide ones are positions, counters, and tables of them. */
function mayBeWeight(dtype: DType): boolean {
  if (dtype === "bool" || dtype.startsWith("complex")) return false;
  return isFloat(dtype) || dtypes[dtype] < 4;
}

function integerWarnings(layers: readonly WeightLayer[]): ModelWarning[] {
  const integers = layers.filter(
    ({ tensor }) => !isFloat(tensor.dtype) && tensor.quantisation === undefined,
  );
  if (integers.length === 0) return [];
  const names = integers.map((layer) => layer.name).join(", ");
  return [
    {
      code: "INTEGER_WEIGHTS",
      message: `read as stored, since the file gives no scale for them: ${names}`,
    },
  ];
}

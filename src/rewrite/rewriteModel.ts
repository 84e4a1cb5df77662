/**
 * What rewiring and re-initialisation share: choosing layers, turning each tensor into a matrix and back, and putting the new
 * values into a new model that shares everything else with the old one.
 */
import { isWeightGraphError, UsageError } from "../errors.ts";
import { checkFinite } from "../graph/checkFinite.ts";
import type { Model, ModelWarning, StoredTensor, WeightKind, WeightLayer } from "../model/model.ts";
import type { DType, FloatArray } from "../tensor/dtype.ts";
import { fromCanonical, toCanonical } from "../tensor/layout.ts";
import type { WeightMatrix } from "./weightMatrix.ts";

export interface LayerSelection {
  /** Names of layers or of their tensors. @defaultValue every dense and convolutional layer */
  readonly layers?: readonly string[];
  /**
   * Leave out tensors whose bytes have no place in the file, since they cannot be written back into it. Set to false for a
   * model that was computed. @defaultValue true
   */
  readonly onlyPatchable?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/** A layer that was rewritten: `rows` neurons receive through `columns` weights each. */
export interface RewrittenLayer<Report> {
  readonly layer: string;
  readonly tensor: string;
  readonly rows: number;
  readonly columns: number;
  readonly report: Report;
}

export interface RewrittenModel<Report> {
  /** Shares the tensors that were not touched; the new ones keep their place in the file, so that a writer can patch it. */
  readonly model: Model;
  /** New values by tensor name, in stored order. */
  readonly changes: ReadonlyMap<string, FloatArray>;
  readonly layers: readonly RewrittenLayer<Report>[];
  /** Layers that were asked for and left alone, with the reason; also added to the model's own warnings. */
  readonly warnings: readonly ModelWarning[];
}

/** Turns one layer's matrix [groups * out, in per group * taps] into another of the same shape. */
export type LayerRewriter<Report> = (
  matrix: WeightMatrix,
  layer: WeightLayer,
) => { readonly weights: FloatArray; readonly report: Report };

/**
 * Rewrites the chosen layers one by one. A tensor that several layers use is rewritten once, through the first of them.
 * Memory: the new values of all rewritten tensors, beside one old tensor at a time.
 * @throws {UsageError} `USAGE_INVALID_OPTION` for a layer that the model does not have; {WeightGraphError}
 *   `WEIGHTS_NOT_FINITE`; whatever the rewriter or the tensor's reader throws; the signal's reason.
 */
export async function rewriteModel<Report>(
  model: Model,
  selection: LayerSelection,
  rewriteLayer: LayerRewriter<Report>,
): Promise<RewrittenModel<Report>> {
  const chosen = chooseLayers(model, selection.layers);
  const changes = new Map<string, FloatArray>();
  const layers: RewrittenLayer<Report>[] = [];
  const warnings: ModelWarning[] = [];
  for (const [done, layer] of chosen.entries()) {
    selection.signal?.throwIfAborted();
    selection.onProgress?.(done, chosen.length);
    const obstacle = obstacleTo(layer.tensor, selection.onlyPatchable ?? true);
    if (obstacle !== null) {
      warnings.push(leftAlone(layer, obstacle));
      continue;
    }
    const { groups, outPerGroup, inPerGroup, taps } = layer.layout;
    const shape = { rows: groups * outPerGroup, columns: inPerGroup * taps };
    const values = await layer.tensor.read();
    checkFinite(values, [model.name, layer.name]);
    const { weights, report } = rewriteLayer(
      { weights: toCanonical(values, layer.layout), ...shape },
      layer,
    );
    const stored = fromCanonical(weights, layer.layout);
    const refusal = await refusalOf(layer.tensor, stored);
    if (refusal !== null) {
      warnings.push(leftAlone(layer, refusal));
      continue;
    }
    changes.set(layer.tensor.name, stored);
    layers.push({ layer: layer.name, tensor: layer.tensor.name, ...shape, report });
  }
  selection.onProgress?.(chosen.length, chosen.length);
  warnings.push(...sharedTensors(model, layers));
  return { model: withChanges(model, changes, warnings), changes, layers, warnings };
}

const rewritableKinds: ReadonlySet<WeightKind> = new Set<WeightKind>([
  "dense",
  "conv",
  "conv_transpose",
  "depthwise",
  "pointwise",
  "torch_dense",
  "torch_conv",
]);

/** One layer per tensor, in graph order. */
function chooseLayers(model: Model, names: readonly string[] | undefined): WeightLayer[] {
  const named = (layer: WeightLayer, name: string): boolean =>
    layer.name === name || layer.tensor.name === name;
  const unknown = names?.find((name) => !model.layers.some((layer) => named(layer, name)));
  if (unknown !== undefined) {
    throw new UsageError("USAGE_INVALID_OPTION", `${model.name} has no weight layer "${unknown}"`, {
      path: [model.name],
      hint: `Its layers are ${model.layers.map((layer) => layer.name).join(", ") || "none"}.`,
    });
  }
  const seen = new Set<string>();
  return model.layers.filter((layer) => {
    const wanted = names?.some((name) => named(layer, name)) ?? rewritableKinds.has(layer.kind);
    const own = identityOf(layer.tensor);
    if (!wanted || seen.has(own)) return false;
    seen.add(own);
    return true;
  });
}

/** The same for every name of tied weights. */
function identityOf({ name, sharesWith }: StoredTensor): string {
  return sharesWith ?? name;
}

const writableTypes: ReadonlySet<DType> = new Set<DType>([
  "float64",
  "float32",
  "float16",
  "bfloat16",
]);

/** Why a tensor cannot be rewritten, or null. */
function obstacleTo(tensor: StoredTensor, onlyPatchable: boolean): string | null {
  if (tensor.shape.includes(0)) return "it holds no weights";
  if (tensor.encode !== undefined) return null;
  if (tensor.quantisation !== undefined) {
    return `it is quantised (${tensor.quantisation}), and its new values could not be stored`;
  }
  if (!writableTypes.has(tensor.dtype)) return `weights of type ${tensor.dtype} are not written`;
  const isStored = tensor.location !== undefined || tensor.repackable === true;
  return onlyPatchable && !isStored ? "its bytes cannot be patched in the file" : null;
}

/** Why a quantised tensor cannot hold its new values, or null: with a scale per neuron, not every weight fits everywhere. */
async function refusalOf(tensor: StoredTensor, values: FloatArray): Promise<string | null> {
  try {
    await tensor.encode?.(values);
    return null;
  } catch (error) {
    if (!isWeightGraphError(error)) throw error;
    return `it is quantised, and its new values could not be stored: ${error.message}`;
  }
}

function leftAlone(layer: WeightLayer, reason: string): ModelWarning {
  return {
    code: "TENSOR_NOT_REWRITTEN",
    message: `${layer.name} was left as it is: ${reason}.`,
  };
}

/** Says where a rewritten tensor also serves a layer of another kind, a tied embedding for one. */
function sharedTensors(
  model: Model,
  rewritten: readonly RewrittenLayer<unknown>[],
): ModelWarning[] {
  const identities = new Map(model.tensors.map((own) => [own.name, identityOf(own)]));
  return rewritten.flatMap(({ layer: name, tensor }) =>
    model.layers
      .filter((layer) => layer.name !== name)
      .filter((layer) => identityOf(layer.tensor) === (identities.get(tensor) ?? tensor))
      .map((layer) => ({
        code: "TENSOR_SHARED",
        message: `${name} and ${layer.name} share the tensor ${tensor}: both changed.`,
      })),
  );
}

function withChanges(
  model: Model,
  changes: ReadonlyMap<string, FloatArray>,
  warnings: readonly ModelWarning[],
): Model {
  const renewed = new Map<string, StoredTensor>();
  const identities = new Map(model.tensors.map((own) => [own.name, identityOf(own)]));
  const byIdentity = new Map(
    Array.from(changes, ([name, values]) => [identities.get(name) ?? name, values]),
  );
  const renew = (tensor: StoredTensor): StoredTensor => {
    const values = changes.get(tensor.name) ?? byIdentity.get(identityOf(tensor));
    if (values === undefined) return tensor;
    const known = renewed.get(tensor.name);
    if (known !== undefined) return known;
    const { readSpan: _, ...stored } = tensor;
    const changed = { ...stored, read: () => Promise.resolve(values) };
    renewed.set(tensor.name, changed);
    return changed;
  };
  return {
    ...model,
    tensors: model.tensors.map(renew),
    layers: model.layers.map((layer) => {
      const tensor = renew(layer.tensor);
      return tensor === layer.tensor ? layer : { ...layer, tensor };
    }),
    warnings: [...model.warnings, ...warnings],
  };
}

import type { FloatArray } from "../tensor/dtype.ts";
import { toCanonical, type WeightLayout } from "../tensor/layout.ts";
import type { Model, WeightKind, WeightLayer } from "./model.ts";

/** Over neurons: mean, population standard deviation, extremes. */
export interface Spread {
  readonly mean: number;
  readonly std: number;
  readonly min: number;
  readonly max: number;
}

/** One weight layer in numbers; every sum is over dequantised values, in float64. */
export interface LayerSummary {
  readonly name: string;
  readonly op: string | null;
  readonly kind: WeightKind;
  /** As stored. */
  readonly shape: readonly number[];
  /** Of the values the numbers are of: a quantised tensor counts as float64, its stored type is in `quantisation`. */
  readonly dtype: string;
  readonly quantisation: string | null;
  readonly in: number;
  readonly out: number;
  readonly numel: number;
  readonly nonzero: number;
  /** NaN and infinite entries; while there are any, the sums below are null. */
  readonly nonfinite: number;
  readonly sum: number | null;
  readonly sumAbs: number | null;
  readonly min: number | null;
  readonly max: number | null;
  /** Frobenius norm. */
  readonly l2: number | null;
  /** Signed sum of all weights into each receiving neuron. */
  readonly outStrength: Spread | null;
  /** Signed sum of all weights out of each sending neuron; null where the file does not fix which neuron that is. */
  readonly inStrength: Spread | null;
}

/** Summarises every weight layer of a model, one at a time, so that one tensor is in memory at once. */
export async function summariseLayers(
  model: Model,
  options: {
    readonly signal?: AbortSignal;
    readonly onProgress?: (done: number, total: number) => void;
  } = {},
): Promise<LayerSummary[]> {
  const summaries: LayerSummary[] = [];
  for (const layer of model.layers) {
    options.signal?.throwIfAborted();
    summaries.push(summariseLayer(layer, await layer.tensor.read()));
    options.onProgress?.(summaries.length, model.layers.length);
  }
  return summaries;
}

/** Cost: two passes over `values` (stored order) when its layout has to be turned, else one. */
function summariseLayer(layer: WeightLayer, values: FloatArray): LayerSummary {
  const { tensor, layout } = layer;
  const totals = totalsOf(values);
  const finite = totals.nonfinite === 0 && values.length > 0;
  const strengths = finite ? strengthsOf(toCanonical(values, layout), layout) : null;
  return {
    name: layer.name,
    op: layer.op,
    kind: layer.kind,
    shape: tensor.shape,
    dtype: tensor.quantisation === undefined ? tensor.dtype : "float64",
    quantisation:
      tensor.quantisation === undefined ? null : `${tensor.dtype} ${tensor.quantisation}`,
    in: layer.in,
    out: layer.out,
    numel: values.length,
    nonzero: totals.nonzero,
    nonfinite: totals.nonfinite,
    sum: finite ? totals.sum : null,
    sumAbs: finite ? totals.sumAbs : null,
    min: finite ? totals.min : null,
    max: finite ? totals.max : null,
    l2: finite ? Math.sqrt(totals.sumSquares) : null,
    outStrength: strengths && spreadOf(strengths.out),
    inStrength: strengths && layer.sendersKnown ? spreadOf(strengths.in) : null,
  };
}

function totalsOf(values: FloatArray): {
  nonzero: number;
  nonfinite: number;
  sum: number;
  sumAbs: number;
  sumSquares: number;
  min: number;
  max: number;
} {
  const totals = {
    nonzero: 0,
    nonfinite: 0,
    sum: 0,
    sumAbs: 0,
    sumSquares: 0,
    min: Infinity,
    max: -Infinity,
  };
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) totals.nonfinite++;
    if (value !== 0) totals.nonzero++;
    totals.sum += value;
    totals.sumAbs += Math.abs(value);
    totals.sumSquares += value * value;
    if (value < totals.min) totals.min = value;
    if (value > totals.max) totals.max = value;
  }
  return totals;
}

/** `weights` in canonical order. */
function strengthsOf(
  weights: FloatArray,
  layout: WeightLayout,
): { in: Float64Array; out: Float64Array } {
  const { groups, outPerGroup, inPerGroup, taps } = layout;
  const into = new Float64Array(groups * outPerGroup);
  const outOf = new Float64Array(groups * inPerGroup);
  let at = 0;
  for (let row = 0; row < into.length; row++) {
    const first = Math.floor(row / outPerGroup) * inPerGroup;
    for (let column = first; column < first + inPerGroup; column++) {
      let edge = 0;
      for (let tap = 0; tap < taps; tap++) edge += weights[at++]!;
      into[row]! += edge;
      outOf[column]! += edge;
    }
  }
  return { in: outOf, out: into };
}

function spreadOf(values: Float64Array): Spread {
  let sum = 0;
  let min = Infinity;
  let max = -Infinity;
  for (const value of values) {
    sum += value;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const mean = sum / values.length;
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  return { mean, std: Math.sqrt(squares / values.length), min, max };
}

import type { FloatArray } from "../tensor/dtype.ts";
import { elementCount } from "../tensor/shape.ts";
import type { Model, WeightKind, WeightLayer } from "./model.ts";
import { neuronSums } from "./neuronSums.ts";
import { readChunks } from "./readChunks.ts";

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

/**
 * Summarises every weight layer of a model, one span of one tensor at a time where the reader can, so that a layer larger than
 * memory is summarised too. `onProgress` counts elements. Cost: one pass over the weights.
 */
export async function summariseLayers(
  model: Model,
  options: {
    readonly signal?: AbortSignal;
    readonly onProgress?: (done: number, total: number) => void;
  } = {},
): Promise<LayerSummary[]> {
  const total = model.layers.reduce((sum, { tensor }) => sum + elementCount(tensor.shape), 0);
  let done = 0;
  const onRead = (count: number): void => options.onProgress?.((done += count), total);
  const summaries: LayerSummary[] = [];
  for (const layer of model.layers) {
    options.signal?.throwIfAborted();
    summaries.push(await summariseLayer(layer, { ...options, onRead }));
  }
  return summaries;
}

async function summariseLayer(
  layer: WeightLayer,
  { onRead, signal }: { onRead: (count: number) => void; signal?: AbortSignal },
): Promise<LayerSummary> {
  const { tensor, layout } = layer;
  const totals = newTotals();
  const sums = neuronSums(layout);
  for await (const { start, values } of readChunks(tensor, { ...(signal && { signal }) })) {
    addTotals(totals, values);
    sums.add(values, start);
    onRead(values.length);
  }
  const { numel, nonzero, nonfinite } = totals;
  const finite = nonfinite === 0 && numel > 0;
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
    numel,
    nonzero,
    nonfinite,
    sum: finite ? totals.sum : null,
    sumAbs: finite ? totals.sumAbs : null,
    min: finite ? totals.min : null,
    max: finite ? totals.max : null,
    l2: finite ? Math.sqrt(totals.sumSquares) : null,
    outStrength: finite ? spreadOf(sums.into) : null,
    inStrength: finite && layer.sendersKnown ? spreadOf(sums.outOf) : null,
  };
}

interface Totals {
  numel: number;
  nonzero: number;
  nonfinite: number;
  sum: number;
  sumAbs: number;
  sumSquares: number;
  min: number;
  max: number;
}

function newTotals(): Totals {
  return {
    numel: 0,
    nonzero: 0,
    nonfinite: 0,
    sum: 0,
    sumAbs: 0,
    sumSquares: 0,
    min: Infinity,
    max: -Infinity,
  };
}

function addTotals(totals: Totals, values: FloatArray): void {
  let { nonzero, nonfinite, sum, sumAbs, sumSquares, min, max } = totals;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) nonfinite++;
    if (value !== 0) nonzero++;
    sum += value;
    sumAbs += Math.abs(value);
    sumSquares += value * value;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const numel = totals.numel + values.length;
  Object.assign(totals, { numel, nonzero, nonfinite, sum, sumAbs, sumSquares, min, max });
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

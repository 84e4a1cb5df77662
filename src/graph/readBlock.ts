/** Weights of one wire, read a span at a time into the form that a block keeps: every weight, or what the taps come to. */
import { canonicalRuns, isCanonical, scatterCanonical } from "../model/canonicalRuns.ts";
import type { StoredTensor } from "../model/model.ts";
import { readChunks } from "../model/readChunks.ts";
import type { FloatArray } from "../tensor/dtype.ts";
import { elementCount } from "../tensor/shape.ts";
import { toCanonical, type WeightLayout } from "../tensor/layout.ts";
import type { CollapsedTaps } from "./block.ts";
import { checkFinite } from "./checkFinite.ts";

export interface BlockReading {
  readonly tensor: StoredTensor;
  readonly layout: WeightLayout;
  /** For messages. */
  readonly path: readonly string[];
  readonly signal?: AbortSignal;
}

/** True for tensors whose values are float32 as read, so that they may be put into an array that is there already. */
export function readsAsFloat32({ dtype, quantisation }: StoredTensor): boolean {
  return quantisation === undefined && narrow.has(dtype);
}

const narrow = new Set<string>(["float32", "float16", "bfloat16"]);

/**
 * Every weight, canonical: in `room` where the tensor reads as float32, else in an array of its own.
 * @throws {WeightGraphError} `WEIGHTS_NOT_FINITE`
 */
export async function readWeights(reading: BlockReading, room: Float32Array): Promise<FloatArray> {
  const { tensor, layout, path, signal } = reading;
  if (!readsAsFloat32(tensor)) {
    const weights = toCanonical(await tensor.read(), layout);
    checkFinite(weights, path);
    return weights;
  }
  if (tensor.readSpan !== undefined && isCanonical(layout)) {
    await readStraight(reading, room);
  } else {
    const scatter = scatterCanonical(layout, room);
    for await (const { start, values } of readChunks(tensor, { ...(signal && { signal }) })) {
      scatter(values, start);
    }
  }
  checkFinite(room, path);
  return room;
}

/** 32 MiB at a time: enough to be as fast as one read, and to be interrupted. */
const straightElements = 2 ** 23;

async function readStraight({ tensor, signal }: BlockReading, room: Float32Array): Promise<void> {
  for (let start = 0; start < room.length; start += straightElements) {
    signal?.throwIfAborted();
    const end = Math.min(start + straightElements, room.length);
    const own = room.subarray(start, end);
    const values = await tensor.readSpan!(start, end, own);
    if (values.buffer !== own.buffer) own.set(values);
  }
}

/**
 * What the taps of each edge come to; the tensor is never held whole if its reader knows spans.
 * @throws {WeightGraphError} `WEIGHTS_NOT_FINITE`
 */
export async function readCollapsed({
  tensor,
  layout,
  path,
  signal,
}: BlockReading): Promise<CollapsedTaps> {
  const edges = elementCount(layout.split) / layout.taps;
  const squares = new Float64Array(edges);
  const positiveSum = new Float64Array(edges);
  const negativeSum = new Float64Array(edges);
  const runs = canonicalRuns(layout, { taps: false });
  for await (const { start, values } of readChunks(tensor, { ...(signal && { signal }) })) {
    runs(start, values.length, (at, count, place, step) => {
      for (let i = at; i < at + count; i++, place += step) {
        const weight = values[i]!;
        squares[place]! += weight * weight;
        if (weight > 0) positiveSum[place]! += weight;
        else negativeSum[place]! -= weight;
      }
    });
    checkFinite(values, path, start);
  }
  if (!squaresHold(squares, positiveSum, negativeSum)) {
    return { norm: await normsByLargest({ tensor, layout, path }), positiveSum, negativeSum };
  }
  for (let edge = 0; edge < edges; edge++) squares[edge] = Math.sqrt(squares[edge]!);
  return { norm: squares, positiveSum, negativeSum };
}

/** False where squares of float64 weights left the range: the norms have to be taken by the largest magnitudes. */
function squaresHold(
  squares: Float64Array,
  positiveSum: Float64Array,
  negativeSum: Float64Array,
): boolean {
  return squares.every(
    (square, edge) =>
      (square > 1e-280 && square < 1e300) ||
      (square === 0 && positiveSum[edge] === 0 && negativeSum[edge] === 0),
  );
}

async function normsByLargest({ tensor, layout }: BlockReading): Promise<Float64Array> {
  const values = await tensor.read();
  const runs = canonicalRuns(layout, { taps: false });
  const largest = new Float64Array(values.length / layout.taps);
  const scaled = new Float64Array(largest.length);
  runs(0, values.length, (at, count, place, step) => {
    for (let i = at; i < at + count; i++, place += step)
      largest[place] = Math.max(largest[place]!, Math.abs(values[i]!));
  });
  runs(0, values.length, (at, count, place, step) => {
    for (let i = at; i < at + count; i++, place += step)
      if (largest[place]! > 0) scaled[place]! += (values[i]! / largest[place]!) ** 2;
  });
  return largest.map((magnitude, edge) => magnitude * Math.sqrt(scaled[edge]!));
}

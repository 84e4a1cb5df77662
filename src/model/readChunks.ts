import type { FloatArray } from "../tensor/dtype.ts";
import { elementCount } from "../tensor/shape.ts";
import type { StoredTensor } from "./model.ts";

export interface TensorChunk {
  /** Number of the first element, in stored order. */
  readonly start: number;
  readonly values: FloatArray;
}

/** 4 MiB of float32: large enough for the disk, small enough to be forgotten. */
const chunkElements = 2 ** 20;

/**
 * A tensor's values in stored order, a span at a time where its reader can, else in one piece.
 * Memory: one span; a reader without spans holds the whole tensor.
 */
export async function* readChunks(
  tensor: StoredTensor,
  { signal }: { readonly signal?: AbortSignal } = {},
): AsyncGenerator<TensorChunk, void, undefined> {
  const count = elementCount(tensor.shape);
  if (tensor.readSpan === undefined || count <= chunkElements) {
    yield { start: 0, values: await tensor.read() };
    return;
  }
  for (let start = 0; start < count; start += chunkElements) {
    signal?.throwIfAborted();
    const end = Math.min(start + chunkElements, count);
    yield { start, values: await tensor.readSpan(start, end) };
  }
}

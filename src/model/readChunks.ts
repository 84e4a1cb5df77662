import type { FloatArray } from "../tensor/dtype.ts";
import { elementCount } from "../tensor/shape.ts";
import type { StoredTensor } from "./model.ts";

export interface TensorChunk {
  /** Number of the first element, in stored order. */
  readonly start: number;
  /** Good until the next chunk is asked for. */
  readonly values: FloatArray;
}

/** 4 MiB of float32: large enough for the disk, small enough to be forgotten. */
const chunkElements = 2 ** 20;

/**
 * A tensor's values in stored order, a span at a time where its reader can, else in one piece. A reader of plain float32 puts each
 * span where the one before was.
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
  const room = tensor.dtype === "float32" ? new Float32Array(chunkElements) : undefined;
  for (let start = 0; start < count; start += chunkElements) {
    signal?.throwIfAborted();
    const end = Math.min(start + chunkElements, count);
    yield { start, values: await tensor.readSpan(start, end, room) };
  }
}

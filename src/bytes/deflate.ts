/** Raw deflate both ways, a chunk at a time, by the platform's own streams: they are in Node and in every browser. */

/** The unpacked bytes. What it throws for a damaged stream is the platform's. */
export function inflate(packed: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  return through(packed, new DecompressionStream("deflate-raw"));
}

/** The packed bytes, at the platform's default level. */
export function deflate(plain: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  return through(plain, new CompressionStream("deflate-raw"));
}

async function* through(
  chunks: AsyncIterable<Uint8Array>,
  transform: CompressionStream | DecompressionStream,
): AsyncGenerator<Uint8Array, void, undefined> {
  const iterator = chunks[Symbol.asyncIterator]();
  const stream = new ReadableStream<BufferSource>({
    async pull(controller) {
      const { done, value } = await iterator.next();
      if (done) controller.close();
      else controller.enqueue(value as Uint8Array<ArrayBuffer>);
    },
  });
  const reader = stream.pipeThrough(transform).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    // Left early, or broken: what the stream says then is of no interest.
    await reader.cancel().catch(() => undefined);
  }
}

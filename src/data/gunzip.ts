/** As many first bytes as `sizeOf` is shown, or all where the stream is shorter. */
const headLength = 1024;

/**
 * Unpacks a gzip stream whose content says in its first bytes how long it is; `sizeOf` reads that, and may throw. A stream that
 * runs on is left soon after the announced size. Works in Node and in browsers.
 * @throws TypeError of the platform for a damaged stream.
 */
export async function gunzip(
  packed: Uint8Array,
  sizeOf: (head: Uint8Array) => number,
): Promise<Uint8Array> {
  const stream = new Blob([packed as Uint8Array<ArrayBuffer>]).stream();
  const reader = stream.pipeThrough(new DecompressionStream("gzip")).getReader();
  const chunks: Uint8Array[] = [];
  let total = 0;
  let announced: number | undefined;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      chunks.push(value);
      total += value.byteLength;
      if (announced === undefined && total >= headLength) announced = sizeOf(joined(chunks, total));
      if (total > (announced ?? Infinity)) break;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
  return joined(chunks, total);
}

function joined(chunks: readonly Uint8Array[], total: number): Uint8Array {
  const whole = new Uint8Array(total);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}

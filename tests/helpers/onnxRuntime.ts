/** Models at work: onnxruntime, which shares nothing with the reader under test. */
import { InferenceSession, Tensor } from "onnxruntime-node";

export interface Output {
  readonly dims: readonly number[];
  readonly values: Float32Array;
}

/** The first output of a model for float32 inputs. `model` may be a path, where data files lie beside it. */
export async function runOnnx(
  model: Uint8Array | string,
  inputs: Readonly<Record<string, { dims: readonly number[]; values: readonly number[] }>>,
): Promise<Output> {
  const options = { logSeverityLevel: 4, graphOptimizationLevel: "disabled" } as const;
  const session =
    typeof model === "string"
      ? await InferenceSession.create(model, options)
      : await InferenceSession.create(model, options);
  try {
    const feeds = Object.fromEntries(
      Object.entries(inputs).map(([name, { dims, values }]) => [
        name,
        new Tensor("float32", Float32Array.from(values), [...dims]),
      ]),
    );
    const results = await session.run(feeds);
    const first = results[session.outputNames[0]!]!;
    return { dims: first.dims, values: Float32Array.from(first.data as Float32Array) };
  } finally {
    await session.release();
  }
}

/** The identity, of which a matrix product is the matrix itself. */
export function identity(size: number): { dims: readonly number[]; values: readonly number[] } {
  const values = Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0));
  return { dims: [size, size], values };
}

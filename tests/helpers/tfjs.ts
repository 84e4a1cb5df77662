/** TensorFlow.js models built in memory: a model.json and its shards. */
import { memorySource, type ByteSource } from "../../src/index.ts";

export interface TfjsTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype?: string;
  /** Little-endian; 1, 2, 3, … as float32 (or int32) when absent. */
  readonly bytes?: Uint8Array;
  readonly quantization?: object;
  /** `optimizer` for its state. */
  readonly group?: string;
}

function tensorBytes({ shape, dtype, bytes }: TfjsTensor): Uint8Array {
  if (bytes !== undefined) return bytes;
  const count = shape.reduce((product, size) => product * size, 1);
  const values = Array.from({ length: count }, (_, i) => i + 1);
  const typed = dtype === "int32" ? Int32Array.from(values) : Float32Array.from(values);
  return new Uint8Array(typed.buffer);
}

export function integers(name: string, values: readonly number[]): TfjsTensor {
  const bytes = new Uint8Array(Int32Array.from(values).buffer);
  return { name, shape: [values.length], dtype: "int32", bytes };
}

/** One group of tensors in one shard, `weights.bin`. */
export function manifestOf(tensors: readonly TfjsTensor[]): { json: object[]; shard: Uint8Array } {
  const weights = tensors.map(({ name, shape, dtype = "float32", quantization, group }) => ({
    name,
    shape,
    dtype,
    ...(quantization && { quantization }),
    ...(group && { group }),
  }));
  const shard = Uint8Array.from(tensors.flatMap((tensor) => [...tensorBytes(tensor)]));
  return { json: [{ paths: ["weights.bin"], weights }], shard };
}

export function tfjsSource(
  modelTopology: unknown,
  tensors: readonly TfjsTensor[],
  extra: object = {},
): ByteSource {
  const { json, shard } = manifestOf(tensors);
  return jsonSource({ ...extra, modelTopology, weightsManifest: json }, { "weights.bin": shard });
}

export function jsonSource(
  json: unknown,
  siblings: Readonly<Record<string, Uint8Array>>,
): ByteSource {
  return memorySource(new TextEncoder().encode(JSON.stringify(json)), "model.json", siblings);
}

/** A node of a TensorFlow graph. */
export function graphNode(
  op: string,
  name: string,
  input: readonly string[] = [],
  attr: object = {},
): object {
  return { name, op, input, attr };
}

export function constantNodes(tensors: readonly TfjsTensor[]): object[] {
  return tensors.map(({ name }) => graphNode("Const", name));
}

/** A Placeholder; -1 is a size that is not known. */
export function placeholderNode(name: string, sizes: readonly number[]): object {
  const dim = sizes.map((size) => ({ size: String(size) }));
  return graphNode("Placeholder", name, [], { shape: { shape: { dim } } });
}

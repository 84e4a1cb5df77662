import type { ByteSource } from "../../bytes/source.ts";
import { FormatError } from "../../errors.ts";
import type { StoredTensor } from "../../model/model.ts";
import { decodeTensor } from "../../tensor/decode.ts";
import { byteLengthOf, type DType, type FloatArray } from "../../tensor/dtype.ts";
import { checkedCount } from "../checkedCount.ts";
import type { WeightEntry, WeightGroup } from "./schema.ts";

type Path = readonly (string | number)[];

/** A tensor of the manifest; what it is for, the topology says. */
export type ManifestTensor = Omit<StoredTensor, "role">;

/**
 * The tensors of a manifest: those of a group lie one after the other in its shards, taken as one run of bytes.
 * Opens each shard to learn its length; reads no weights.
 * @throws {FormatError} `FORMAT_MALFORMED`, `FORMAT_TRUNCATED` for shards that are short, `FORMAT_UNSUPPORTED`,
 * `FILE_NOT_FOUND`, `FILE_OUTSIDE_FOLDER`
 */
export async function manifestTensors(
  source: ByteSource,
  groups: readonly WeightGroup[],
  path: Path,
): Promise<ManifestTensor[]> {
  const tensors: ManifestTensor[] = [];
  const names = new Set<string>();
  for (const [i, { paths, weights }] of groups.entries()) {
    const shards = await openShards(source, paths);
    let offset = 0;
    for (const [j, weight] of weights.entries()) {
      const at = [...path, i, "weights", j];
      if (names.has(weight.name)) {
        throw new FormatError("FORMAT_MALFORMED", `two tensors are called ${weight.name}`, {
          path: at,
        });
      }
      names.add(weight.name);
      const tensor = tensorOf(weight, { shards, offset, path: at });
      tensors.push(tensor.tensor);
      offset += tensor.byteLength;
    }
    checkLength(shards, offset, [...path, i]);
  }
  return tensors;
}

/** Shards as one run of bytes. */
interface Shards {
  readonly files: readonly { path: string; source: ByteSource; start: number }[];
  readonly byteLength: number;
}

async function openShards(source: ByteSource, paths: readonly string[]): Promise<Shards> {
  const files: { path: string; source: ByteSource; start: number }[] = [];
  let byteLength = 0;
  for (const path of paths) {
    const shard = await source.sibling(path);
    files.push({ path, source: shard, start: byteLength });
    byteLength += shard.byteLength;
  }
  return { files, byteLength };
}

function checkLength({ files, byteLength }: Shards, needed: number, path: Path): void {
  if (needed === byteLength) return;
  const shards = files.map((file) => file.path).join(", ");
  const isShort = byteLength < needed;
  throw new FormatError(
    isShort ? "FORMAT_TRUNCATED" : "FORMAT_MALFORMED",
    `the tensors take ${needed} bytes, the shards ${shards} hold ${byteLength}`,
    {
      path,
      hint: isShort
        ? "A shard is cut short: fetch it again."
        : "Shards and manifest are of different models, or a shape is wrong.",
    },
  );
}

function tensorOf(
  { name, shape, dtype: declared, quantization }: WeightEntry,
  { shards, offset, path }: { shards: Shards; offset: number; path: Path },
): { tensor: ManifestTensor; byteLength: number } {
  const dtype = storedType(quantization?.dtype ?? declared, path);
  const count = checkedCount(shape, path);
  const byteLength = byteLengthOf(dtype, count);
  const read = async (): Promise<FloatArray> =>
    decodeTensor(await readSpan(shards, offset, offset + byteLength), dtype, count);
  const file = shards.files.find(
    (one) => offset >= one.start && offset + byteLength <= one.start + one.source.byteLength,
  );
  const location = file && { file: file.path, offset: offset - file.start, byteLength };
  const base = { name, shape, dtype, ...(location && { location }) };
  if (quantization === undefined || quantization.dtype === "float16") {
    return { tensor: { ...base, read }, byteLength };
  }
  const { scale, min } = quantization;
  if (scale === undefined || min === undefined) {
    throw new FormatError("FORMAT_MALFORMED", "integers need a scale and a min", {
      path: [...path, "quantization"],
    });
  }
  // float64, as the numbers of the manifest are.
  const readScaled = async (): Promise<FloatArray> =>
    Float64Array.from(await read(), (value) => value * scale + min);
  const quantisation = `x ${scale} + ${min}`;
  return { tensor: { ...base, quantisation, read: readScaled }, byteLength };
}

const types: ReadonlyMap<string, DType> = new Map([
  ["float32", "float32"],
  ["float16", "float16"],
  ["int32", "int32"],
  ["uint16", "uint16"],
  ["uint8", "uint8"],
  ["bool", "bool"],
  ["complex64", "complex64"],
]);

function storedType(name: string, path: Path): DType {
  const dtype = types.get(name);
  if (dtype !== undefined) return dtype;
  throw new FormatError("FORMAT_UNSUPPORTED", `tensors of type ${name} are not read`, {
    path: [...path, "dtype"],
    hint: `Types read: ${[...types.keys()].join(", ")}.`,
  });
}

/** Bytes of [start, end) of the shards together; the span lies inside them. */
async function readSpan({ files }: Shards, start: number, end: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (const { source, start: first } of files) {
    const from = Math.max(start - first, 0);
    const to = Math.min(end - first, source.byteLength);
    if (from < to) parts.push(await source.slice(from, to));
  }
  const [only] = parts;
  if (parts.length === 1) return only!;
  const joined = new Uint8Array(end - start);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.byteLength;
  }
  return joined;
}

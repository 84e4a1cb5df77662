import type { ByteSource } from "../../bytes/source.ts";
import { FormatError } from "../../errors.ts";
import type { StoredTensor } from "../../model/model.ts";
import type { FloatArray } from "../../tensor/dtype.ts";
import { plainValues } from "../plainValues.ts";
import type { GgufTensor } from "./header.ts";
import type { GgmlType } from "./types.ts";

export type RoleFree = Omit<StoredTensor, "role">;

/** Null for a tensor whose values are not read. */
export function storedTensor(
  source: ByteSource,
  tensor: GgufTensor,
  file: string | null,
): RoleFree | null {
  const { name, shape, type, offset, byteLength } = tensor;
  if (type === null || byteLength === null) return null;
  const { dtype } = type;
  const place = { name, shape, dtype, location: { file, offset, byteLength } };
  if (type.elements === 1) return { ...place, ...plainValues(source, offset, { dtype, shape }) };
  if (type.dequantise === null) return null;
  return { ...place, quantisation: `ggml ${type.name}`, ...blockValues(source, tensor, type) };
}

/** A tensor that is named and counted alone. */
export function unreadTensor(source: ByteSource, { name, shape, ...tensor }: GgufTensor): RoleFree {
  const type = typeName(tensor);
  return {
    name,
    shape,
    dtype: tensor.type?.dtype ?? "uint8",
    quantisation: `ggml ${type}`,
    async read() {
      throw new FormatError("FORMAT_UNSUPPORTED", `values of type ${type} are not read`, {
        path: [source.name, name],
        hint: "Convert the tensor to another type: Q8_0, Q6_K and Q4_K are read.",
      });
    },
  };
}

export function typeName({ type, typeId }: Pick<GgufTensor, "type" | "typeId">): string {
  return type?.name ?? `number ${typeId}`;
}

type BlockValues = Pick<StoredTensor, "read" | "encode"> & Required<Pick<StoredTensor, "readSpan">>;

function blockValues(
  source: ByteSource,
  { name, count, offset, byteLength }: GgufTensor,
  { elements, bytes: size, dequantise, quantise }: GgmlType,
): BlockValues {
  /** Blocks [first, last). */
  const values = (bytes: Uint8Array): Float32Array => {
    const result = new Float32Array((bytes.byteLength / size) * elements);
    for (let at = 0, to = 0; at < bytes.byteLength; at += size, to += elements) {
      dequantise!(bytes, at, result, to);
    }
    return result;
  };
  const readSpan = async (start: number, end: number): Promise<FloatArray> => {
    const first = Math.floor(start / elements);
    const last = Math.ceil(end / elements);
    const blocks = values(await source.slice(offset + first * size, offset + last * size));
    return blocks.subarray(start - first * elements, end - first * elements);
  };
  const stored = (): Promise<Uint8Array> => source.slice(offset, offset + byteLength!);
  return {
    read: () => readSpan(0, count),
    readSpan,
    ...(quantise !== null && {
      /** A block whose values are the old ones keeps its bytes. */
      async encode(fresh: FloatArray) {
        const bytes = (await stored()).slice();
        const old = values(bytes);
        for (let at = 0, from = 0; at < bytes.byteLength; at += size, from += elements) {
          if (isSame(old, fresh, from, elements)) continue;
          try {
            quantise(fresh, from, bytes, at);
          } catch (cause) {
            if (!(cause instanceof FormatError)) throw cause;
            const { code, message, hint } = cause;
            throw new FormatError(code, message, { path: [source.name, name], hint: hint!, cause });
          }
        }
        return bytes;
      },
    }),
  };
}

function isSame(old: FloatArray, fresh: FloatArray, from: number, count: number): boolean {
  for (let i = from; i < from + count; i++) {
    if (old[i] !== fresh[i] && !(Number.isNaN(old[i]) && Number.isNaN(fresh[i]))) return false;
  }
  return true;
}

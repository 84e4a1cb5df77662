/** SparseTensorProto: values and where they stand; read as the dense tensor that it means. */
import type { ByteSource } from "../../bytes/source.ts";
import { packedVarints, signedValue, type ProtobufScan, type Span } from "../../bytes/protobuf.ts";
import { FormatError } from "../../errors.ts";
import { generatedLimit } from "./constant.ts";
import type { ErrorPath, TensorRecord } from "./schema.ts";
import { sameShape } from "../../tensor/shape.ts";
import { countOf, readTensorProto } from "./tensorProto.ts";

/** @throws {FormatError} `FORMAT_MALFORMED` where values, indices and shape disagree, `FORMAT_LIMIT` for a huge shape. */
export async function readSparseTensor(
  source: ByteSource,
  scan: ProtobufScan,
  { span, path, name }: { span: Span; path: ErrorPath; name?: string },
): Promise<TensorRecord | null> {
  const dims: number[] = [];
  const parts = new Map<number, TensorRecord | null>();
  await scan.fields(span, path, async (field) => {
    if (field.number === 1 || field.number === 2) {
      const inside = [...path, field.number === 1 ? "values" : "indices"];
      parts.set(field.number, await readTensorProto(source, scan, { span: field, path: inside }));
    } else if (field.number === 3) {
      if (field.wire === 0) dims.push(signedValue(field));
      else dims.push(...packedVarints(await scan.bytes(field), path));
    }
  });
  const values = parts.get(1);
  const indices = parts.get(2);
  if (values === null) return null;
  if (values === undefined || !indices) {
    throw new FormatError("FORMAT_MALFORMED", "a sparse tensor without values or indices", {
      path,
    });
  }
  return denseRecord({ values, indices, dims }, { path, name: name ?? values.name });
}

function denseRecord(
  parts: { values: TensorRecord; indices: TensorRecord; dims: number[] },
  { path, name }: { path: ErrorPath; name: string },
): TensorRecord {
  const { values, indices, dims } = parts;
  const count = countOf(dims, [...path, "dims"]);
  if (count > generatedLimit) {
    throw new FormatError("FORMAT_LIMIT", `a sparse tensor of ${count} elements`, { path });
  }
  const stored = values.shape[0] ?? 0;
  const isFlat = indices.shape.length === 1;
  const width = isFlat ? 1 : dims.length;
  const fits = isFlat
    ? sameShape(indices.shape, [stored])
    : sameShape(indices.shape, [stored, dims.length]);
  if (!fits || values.shape.length !== 1 || stored > count) {
    throw new FormatError("FORMAT_MALFORMED", "a sparse tensor's indices do not fit its values", {
      path,
    });
  }
  const unreadable = values.unreadable ?? indices.unreadable;
  const record = { name, dtype: values.dtype, shape: dims };
  if (unreadable !== undefined) return { ...record, unreadable, read: () => values.read() };
  return {
    ...record,
    async read() {
      const from = await values.read();
      const where = await indices.read();
      const dense = new (from.constructor as typeof Float64Array)(count);
      for (let i = 0; i < stored; i++) {
        let at = 0;
        for (let axis = 0; axis < width; axis++) {
          at = isFlat ? where[i]! : at * dims[axis]! + where[i * width + axis]!;
        }
        if (!(at >= 0 && at < count)) {
          throw new FormatError("FORMAT_MALFORMED", `index ${at} lies outside the tensor`, {
            path,
          });
        }
        dense[at] = from[i]!;
      }
      return dense;
    },
  };
}

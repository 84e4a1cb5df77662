/** SparseTensorProto: values and where they stand; read as the dense tensor that it means. */
import type { ByteSource } from "../../bytes/source.ts";
import { packedVarints, signedValue, type ProtobufScan, type Span } from "../../bytes/protobuf.ts";
import { FormatError } from "../../errors.ts";
import { generatedLimit } from "./constant.ts";
import type { ErrorPath, TensorRecord } from "./schema.ts";
import { countOf, readTensorProto } from "./tensorProto.ts";

/** @throws {FormatError} `FORMAT_MALFORMED` where values, indices and shape disagree, `FORMAT_LIMIT` for a huge shape. */
export async function readSparseTensor(
  source: ByteSource,
  scan: ProtobufScan,
  span: Span,
  path: ErrorPath,
): Promise<TensorRecord | null> {
  const dims: number[] = [];
  let values: TensorRecord | null = null;
  let indices: TensorRecord | null = null;
  await scan.fields(span, path, async (field) => {
    const inside = (name: string) => ({ span: field, path: [...path, name] });
    if (field.number === 1) values = await readTensorProto(source, scan, inside("values"));
    else if (field.number === 2) indices = await readTensorProto(source, scan, inside("indices"));
    else if (field.number === 3) {
      if (field.wire === 0) dims.push(signedValue(field));
      else dims.push(...packedVarints(await scan.bytes(field), path));
    }
  });
  if (values === null || indices === null) {
    throw new FormatError("FORMAT_MALFORMED", "a sparse tensor without values or indices", {
      path,
    });
  }
  return denseRecord({ values, indices, dims }, path);
}

function denseRecord(
  parts: { values: TensorRecord; indices: TensorRecord; dims: number[] },
  path: ErrorPath,
): TensorRecord {
  const { values, indices, dims } = parts;
  const count = countOf(dims, [...path, "dims"]);
  if (count > generatedLimit) {
    throw new FormatError("FORMAT_LIMIT", `a sparse tensor of ${count} elements`, { path });
  }
  const stored = values.shape[0] ?? 0;
  const isFlat = indices.shape.length === 1;
  if (indices.shape[0] !== stored || (!isFlat && indices.shape[1] !== dims.length)) {
    throw new FormatError("FORMAT_MALFORMED", "a sparse tensor's indices do not fit its values", {
      path,
    });
  }
  return {
    name: values.name,
    dtype: values.dtype,
    shape: dims,
    async read() {
      const from = await values.read();
      const where = await indices.read();
      const dense = new (from.constructor as typeof Float64Array)(count);
      const width = isFlat ? 1 : dims.length;
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

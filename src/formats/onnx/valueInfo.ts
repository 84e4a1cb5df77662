import {
  signedValue,
  type ProtobufField,
  type ProtobufScan,
  type Span,
} from "../../bytes/protobuf.ts";
import type { Dimension, ErrorPath, OnnxInput } from "./schema.ts";

/** ValueInfoProto: a name, and type (2) . tensor_type (1) . shape (2) . dim (1) . dim_value (1), where declared. */
export async function readValueInfo(
  scan: ProtobufScan,
  span: Span,
  path: ErrorPath,
): Promise<OnnxInput> {
  let name = "";
  let shape: Dimension[] | null = null;
  const inside = (
    field: ProtobufField,
    number: number,
    then: (inner: ProtobufField) => Promise<void>,
  ) =>
    scan.fields(field, path, async (inner) => {
      if (inner.number === number && inner.wire === 2) await then(inner);
    });
  await scan.fields(span, path, async (field) => {
    if (field.number === 1) name = await scan.text(field);
    if (field.number !== 2) return;
    await inside(field, 1, (tensorType) =>
      inside(tensorType, 2, async (shapeProto) => {
        const own: Dimension[] = (shape ??= []);
        await inside(shapeProto, 1, async (dimension) => {
          let size: Dimension = null;
          await scan.fields(dimension, path, (value) => {
            if (value.number === 1) size = positive(signedValue(value));
          });
          if (own.length < 64) own.push(size);
        });
      }),
    );
  });
  return { name, shape };
}

/** Exporters write 0 or -1 for a dimension that is not fixed. */
function positive(size: number): Dimension {
  return Number.isSafeInteger(size) && size > 0 ? size : null;
}

import {
  packedVarints,
  signedValue,
  type ProtobufField,
  type ProtobufScan,
  type Span,
} from "../../../bytes/protobuf.ts";
import { decodeTensor } from "../../../tensor/decode.ts";
import { byteLengthOf, type DType } from "../../../tensor/dtype.ts";

/** TensorFlow's numbers for element types, of those that a scalar may have. */
const dtypes: ReadonlyMap<number, DType> = new Map([
  [1, "float32"],
  [2, "float64"],
  [3, "int32"],
  [4, "uint8"],
  [5, "int16"],
  [6, "int8"],
  [9, "int64"],
  [14, "bfloat16"],
  [17, "uint16"],
  [19, "float16"],
  [22, "uint32"],
  [23, "uint64"],
]);

/** The fields of a TensorProto that hold values, and what is packed in them; `half_val` holds the bits of a half. */
const valueFields: ReadonlyMap<number, DType | "varint" | "bits"> = new Map([
  [5, "float32"],
  [6, "float64"],
  [7, "varint"],
  [10, "varint"],
  [13, "bits"],
  [16, "varint"],
  [17, "varint"],
]);

/**
 * The number in a TensorProto of one element; null for more elements and for texts.
 * Source: tensorflow/core/framework/tensor.proto: dtype 1, tensor_shape 2 { dim 2 { size 1 } }, tensor_content 4, values 5 to 17.
 */
export async function scalarOf(
  scan: ProtobufScan,
  span: Span,
  path: readonly (string | number)[],
): Promise<number | null> {
  let dtype: DType | undefined;
  let count = 1;
  let content: Uint8Array | null = null;
  let values: readonly number[] = [];
  await scan.fields(span, path, async (field) => {
    const { number, wire } = field;
    if (number === 1 && wire === 0) dtype = dtypes.get(field.low);
    else if (number === 2 && wire === 2) count = await elementsOf(scan, field, path);
    else if (number === 4 && wire === 2) content = await copyOf(scan, field);
    else values = [...values, ...((await valuesOf(scan, field, path)) ?? [])].slice(0, 2);
  });
  if (dtype === undefined || count !== 1) return null;
  if (content !== null && (content as Uint8Array).byteLength > 0) {
    const bytes: Uint8Array = content;
    if (bytes.byteLength !== byteLengthOf(dtype, 1)) return null;
    return decodeTensor(bytes, dtype, 1)[0]!;
  }
  // A value that is left out is zero.
  if (values.length > 1) return null;
  const [value = 0] = values;
  if (dtype !== "float16" && dtype !== "bfloat16") return value;
  const bits = new Uint8Array(Uint16Array.of(value).buffer);
  return decodeTensor(bits, dtype, 1)[0]!;
}

async function elementsOf(
  scan: ProtobufScan,
  shape: Span,
  path: readonly (string | number)[],
): Promise<number> {
  let count = 1;
  await scan.fields(shape, path, async (dim) => {
    if (dim.number !== 2 || dim.wire !== 2) return;
    let size = 0;
    await scan.fields(dim, path, (field) => {
      if (field.number === 1 && field.wire === 0) size = signedValue(field);
    });
    count *= size;
  });
  return count;
}

async function valuesOf(
  scan: ProtobufScan,
  field: ProtobufField,
  path: readonly (string | number)[],
): Promise<readonly number[] | null> {
  const kind = valueFields.get(field.number);
  if (kind === undefined) return null;
  if (field.wire === 0) return [signedValue(field)];
  if (field.end - field.start > 64) return [NaN, NaN];
  const bytes = await copyOf(scan, field);
  if (kind === "varint" || kind === "bits") return packedVarints(bytes, path);
  const size = byteLengthOf(kind, 1);
  if (bytes.byteLength % size !== 0) return null;
  return Array.from(decodeTensor(bytes, kind, bytes.byteLength / size));
}

async function copyOf(scan: ProtobufScan, span: Span): Promise<Uint8Array> {
  return (await scan.bytes(span)).slice();
}

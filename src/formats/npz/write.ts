import type { Piece } from "../../bytes/pieces.ts";
import { zipPieces } from "../../bytes/zipWrite.ts";
import { FormatError, ShapeError } from "../../errors.ts";
import type { Model } from "../../model/model.ts";
import { byteLengthOf, isFloat, type DType, type FloatArray } from "../../tensor/dtype.ts";
import { encodeTensor } from "../../tensor/encode.ts";
import { elementCount, type Shape } from "../../tensor/shape.ts";
import { npySignature } from "./npy.ts";

export interface NumpyTensor {
  readonly name: string;
  /** Types that NumPy does not have (bfloat16, float8, …) are written as float32. */
  readonly dtype: DType;
  readonly shape: Shape;
  read(): Promise<FloatArray>;
}

const codeOfType: ReadonlyMap<DType, string> = new Map([
  ["float64", "<f8"],
  ["float32", "<f4"],
  ["float16", "<f2"],
  ["int64", "<i8"],
  ["int32", "<i4"],
  ["int16", "<i2"],
  ["int8", "|i1"],
  ["uint64", "<u8"],
  ["uint32", "<u4"],
  ["uint16", "<u2"],
  ["uint8", "|u1"],
  ["bool", "|b1"],
]);

/**
 * An .npz archive as NumPy reads it: stored, row-major, little-endian; equal content gives equal bytes. Tensors are read one by one
 * as the pieces are. Memory: the largest tensor, twice.
 * @throws {UsageError} `USAGE_INVALID_OPTION` for a name that stands twice; {FormatError} `FORMAT_UNSUPPORTED` for a name that leads
 *   out of a folder; {ShapeError} `SHAPE_MISMATCH` when a tensor is read
 */
export function writeNpz(tensors: readonly NumpyTensor[]): readonly Piece[] {
  return zipPieces(
    tensors.map((tensor) => {
      const { name, dtype, shape } = tensor;
      const known = codeOfType.has(dtype) ? dtype : "float32";
      const header = npyHeader(known, shape);
      const count = elementCount(shape);
      return {
        name: `${name}.npy`,
        byteLength: header.byteLength + byteLengthOf(known, count),
        async make() {
          const values = await tensor.read();
          if (values.length !== count) {
            const message = `${values.length} values do not fill [${shape.join(", ")}]`;
            throw new ShapeError("SHAPE_MISMATCH", message, { path: [name] });
          }
          const bytes = encodeTensor(values, known);
          const file = new Uint8Array(header.byteLength + bytes.byteLength);
          file.set(header);
          file.set(bytes, header.byteLength);
          return file;
        },
      };
    }),
  );
}

/** Every floating tensor of a model under its own name; quantised weights as float32. Integer constants are left out. */
export function writeModelNpz(model: Model): readonly Piece[] {
  const kept = model.tensors.filter(({ dtype, quantisation }) => isFloat(dtype) || quantisation);
  return writeNpz(
    kept.map((tensor) => ({
      name: tensor.name,
      dtype: tensor.quantisation === undefined ? tensor.dtype : "float32",
      shape: tensor.shape,
      read: () => tensor.read(),
    })),
  );
}

/** Of NumPy's arrays. */
const maxDimensions = 64;

/** Format 1; the values begin at a multiple of 64 bytes, as NumPy has it. */
function npyHeader(dtype: DType, shape: Shape): Uint8Array {
  if (shape.length > maxDimensions) {
    throw new FormatError("FORMAT_UNSUPPORTED", `an array has no ${shape.length} dimensions`);
  }
  const dimensions = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const text = `{'descr': '${codeOfType.get(dtype)!}', 'fortran_order': False, 'shape': (${dimensions}), }`;
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10;
  const ascii = new TextEncoder().encode(`${text.padEnd(length - 1)}\n`);
  const bytes = new Uint8Array(10 + length);
  bytes.set([...npySignature, 1, 0, length & 255, length >> 8]);
  bytes.set(ascii, 10);
  return bytes;
}

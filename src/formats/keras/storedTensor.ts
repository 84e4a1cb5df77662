/** An array of an HDF5 file as a tensor. */
import { FormatError } from "../../errors.ts";
import type { StoredTensor } from "../../model/model.ts";
import { decodeTensor } from "../../tensor/decode.ts";
import { byteLengthOf, dtypes, type DType, type FloatArray } from "../../tensor/dtype.ts";
import { elementCount } from "../../tensor/shape.ts";
import type { KerasWeight } from "./storedWeights.ts";

const maxByteLength = 2 ** 32;

/** `place`: whether the file itself, as it lies on the disk, is what the array lies in. */
export function storedTensor(
  { name, array, noted, file = "" }: KerasWeight,
  { path, place }: { readonly path: readonly string[]; readonly place: boolean },
): Omit<StoredTensor, "role"> {
  const at = [...path, name];
  const dtype = dtypeOf(array.type === "opaque" ? noted : array.type, {
    path: at,
    title: array.title,
  });
  const { shape, location, isBigEndian } = array;
  const count = elementCount(shape);
  if (byteLengthOf(dtype, count) !== array.byteLength) {
    throw new FormatError("FORMAT_MALFORMED", `elements are not as wide as ${dtype} is`, {
      path: at,
    });
  }
  const readSpan = async (start: number, end: number): Promise<FloatArray> =>
    decodeTensor(await array.read(start, end), dtype, end - start);
  const isPlain = place && location !== null && (!isBigEndian || dtypes[dtype] === 1);
  return {
    name,
    dtype,
    shape,
    ...(isPlain
      ? { location: { file: file === "" ? null : file, ...location } }
      : { repackable: location !== null || array.dataset.layout.kind === "chunked" }),
    readSpan,
    async read() {
      if (array.byteLength <= maxByteLength) return readSpan(0, count);
      throw new FormatError("FORMAT_LIMIT", `${array.byteLength} bytes are not read at once`, {
        path: at,
      });
    },
  };
}

function dtypeOf(
  type: string | null,
  { path, title }: { readonly path: readonly string[]; readonly title: string },
): DType {
  if (type !== null && Object.hasOwn(dtypes, type)) return type as DType;
  throw new FormatError("FORMAT_UNSUPPORTED", `arrays of this type (${title}) are not read`, {
    path,
  });
}

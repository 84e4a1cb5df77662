import type { Piece } from "../bytes/pieces.ts";
import type { StoredTensor } from "../model/model.ts";
import { byteLengthOf, type DType } from "../tensor/dtype.ts";
import { encodeTensor } from "../tensor/encode.ts";
import { elementCount } from "../tensor/shape.ts";

/** A multiple of the elements that whole bytes hold, whatever the type. */
const spanElements = 2 ** 20;

/** A tensor's values as elements of `dtype`, made a span at a time while they are written. */
export function encodedPieces(tensor: StoredTensor, dtype: DType): readonly Piece[] {
  const count = elementCount(tensor.shape);
  const { readSpan } = tensor;
  if (readSpan === undefined || count <= spanElements) {
    const make = async (): Promise<Uint8Array> => encodeTensor(await tensor.read(), dtype);
    return [{ kind: "made", byteLength: byteLengthOf(dtype, count), make }];
  }
  return Array.from({ length: Math.ceil(count / spanElements) }, (_, span): Piece => {
    const start = span * spanElements;
    const end = Math.min(start + spanElements, count);
    return {
      kind: "made",
      byteLength: byteLengthOf(dtype, end - start),
      make: async () => encodeTensor(await readSpan(start, end), dtype),
    };
  });
}

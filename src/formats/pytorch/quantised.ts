/** Quantised tensors of torch: (q - zero point) * scale, of the whole tensor or along one axis. */
import { FormatError } from "../../errors.ts";
import type { StoredTensor } from "../../model/model.ts";
import type { FloatArray } from "../../tensor/dtype.ts";
import { encodeTensor } from "../../tensor/encode.ts";
import type { TensorRecord } from "./tensorRecord.ts";

export interface Steps {
  readonly title: string;
  /** Values of stored integers, the first of which is element `first`. */
  decode(stored: FloatArray, first: number): FloatArray;
  /** @throws {FormatError} `FORMAT_UNSUPPORTED` for values past the integers' range */
  readonly encode: (values: FloatArray) => Uint8Array;
}

/** Null for a tensor that is stored as it is meant. @throws {FormatError} `FORMAT_MALFORMED` */
export async function quantiserFor(
  record: TensorRecord,
  tensorOf: (record: TensorRecord) => Promise<Pick<StoredTensor, "read">>,
  path: readonly string[],
): Promise<Steps | null> {
  const { quantiser, shape, dtype } = record;
  if (quantiser === null) return null;
  if (quantiser.kind === "tensor") {
    const { scale, zeroPoint } = quantiser;
    return stepsOf({ dtype, per: "per tensor", at: () => 0 }, [scale], [zeroPoint]);
  }
  const numbers = async (own: TensorRecord | readonly number[]): Promise<ArrayLike<number>> =>
    isList(own) ? own : (await tensorOf(own)).read();
  const scales = await numbers(quantiser.scales);
  const zeroPoints = await numbers(quantiser.zeroPoints);
  const { axis } = quantiser;
  const channels = shape[axis];
  if (channels === undefined || scales.length !== channels || zeroPoints.length !== channels) {
    throw new FormatError("FORMAT_MALFORMED", "the scales do not fit the quantised axis", { path });
  }
  const inner = shape.slice(axis + 1).reduce((product, length) => product * length, 1);
  const at = (index: number): number => Math.floor(index / inner) % channels;
  return stepsOf({ dtype, per: `per channel of axis ${axis}`, at }, scales, zeroPoints);
}

function stepsOf(
  { dtype, per, at }: { dtype: TensorRecord["dtype"]; per: string; at: (index: number) => number },
  scales: ArrayLike<number>,
  zeroPoints: ArrayLike<number>,
): Steps {
  return {
    title: `(q - zero point) * scale, ${per}`,
    decode: (stored, first) =>
      Float64Array.from(stored, (q, i) => {
        const channel = at(first + i);
        return (q - zeroPoints[channel]!) * scales[channel]!;
      }),
    encode: (values) =>
      encodeTensor(
        Float64Array.from(values, (value, i) => {
          const channel = at(i);
          return value / scales[channel]! + zeroPoints[channel]!;
        }),
        dtype,
      ),
  };
}

function isList(own: TensorRecord | readonly number[]): own is readonly number[] {
  return Array.isArray(own);
}

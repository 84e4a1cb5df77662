/** Weights that an operator keeps several to a byte of a uint8 tensor, as the numbers that they are. */
import { decodeTensor } from "../../tensor/decode.ts";
import { bitsOf, byteSpanOf, type DType, type FloatArray } from "../../tensor/dtype.ts";
import { encodeTensor } from "../../tensor/encode.ts";
import { elementCount, type Shape } from "../../tensor/shape.ts";
import { spanOf, type Constant } from "./constant.ts";

/** The bytes of `data` as elements of `dtype`, the first in the lowest bits. Null where they do not fill `shape`. */
export function unpacked(data: Constant, dtype: DType, shape: Shape): Constant | null {
  const count = elementCount(shape);
  if (data.dtype !== "uint8" || elementCount(data.shape) * 8 !== count * bitsOf(dtype)) return null;
  const decode = (bytes: FloatArray, length: number): FloatArray =>
    decodeTensor(Uint8Array.from(bytes), dtype, length);
  const { encode, ...rest } = data;
  return {
    ...rest,
    dtype,
    shape,
    isUnpacked: true,
    ...(encode && {
      encode: (values: FloatArray) => encode(Float32Array.from(encodeTensor(values, dtype))),
    }),
    read: async () => decode(await data.read(), count),
    ...(data.readSpan && {
      async readSpan(start: number, end: number) {
        const { from, to, skip } = byteSpanOf(dtype, start, end);
        return decode(await spanOf(data, from, to), end - start + skip).subarray(skip);
      },
    }),
  };
}

/** Rows cut to their first `width` elements: a row is padded to whole blocks. */
export function cropped(data: Constant, width: number): Constant {
  const [rows, padded] = data.shape as [number, number];
  if (padded === width) return data;
  const count = rows * width;
  const { encode } = data;
  const placeOf = (i: number): number => Math.floor(i / width) * padded + (i % width);
  const crop = (values: FloatArray, start: number, end: number): FloatArray => {
    const own = values.slice(0, end - start);
    const first = placeOf(start);
    for (let i = start; i < end; i++) own[i - start] = values[placeOf(i) - first]!;
    return own;
  };
  return {
    ...data,
    shape: [rows, width],
    isUnpacked: true,
    read: async () => crop(await data.read(), 0, count),
    ...(data.readSpan && {
      async readSpan(start: number, end: number) {
        if (start === end) return new Float64Array(0);
        return crop(await spanOf(data, placeOf(start), placeOf(end - 1) + 1), start, end);
      },
    }),
    ...(encode && {
      async encode(values: FloatArray) {
        const whole = (await data.read()).slice();
        values.forEach((value, i) => (whole[placeOf(i)] = value));
        return encode(whole);
      },
    }),
  };
}

/** Codes of four bits, the first of a byte in its high half, that stand for the numbers of `book`. */
export function codebook(data: Constant, book: readonly number[], shape: Shape): Constant | null {
  const swapped = unpacked(swapHalves(data), "uint4", [2 * elementCount(data.shape)]);
  const count = elementCount(shape);
  if (swapped === null || Math.ceil(count / 2) !== elementCount(data.shape)) return null;
  const lookUp = (codes: FloatArray): FloatArray => codes.map((code) => book[code]!);
  return {
    ...swapped,
    shape,
    read: async () => lookUp((await swapped.read()).subarray(0, count)),
    ...(swapped.readSpan && {
      readSpan: async (start: number, end: number) => lookUp(await spanOf(swapped, start, end)),
    }),
    async encode(values) {
      const codes = (await swapped.read()).slice();
      values.forEach((value, i) => (codes[i] = nearestCode(book, value, codes[i]!)));
      const bytes = encodeTensor(codes, "uint4").map(swap);
      return data.encode ? data.encode(Float32Array.from(bytes)) : bytes;
    },
  };
}

/** The code of the nearest number; `old` where it stands for the same one. */
function nearestCode(book: readonly number[], value: number, old: number): number {
  let best = old;
  book.forEach((own, code) => {
    if (Math.abs(own - value) < Math.abs(book[best]! - value)) best = code;
  });
  return best;
}

const swap = (byte: number): number => ((byte << 4) | (byte >>> 4)) & 0xff;

function swapHalves(data: Constant): Constant {
  return {
    ...data,
    read: async () => (await data.read()).map(swap),
    ...(data.readSpan && {
      readSpan: async (start: number, end: number) => (await spanOf(data, start, end)).map(swap),
    }),
  };
}

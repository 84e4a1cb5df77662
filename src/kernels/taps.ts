/**
 * Tables that tell `contract` and `correlate` where a convolution's taps lie, in bytes, for the lane order `[channel][y][x][8]`.
 * Built once per shape; a dense layer is a convolution of 1 x 1 over an image of one pixel.
 */

/** One axis of a convolution. */
export interface ConvolutionAxis {
  /** Extent of the image. */
  readonly size: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  /** Extent of the output. */
  readonly outputs: number;
}

export interface Convolution {
  /** Channels of the image and of the output. */
  readonly channels: number;
  readonly filters: number;
  readonly y: ConvolutionAxis;
  readonly x: ConvolutionAxis;
}

/** For `contract`: four int32 per position, two per tap. */
export interface ContractTables {
  readonly positions: Int32Array;
  readonly taps: Int32Array;
}

/** A pixel of eight images. */
export const pixelBytes = 32;
/** Four float32. */
const tileTapBytes = 16;

/** Which kernel elements reach a position of an axis, and how far from its origin in the source each of them reads. */
interface Reach {
  readonly origin: number;
  readonly taps: readonly { readonly kernel: number; readonly offset: number }[];
}

/** Output from image: position o reads the image at o · stride - padding + k. */
export function forwardTables({ channels, y, x }: Convolution): ContractTables {
  const read = ({ size, kernel, stride, padding, outputs }: ConvolutionAxis): Reach[] =>
    Array.from({ length: outputs }, (_, o) => {
      const origin = o * stride - padding;
      const inside = range(kernel).filter((k) => origin + k >= 0 && origin + k < size);
      return { origin, taps: inside.map((k) => ({ kernel: k, offset: k })) };
    });
  return contractTables(read(y), read(x), {
    planes: channels,
    height: y.size,
    width: x.size,
    y,
    x,
  });
}

/** Image's gradient from the output's: pixel i hears from output o where o · stride = i + padding - k. */
export function backwardTables({ filters, y, x }: Convolution): ContractTables {
  const read = ({ size, kernel, stride, padding, outputs }: ConvolutionAxis): Reach[] =>
    Array.from({ length: size }, (_, i) => {
      const origin = Math.floor((i + padding) / stride);
      const taps = range(kernel)
        .map((k) => ({ kernel: k, offset: (i + padding - k) / stride - origin }))
        .filter(({ offset }) => Number.isInteger(offset))
        .filter(({ offset }) => origin + offset >= 0 && origin + offset < outputs);
      return { origin, taps };
    });
  const source = { planes: filters, height: y.outputs, width: x.outputs, y, x };
  return contractTables(read(y), read(x), source);
}

/**
 * For `correlate`: where the taps lie in an image that already carries its padding (`y.size + 2 y.padding` high and so on), filled
 * up to a multiple of four.
 */
export function correlateTaps({ channels, y, x }: Convolution): Int32Array {
  const height = y.size + 2 * y.padding;
  const width = x.size + 2 * x.padding;
  const taps: number[] = [];
  for (const channel of range(channels)) {
    for (const ky of range(y.kernel)) {
      for (const kx of range(x.kernel)) {
        taps.push(((channel * height + ky) * width + kx) * pixelBytes);
      }
    }
  }
  while (taps.length % 4 !== 0) taps.push(0);
  return Int32Array.from(taps);
}

interface Source {
  readonly planes: number;
  readonly height: number;
  readonly width: number;
  readonly y: ConvolutionAxis;
  readonly x: ConvolutionAxis;
}

/** Positions with the same taps share one list of them. */
function contractTables(
  rows: readonly Reach[],
  columns: readonly Reach[],
  source: Source,
): ContractTables {
  const positions: number[] = [];
  const taps: number[] = [];
  const lists = new Map<string, { readonly start: number; readonly count: number }>();
  const rowKeys = rows.map(({ taps }) => JSON.stringify(taps));
  const columnKeys = columns.map(({ taps }) => JSON.stringify(taps));
  rows.forEach((row, at) => {
    columns.forEach((column, across) => {
      const key = `${rowKeys[at]}${columnKeys[across]}`;
      let list = lists.get(key);
      if (list === undefined) {
        const start = taps.length;
        pushTaps(taps, row, column, source);
        list = { start: start * 4, count: (taps.length - start) / 2 };
        lists.set(key, list);
      }
      const origin = (row.origin * source.width + column.origin) * pixelBytes;
      positions.push((positions.length / 4) * pixelBytes, origin, list.start, list.count);
    });
  });
  return { positions: Int32Array.from(positions), taps: Int32Array.from(taps) };
}

function pushTaps(taps: number[], row: Reach, column: Reach, source: Source): void {
  const { planes, height, width, y, x } = source;
  for (const plane of range(planes)) {
    for (const down of row.taps) {
      for (const along of column.taps) {
        const pixel = (plane * height + down.offset) * width + along.offset;
        const tap = (plane * y.kernel + down.kernel) * x.kernel + along.kernel;
        taps.push(pixel * pixelBytes, tap * tileTapBytes);
      }
    }
  }
}

function range(length: number): number[] {
  return Array.from({ length }, (_, i) => i);
}

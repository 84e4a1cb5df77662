/** Quantised weights: (q - zero point) * scale, in float64. */
import { elementCount } from "../../tensor/shape.ts";
import type { Constant } from "./constant.ts";

/**
 * The real values of `data`. `scale` holds one number, one per index of `axis`, or one per block of `blockSize` along it;
 * null is 1, a zero point of null 0. Null where the shapes do not fit.
 */
export function dequantise(
  data: Constant,
  scale: Constant | null,
  zeroPoint: Constant | null,
  { axis, blockSize = 0 }: { axis: number; blockSize?: number },
): Constant | null {
  const { shape } = data;
  const size = shape[axis] ?? 1;
  const inner = elementCount(shape.slice(axis + 1));
  const groupOf = (parameter: Constant | null): ((i: number) => number) | null => {
    const count = parameter === null ? 1 : elementCount(parameter.shape);
    if (count === 1) return () => 0;
    if (blockSize === 0) return count === size ? (i) => Math.floor(i / inner) % size : null;
    const blocks = Math.ceil(size / blockSize);
    if (count !== (elementCount(shape) / Math.max(1, size)) * blocks) return null;
    return (i) => {
      const row = Math.floor(i / inner);
      const outer = Math.floor(row / size);
      return (outer * blocks + Math.floor((row % size) / blockSize)) * inner + (i % inner);
    };
  };
  const scaleAt = groupOf(scale);
  const zeroAt = groupOf(zeroPoint);
  if (scaleAt === null || zeroAt === null) return null;
  const isPerTensor = scale === null || elementCount(scale.shape) === 1;
  const per = isPerTensor
    ? "per tensor"
    : blockSize > 0
      ? `per ${blockSize} of axis ${axis}`
      : `per axis ${axis}`;
  const { location: _, ...rest } = data;
  return {
    ...rest,
    quantisation: `(q - zero point) * scale, ${scale === null ? "scale unknown" : per}`,
    async read() {
      const stored = await data.read();
      const scales = scale ? await scale.read() : [1];
      const zeros = zeroPoint ? await zeroPoint.read() : [0];
      const values = new Float64Array(stored.length);
      for (let i = 0; i < values.length; i++) {
        values[i] = (stored[i]! - zeros[zeroAt(i)]!) * scales[scaleAt(i)]!;
      }
      return values;
    },
  };
}

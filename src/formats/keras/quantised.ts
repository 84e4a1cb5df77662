/** Weights that Keras 3 quantised to eight bits: codes, and a scale for each output or each row, by which codes are divided. */
import { FormatError } from "../../errors.ts";
import type { StoredTensor } from "../../model/model.ts";
import { elementCount } from "../../tensor/shape.ts";
import type { KerasVariable } from "../kerasKernels.ts";

interface Coded {
  readonly codes: StoredTensor;
  readonly scales: StoredTensor;
  /** Elements that share a scale, one after the other. */
  readonly run: number;
}

/**
 * The tensors of one group, codes with a scale dequantised: the scale is the last vector behind them, as long as the axes behind
 * the first (a kernel) or as the first (an embedding).
 */
export function withScales(
  group: readonly StoredTensor[],
  variableOf: (tensor: StoredTensor) => KerasVariable,
): readonly StoredTensor[] {
  const codes = group.find(({ dtype, shape }) => dtype === "int8" && shape.length > 1);
  const scales = group.findLast(({ dtype }) => dtype.startsWith("float"));
  if (codes === undefined || scales === undefined || group.indexOf(scales) < group.indexOf(codes))
    return group;
  const count = elementCount(scales.shape);
  const all = elementCount(codes.shape);
  const isRows = variableOf(codes).variable === "embeddings";
  const own = isRows ? codes.shape[0]! : trailing(codes.shape, count);
  if (own !== count || count === 0) return group;
  const coded = { codes, scales, run: isRows ? all / count : 1 };
  return group.map((tensor): StoredTensor => {
    if (tensor === codes) return dequantised(coded);
    return tensor === scales ? { ...tensor, role: "normalisation" } : tensor;
  });
}

/** The count of elements in as many of the last axes as make `wanted`. */
function trailing(shape: readonly number[], wanted: number): number {
  let count = 1;
  for (const size of shape.slice(1).reverse()) {
    count *= size;
    if (count === wanted) return count;
  }
  return count;
}

function dequantised({ codes, scales, run }: Coded): StoredTensor {
  const scaled = async (start: number, end: number): Promise<Float32Array> => {
    const [values, divisors] = await Promise.all([
      codes.readSpan?.(start, end) ?? codes.read(),
      scales.read(),
    ]);
    const count = divisors.length;
    return Float32Array.from(
      values,
      (value, i) => value / divisors[Math.floor((start + i) / run) % count]!,
    );
  };
  return {
    ...codes,
    role: "weight",
    quantisation: `int8, ${run === 1 ? "a scale for each output" : "a scale for each row"}`,
    read: () => scaled(0, elementCount(codes.shape)),
    readSpan: scaled,
    async encode(values) {
      const factors = await scales.read();
      const bytes = Int8Array.from(values, (value, i) => {
        if (!Number.isFinite(value)) throw notFinite(codes.name);
        const code = Math.round(value * factors[Math.floor(i / run) % factors.length]!);
        return Math.max(-128, Math.min(127, code));
      });
      return new Uint8Array(bytes.buffer);
    },
  };
}

function notFinite(name: string): FormatError {
  return new FormatError("FORMAT_UNSUPPORTED", "eight bits hold no NaN and no infinity", {
    path: [name],
  });
}

/** Quantised groups: integers that stand for `value x scale + min`, and half floats. */
import { FormatError } from "../../errors.ts";
import type { DType, FloatArray } from "../../tensor/dtype.ts";
import { encodeTensor } from "../../tensor/encode.ts";

export interface Scaling {
  readonly dtype: "uint8" | "uint16";
  readonly scale: number;
  readonly min: number;
  /** True where the steps stand for whole numbers (int32). */
  readonly isWhole: boolean;
}

type Path = readonly (string | number)[];

/** In float64, as the numbers of the manifest are. */
export function dequantise(stored: FloatArray, { scale, min, isWhole }: Scaling): FloatArray {
  const values = new Float64Array(stored.length);
  for (let i = 0; i < stored.length; i++) {
    const value = stored[i]! * scale + min;
    values[i] = isWhole ? Math.round(value) : value;
  }
  return values;
}

/**
 * The nearest steps. @throws {FormatError} `FORMAT_UNSUPPORTED` for values that lie half a step or more beyond the last one, are
 * no numbers, or have no steps at all (a scale of 0).
 */
export function quantise(
  values: FloatArray,
  { dtype, scale, min }: Scaling,
  path: Path,
): Uint8Array {
  const last = dtype === "uint8" ? 255 : 65_535;
  const Steps = dtype === "uint8" ? Uint8Array : Uint16Array;
  const steps = new Steps(values.length);
  if (scale === 0 && values.length > 0) {
    throw refused("every step of this tensor is the same number, since its scale is 0", path);
  }
  for (let i = 0; i < values.length; i++) {
    const step = Math.round((values[i]! - min) / scale);
    if (!(step >= 0 && step <= last)) {
      const ends = [min, min + last * scale].sort((a, b) => a - b);
      throw refused(
        `${values[i]} at ${i} lies outside the steps of ${dtype}, ${ends[0]} to ${ends[1]}`,
        path,
      );
    }
    steps[i] = step;
  }
  return littleEndian(steps);
}

/**
 * Values of a type that is stored as it is meant.
 * @throws {FormatError} `FORMAT_UNSUPPORTED` for finite values that a float would round to infinity, and what `encodeTensor` refuses
 */
export function encodePlain(values: FloatArray, dtype: DType, path: Path): Uint8Array {
  const limit = dtype === "float16" ? 65_520 : dtype === "float32" ? 2 ** 128 - 2 ** 103 : Infinity;
  const at = values.findIndex((value) => Number.isFinite(value) && Math.abs(value) >= limit);
  if (at === -1) return encodeTensor(values, dtype);
  throw refused(`${values[at]} at ${at} is too large for ${dtype}`, path);
}

function refused(message: string, path: Path): FormatError {
  return new FormatError("FORMAT_UNSUPPORTED", message, {
    path,
    hint: "Keep the values within the range, or write the whole model as safetensors.",
  });
}

function littleEndian(steps: Uint8Array | Uint16Array): Uint8Array {
  if (steps instanceof Uint8Array) return steps;
  const bytes = new Uint8Array(steps.length * 2);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < steps.length; i++) view.setUint16(i * 2, steps[i]!, true);
  return bytes;
}

/** A value that is known without running the network: a stored tensor, or what constant folding made of some. */
import { FormatError } from "../../errors.ts";
import type { TensorLocation } from "../../model/model.ts";
import type { DType, FloatArray } from "../../tensor/dtype.ts";
import { elementCount, type Shape } from "../../tensor/shape.ts";
import type { NodeReader } from "./nodeReader.ts";
import type { TensorRecord } from "./schema.ts";

/** Elements that a file may have us make up: 256 MiB of float32. */
export const generatedLimit: number = 2 ** 26;

/** Cost of a constant at most: w * w, squared again and again, would double its own with each node. */
export const foldLimit: number = 4096;

export interface Constant {
  readonly kind: "constant";
  /** The stored tensor's name; `fold(a,b)` for what was computed from a and b. */
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
  readonly quantisation?: string;
  /** Set while the values are the file's own, in the file's own order. */
  readonly location?: TensorLocation;
  /** The stored tensors whose values it holds; indices, shapes and scales are not among them. */
  readonly records: readonly TensorRecord[];
  /** How many constants have to be read or computed for it, each use counted. */
  readonly cost: number;
  /** Set where `shape` and `dtype` are of the elements that a record of bytes holds. */
  readonly isUnpacked?: true;
  /** Reads, and folds, anew each time. */
  read(): Promise<FloatArray>;
  /** Elements [start, end), where they can be had alone. */
  readonly readSpan?: (start: number, end: number, room?: Float32Array) => Promise<FloatArray>;
  /** As `StoredTensor.encode`, of values in this order. */
  readonly encode?: (values: FloatArray) => Uint8Array | Promise<Uint8Array>;
}

export function constantOf(record: TensorRecord): Constant {
  const { name, dtype, shape, location, readSpan, encode } = record;
  return {
    kind: "constant",
    name,
    dtype,
    shape,
    ...(location && { location }),
    records: [record],
    cost: 1,
    read: () => record.read(),
    ...(readSpan && { readSpan }),
    ...(encode && { encode }),
  };
}

/** Elements [start, end): alone where they can be had so, else out of the whole. */
export async function spanOf(constant: Constant, start: number, end: number): Promise<FloatArray> {
  if (constant.readSpan !== undefined) return constant.readSpan(start, end);
  return (await constant.read()).subarray(start, end);
}

/** What folding makes of `inputs`: their names inside `fold(…)`, their records, no place in the file. */
export function foldedFrom(
  inputs: readonly Constant[],
  made: {
    dtype?: DType;
    shape: Shape;
    read: () => Promise<FloatArray>;
    readSpan?: Constant["readSpan"];
  },
): Constant {
  const quantisation = inputs.find((input) => input.quantisation !== undefined)?.quantisation;
  return {
    kind: "constant",
    name: `fold(${inputs.map((input) => input.name).join(",")})`,
    dtype: made.dtype ?? inputs[0]!.dtype,
    shape: made.shape,
    ...(quantisation !== undefined && { quantisation }),
    records: [...new Set(inputs.flatMap((input) => input.records))],
    cost: inputs.reduce((sum, input) => sum + input.cost, 1),
    read: made.read,
    ...(made.readSpan && { readSpan: made.readSpan }),
  };
}

/** Whole numbers of a small constant (a shape, a list of axes), or null where it is none. */
export async function integersOf(constant: Constant): Promise<number[] | null> {
  if (elementCount(constant.shape) > 4096) return null;
  const values = Array.from(await constant.read());
  return values.every((value) => Number.isInteger(value)) ? values : null;
}

export type Inputs = readonly (Constant | undefined)[];

/** What an operator makes of constants, one for each output where it has several; null: not folded. */
export type Fold = (
  node: NodeReader,
  inputs: Inputs,
) => Promise<Constant | readonly Constant[] | null>;

/** @throws {FormatError} `FORMAT_LIMIT`: a few bytes may announce any shape. */
export function checkGenerated(shape: Shape, node: NodeReader): void {
  const count = shape.reduce((a, b) => a * b, 1);
  if (count <= generatedLimit) return;
  throw new FormatError("FORMAT_LIMIT", `a constant of ${count} elements would have to be made`, {
    path: node.path,
    hint: `At most ${generatedLimit} elements are made up by folding.`,
  });
}

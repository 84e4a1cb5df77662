/** The parts of an ONNX file that the reader uses, as plain data: names as in onnx.proto, tensors as spans. */
import type { FloatArray } from "../../tensor/dtype.ts";
import type { DType } from "../../tensor/dtype.ts";
import type { Shape } from "../../tensor/shape.ts";
import type { TensorLocation } from "../../model/model.ts";

/** A dimension; null where it is symbolic or not known. */
export type Dimension = number | null;

export type ErrorPath = readonly (string | number)[];

/** A tensor with values of its own: an initializer, a `Constant`, or what a `ConstantOfShape` announces. */
export interface TensorRecord {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
  readonly location?: TensorLocation;
  /** Why its values are not read, `element type 99`; such a tensor is named and counted, and never a weight. */
  readonly unreadable?: string;
  read(): Promise<FloatArray>;
  readonly readSpan?: (start: number, end: number, room?: Float32Array) => Promise<FloatArray>;
  /** As `StoredTensor.encode`, where the values are stored in another way than as plain elements. */
  readonly encode?: (values: FloatArray) => Promise<Uint8Array>;
}

export interface OnnxAttribute {
  readonly name: string;
  /** Set inside a function: the calling node's attribute that stands here. */
  readonly reference: string;
  readonly float: number | null;
  readonly int: number | null;
  readonly text: string | null;
  readonly floats: readonly number[];
  readonly ints: readonly number[];
  /** Dense, or sparse; null also for a tensor of strings. */
  readonly tensor: TensorRecord | null;
  readonly graph: OnnxGraph | null;
}

export interface OnnxNode {
  readonly name: string;
  readonly opType: string;
  readonly domain: string;
  /** Which of several functions of one name is meant. */
  readonly overload: string;
  /** "" for an optional input that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, OnnxAttribute>;
}

export interface OnnxInput {
  readonly name: string;
  /** Null where the file declares no rank. */
  readonly shape: readonly Dimension[] | null;
}

export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly TensorRecord[];
  readonly inputs: readonly OnnxInput[];
  readonly outputs: readonly string[];
}

export interface OnnxFunction {
  readonly name: string;
  readonly domain: string;
  readonly overload: string;
  /** Attributes that a call may leave out. */
  readonly defaults: ReadonlyMap<string, OnnxAttribute>;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly nodes: readonly OnnxNode[];
}

export interface OnnxModel {
  readonly irVersion: number | null;
  readonly producer: string;
  readonly producerVersion: string;
  /** Version by domain; "" is ONNX's own. */
  readonly opsets: Readonly<Record<string, number>>;
  readonly properties: Readonly<Record<string, string>>;
  readonly graph: OnnxGraph;
  readonly functions: readonly OnnxFunction[];
  /** Every tensor that is stored, wherever it stands, in file order. */
  readonly tensors: readonly TensorRecord[];
  /** Tensors of strings, which hold no numbers. */
  readonly stringTensors: number;
}

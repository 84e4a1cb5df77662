/**
 * The first waist: every reader ends in a `Model`, every writer and rewriter starts from one. It holds no framework's ideas:
 * stored tensors, which of them are weights between neurons, and which neurons those are.
 */
import type { DType, FloatArray } from "../tensor/dtype.ts";
import type { WeightLayout } from "../tensor/layout.ts";
import type { Shape } from "../tensor/shape.ts";
import type { Geometry } from "./geometry.ts";
import type { Topology } from "./topology.ts";

/** What a stored tensor is for, as far as its reader could tell. */
export type TensorRole = "weight" | "bias" | "normalisation" | "constant" | "unknown";

export interface StoredTensor {
  readonly name: string;
  /** As stored, before any widening or dequantisation. */
  readonly dtype: DType;
  /** As stored. */
  readonly shape: Shape;
  readonly role: TensorRole;
  /** How integers become weights; absent when the tensor is stored as it is meant. */
  readonly quantisation?: string;
  /**
   * Name of an earlier tensor that is the same elements in the same order: tied weights. The file lists both, and they are one set
   * of parameters.
   */
  readonly sharesWith?: string;
  /** Where its bytes lie; absent when they were computed (folded constants) or are packed in a way that cannot be patched. */
  readonly location?: TensorLocation;
  /**
   * True where the bytes have no place of their own, but the format's writer can put new values into a copy all the same: a
   * packed entry of an archive, a compressed data set.
   */
  readonly repackable?: boolean;
  /** The values in stored order, dequantised. Reads the file each time: the caller keeps what it needs. Never to be changed. */
  read(): Promise<FloatArray>;
  /**
   * Elements [start, end) in stored order, dequantised, without the rest of the tensor being read. Absent where only the whole
   * can be had (packed entries, folded constants). A reader of plain float32 may put them into `room`, if it is given and long
   * enough, and answer with its beginning.
   */
  readonly readSpan?: (start: number, end: number, room?: Float32Array) => Promise<FloatArray>;
  /**
   * Stored bytes for values as `read` gives them, where that is more than rounding to `dtype`: to the nearest steps of a
   * quantised tensor. A quantised tensor without it cannot be changed in place. With it and without a `location`, the format
   * knows the place itself (`Format.patch`).
   * @throws {FormatError} `FORMAT_UNSUPPORTED` for values that it cannot hold
   */
  encode?(values: FloatArray): Uint8Array | Promise<Uint8Array>;
}

/** A span of little-endian elements of the tensor's own dtype. */
export interface TensorLocation {
  /** Relative path of the sibling file, or null for the model file itself. */
  readonly file: string | null;
  readonly offset: number;
  readonly byteLength: number;
}

/** The kinds of weight layer. `torch_*` are of files that name no operator: read by shape alone. */
export type WeightKind =
  | "dense"
  | "conv"
  | "conv_transpose"
  | "depthwise"
  | "pointwise"
  | "embedding"
  | "recurrent_W"
  | "recurrent_R"
  | "torch_dense"
  | "torch_conv";

/** A weight tensor between two layers of neurons. */
export interface WeightLayer {
  readonly name: string;
  /** The operator that reads it (`Conv`, `Gemm`, `_FusedConv2D`), or null when the file has no topology. */
  readonly op: string | null;
  readonly kind: WeightKind;
  readonly tensor: StoredTensor;
  /** Neurons that send, over all groups. */
  readonly in: number;
  /** Neurons that receive. */
  readonly out: number;
  readonly layout: WeightLayout;
  /** False where the file does not say which of the `in` neurons an input axis means (grouped convolutions). */
  readonly sendersKnown: boolean;
  /** Added to the receiving neurons, one number each; null where there is none. Absent: the file or its reader does not say. */
  readonly bias?: StoredTensor | null;
  /** What normalises the layer's outputs, its bias added, before anything else reads them. Absent: none, or not known. */
  readonly normalisation?: ChannelNormalisation;
}

/** y = scale (x - mean) / sqrt(variance + epsilon) + shift: a batch normalisation after training, one number per neuron each. */
export interface ChannelNormalisation {
  /** Null: 1. */
  readonly scale: StoredTensor | null;
  /** Null: 0. */
  readonly shift: StoredTensor | null;
  readonly mean: StoredTensor;
  readonly variance: StoredTensor;
  readonly epsilon: number;
  /** `name` where the file does not say which layer it follows, nor its epsilon: both are by custom. */
  readonly basis?: "name";
}

export interface ModelWarning {
  /** Stable, for programs: `TOPOLOGY_INFERRED`, `OPERATOR_UNKNOWN`. */
  readonly code: string;
  readonly message: string;
}

export interface Model {
  /** File or folder name. */
  readonly name: string;
  /** `onnx`, `safetensors`, `tfjs-layers`, `tfjs-graph`, `tfjs-manifest`, `matrix`, … */
  readonly format: string;
  readonly producer: string | null;
  /** Every tensor of the file that holds parameters or constants, in file order. */
  readonly tensors: readonly StoredTensor[];
  /** The tensors that connect neurons, in graph order; a tensor that is used twice stands here twice. */
  readonly layers: readonly WeightLayer[];
  readonly topology: Topology;
  /** How positions go through the network; absent where the file does not declare it. */
  readonly geometry?: Geometry;
  readonly warnings: readonly ModelWarning[];
  /** Names of the layers whose normalisation is in their weights, `foldNormalisation`. */
  readonly folded?: readonly string[];
  /** Free-form facts of the file: opset, `__metadata__`, … */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** Tensors as a pickle describes them: what torch would call to make one is read as the description that it is. */
import { bytesOf, PickleCall, PickleGlobal, type PickleValue } from "../../bytes/pickleValue.ts";
import { byteLengthOf, type DType } from "../../tensor/dtype.ts";
import { inlineStorage } from "./inlineStorage.ts";
import { isWhole, storageOf } from "./storageReference.ts";
import { numpyType, torchType } from "./torchTypes.ts";

export interface TensorRecord {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** In elements, as `offset`. */
  readonly strides: readonly number[];
  readonly offset: number;
  readonly data: TensorData;
  readonly quantiser: Quantiser | null;
}

export type TensorData =
  | { readonly kind: "storage"; readonly key: string }
  /** In the pickle itself: a NumPy array. */
  | { readonly kind: "pickled"; readonly bytes: PickleValue; readonly bigEndian: boolean }
  /** Only described: a tensor of torch's `meta` device. */
  | { readonly kind: "none" }
  /** `[axes, count]` of positions and as many values, or rows (or columns) compressed. */
  | { readonly kind: "sparse"; readonly layout: string; readonly parts: readonly TensorRecord[] };

/** Values are (q - zero point) * scale. */
type Quantiser =
  | { readonly kind: "tensor"; readonly scale: number; readonly zeroPoint: number }
  | {
      readonly kind: "channel";
      readonly axis: number;
      readonly scales: TensorRecord | readonly number[];
      readonly zeroPoints: TensorRecord | readonly number[];
    };

type Arguments = readonly (PickleValue | undefined)[];

/** Null for what is no tensor. `depth` bounds wrappers around wrappers. */
export function tensorRecord(value: PickleValue | undefined, depth = 0): TensorRecord | null {
  if (!(value instanceof PickleCall) || depth > 8) return null;
  const args: Arguments = Array.isArray(value.args) ? value.args : [];
  const { path } = value;
  const rebuilt = path === null ? undefined : rebuilders.get(path);
  return rebuilt === undefined ? null : rebuilt(args, value, depth);
}

type Rebuilder = (args: Arguments, call: PickleCall, depth: number) => TensorRecord | null;

const inner =
  (at: number): Rebuilder =>
  (args, _, depth) =>
    tensorRecord(args[at], depth + 1);
const viewed: Rebuilder = ([reference, offset, shape, strides]) =>
  viewOf({ reference, offset, shape, strides, dtype: null });
const described =
  (first: number): Rebuilder =>
  (args) => {
    const dtype = torchType(args[first]);
    const shape = args[first + 1];
    const isSound = dtype !== null && isWholeList(shape);
    return isSound ? { ...plain(dtype, shape), data: { kind: "none" } } : null;
  };
const typed: Rebuilder = ([callee, , args], _, depth) =>
  tensorRecord(new PickleCall(callee ?? null, args ?? null), depth + 1);
const array: Rebuilder = (_, { state }) => arrayOf(state);
const buffered: Rebuilder = ([bytes, type, shape, order]) =>
  pickledArray({ bytes, type, shape, isFortran: order === "F" });

const rebuilders: ReadonlyMap<string, Rebuilder> = new Map<string, Rebuilder>([
  ["torch._utils._rebuild_tensor", viewed],
  ["torch._utils._rebuild_tensor_v2", viewed],
  [
    "torch._utils._rebuild_tensor_v3",
    ([reference, offset, shape, strides, , , type]) =>
      unpaired(type, viewOf({ reference, offset, shape, strides, dtype: torchType(type) })),
  ],
  ["torch._utils._rebuild_qtensor", quantised],
  ["torch._utils._rebuild_parameter", inner(0)],
  ["torch._utils._rebuild_parameter_with_state", inner(0)],
  ["torch.nn.parameter.Parameter", inner(0)],
  ["torch.nn.parameter.Buffer", inner(0)],
  ["torch._tensor._rebuild_from_type", typed],
  ["torch._tensor._rebuild_from_type_v2", typed],
  ["torch._utils._rebuild_device_tensor_from_cpu_tensor", inner(0)],
  ["torch._utils._rebuild_device_tensor_from_numpy", inner(0)],
  ["torch._utils._rebuild_xla_tensor", inner(0)],
  ["torch._utils._rebuild_meta_tensor_no_storage", described(0)],
  ["torch._utils._rebuild_wrapper_subclass", described(1)],
  ["torch._utils._rebuild_sparse_tensor", sparse],
  ["torch._utils._rebuild_sparse_csr_tensor", sparse],
  ["numpy.core.multiarray._reconstruct", array],
  ["numpy._core.multiarray._reconstruct", array],
  ["numpy.core.numeric._frombuffer", buffered],
  ["numpy._core.numeric._frombuffer", buffered],
]);

function viewOf(view: {
  readonly reference: PickleValue | undefined;
  readonly offset: PickleValue | undefined;
  readonly shape: PickleValue | undefined;
  readonly strides: PickleValue | undefined;
  /** Of tensors on untyped storages. */
  readonly dtype: DType | null;
}): TensorRecord | null {
  const { reference, offset, dtype } = view;
  const stored = storageOf(reference);
  const inline = stored === null ? inlineStorage(reference) : null;
  const storage = stored ?? inline;
  const shape = sizesOf(view.shape);
  const strides = sizesOf(view.strides);
  if (storage === null || !isWhole(offset) || shape === null || strides === null) return null;
  const own = dtype ?? (storage.dtype === "untyped" ? null : storage.dtype);
  if (own === null || shape.length !== strides.length) return null;
  return {
    dtype: own,
    shape,
    strides,
    offset: offset + (stored?.offset ?? 0),
    data:
      inline === null
        ? { kind: "storage", key: stored?.key ?? "" }
        : { kind: "pickled", bytes: inline.bytes, bigEndian: false },
    quantiser: null,
  };
}

/** Two 4-bit numbers are one element of `torch.float4_e2m1fn_x2`, the first in the lower bits. */
function unpaired(type: PickleValue | undefined, view: TensorRecord | null): TensorRecord | null {
  const isPaired = type instanceof PickleGlobal && type.path === "torch.float4_e2m1fn_x2";
  if (!isPaired || view === null || view.shape.length === 0) return view;
  const last = view.shape.length - 1;
  return {
    ...view,
    shape: view.shape.with(last, view.shape[last]! * 2),
    strides: view.strides.map((stride, axis) => (axis === last ? stride : stride * 2)),
    offset: view.offset * 2,
  };
}

function quantised(args: Arguments): TensorRecord | null {
  const [reference, offset, shape, strides, parameters] = args;
  const view = viewOf({ reference, offset, shape, strides, dtype: null });
  const quantiser = quantiserOf(parameters);
  return view && quantiser && { ...view, quantiser };
}

/** `(per_tensor_affine, scale, zero point)` or `(per_channel_affine, scales, zero points, axis)` */
function quantiserOf(value: PickleValue | undefined): Quantiser | null {
  const [, scale, zeroPoint, axis] = Array.isArray(value) ? value : [];
  if (typeof scale === "number" && typeof zeroPoint === "number") {
    return { kind: "tensor", scale, zeroPoint };
  }
  const scales = numbersOrTensor(scale);
  const zeroPoints = numbersOrTensor(zeroPoint);
  if (scales === null || zeroPoints === null || !isWhole(axis)) return null;
  return { kind: "channel", axis, scales, zeroPoints };
}

function numbersOrTensor(value: PickleValue | undefined): TensorRecord | number[] | null {
  const isNumbers = Array.isArray(value) && value.every((own) => typeof own === "number");
  return isNumbers ? value : tensorRecord(value, 1);
}

/** `(layout, (indices, values, size))`, or `(layout, (compressed indices, plain indices, values, size))` */
function sparse([layout, data]: Arguments): TensorRecord | null {
  const [named] = layout instanceof PickleCall && Array.isArray(layout.args) ? layout.args : [];
  if (typeof named !== "string" || !Array.isArray(data)) return null;
  const partCount = named === "torch.sparse_coo" ? 2 : 3;
  const parts = data.slice(0, partCount).map((part) => tensorRecord(part, 1));
  const shape = sizesOf(data[partCount]);
  const values = parts.at(-1);
  if (shape === null || !values || !parts.every((part) => part !== null)) return null;
  return { ...plain(values.dtype, shape), data: { kind: "sparse", layout: named, parts } };
}

/** State of a NumPy array: `(version, shape, dtype, is Fortran, bytes)` */
function arrayOf(state: PickleValue | undefined): TensorRecord | null {
  if (!Array.isArray(state) || state.length < 4) return null;
  const [shape, type, isFortran, bytes] = state.slice(-4);
  return pickledArray({ bytes, type, shape, isFortran: isFortran === true || isFortran === 1 });
}

function pickledArray(own: {
  readonly bytes: PickleValue | undefined;
  readonly type: PickleValue | undefined;
  readonly shape: PickleValue | undefined;
  readonly isFortran: boolean;
}): TensorRecord | null {
  const type = numpyType(own.type);
  const { bytes, shape, isFortran } = own;
  const isData = bytes instanceof Uint8Array || typeof bytes === "string";
  const isEncoded = bytes instanceof PickleCall && bytes.path === "_codecs.encode";
  if (type === null || !isWholeList(shape) || bytes === undefined) return null;
  if (!(isData || isEncoded) || !fills(bytes, type.dtype, shape)) return null;
  return {
    ...plain(type.dtype, shape, isFortran),
    data: { kind: "pickled", bytes, bigEndian: type.bigEndian },
  };
}

/** An array fills its bytes; text that stands for bytes may have fewer characters than these. */
function fills(bytes: PickleValue, dtype: DType, shape: readonly number[]): boolean {
  const length = pickledLength(bytes);
  const needed = byteLengthOf(
    dtype,
    shape.reduce((product, size) => product * size, 1),
  );
  return typeof bytes === "string" ? needed >= length && needed <= 3 * length : needed === length;
}

/** Bytes of a NumPy array in the pickle. */
export function pickledBytes(data: TensorData & { kind: "pickled" }): Uint8Array {
  return bytesOf(data.bytes) ?? new Uint8Array(0);
}

/** At most so many bytes are in it. */
export function pickledLength(bytes: PickleValue): number {
  const [text] = bytes instanceof PickleCall && Array.isArray(bytes.args) ? bytes.args : [bytes];
  return text instanceof Uint8Array || typeof text === "string" ? text.length : 0;
}

function plain(
  dtype: DType,
  shape: readonly number[],
  isFortran = false,
): Omit<TensorRecord, "data"> {
  const strides = new Array<number>(shape.length).fill(1);
  let stride = 1;
  for (let i = 0; i < shape.length; i++) {
    const axis = isFortran ? i : shape.length - 1 - i;
    strides[axis] = stride;
    stride *= Math.max(1, shape[axis]!);
  }
  return { dtype, shape, strides, offset: 0, quantiser: null };
}

/** A tuple of sizes, or `torch.Size` of one. */
function sizesOf(value: PickleValue | undefined): number[] | null {
  const isSize = value instanceof PickleCall && value.path === "torch.Size";
  const [inside] = isSize && Array.isArray(value.args) ? value.args : [value];
  return isWholeList(inside) ? inside : null;
}

function isWholeList(value: PickleValue | undefined): value is number[] {
  return Array.isArray(value) && value.length <= maxAxes && value.every(isWhole);
}

/** Of NumPy and of torch. */
const maxAxes = 64;

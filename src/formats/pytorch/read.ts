import {
  PickleCall,
  PickleGlobal,
  PicklePersistent,
  type PickleValue,
} from "../../bytes/pickle.ts";
import type { ByteSource } from "../../bytes/source.ts";
import { startsWith } from "../../bytes/startsWith.ts";
import { openZip, zipSignature } from "../../bytes/zip.ts";
import { FormatError } from "../../errors.ts";
import type { Model } from "../../model/model.ts";
import { decodeTensor } from "../../tensor/decode.ts";
import { byteLengthOf, type DType, type FloatArray } from "../../tensor/dtype.ts";
import { elementCount } from "../../tensor/shape.ts";
import type { Format } from "../format.ts";
import { stateDictModel, type StateDict } from "../stateDict.ts";
import { legacySignature, openArchive, openLegacy, type TorchStorages } from "./storages.ts";

type Tensor = StateDict["tensors"][number];

/**
 * Reads a state dict that torch.save wrote, as a zip archive or in the older layout. The pickle is read as data: no class in it
 * is ever imported, no function called. A state dict inside a checkpoint (`state_dict`, `model`, …) is found.
 * @throws {FormatError} `FORMAT_MALFORMED`, `FORMAT_TRUNCATED`, `FORMAT_LIMIT`, `FORMAT_UNSUPPORTED` for whole pickled modules
 */
export async function readPytorch(source: ByteSource): Promise<Model> {
  const head = await source.slice(0, Math.min(4, source.byteLength));
  const storages = startsWith(head, zipSignature)
    ? await openArchive(source)
    : await openLegacy(source, elementSizesOf);
  const tensors = [...(findStateDict(storages.root, 0) ?? [])].flatMap(
    ([name, value]): Tensor[] => {
      const rebuilt = rebuiltOf(value);
      const isNamed = rebuilt !== null && typeof name === "string";
      return isNamed ? [tensorOf(name, rebuilt, { storages, source })] : [];
    },
  );
  if (tensors.length === 0) {
    throw new FormatError("FORMAT_UNSUPPORTED", "the file holds no state dict", {
      path: [source.name],
      hint: "Save weights alone: torch.save(model.state_dict(), path), or use safetensors.",
    });
  }
  return stateDictModel({ name: source.name, format: "pytorch", tensors, metadata: {} });
}

/** A tensor as the pickle describes it. */
interface Rebuilt {
  readonly key: string;
  readonly dtype: DType;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

const dtypeOfStorage: ReadonlyMap<string, DType> = new Map([
  ["torch DoubleStorage", "float64"],
  ["torch FloatStorage", "float32"],
  ["torch HalfStorage", "float16"],
  ["torch BFloat16Storage", "bfloat16"],
  ["torch LongStorage", "int64"],
  ["torch IntStorage", "int32"],
  ["torch ShortStorage", "int16"],
  ["torch CharStorage", "int8"],
  ["torch ByteStorage", "uint8"],
  ["torch BoolStorage", "bool"],
]);

/** Null for what is no tensor. */
function rebuiltOf(value: PickleValue | undefined): Rebuilt | null {
  if (!(value instanceof PickleCall) || !(value.callee instanceof PickleGlobal)) return null;
  const args = Array.isArray(value.args) ? value.args : [];
  if (value.callee.name === "torch._utils _rebuild_parameter") return rebuiltOf(args[0]);
  if (!/^torch\._utils _rebuild_tensor(_v2)?$/.test(value.callee.name)) return null;
  const [reference, offset, shape, strides] = args;
  const storage = storageOf(reference);
  if (storage === null || !isWhole(offset) || !isWholeList(shape) || !isWholeList(strides))
    return null;
  return shape.length === strides.length ? { ...storage, offset, shape, strides } : null;
}

/** `("storage", FloatStorage, key, device, count)` */
function storageOf(reference: PickleValue | undefined): { key: string; dtype: DType } | null {
  const id = reference instanceof PicklePersistent ? reference.id : null;
  const [, type, key] = Array.isArray(id) ? id : [];
  const dtype = type instanceof PickleGlobal ? dtypeOfStorage.get(type.name) : undefined;
  return dtype === undefined || typeof key !== "string" ? null : { key, dtype };
}

const maxDepth = 8;
const customary = ["state_dict", "model_state_dict", "model", "net", "params", "weights"];

/** The first dictionary that holds tensors by name: the customary keys first, so that an optimiser's state is not taken. */
function findStateDict(
  value: PickleValue,
  depth: number,
): ReadonlyMap<PickleValue, PickleValue> | null {
  if (!(value instanceof Map) || depth > maxDepth) return null;
  if ([...value.values()].some((entry) => rebuiltOf(entry) !== null)) return value;
  const inner = [...customary.map((key) => value.get(key) ?? null), ...value.values()];
  for (const entry of inner) {
    const found = findStateDict(entry, depth + 1);
    if (found !== null) return found;
  }
  return null;
}

/** Element size of each storage that anything in `root` names. */
function elementSizesOf(root: PickleValue): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>();
  const seen = new Set<PickleValue>();
  const open: PickleValue[] = [root];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value !== "object" || value === null || seen.has(value)) continue;
    seen.add(value);
    const storage = storageOf(value);
    if (storage !== null) sizes.set(storage.key, byteLengthOf(storage.dtype, 1));
    else if (Array.isArray(value)) open.push(...value);
    else if (value instanceof Map) open.push(...value.values());
    else if (value instanceof PickleCall) open.push(value.args);
  }
  return sizes;
}

function tensorOf(
  name: string,
  { key, dtype, offset, shape, strides }: Rebuilt,
  { storages, source }: { storages: TorchStorages; source: ByteSource },
): Tensor {
  const path = [source.name, name];
  const size = byteLengthOf(dtype, 1);
  const stored = storages.byteLength(key);
  if (stored === null) {
    throw new FormatError("FORMAT_TRUNCATED", `its storage ${key} is not in the file`, { path });
  }
  const isEmpty = shape.includes(0);
  const last = shape.reduce((sum, length, axis) => sum + (length - 1) * strides[axis]!, offset);
  if (!isEmpty && (!Number.isSafeInteger(last) || (last + 1) * size > stored)) {
    throw new FormatError("FORMAT_MALFORMED", "the tensor reaches past its storage", { path });
  }
  const count = isEmpty ? 0 : shape.reduce((product, length) => product * length, 1);
  if (count * size > stored) {
    throw new FormatError("FORMAT_UNSUPPORTED", "an expanded tensor repeats its storage", { path });
  }
  const begin = offset * size;
  const end = isEmpty ? begin : (last + 1) * size;
  const isPlain = rowMajor(shape, strides);
  const base = storages.offset(key);
  const location =
    isPlain && base !== null ? { file: null, offset: base + begin, byteLength: end - begin } : null;
  return {
    name,
    dtype,
    shape,
    ...(location && { location }),
    async read() {
      const bytes = await storages.read(key, begin, end);
      const values = decodeTensor(bytes, dtype, (end - begin) / size);
      return isPlain ? values : gather(values, shape, strides);
    },
  };
}

function rowMajor(shape: readonly number[], strides: readonly number[]): boolean {
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== stride) return false;
    stride *= shape[axis]!;
  }
  return true;
}

/** Elements in row-major order out of a storage with other strides (a transposed matrix, channels last). */
function gather(
  values: FloatArray,
  shape: readonly number[],
  strides: readonly number[],
): FloatArray {
  const result = new (values.constructor as new (length: number) => FloatArray)(
    elementCount(shape),
  );
  const index = new Array<number>(shape.length).fill(0);
  let from = 0;
  for (let i = 0; i < result.length; i++) {
    result[i] = values[from]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return result;
}

function isWhole(value: PickleValue | undefined): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isWholeList(value: PickleValue | undefined): value is number[] {
  return Array.isArray(value) && value.every(isWhole);
}

export const pytorch: Format = {
  id: "pytorch",
  title: "PyTorch state dict",
  async recognises(head, source) {
    if (startsWith(head, legacySignature)) return true;
    if (!startsWith(head, zipSignature)) return false;
    try {
      return (await openZip(source)).some(({ name }) => /(^|\/)data\.pkl$/.test(name));
    } catch {
      return false;
    }
  },
  read: readPytorch,
};

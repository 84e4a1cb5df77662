/** A storage inside a pickle: Python's own pickle module, given tensors, puts a whole legacy file in place of each storage. */
import { readPickle } from "../../bytes/pickle.ts";
import { bytesOf, PickleCall, type PickleValue } from "../../bytes/pickleValue.ts";
import { isWeightGraphError } from "../../errors.ts";
import { byteLengthOf, type DType } from "../../tensor/dtype.ts";
import { storageOf } from "./storageReference.ts";

export interface InlineStorage {
  readonly bytes: Uint8Array;
  readonly dtype: DType | "untyped";
}

/** By what is loaded, so that nothing is read twice. */
const read = new WeakMap<Uint8Array | PickleCall, InlineStorage | null>();

/** `torch.storage._load_from_bytes(…)`; null for anything else, and for bytes that hold no storage. */
export function inlineStorage(value: PickleValue | undefined): InlineStorage | null {
  if (!(value instanceof PickleCall) || value.path !== "torch.storage._load_from_bytes")
    return null;
  const [file] = Array.isArray(value.args) ? value.args : [];
  if (!(file instanceof Uint8Array || file instanceof PickleCall)) return null;
  const known = read.get(file);
  if (known !== undefined) return known;
  const storage = legacyStorage(bytesOf(file));
  read.set(file, storage);
  return storage;
}

/** Magic number, version, machine, the storage, its key; then the count of its elements, and these. */
function legacyStorage(file: Uint8Array | null): InlineStorage | null {
  if (file === null) return null;
  try {
    let at = 0;
    const pickles = Array.from({ length: 5 }, () => {
      const { value, end } = readPickle(file, at, []);
      at = end;
      return value;
    });
    const storage = storageOf(pickles[3]);
    if (storage === null || at + 8 > file.byteLength) return null;
    const view = new DataView(file.buffer, file.byteOffset + at, 8);
    const size = storage.dtype === "untyped" ? 1 : byteLengthOf(storage.dtype, 1);
    const byteLength = Number(view.getBigUint64(0, true)) * size;
    if (byteLength > file.byteLength - at - 8) return null;
    return { bytes: file.subarray(at + 8, at + 8 + byteLength), dtype: storage.dtype };
  } catch (error) {
    if (isWeightGraphError(error)) return null;
    throw error;
  }
}

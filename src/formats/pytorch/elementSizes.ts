import { PickleCall, type PickleValue } from "../../bytes/pickleValue.ts";
import { byteLengthOf } from "../../tensor/dtype.ts";
import { storageOf } from "./storageReference.ts";

/** Bytes of an element of each storage that anything in `root` names. */
export function elementSizesOf(root: PickleValue): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>();
  const seen = new Set<PickleValue>();
  const open: PickleValue[] = [root];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value !== "object" || value === null || seen.has(value)) continue;
    seen.add(value);
    const storage = storageOf(value);
    if (storage !== null) {
      sizes.set(storage.key, storage.dtype === "untyped" ? 1 : byteLengthOf(storage.dtype, 1));
    } else if (Array.isArray(value)) for (const own of value) open.push(own);
    else if (value instanceof Map) for (const own of value.values()) open.push(own);
    else if (value instanceof PickleCall) {
      open.push(value.args, value.state ?? null, value.items, value.entries);
    }
  }
  return sizes;
}

/** How a pickle refers to the data of a tensor. */
import { PicklePersistent, type PickleValue } from "../../bytes/pickleValue.ts";
import type { DType } from "../../tensor/dtype.ts";
import { storageType } from "./torchTypes.ts";

export interface StorageReference {
  readonly key: string;
  readonly dtype: DType | "untyped";
  /** In elements, of a view on the storage itself (before torch 0.4). */
  readonly offset: number;
}

/** `("storage", FloatStorage, key, device, count, view)` */
export function storageOf(reference: PickleValue | undefined): StorageReference | null {
  const id = reference instanceof PicklePersistent ? reference.id : null;
  if (!Array.isArray(id)) return null;
  const [, type, key, , , view] = id;
  const dtype = storageType(type);
  if (dtype === null || (typeof key !== "string" && typeof key !== "number")) return null;
  const offset = Array.isArray(view) ? view[1] : 0;
  return isWhole(offset) ? { key: String(key), dtype, offset } : null;
}

export function isWhole(value: PickleValue | undefined): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Element types by the names that torch and NumPy give them inside a pickle. */
import { PickleCall, PickleGlobal, type PickleValue } from "../../bytes/pickleValue.ts";
import type { DType } from "../../tensor/dtype.ts";
import { numpyTypes } from "../numpyTypes.ts";

/** `torch.FloatStorage` and the like; a storage of another device has the same name elsewhere. */
const byStorage: ReadonlyMap<string, DType> = new Map<string, DType>([
  ["Double", "float64"],
  ["Float", "float32"],
  ["Half", "float16"],
  ["BFloat16", "bfloat16"],
  ["Long", "int64"],
  ["Int", "int32"],
  ["Short", "int16"],
  ["Char", "int8"],
  ["Byte", "uint8"],
  ["Bool", "bool"],
  ["ComplexFloat", "complex64"],
  ["ComplexDouble", "complex128"],
  ["QInt8", "int8"],
  ["QUInt8", "uint8"],
  ["QInt32", "int32"],
  ["QUInt4x2", "uint4"],
  ["QUInt2x4", "uint2"],
]);

/** `torch.float32` and the like. */
const byDtype: ReadonlyMap<string, DType> = new Map<string, DType>([
  ["double", "float64"],
  ["float", "float32"],
  ["half", "float16"],
  ["long", "int64"],
  ["int", "int32"],
  ["short", "int16"],
  ["cfloat", "complex64"],
  ["cdouble", "complex128"],
  ["float8_e4m3fn", "float8_e4m3"],
  ["float8_e5m2", "float8_e5m2"],
  ["float8_e4m3fnuz", "float8_e4m3fnuz"],
  ["float8_e5m2fnuz", "float8_e5m2fnuz"],
  ["float8_e8m0fnu", "float8_e8m0"],
  ["float4_e2m1fn_x2", "float4_e2m1"],
  ["qint8", "int8"],
  ["quint8", "uint8"],
  ["qint32", "int32"],
  ["quint4x2", "uint4"],
  ["quint2x4", "uint2"],
  ["float64", "float64"],
  ["float32", "float32"],
  ["float16", "float16"],
  ["bfloat16", "bfloat16"],
  ["int64", "int64"],
  ["int32", "int32"],
  ["int16", "int16"],
  ["int8", "int8"],
  ["uint64", "uint64"],
  ["uint32", "uint32"],
  ["uint16", "uint16"],
  ["uint8", "uint8"],
  ["bool", "bool"],
  ["complex64", "complex64"],
  ["complex128", "complex128"],
]);

/** Element type of a storage class; `untyped` where its tensors say it, null for what is no storage. */
export function storageType(value: PickleValue | undefined): DType | "untyped" | null {
  if (!(value instanceof PickleGlobal)) return null;
  const match = /^torch(?:\.\w+)*\.(\w+)Storage$/.exec(value.path);
  if (match === null) return null;
  if (match[1] === "Untyped" || match[1] === "_Untyped") return "untyped";
  return byStorage.get(match[1]!) ?? null;
}

/** `torch.bfloat16`, null for what is no element type. */
export function torchType(value: PickleValue | undefined): DType | null {
  if (!(value instanceof PickleGlobal) || value.module !== "torch") return null;
  return byDtype.get(value.name) ?? null;
}

/** A pickled `numpy.dtype`; null for text, objects and records. */
export function numpyType(
  value: PickleValue | undefined,
): { readonly dtype: DType; readonly bigEndian: boolean } | null {
  if (!(value instanceof PickleCall) || value.path !== "numpy.dtype") return null;
  const [code] = Array.isArray(value.args) ? value.args : [];
  const order = Array.isArray(value.state) ? value.state[1] : "<";
  const dtype =
    code instanceof PickleGlobal
      ? code.module === "ml_dtypes" && byDtype.get(code.name)
      : typeof code === "string" && numpyTypes.get(code.replace(/^[<>=|]/, ""));
  return dtype ? { dtype, bigEndian: order === ">" } : null;
}

/** What a manifest of raw dumps says, in the ways that it is written. */
import { FormatError } from "../../errors.ts";
import { byteLengthOf, type DType } from "../../tensor/dtype.ts";
import type { Shape } from "../../tensor/shape.ts";
import { checkedCount } from "../checkedCount.ts";
import { isJsonObject } from "../strictJson.ts";

export interface RawEntry {
  readonly name: string;
  readonly file: string;
  readonly dtype: DType;
  readonly shape: Shape;
  /** In bytes; null where the manifest does not say. */
  readonly offset: number | null;
  readonly byteLength: number;
}

type Json = Readonly<Record<string, unknown>>;
type Path = readonly (string | number)[];

const fileKeys = ["filename", "file", "path", "data_file", "dataFile", "bin", "url", "uri"];
const shapeKeys = ["shape", "dims", "dimensions"];
const offsetKeys = ["offset", "byte_offset", "byteOffset"];
const lengthKeys = ["byteLength", "byte_length", "nbytes", "byte_size"];
const listKeys = ["tensors", "weights", "parameters", "params", "arrays", "variables", "layers"];

const dtypeOfName: ReadonlyMap<string, DType> = new Map<string, DType>([
  ...names("float64", "f8 <f8 f64 double"),
  ...names("float32", "f4 <f4 f32 fp32 float single"),
  ...names("float16", "f2 <f2 f16 fp16 half"),
  ...names("bfloat16", "bf16"),
  ...names("int64", "i8 <i8 i64 long"),
  ...names("int32", "i4 <i4 i32 int"),
  ...names("int16", "i2 <i2 i16 short"),
  ...names("int8", "i1 |i1 char"),
  ...names("uint64", "u8 <u8 u64"),
  ...names("uint32", "u4 <u4 u32"),
  ...names("uint16", "u2 <u2 u16"),
  ...names("uint8", "u1 |u1 byte"),
  ...names("bool", "b1 |b1 boolean"),
]);

function names(dtype: DType, others: string): [string, DType][] {
  return [dtype, ...others.split(" ")].map((name) => [name, dtype]);
}

/** True where at least one entry gives a file and a shape. */
export function isRawManifest(json: unknown): boolean {
  const found = listed(json);
  return (found?.entries ?? []).some(([, entry]) => {
    const said = isJsonObject(entry) ? { ...found!.defaults, ...entry } : {};
    return shapeKeys.some((key) => key in said) && fileKeys.some((key) => key in said);
  });
}

/**
 * The entries, in order, of an object by name, of a list, or of either under `tensors`, where the whole may say a `dtype` and a
 * `file` for all.
 * @throws {FormatError} `FORMAT_MALFORMED`, `FORMAT_UNSUPPORTED` for an element type
 */
export function rawEntries(json: unknown, path: Path): readonly RawEntry[] {
  const found = listed(json);
  if (found === null) {
    throw new FormatError("FORMAT_MALFORMED", "the manifest lists no tensors", { path });
  }
  const seen = new Set<string>();
  return found.entries.map(([key, value], index) => {
    const own = key ?? (isJsonObject(value) ? value["name"] : undefined);
    const at = [...path, ...found.path, key ?? index];
    if (typeof own !== "string" || !isJsonObject(value)) {
      throw new FormatError("FORMAT_MALFORMED", "an entry must be an object with a name", {
        path: at,
      });
    }
    if (seen.has(own)) {
      throw new FormatError("FORMAT_MALFORMED", "two tensors have this name", { path: at });
    }
    seen.add(own);
    return entryOf(own, { ...found.defaults, ...value }, at);
  });
}

interface Listed {
  readonly entries: readonly (readonly [name: string | null, value: unknown])[];
  readonly defaults: Json;
  readonly path: Path;
}

function listed(json: unknown): Listed | null {
  if (Array.isArray(json))
    return { entries: json.map((value) => [null, value]), defaults: {}, path: [] };
  if (!isJsonObject(json)) return null;
  const key = listKeys.find((own) => Object.hasOwn(json, own) && !isEntry(json[own]));
  if (key === undefined) {
    const speaks = [...shapeKeys, ...fileKeys];
    const entries = Object.entries(json).filter(
      ([, value]) => isJsonObject(value) && speaks.some((own) => Object.hasOwn(value, own)),
    );
    return { entries, defaults: {}, path: [] };
  }
  const inner = listed(json[key]);
  const defaults = Object.fromEntries(
    [...fileKeys, "dtype"].flatMap((own) =>
      typeof json[own] === "string" ? [[own, json[own]]] : [],
    ),
  );
  return inner && { ...inner, defaults, path: [key] };
}

/** A tensor may be called `weights`. */
function isEntry(value: unknown): boolean {
  return isJsonObject(value) && Array.isArray(first(value, shapeKeys));
}

function entryOf(name: string, entry: Json, path: Path): RawEntry {
  const file = first(entry, fileKeys);
  if (typeof file !== "string" || file === "") {
    throw new FormatError("FORMAT_MALFORMED", "the entry names no file", { path });
  }
  const shape = first(entry, shapeKeys);
  if (!Array.isArray(shape) || !shape.every(isWhole)) {
    throw new FormatError("FORMAT_MALFORMED", "the shape must be a list of whole numbers", {
      path: [...path, "shape"],
    });
  }
  const type = entry["dtype"] ?? entry["type"] ?? "float32";
  const dtype = typeof type === "string" ? dtypeOfName.get(type.toLowerCase()) : undefined;
  if (dtype === undefined) {
    throw new FormatError(
      "FORMAT_UNSUPPORTED",
      `element type ${JSON.stringify(type)} is not read`,
      {
        path: [...path, "dtype"],
        hint: "Little-endian numbers are read; without a dtype they are float32.",
      },
    );
  }
  const offset = first(entry, offsetKeys) ?? null;
  if (offset !== null && !isWhole(offset)) {
    throw new FormatError("FORMAT_MALFORMED", "the offset must be a whole number", { path });
  }
  const byteLength = byteLengthOf(dtype, checkedCount(shape, path));
  const said = first(entry, lengthKeys);
  if (said !== undefined && said !== byteLength) {
    throw new FormatError(
      "FORMAT_MALFORMED",
      `${dtype} [${shape.join(", ")}] takes ${byteLength} bytes, not ${JSON.stringify(said)}`,
      { path },
    );
  }
  return { name, file, dtype, shape, offset, byteLength };
}

function first(entry: Json, keys: readonly string[]): unknown {
  const key = keys.find((own) => Object.hasOwn(entry, own));
  return key === undefined ? undefined : entry[key];
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/**
 * What torch.export.save writes (`.pt2`): a graph as JSON, which is not read, and its weights: raw elements under
 * `data/weights/` with a JSON of their names and shapes, or, before 2.8, an archive of torch.save inside the archive.
 */
import { memorySource, type ByteSource } from "../../bytes/source.ts";
import type { ZipEntry } from "../../bytes/zip.ts";
import { FormatError } from "../../errors.ts";
import type { DType } from "../../tensor/dtype.ts";
import { isJsonObject, parseStrictJson } from "../strictJson.ts";
import { chooseWeights, type ChosenWeights } from "./chooseWeights.ts";
import { elementSizesOf } from "./elementSizes.ts";
import type { NamedTensor } from "./moduleTree.ts";
import { archiveStorages, openTorch, type TorchFile } from "./storages.ts";
import { isWhole } from "./storageReference.ts";

export interface ExportedWeights {
  readonly file: TorchFile;
  readonly chosen: ChosenWeights;
}

const configName = /^(.*\/)?data\/(weights|constants)\/[^/]+_config\.json$/;
const nestedName = /^(.*\/)?(serialized_state_dict\.(pt|json)|data\/weights\/[^/]+\.pt)$/;

export function isExported(names: readonly string[]): boolean {
  return names.some((name) =>
    /(^|\/)(models\/[^/]+\.json|serialized_exported_program\.json)$/.test(name),
  );
}

/** Null for an archive of another kind. @throws {FormatError} as `openWeights` */
export async function openExported(
  source: ByteSource,
  entries: ReadonlyMap<string, ZipEntry>,
): Promise<ExportedWeights | null> {
  const names = [...entries.keys()];
  if (!isExported(names)) return null;
  const configs = names.filter((name) => configName.test(name)).sort();
  if (configs.length > 0) {
    const lists = await Promise.all(
      configs.map((name) => configured(entries.get(name)!, [source.name, name])),
    );
    // Constants come after the weights, though before them by letter.
    return rawWeights(entries, lists.reverse().flat());
  }
  const nested = names.find((name) => nestedName.test(name));
  if (nested !== undefined) return nestedWeights(entries.get(nested)!);
  throw new FormatError("FORMAT_UNSUPPORTED", "the exported program holds no weights", {
    path: [source.name],
  });
}

function rawWeights(
  entries: ReadonlyMap<string, ZipEntry>,
  tensors: readonly NamedTensor[],
): ExportedWeights {
  const file: TorchFile = {
    root: null,
    globals: new Set(),
    constants: null,
    layout: "exported",
    storages: archiveStorages(entries, "", false),
    pickledOffset: () => null,
  };
  return { file, chosen: { tensors, modules: [], path: [], warnings: [] } };
}

/** An archive within the archive; it has no place of its own. */
async function nestedWeights(entry: ZipEntry): Promise<ExportedWeights> {
  const inner = await openTorch(memorySource(await entry.read(), entry.name), elementSizesOf);
  const storages = { ...inner.storages, offset: async () => null, entryName: () => null };
  const file: TorchFile = { ...inner, layout: "exported", storages, pickledOffset: () => null };
  return { file, chosen: chooseWeights(inner.root) };
}

/** `{"config": {name: {"path_name": …, "is_param": …, "use_pickle": …, "tensor_meta": …}}}` */
async function configured(
  entry: ZipEntry,
  path: readonly string[],
): Promise<readonly NamedTensor[]> {
  const json = parseStrictJson(await entry.read(), { path, uniqueKeys: true });
  const config = isJsonObject(json) ? json["config"] : null;
  if (!isJsonObject(config)) throw malformed("the weights have no configuration", path);
  const folder = entry.name.slice(0, entry.name.lastIndexOf("/") + 1);
  return Object.entries(config).flatMap(([name, own]) =>
    tensorsOf(own, { name, folder, path: [...path, name] }),
  );
}

function tensorsOf(
  own: unknown,
  { name, folder, path }: { name: string; folder: string; path: readonly string[] },
): NamedTensor[] {
  if (!isJsonObject(own)) throw malformed("a tensor is not described", path);
  const { path_name: file, is_param: isParameter, use_pickle: isPickled, tensor_meta: meta } = own;
  // Objects and tensors of other classes, which have no plain bytes.
  if (isPickled === true || !isJsonObject(meta)) return [];
  const dtype = scalarTypes.get(meta["dtype"]);
  const shape = integers(meta["sizes"]);
  const strides = integers(meta["strides"]) ?? (shape && rowMajor(shape));
  const [offset = 0] = integers([meta["storage_offset"] ?? 0]) ?? [NaN];
  if (dtype === undefined || shape === null || strides === null || !isWhole(offset)) {
    throw malformed("a tensor's type, shape or strides are not understood", path);
  }
  if (typeof file !== "string" || shape.length !== strides.length) {
    throw malformed("a tensor's description contradicts itself", path);
  }
  const isConstant = folder.endsWith("constants/");
  const kind = isConstant ? "constant" : isParameter === true ? "parameter" : "buffer";
  const data = { kind: "storage", key: `${folder}${file}` } as const;
  return [
    { name, record: { dtype, shape, strides, offset, data, quantiser: null }, owner: null, kind },
  ];
}

/** `[{"as_int": 3}, …]`; null where one of them is none. */
function integers(value: unknown): number[] | null {
  if (!Array.isArray(value) || value.length > 64) return null;
  const whole = value.map((own: unknown) => (isJsonObject(own) ? own["as_int"] : own));
  return whole.every((own): own is number => typeof own === "number" && isWhole(own))
    ? whole
    : null;
}

function rowMajor(shape: readonly number[]): number[] {
  return shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
}

/** torch.export's own numbers. */
const scalarTypes: ReadonlyMap<unknown, DType> = new Map<unknown, DType>([
  [1, "uint8"],
  [2, "int8"],
  [3, "int16"],
  [4, "int32"],
  [5, "int64"],
  [6, "float16"],
  [7, "float32"],
  [8, "float64"],
  [10, "complex64"],
  [11, "complex128"],
  [12, "bool"],
  [13, "bfloat16"],
  [28, "uint16"],
  [29, "float8_e4m3"],
  [30, "float8_e5m2"],
  [31, "float8_e4m3fnuz"],
  [32, "float8_e5m2fnuz"],
  [33, "float8_e8m0"],
  [34, "uint32"],
  [35, "uint64"],
]);

function malformed(message: string, path: readonly string[]): FormatError {
  return new FormatError("FORMAT_MALFORMED", message, { path });
}

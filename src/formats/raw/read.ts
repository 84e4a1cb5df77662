import type { ByteSource } from "../../bytes/source.ts";
import { FormatError } from "../../errors.ts";
import type { Model, ModelWarning } from "../../model/model.ts";
import { openDataFile } from "../dataFile.ts";
import type { Format } from "../format.ts";
import { plainValues } from "../plainValues.ts";
import { stateDictModel } from "../stateDict.ts";
import { parseStrictJson } from "../strictJson.ts";
import { isRawManifest, rawEntries, type RawEntry } from "./manifest.ts";

type Placed = RawEntry & { readonly offset: number };

const maxManifestLength = 2 ** 24;
const maxFiles = 2 ** 14;

/**
 * Reads raw dumps of little-endian numbers by a JSON manifest of their files and shapes. Orientation is not recorded: layers are
 * chained both ways, as those of NumPy.
 * @throws {FormatError} `FORMAT_MALFORMED`, `FORMAT_TRUNCATED`, `FORMAT_UNSUPPORTED`, `FORMAT_LIMIT`, `FORMAT_LFS_POINTER`,
 *   `FILE_NOT_FOUND`, `FILE_OUTSIDE_FOLDER`
 */
export async function readRaw(source: ByteSource): Promise<Model> {
  const path = [source.name];
  if (source.byteLength > maxManifestLength) {
    throw new FormatError("FORMAT_LIMIT", `${source.byteLength} bytes of manifest`, { path });
  }
  const bytes = await source.slice(0, source.byteLength);
  const entries = rawEntries(parseStrictJson(bytes, { path, uniqueKeys: true }), path);
  const files = new Map<string, RawEntry[]>();
  for (const entry of entries) {
    const own = files.get(entry.file);
    if (own === undefined) files.set(entry.file, [entry]);
    else own.push(entry);
  }
  if (files.size > maxFiles) {
    throw new FormatError("FORMAT_LIMIT", `the manifest names ${files.size} files`, { path });
  }
  const sources = new Map<string, ByteSource>();
  const placed = new Map<string, Placed>();
  const warnings: ModelWarning[] = [];
  for (const [file, own] of files) {
    const data = await openDataFile(source, file, [...path, file]);
    sources.set(file, data);
    for (const entry of places(own, data, { path: [...path, file], warnings })) {
      placed.set(entry.name, entry);
    }
  }
  const model = stateDictModel({
    name: source.name,
    format: "raw",
    metadata: {},
    orientation: "unknown",
    tensors: entries.map(({ name, file, dtype, shape, byteLength }) => {
      const { offset } = placed.get(name)!;
      return {
        name,
        dtype,
        shape,
        location: { file, offset, byteLength },
        ...plainValues(sources.get(file)!, offset, { dtype, shape }),
      };
    }),
  });
  return { ...model, warnings: [...model.warnings, ...warnings] };
}

interface Told {
  readonly path: readonly string[];
  readonly warnings: ModelWarning[];
}

/** Where the tensors of one file lie in it. */
function places(entries: readonly RawEntry[], data: ByteSource, told: Told): Placed[] {
  if (entries.every(({ offset }) => offset === null)) return consecutive(entries, data, told);
  const placed = entries.map((entry): Placed => {
    const { offset, byteLength, name } = entry;
    if (offset === null) {
      throw new FormatError("FORMAT_MALFORMED", "other tensors of the file have an offset", {
        path: [...told.path, name],
      });
    }
    if (offset + byteLength > data.byteLength) throw tooShort(offset + byteLength, data, told.path);
    return { ...entry, offset };
  });
  checkOverlaps(placed, told.path);
  return placed;
}

/** Without offsets: one tensor is the file, several lie one behind the other and must fill it. */
function consecutive(entries: readonly RawEntry[], data: ByteSource, told: Told): Placed[] {
  let end = 0;
  const placed = entries.map((entry): Placed => {
    const offset = end;
    end += entry.byteLength;
    return { ...entry, offset };
  });
  if (end > data.byteLength) throw tooShort(end, data, told.path);
  if (end < data.byteLength) {
    const message = `the file has ${data.byteLength} bytes, its tensors take ${end}`;
    throw new FormatError("FORMAT_MALFORMED", message, {
      path: told.path,
      hint: "The manifest is of another file, or its element type is not the file's.",
    });
  }
  if (entries.length > 1) {
    const names = entries.map(({ name }) => name).join(", ");
    const message = `${data.name}: taken one behind the other, since no offsets are given and they fill the file: ${names}`;
    told.warnings.push({ code: "OFFSETS_INFERRED", message });
  }
  return placed;
}

/** Two tensors may share all their bytes, never a part of them. */
function checkOverlaps(placed: readonly Placed[], path: readonly string[]): void {
  const byPlace = [...placed].sort((a, b) => a.offset - b.offset || a.byteLength - b.byteLength);
  for (const [i, entry] of byPlace.entries()) {
    const before = byPlace[i - 1];
    if (before === undefined || before.offset + before.byteLength <= entry.offset) continue;
    const isSame = before.offset === entry.offset && before.byteLength === entry.byteLength;
    if (isSame || before.byteLength === 0) continue;
    throw new FormatError("FORMAT_MALFORMED", `the tensor overlaps ${before.name}`, {
      path: [...path, entry.name],
    });
  }
}

function tooShort(end: number, data: ByteSource, path: readonly string[]): FormatError {
  return new FormatError(
    "FORMAT_TRUNCATED",
    `tensors are announced up to byte ${end}, the file has ${data.byteLength}`,
    { path, hint: "The file is cut short, or its elements are smaller than the manifest says." },
  );
}

export const raw: Format = {
  id: "raw",
  title: "raw numbers with a JSON manifest",
  async recognises(head, source) {
    const text = new TextDecoder("latin1").decode(head);
    if (!/^\s*[{[]/.test(text) || source.byteLength > maxManifestLength) return false;
    try {
      return isRawManifest(parseStrictJson(await source.slice(0, source.byteLength), { path: [] }));
    } catch {
      return false;
    }
  },
  read: readRaw,
};

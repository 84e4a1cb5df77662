/** HDF5 files by the HDF5 library itself, compiled to WebAssembly (h5wasm). It works on a copy of the file in its own memory. */
import type { Dataset, File, Group } from "h5wasm";
import { FormatError, isWeightGraphError } from "../errors.ts";
import { checkGlobalHeaps } from "./hdf5Heaps.ts";
import type { ByteSource } from "./source.ts";

interface Hdf5Array {
  readonly shape: readonly number[];
  /** `float32`, `int64`, `uint8`, …; null for text, compounds and floats of other widths. */
  readonly type: string | null;
}

/** Numbers as the library hands them out. */
type Hdf5Values = ArrayLike<number> | ArrayLike<bigint>;

/** An open file. Paths begin with `/`. */
export interface Hdf5 {
  /** Names in a group, in the library's order; none where no group is. */
  members(path: string): readonly string[];
  /** Null where no array is. */
  array(path: string): Hdf5Array | null;
  /** @throws {FormatError} `FORMAT_LIMIT`, `FORMAT_UNSUPPORTED` */
  read(path: string): Hdf5Values;
  /** Texts of an attribute, one or many; null where it is absent or no text. */
  texts(path: string, attribute: string): readonly string[] | null;
}

export const hdf5Signature: readonly number[] = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

const maxFileLength = 2 ** 30;
/** Deflate cannot pack tighter than this. */
const maxExpansion = 1032;

/**
 * Calls `use` with the file. The last file stays open for the next call, since a model's tensors are read one by one: at most
 * one file's bytes are held, until another one is asked for.
 * @throws {FormatError} `FORMAT_LIMIT` over 1 GiB, `FORMAT_TRUNCATED`, `FORMAT_MALFORMED`; what `use` throws.
 */
export async function withHdf5<T>(source: ByteSource, use: (file: Hdf5) => T): Promise<T> {
  const library = await load();
  if (held?.source !== source) {
    if (source.byteLength > maxFileLength) {
      throw new FormatError("FORMAT_LIMIT", `${source.byteLength} bytes do not fit into memory`, {
        path: [source.name],
        hint: "HDF5 files are read up to 1 GiB.",
      });
    }
    const bytes = await source.slice(0, source.byteLength);
    checkGlobalHeaps(bytes, [source.name]);
    release(library);
    held = guard(source, () => {
      library.fileSystem.writeFile(heldName, bytes);
      const file = new library.h5wasm.File(heldName, "r");
      if (file.file_id < 0n) throw new Error("not an HDF5 file");
      return { source, file, view: viewOf(library, file, source) };
    });
  }
  const { view } = held;
  return guard(source, () => use(view));
}

interface Library {
  readonly h5wasm: typeof import("h5wasm");
  readonly fileSystem: {
    writeFile(name: string, bytes: Uint8Array): void;
    unlink(name: string): void;
  };
}

const heldName = "held.h5";
let held: { source: ByteSource; file: File; view: Hdf5 } | null = null;
let loading: Promise<Library> | null = null;

function load(): Promise<Library> {
  loading ??= (async () => {
    const h5wasm = await import("h5wasm");
    const module = await h5wasm.ready;
    // Errors become exceptions; without this the library prints them.
    module.activate_throwing_error_handler();
    return { h5wasm, fileSystem: module.FS as unknown as Library["fileSystem"] };
  })();
  return loading;
}

function release({ fileSystem }: Library): void {
  const { file } = held ?? {};
  held = null;
  if (file === undefined) return;
  try {
    file.close();
    fileSystem.unlink(heldName);
  } catch {
    // A damaged file may refuse to be closed; the next one takes its place all the same.
  }
}

function guard<T>(source: ByteSource, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    if (isWeightGraphError(cause)) throw cause;
    const text = cause instanceof Error ? cause.message : String(cause);
    const isShort = /truncated|addr overflow|end of file/i.test(text);
    throw new FormatError(
      isShort ? "FORMAT_TRUNCATED" : "FORMAT_MALFORMED",
      isShort ? "the HDF5 file is cut short" : "the HDF5 library cannot read the file",
      { path: [source.name], cause, hint: "Fetch or write the file again." },
    );
  }
}

function viewOf({ h5wasm }: Library, file: File, source: ByteSource): Hdf5 {
  const at = (path: string): ReturnType<Group["get"]> => {
    let entity: ReturnType<Group["get"]> = file;
    for (const name of path.split("/")) {
      if (name === "") continue;
      if (!(entity instanceof h5wasm.Group) || !entity.keys().includes(name)) return null;
      entity = entity.get(name);
    }
    return entity;
  };
  return {
    members(path) {
      const group = at(path);
      return group instanceof h5wasm.Group ? group.keys() : [];
    },
    array(path) {
      const dataset = at(path);
      if (!(dataset instanceof h5wasm.Dataset)) return null;
      return { shape: dataset.shape ?? [], type: typeOf(dataset) };
    },
    read(path) {
      const dataset = at(path);
      if (!(dataset instanceof h5wasm.Dataset) || typeOf(dataset) === null) {
        throw new FormatError("FORMAT_UNSUPPORTED", "no array of numbers stands here", {
          path: [source.name, path],
        });
      }
      checkSize(dataset, source);
      return dataset.value as Hdf5Values;
    },
    texts(path, attribute) {
      const entity = at(path);
      if (!(entity instanceof h5wasm.Group || entity instanceof h5wasm.Dataset)) return null;
      if (!Object.hasOwn(entity.attrs, attribute)) return null;
      const value: unknown = entity.attrs[attribute]?.value;
      const list: unknown[] = Array.isArray(value) ? value : [value];
      return list.every((text) => typeof text === "string") ? list : null;
    },
  };
}

/** A shape may claim more than a file can hold: an array that was never written costs no bytes. */
function checkSize(dataset: Dataset, source: ByteSource): void {
  const { size } = dataset.metadata;
  const byteLength = (dataset.shape ?? []).reduce((product, length) => product * length, size);
  if (byteLength <= Math.min(2 ** 31, source.byteLength * maxExpansion)) return;
  throw new FormatError("FORMAT_LIMIT", `an array of ${byteLength} bytes is announced`, {
    path: [source.name, dataset.path],
  });
}

function typeOf(dataset: Dataset): string | null {
  const { type, size, signed } = dataset.metadata;
  const bits = size * 8;
  // Classes of the HDF5 library: 0 integers, 1 floats.
  if (type === 1) return bits === 32 || bits === 64 ? `float${bits}` : null;
  return type === 0 && bits <= 64 ? `${signed ? "int" : "uint"}${bits}` : null;
}

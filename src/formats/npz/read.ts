import type { ByteSource } from "../../bytes/source.ts";
import { startsWith } from "../../bytes/startsWith.ts";
import { openZip, zipSignature } from "../../bytes/zip.ts";
import { FormatError } from "../../errors.ts";
import type { Model, ModelWarning } from "../../model/model.ts";
import type { Format } from "../format.ts";
import { stateDictModel, type StateDict } from "../stateDict.ts";
import { storedArrays, type StoredArray, type StoredArrays } from "./arrays.ts";
import { npySignature } from "./npy.ts";
import { patchNumpy } from "./patch.ts";
import { storedArray } from "./storedArray.ts";

/**
 * Reads NumPy arrays: one (.npy) or an archive of named ones (.npz). Their orientation is not recorded, so layers are chained
 * both ways, [out, in] and [in, out], and the way with fewer breaks is taken. Opening reads headers alone.
 * @throws {FormatError} `FORMAT_TRUNCATED`, `FORMAT_MALFORMED`, `FORMAT_LIMIT`, `FORMAT_UNSUPPORTED` where no array is of numbers
 */
export async function readNumpy(source: ByteSource): Promise<Model> {
  const stored = await storedArrays(source);
  const { arrays, refused, isArchive } = stored;
  if (arrays.length === 0) {
    if (refused[0] !== undefined) throw refused[0].error;
    throw new FormatError("FORMAT_NO_WEIGHTS", "the archive holds no array", {
      path: [source.name],
    });
  }
  const model = stateDictModel({
    name: source.name,
    format: isArchive ? "npz" : "npy",
    tensors: arrays.map((array) => tensorOf(source, array)),
    metadata: {},
    orientation: "unknown",
  });
  return { ...model, warnings: [...model.warnings, ...warningsOf(stored)] };
}

function tensorOf(
  source: ByteSource,
  { name, header, entry, offset: start }: StoredArray,
): StateDict["tensors"][number] {
  const { dtype, shape, offset, byteLength, isColumnMajor, isBigEndian } = header;
  const values = storedArray(header, {
    whole: () => (entry === null ? source.slice(0, offset + byteLength) : entry.read()),
    part: start === null ? null : (from, to) => source.slice(start + from, start + to),
  });
  const isPlain = entry === null && !isBigEndian && !(isColumnMajor && shape.length > 1);
  return {
    name,
    dtype,
    shape,
    ...values,
    ...(isPlain && { location: { file: null, offset, byteLength } }),
  };
}

function warningsOf({ arrays, refused, others, unsafe }: StoredArrays): ModelWarning[] {
  const warnings: ModelWarning[] = refused.map(({ name, error }) => ({
    code: "ARRAY_NOT_READ",
    message: `${name}: ${error.message}`,
  }));
  const add = (code: string, names: readonly string[], what: string): void => {
    if (names.length === 0) return;
    const shown = names.slice(0, 5).join(", ") + (names.length > 5 ? ", …" : "");
    warnings.push({ code, message: `${what}: ${shown}` });
  };
  const named = (has: (array: StoredArray) => boolean): string[] =>
    arrays.filter(has).map(({ name }) => name);
  add(
    "UNSAFE_NAMES",
    unsafe,
    "names that lead out of a folder, were the archive unpacked to files",
  );
  add("ENTRIES_LEFT_OUT", others, "entries of the archive that are no arrays");
  add(
    "VOID_AS_BFLOAT16",
    named(({ header }) => header.isVoid),
    "raw pairs of bytes taken for bfloat16, which NumPy cannot name",
  );
  add(
    "BYTES_LEFT_OUT",
    named(({ excess }) => excess > 0),
    "bytes follow the values of",
  );
  return warnings;
}

export const numpy: Format = {
  id: "npz",
  title: "NumPy .npy and .npz",
  async recognises(head, source) {
    if (startsWith(head, npySignature)) return true;
    if (!startsWith(head, zipSignature) || head.byteLength < 30) return false;
    try {
      const names = (await openZip(source)).map(({ name }) => name);
      const isOthers = names.some((name) => /(^|\/)(data\.pkl|model\.weights\.h5)$/.test(name));
      return !isOthers && names.some((name) => name.endsWith(".npy"));
    } catch {
      return firstNameOf(head).endsWith(".npy");
    }
  },
  read: readNumpy,
  patch: patchNumpy,
};

/** Of an archive without a sound directory. */
function firstNameOf(head: Uint8Array): string {
  const length = head[26]! | (head[27]! << 8);
  return new TextDecoder("latin1").decode(head.subarray(30, 30 + length));
}

import { editedPieces, type ByteEdit, type Piece } from "../../bytes/pieces.ts";
import type { ByteSource } from "../../bytes/source.ts";
import { patchZip } from "../../bytes/zipPatch.ts";
import { FormatError } from "../../errors.ts";
import type { Model } from "../../model/model.ts";
import { bitsOf, byteLengthOf } from "../../tensor/dtype.ts";
import { storedBytes, tensorOf } from "../editInPlace.ts";
import type { PatchedFile, TensorChanges } from "../format.ts";
import { openWeights, type WeightFile } from "./openWeights.ts";
import type { TorchFile } from "./storages.ts";
import { placeOf } from "./storedTensor.ts";
import { isRowMajor, repeats, scatter, swapBytes, walkView } from "./strides.ts";
import type { TensorRecord } from "./tensorRecord.ts";

/**
 * A copy of the file with new values: bytes of the changed elements alone, and the checksums of an archive. Tensors that share
 * elements change together; of changes to one element the later wins.
 * @throws {FormatError} `FORMAT_UNSUPPORTED` for what is packed into the pickle, expanded or sparse; else as `editInPlace`
 */
export async function patchPytorch(
  source: ByteSource,
  model: Model,
  changes: TensorChanges,
): Promise<readonly PatchedFile[]> {
  const { files } = await openWeights(source);
  const left = new Set(changes.keys());
  const patched: PatchedFile[] = [];
  for (const file of files) {
    const own = file.chosen.tensors.filter(({ name }) => left.delete(name));
    if (own.length === 0 && file.name !== null) continue;
    const records = new Map(own.map(({ name, record }) => [name, record]));
    patched.push(await patchFile(file, { model, changes, records }));
  }
  for (const name of left) {
    throw notInPlace([model.name, tensorOf(model, name).name], "it is not stored by this name");
  }
  const hasOwn = patched.some(({ file }) => file === null);
  const whole: Piece = { kind: "copy", source, start: 0, end: source.byteLength };
  return hasOwn ? patched : [{ file: null, pieces: [whole] }, ...patched];
}

async function patchFile(
  { name: fileName, source, file }: WeightFile,
  own: {
    readonly model: Model;
    readonly changes: TensorChanges;
    readonly records: ReadonlyMap<string, TensorRecord>;
  },
): Promise<PatchedFile> {
  const edits = new Map<string | null, ByteEdit[]>();
  const made: MadeEdit[] = [];
  for (const [name, record] of own.records) {
    const path = [own.model.name, name];
    const bytes = await storedBytes(tensorOf(own.model, name), own.changes.get(name)!, path);
    const { entry, base } = await holderOf(record, file, path);
    const earlier = edits.get(entry) ?? [];
    edits.set(entry, earlier);
    const edit = await editOf({ record, file, path, bytes, base, earlier });
    earlier.push(edit);
    made.push({ path, record, edit, list: earlier });
  }
  for (const one of made) refuseOverwritten(one);
  const inFile = edits.get(null) ?? [];
  const inEntries = [...edits].flatMap(([entry, list]) =>
    entry === null ? [] : [[entry, { edits: list }] as const],
  );
  const pieces =
    inEntries.length > 0
      ? await patchZip(source, new Map(inEntries))
      : editedPieces(source, inFile);
  return { file: fileName, pieces };
}

/** The archive's entry with the tensor's storage, or the file itself; and where the storage begins in it. */
async function holderOf(
  { data }: TensorRecord,
  { storages, pickledOffset }: TorchFile,
  path: readonly string[],
): Promise<{ readonly entry: string | null; readonly base: number }> {
  if (data.kind === "storage") {
    const entry = storages.entryName(data.key);
    const base = entry === null ? await storages.offset(data.key) : 0;
    if (base !== null) return { entry, base };
  }
  if (data.kind === "pickled" && data.bytes instanceof Uint8Array) {
    const base = pickledOffset(data.bytes);
    if (base !== null) return { entry: null, base };
  }
  throw notInPlace(path, "its values are no plain bytes of the file");
}

/** New bytes for the span from the tensor's first element to its last; what lies between its elements stays. */
async function editOf(own: {
  readonly record: TensorRecord;
  readonly file: TorchFile;
  readonly path: readonly string[];
  readonly bytes: Uint8Array;
  readonly base: number;
  readonly earlier: readonly ByteEdit[];
}): Promise<ByteEdit> {
  const { record, file, path, bytes, base, earlier } = own;
  if (repeats(record)) throw notInPlace(path, "several of its elements are one in the file");
  const place = await placeOf(record, file, path);
  const size = bitsOf(record.dtype) < 8 ? 1 : byteLengthOf(record.dtype, 1);
  const elements = place.bigEndian ? swapBytes(bytes, size) : bytes;
  const offset = base + place.begin;
  if (place.isPlain) return { offset, bytes: elements };
  const span = (await place.read(place.begin, place.end)).slice();
  for (const edit of earlier) overlay({ offset, bytes: span }, edit);
  scatter(span, elements, record, size);
  return { offset, bytes: span };
}

interface MadeEdit {
  readonly path: readonly string[];
  readonly record: TensorRecord;
  readonly edit: ByteEdit;
  /** All edits of the same bytes, in their order. */
  readonly list: readonly ByteEdit[];
}

/** Two views on the same elements cannot both be changed, unless they agree. */
function refuseOverwritten({ path, record, edit, list }: MadeEdit): void {
  const end = edit.offset + edit.bytes.length;
  const later = list
    .slice(list.indexOf(edit) + 1)
    .filter((own) => own.offset < end && edit.offset < own.offset + own.bytes.length);
  if (later.length === 0) return;
  const result = edit.bytes.slice();
  for (const own of later) overlay({ offset: edit.offset, bytes: result }, own);
  const size = bitsOf(record.dtype) < 8 ? 1 : byteLengthOf(record.dtype, 1);
  const view = isRowMajor(record) ? { shape: [result.length], strides: [1] } : record;
  const step = isRowMajor(record) ? 1 : size;
  walkView(view, (place) => {
    for (let i = place * step; i < (place + 1) * step; i++) {
      if (result[i] === edit.bytes[i]) continue;
      throw notInPlace(path, "another changed tensor is a view on its elements");
    }
  });
}

/** What of `edit` falls within `target`. */
function overlay(target: ByteEdit, edit: ByteEdit): void {
  const from = Math.max(target.offset, edit.offset);
  const to = Math.min(target.offset + target.bytes.length, edit.offset + edit.bytes.length);
  if (from >= to) return;
  const part = edit.bytes.subarray(from - edit.offset, to - edit.offset);
  target.bytes.set(part, from - target.offset);
}

function notInPlace(path: readonly string[], why: string): FormatError {
  return new FormatError("FORMAT_UNSUPPORTED", `this tensor cannot be changed in place: ${why}`, {
    path,
    hint: "Write the whole model as safetensors instead.",
  });
}

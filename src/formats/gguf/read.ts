import type { ByteSource } from "../../bytes/source.ts";
import { startsWith } from "../../bytes/startsWith.ts";
import { FormatError } from "../../errors.ts";
import type { Model, ModelWarning, StoredTensor } from "../../model/model.ts";
import { attentionHintsOf } from "../attentionConfig.ts";
import { openDataFile } from "../dataFile.ts";
import type { Format } from "../format.ts";
import { stateDictModel } from "../stateDict.ts";
import { ggufSignature, readGgufHeader, type GgufHeader, type GgufTensor } from "./header.ts";
import { storedTensor, typeName, unreadTensor, type RoleFree } from "./storedTensor.ts";

/** A part of the model: a file and what its header says. */
interface Part {
  readonly source: ByteSource;
  /** Beside the file that was opened; null for that file. */
  readonly file: string | null;
  readonly header: GgufHeader;
}

const maxParts = 1000;

/**
 * Reads a GGUF file, or the first of several that are one model, as a state dict: the file's own order of dimensions is turned
 * round, so that rows receive. Reads headers alone; quantised blocks are dequantised when asked for.
 * @throws {FormatError} `FORMAT_TRUNCATED`, `FORMAT_MALFORMED`, `FORMAT_LIMIT`, `FORMAT_NO_WEIGHTS`, `FORMAT_UNSUPPORTED` for
 *   big-endian files; of a model in parts also `FILE_NOT_FOUND`, `FILE_OUTSIDE_FOLDER`
 */
export async function readGguf(source: ByteSource): Promise<Model> {
  const first: Part = { source, file: null, header: await readGgufHeader(source) };
  const { parts, warnings } = await partsOf(first);
  const all = parts.flatMap((part) => part.header.tensors.map((tensor) => ({ part, tensor })));
  if (all.length === 0) {
    throw new FormatError("FORMAT_NO_WEIGHTS", "the file holds no tensor, perhaps a vocabulary", {
      path: [source.name],
    });
  }
  checkNames(
    all.map(({ tensor }) => tensor),
    source.name,
  );
  const stored = all.map(({ part, tensor }) => storedTensor(part.source, tensor, part.file));
  const dict = stateDictModel({
    name: source.name,
    format: "gguf",
    metadata: metadataOf(first.header, parts),
    tensors: stored.filter((tensor): tensor is RoleFree => tensor !== null),
    attention: [attentionHintsOf(Object.fromEntries(first.header.keyValues))],
  });
  const byName = new Map(dict.tensors.map((tensor) => [tensor.name, tensor]));
  const tensors = all.map(
    ({ part, tensor }): StoredTensor =>
      byName.get(tensor.name) ?? { ...unreadTensor(part.source, tensor), role: "unknown" },
  );
  const unread = all.flatMap(({ tensor }, i) => (stored[i] === null ? [tensor] : []));
  return { ...dict, tensors, warnings: [...dict.warnings, ...warnings, ...unreadWarnings(unread)] };
}

/** `net-00001-of-00003.gguf` says in its header that it is the first of three. */
async function partsOf(
  first: Part,
): Promise<{ readonly parts: readonly Part[]; readonly warnings: readonly ModelWarning[] }> {
  const { source, header } = first;
  const count = header.keyValues.get("split.count") ?? 0;
  const number = header.keyValues.get("split.no") ?? 0;
  if (typeof count !== "number" || count < 2) return { parts: [first], warnings: [] };
  const name = /^(.*-)0*1(-of-\d+\.gguf)$/.exec(source.name);
  if (number !== 0 || name === null) {
    const message = `this is part ${Number(number) + 1} of ${count}, read alone: open the first part for the whole model`;
    return { parts: [first], warnings: [{ code: "SHARD_ALONE", message }] };
  }
  if (count > maxParts) {
    throw new FormatError("FORMAT_LIMIT", `a model in ${count} parts`, { path: [source.name] });
  }
  const parts = [first];
  for (let part = 2; part <= count; part++) {
    const file = `${name[1]}${String(part).padStart(5, "0")}${name[2]}`;
    const data = await openDataFile(source, file, [source.name, "split.count", file]);
    parts.push({ source: data, file, header: await readGgufHeader(data) });
  }
  return { parts, warnings: [] };
}

function checkNames(tensors: readonly GgufTensor[], archive: string): void {
  const names = new Set<string>();
  for (const { name } of tensors) {
    if (names.has(name)) {
      throw new FormatError("FORMAT_MALFORMED", "two parts hold a tensor of this name", {
        path: [archive, name],
      });
    }
    names.add(name);
  }
}

function metadataOf({ version, keyValues }: GgufHeader, parts: readonly Part[]): Model["metadata"] {
  return {
    version,
    ...(parts.length > 1 && { parts: parts.length }),
    keyValues: Object.fromEntries(keyValues),
  };
}

function unreadWarnings(tensors: readonly GgufTensor[]): ModelWarning[] {
  if (tensors.length === 0) return [];
  const types = [...new Set(tensors.map(typeName))].join(", ");
  const names = tensors
    .slice(0, 5)
    .map(({ name }) => name)
    .join(", ");
  const more = tensors.length > 5 ? ", …" : "";
  const message = `${tensors.length} tensors whose values are not read (${types}): ${names}${more}`;
  return [{ code: "TENSOR_UNREADABLE", message }];
}

export const gguf: Format = {
  id: "gguf",
  title: "GGUF",
  recognises: (head) => startsWith(head, ggufSignature),
  read: readGguf,
};

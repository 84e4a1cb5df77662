/** From the JSON file to the tensors of its shards, whichever way the manifest is written. */
import { memorySource, type ByteSource } from "../../bytes/source.ts";
import { FormatError } from "../../errors.ts";
import { isJsonObject, parseStrictJson } from "../strictJson.ts";
import { checkEntries, checkManifest, type WeightGroup } from "./schema.ts";
import { readManifest, type Manifest } from "./weights.ts";

export type Json = Readonly<Record<string, unknown>>;

export const maxJsonLength: number = 64 * 2 ** 20;

export interface OpenedManifest {
  /** The JSON object; empty where the file is a bare list of groups. */
  readonly file: Json;
  readonly manifest: Manifest;
}

/**
 * Parses the JSON and opens its shards.
 * @throws {FormatError} `FORMAT_LIMIT` for too much JSON; `FORMAT_MALFORMED` and what `readManifest` throws
 */
export async function openManifest(source: ByteSource): Promise<OpenedManifest> {
  if (source.byteLength > maxJsonLength) {
    throw new FormatError("FORMAT_LIMIT", `${source.byteLength} bytes of JSON are not parsed`, {
      path: [source.name],
      hint: "Weights belong into shards beside the JSON.",
    });
  }
  const json = parseStrictJson(await source.slice(0, source.byteLength), { path: [source.name] });
  if (!isJsonObject(json)) {
    const path = [source.name];
    return { file: {}, manifest: await readManifest(source, checkManifest(json, path), path) };
  }
  const path = [source.name, "weightsManifest"];
  const groups = groupsOf(json, source.name);
  return { file: json, manifest: await readManifest(source, groups, path) };
}

/** `weightsManifest`, or what a program that handles artifacts itself keeps: `weightSpecs` with `weightData` in base64. */
function groupsOf(file: Json, name: string): WeightGroup[] {
  const { weightsManifest, weightSpecs, weightData } = file;
  if (weightsManifest !== undefined || weightSpecs === undefined) {
    return checkManifest(weightsManifest, [name, "weightsManifest"]);
  }
  const weights = checkEntries(weightSpecs, [name, "weightSpecs"]);
  const bytes = bytesOfBase64(weightData, [name, "weightData"]);
  const source = memorySource(bytes, "weightData");
  const data = { shards: [{ path: null, source, start: 0 }], byteLength: bytes.byteLength };
  return [{ paths: [], weights, data }];
}

function bytesOfBase64(text: unknown, path: readonly string[]): Uint8Array {
  if (typeof text === "string") {
    try {
      const binary = atob(text);
      return Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
    } catch {
      // Said below.
    }
  }
  throw new FormatError("FORMAT_MALFORMED", "the weights are no base64 text", {
    path,
    hint: "Save the model with its weights manifest and shards.",
  });
}

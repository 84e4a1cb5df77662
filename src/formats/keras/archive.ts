/** `.keras` archives: a zip of `config.json`, `metadata.json` and the weights as an HDF5 file. */
import { memorySource, spanSource, type ByteSource } from "../../bytes/source.ts";
import { openZip, type ZipEntry } from "../../bytes/zip.ts";
import { FormatError } from "../../errors.ts";
import { isJsonObject, parseStrictJson } from "../strictJson.ts";

export const weightsName = "model.weights.h5";

const maxConfigLength = 2 ** 28;

/** Its HDF5 file: in its place where the archive holds it as it is, else unpacked into memory. */
export async function archiveWeights(source: ByteSource): Promise<ByteSource> {
  const entry = entryOf(await openZip(source), weightsName, source);
  const start = await entry.dataOffset();
  return start === null
    ? memorySource(await entry.read(), source.name)
    : spanSource(source, start, start + entry.byteLength);
}

/** The configuration's text, and the version of Keras that wrote it. */
export async function archiveConfig(
  source: ByteSource,
): Promise<{ readonly config: string; readonly version: string | null }> {
  const entries = await openZip(source);
  const config = entryOf(entries, "config.json", source);
  if (config.byteLength > maxConfigLength) {
    throw new FormatError("FORMAT_LIMIT", `a configuration of ${config.byteLength} bytes`, {
      path: [source.name, config.name],
    });
  }
  const metadata = entries.find(({ name }) => name === "metadata.json");
  const path = [source.name, "metadata.json"];
  const isSmall = metadata !== undefined && metadata.byteLength < 2 ** 20;
  const json = isSmall ? parseStrictJson(await metadata.read(), { path }) : null;
  const version = isJsonObject(json) ? json["keras_version"] : null;
  return {
    config: new TextDecoder().decode(await config.read()),
    version: typeof version === "string" ? version : null,
  };
}

function entryOf(entries: readonly ZipEntry[], wanted: string, source: ByteSource): ZipEntry {
  const entry = entries.find(({ name }) => name === wanted);
  if (entry !== undefined) return entry;
  throw new FormatError("FORMAT_MALFORMED", `the archive holds no ${wanted}`, {
    path: [source.name],
  });
}

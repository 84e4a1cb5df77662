import type { ByteSource } from "../bytes/source.ts";
import { startsWith } from "../bytes/startsWith.ts";
import { openZip, zipSignature } from "../bytes/zip.ts";
import { FormatError, isWeightGraphError } from "../errors.ts";
import type { Model } from "../model/model.ts";
import type { Format } from "./format.ts";
import { gguf } from "./gguf/read.ts";
import { kerasArchive, kerasHdf5, kerasShards } from "./keras/read.ts";
import { numpy } from "./npz/read.ts";
import { refuseLfsPointer } from "./lfsPointer.ts";
import { onnx } from "./onnx/read.ts";
import { pytorch } from "./pytorch/format.ts";
import { raw } from "./raw/read.ts";
import { safetensors } from "./safetensors/read.ts";
import { tfjs } from "./tfjs/read.ts";

/** Most specific first: the first that recognises a file reads it. */
const formats: readonly Format[] = [
  // one per line
  kerasShards,
  safetensors,
  gguf,
  kerasHdf5,
  kerasArchive,
  numpy,
  pytorch,
  onnx,
  tfjs,
  raw,
];

const headLength = 4096;

/**
 * Reads a model of any known format, recognised by its content.
 * @throws {FormatError} `FORMAT_UNKNOWN`, `FORMAT_LFS_POINTER`, or what the format's reader finds wrong.
 */
export async function readModel(source: ByteSource): Promise<Model> {
  const format = await detectFormat(source);
  try {
    return await format.read(source);
  } catch (cause) {
    if (isWeightGraphError(cause)) throw cause;
    throw new FormatError("FORMAT_MALFORMED", `cannot be read as ${format.title}`, {
      path: [source.name],
      cause,
      hint: "The file is damaged, or uses something that this reader does not know.",
    });
  }
}

/** @throws {FormatError} `FORMAT_UNKNOWN`, `FORMAT_LFS_POINTER`, `FORMAT_TRUNCATED` for an empty file; what `openZip` finds wrong. */
export async function detectFormat(source: ByteSource): Promise<Format> {
  const head = await source.slice(0, Math.min(headLength, source.byteLength));
  if (head.byteLength === 0) {
    throw new FormatError("FORMAT_TRUNCATED", "the file is empty", {
      path: [source.name],
      hint: "The download or the write that made it did not finish.",
    });
  }
  await refuseLfsPointer(source);
  for (const format of formats) {
    if (await format.recognises(head, source)) return format;
  }
  // A damaged archive says so, rather than that it is of no format.
  if (startsWith(head, zipSignature)) await openZip(source);
  throw new FormatError("FORMAT_UNKNOWN", "the content is of no format that weightgraph reads", {
    path: [source.name],
    hint: `Formats read: ${formats.map((format) => format.title).join(", ")}.`,
  });
}

import type { ByteSource } from "../../bytes/source.ts";
import type { Model } from "../../model/model.ts";
import type { Format } from "../format.ts";
import { plainValues } from "../plainValues.ts";
import { stateDictModel } from "../stateDict.ts";
import { maxHeaderLength, readSafetensorsHeader } from "./header.ts";

/**
 * Reads a safetensors file as a PyTorch state dict: tensors of two and more axes are weights, [out, in / groups, ...kernel].
 * Reads the header alone; each tensor is read by its span when asked for.
 * @throws {FormatError} `FORMAT_TRUNCATED`, `FORMAT_LIMIT`, `FORMAT_MALFORMED`, `FORMAT_UNSUPPORTED`
 */
export async function readSafetensors(source: ByteSource): Promise<Model> {
  const { entries, metadata } = await readSafetensorsHeader(source);
  return stateDictModel({
    name: source.name,
    format: "safetensors",
    metadata: metadata.size === 0 ? {} : { __metadata__: Object.fromEntries(metadata) },
    tensors: entries.map(({ name, dtype, shape, offset, byteLength }) => ({
      name,
      dtype,
      shape,
      location: { file: null, offset, byteLength },
      ...plainValues(source, offset, { dtype, shape }),
    })),
  });
}

export const safetensors: Format = {
  id: "safetensors",
  title: "safetensors",
  recognises: looksLikeSafetensors,
  read: readSafetensors,
};

/** A little-endian length, then `{`. A longer length than the format allows is no reason to take text for it. */
function looksLikeSafetensors(head: Uint8Array): boolean {
  if (head.byteLength < 9 || head[8] !== 0x7b) return false;
  const length = new DataView(head.buffer, head.byteOffset, 8).getBigUint64(0, true);
  const isText = head.subarray(0, 8).every((byte) => byte === 9 || byte === 10 || byte >= 32);
  return length <= BigInt(maxHeaderLength) || !isText;
}

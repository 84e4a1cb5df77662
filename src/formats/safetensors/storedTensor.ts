import type { ByteSource } from "../../bytes/source.ts";
import { plainValues } from "../plainValues.ts";
import type { StateDict } from "../stateDict.ts";
import type { SafetensorsEntry } from "./header.ts";

/** A tensor of the file `source`; `file` is its name beside the model file, null where it is that file. */
export function storedTensor(
  source: ByteSource,
  { name, dtype, shape, offset, byteLength }: SafetensorsEntry,
  file: string | null,
): StateDict["tensors"][number] {
  return {
    name,
    dtype,
    shape,
    location: { file, offset, byteLength },
    ...plainValues(source, offset, { dtype, shape }),
  };
}

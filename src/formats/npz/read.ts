import { memorySource, type ByteSource } from "../../bytes/source.ts";
import { startsWith } from "../../bytes/startsWith.ts";
import { openZip, zipSignature } from "../../bytes/zip.ts";
import { FormatError } from "../../errors.ts";
import type { Model } from "../../model/model.ts";
import { decodeTensor } from "../../tensor/decode.ts";
import { permute } from "../../tensor/permute.ts";
import { elementCount } from "../../tensor/shape.ts";
import type { Format } from "../format.ts";
import { stateDictModel, type StateDict } from "../stateDict.ts";
import { npySignature, parseNpyHeader } from "./npy.ts";

type Tensor = StateDict["tensors"][number];

const maxHeaderLength = 2 ** 16;

/**
 * Reads NumPy arrays: one (.npy) or an archive of named ones (.npz). Their orientation is not recorded, so layers are chained
 * both ways, [out, in] and [in, out], and the way with fewer breaks is taken. Unpacks each entry once for its header.
 * @throws {FormatError} `FORMAT_TRUNCATED`, `FORMAT_MALFORMED`, `FORMAT_UNSUPPORTED`, `FORMAT_LIMIT`
 */
export async function readNumpy(source: ByteSource): Promise<Model> {
  const isArchive = startsWith(await source.slice(0, Math.min(6, source.byteLength)), zipSignature);
  const tensors = isArchive ? await archived(source) : [await single(source)];
  const format = isArchive ? "npz" : "npy";
  return stateDictModel({
    name: source.name,
    format,
    tensors,
    metadata: {},
    orientation: "unknown",
  });
}

async function single(source: ByteSource): Promise<Tensor> {
  const head = await source.slice(0, Math.min(maxHeaderLength, source.byteLength));
  const header = parseNpyHeader(head, source.byteLength, [source.name]);
  const { offset, byteLength, isColumnMajor } = header;
  const location = isColumnMajor ? {} : { location: { file: null, offset, byteLength } };
  return {
    ...tensorOf(source.name.replace(/\.npy$/, ""), header, async () => source),
    ...location,
  };
}

async function archived(source: ByteSource): Promise<Tensor[]> {
  const tensors: Tensor[] = [];
  const names = new Set<string>();
  for (const entry of await openZip(source)) {
    if (!entry.name.endsWith(".npy")) continue;
    const path = [source.name, entry.name];
    if (names.has(entry.name)) {
      throw new FormatError("FORMAT_MALFORMED", "two arrays have this name", { path });
    }
    names.add(entry.name);
    const open = async (): Promise<ByteSource> => memorySource(await entry.read(), entry.name);
    const bytes = await entry.read();
    if (!startsWith(bytes, npySignature)) {
      throw new FormatError("FORMAT_MALFORMED", "the entry is no NumPy array", { path });
    }
    const header = parseNpyHeader(bytes, bytes.byteLength, path);
    tensors.push(tensorOf(entry.name.slice(0, -".npy".length), header, open));
  }
  return tensors;
}

function tensorOf(
  name: string,
  { dtype, shape, offset, byteLength, isColumnMajor }: ReturnType<typeof parseNpyHeader>,
  open: () => Promise<ByteSource>,
): Tensor {
  return {
    name,
    dtype,
    shape,
    async read() {
      const source = await open();
      const bytes = await source.slice(offset, offset + byteLength);
      const values = decodeTensor(bytes, dtype, elementCount(shape));
      // Column-major is row-major with the axes turned round.
      return isColumnMajor
        ? permute(values, shape.toReversed(), [...shape.keys()].reverse())
        : values;
    },
  };
}

export const numpy: Format = {
  id: "npz",
  title: "NumPy .npy and .npz",
  recognises(head) {
    if (startsWith(head, npySignature)) return true;
    if (!startsWith(head, zipSignature) || head.byteLength < 30) return false;
    const nameLength = head[26]! | (head[27]! << 8);
    const name = new TextDecoder("latin1").decode(head.subarray(30, 30 + nameLength));
    return name.endsWith(".npy");
  },
  read: readNumpy,
};

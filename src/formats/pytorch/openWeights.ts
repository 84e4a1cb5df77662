import type { ByteSource } from "../../bytes/source.ts";
import { startsWith } from "../../bytes/startsWith.ts";
import { openZip, zipSignature } from "../../bytes/zip.ts";
import type { ModelWarning } from "../../model/model.ts";
import { byteLengthOf } from "../../tensor/dtype.ts";
import { elementCount } from "../../tensor/shape.ts";
import { checkShards, openShard, readShardIndex, shardKindOf } from "../shardIndex.ts";
import { chooseWeights, type ChosenWeights } from "./chooseWeights.ts";
import { withConstants } from "./constants.ts";
import { elementSizesOf } from "./elementSizes.ts";
import { openExported } from "./exported.ts";
import { isOldScript, isTorchTar, refuseOldLayout } from "./oldLayouts.ts";
import { openArchive, openPickles, type TorchFile } from "./storages.ts";

/** A file with the tensors in it that are a network's weights. */
export interface WeightFile {
  /** Relative to the model file, or null for that itself. */
  readonly name: string | null;
  readonly source: ByteSource;
  readonly file: TorchFile;
  readonly chosen: ChosenWeights;
}

export interface OpenedWeights {
  readonly files: readonly WeightFile[];
  readonly warnings: readonly ModelWarning[];
}

/**
 * The one file, or every shard that an index names.
 * @throws {FormatError} `FORMAT_MALFORMED`, `FORMAT_TRUNCATED`, `FORMAT_LIMIT`, `FORMAT_UNSUPPORTED`; of an index also
 *   `FILE_NOT_FOUND`, `FILE_OUTSIDE_FOLDER`, `FORMAT_LFS_POINTER`
 */
export async function openWeights(source: ByteSource): Promise<OpenedWeights> {
  const head = await source.slice(0, Math.min(4096, source.byteLength));
  if ((await shardKindOf(head, source)) === "pytorch") return openShards(source);
  return { files: [await openFile(source, null)], warnings: [] };
}

async function openFile(source: ByteSource, name: string | null): Promise<WeightFile> {
  const head = await source.slice(0, Math.min(512, source.byteLength));
  if (isTorchTar(head)) refuseOldLayout("the tar archive of PyTorch 0.1", source.name);
  if (!startsWith(head, zipSignature)) {
    const file = await openPickles(source, elementSizesOf);
    return { name, source, file, chosen: chooseWeights(file.root) };
  }
  const zip = await openZip(source);
  const entries = new Map(zip.map((entry) => [entry.name, entry]));
  if (isOldScript([...entries.keys()])) {
    refuseOldLayout("TorchScript of PyTorch before 1.4", source.name);
  }
  const exported = await openExported(source, entries);
  if (exported !== null) return { name, source, ...exported };
  const file = await openArchive(source, entries);
  return { name, source, file, chosen: withConstants(chooseWeights(file.root), file.constants) };
}

async function openShards(source: ByteSource): Promise<OpenedWeights> {
  const index = await readShardIndex(source);
  const files: WeightFile[] = [];
  const sizes = new Map<string, ReadonlyMap<string, { byteLength: number }>>();
  for (const name of index.files) {
    const shard = await openFile(await openShard(source, name), name);
    sizes.set(
      name,
      new Map(shard.chosen.tensors.map((own) => [own.name, { byteLength: lengthOf(own.record) }])),
    );
    const tensors = shard.chosen.tensors.filter((own) => index.weightMap.get(own.name) === name);
    files.push({ ...shard, chosen: { ...shard.chosen, tensors } });
  }
  return { files, warnings: checkShards(index, sizes, source.name) };
}

function lengthOf({ dtype, shape }: ChosenWeights["tensors"][number]["record"]): number {
  return byteLengthOf(dtype, elementCount(shape));
}

/** What needs files and processes; everything of `index.ts` besides. */
import { basename, join, resolve } from "node:path";
import {
  fileSource,
  folderStore,
  packageFolder,
  writeFileAtomically,
  type ReadLimits,
} from "./bytes/file.ts";
import { containedTarget } from "./bytes/contained.ts";
import { memorySource, type ByteSource } from "./bytes/source.ts";
import type { Dataset } from "./data/dataset.ts";
import {
  imageDatasetFiles,
  readImageDataset,
  type ImageDatasetSources,
} from "./data/imageDataset.ts";
import { FormatError, isWeightGraphError } from "./errors.ts";
import { writeSafetensors } from "./formats/safetensors/write.ts";
import {
  recordRun,
  type RecordedEpoch,
  type RecordOptions,
  type TensorCodec,
} from "./train/recordRun.ts";
import { readModel } from "./formats/detect.ts";
import { readManifest, seriesInput } from "./formats/series/seriesInput.ts";
import { readSeries, type SeriesOptions } from "./formats/series/readSeries.ts";
import type { Model } from "./model/model.ts";
import type { Series } from "./model/series.ts";

export * from "./index.ts";
export { containedTarget, fileSource, writeFileAtomically, type ReadLimits };

/** Reads the model file at `path`, of any known format. @throws {FormatError} */
export async function openModel(path: string, limits: ReadLimits = {}): Promise<Model> {
  return readModel(await fileSource(path, limits));
}

/**
 * Checkpoints as a series: those in a folder and below it, those that match a pattern (`runs/a/*.pt`), those that a manifest
 * lists (JSON or a table), or files named one by one; see `readSeries`.
 * @throws {FormatError} `SERIES_EMPTY`, `FILE_NOT_FOUND`, `FILE_NOT_READABLE`, `FILE_OUTSIDE_FOLDER`
 */
export async function openSeries(
  paths: string | readonly string[],
  options: SeriesOptions & ReadLimits = {},
): Promise<Series> {
  const given = typeof paths === "string" ? [paths] : paths;
  const { name, files, ...found } = await seriesInput(given, options);
  return readSeries(name, files, { ...options, ...found });
}

/** True for a file that lists checkpoints, in JSON or as a table: `openSeries` opens it. */
export async function isSeriesManifest(path: string): Promise<boolean> {
  return (await readManifest(path, {})) !== null;
}

export interface OpenedDataset {
  readonly dataset: Dataset;
  /** Where it was found. */
  readonly folder: string;
  /** True for the small part of a data set that comes with the package. */
  readonly isSubset: boolean;
}

/**
 * A data set of grey images: `mnist`, or the path of a folder that holds four IDX files. A name is looked for in `dataDir` if
 * that is given (itself, or a folder of that name in it), else in `shared/data/datasets` beside the package, else among the
 * package's own fixtures, where a small part of MNIST lies, else as a folder here.
 * @throws {FormatError} `DATA_NOT_FOUND`, `DATA_MALFORMED`
 */
export async function openDataset(
  nameOrPath: string,
  { dataDir }: { readonly dataDir?: string } = {},
): Promise<OpenedDataset> {
  const root = packageFolder();
  const fixtures = join(root, "fixtures", nameOrPath);
  const beside = join(root, "..", "shared", "data", "datasets", nameOrPath);
  const isPath = /[\\/]/.test(nameOrPath) || nameOrPath.startsWith(".");
  const inDataDir = dataDir === undefined ? null : [join(dataDir, nameOrPath), dataDir];
  const folders = isPath ? [nameOrPath] : (inDataDir ?? [beside, fixtures, nameOrPath]);
  for (const folder of folders) {
    const sources = await imageSources(folder);
    if (sources === null) continue;
    const dataset = await readImageDataset(basename(resolve(nameOrPath)), sources);
    return { dataset, folder, isSubset: folder === fixtures };
  }
  throw new FormatError("DATA_NOT_FOUND", `no data set ${nameOrPath} was found`, {
    path: [nameOrPath],
    hint: `Put ${Object.values(imageDatasetFiles).join(", ")}, plain or as .gz, into ${folders.join(" or ")}.`,
  });
}

/** The four files in `folder`, or null unless all are there. */
async function imageSources(folder: string): Promise<ImageDatasetSources | null> {
  const found: Partial<Record<keyof ImageDatasetSources, ByteSource>> = {};
  for (const [part, stem] of Object.entries(imageDatasetFiles)) {
    for (const name of [`${stem}.gz`, stem]) {
      try {
        found[part as keyof ImageDatasetSources] ??= await fileSource(join(folder, name));
      } catch (error) {
        if (!isWeightGraphError(error, "FILE_NOT_FOUND")) throw error;
      }
    }
    if (found[part as keyof ImageDatasetSources] === undefined) return null;
  }
  return found as ImageDatasetSources;
}

export interface TrainToFolderOptions extends Omit<RecordOptions, "store" | "codec"> {
  /** Made if there is none. */
  readonly out: string;
}

/**
 * Trains into a folder: `epoch_000.safetensors`, …, `log.json` and the manifest `run.json`; see `recordRun`. Hidden in it,
 * `.resume` holds what `resume` needs.
 */
export function trainToFolder({
  out,
  ...options
}: TrainToFolderOptions): AsyncGenerator<RecordedEpoch, void, undefined> {
  return recordRun({ ...options, store: folderStore(out), codec: safetensorsCodec });
}

const safetensorsCodec: TensorCodec = {
  extension: "safetensors",
  encode: (tensors, metadata) =>
    writeSafetensors({
      metadata,
      tensors: tensors.map(({ name, shape, values }) => ({
        name,
        shape,
        dtype: values instanceof Float32Array ? "float32" : "float64",
        data: values,
      })),
    }),
  async decode(bytes) {
    const { tensors } = await readModel(memorySource(bytes));
    return Promise.all(
      tensors.map(async (tensor) => ({
        name: tensor.name,
        shape: tensor.shape,
        values: await tensor.read(),
      })),
    );
  },
};

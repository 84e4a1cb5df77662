/** What needs files and processes; everything of `index.ts` besides. */
import { basename, join, resolve } from "node:path";
import { fileSource, listFolder, writeFileAtomically } from "./bytes/file.ts";
import { readModel } from "./formats/detect.ts";
import { readSeries, type SeriesOptions } from "./formats/series/readSeries.ts";
import type { Model } from "./model/model.ts";
import type { Series } from "./model/series.ts";

export * from "./index.ts";
export { fileSource, writeFileAtomically };

/** Reads the model file at `path`, of any known format. @throws {FormatError} */
export async function openModel(path: string): Promise<Model> {
  return readModel(await fileSource(path));
}

/**
 * The checkpoints in the folder `path` as a series; see `readSeries`.
 * @throws {FormatError} `SERIES_EMPTY`, `FILE_NOT_FOUND`, `FILE_NOT_READABLE`
 */
export async function openSeries(path: string, options: SeriesOptions = {}): Promise<Series> {
  const names = await listFolder(path);
  const files = names.map((name) => ({ name, open: () => fileSource(join(path, name)) }));
  return readSeries(basename(resolve(path)), files, options);
}

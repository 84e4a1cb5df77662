/** What needs files and processes; everything of `index.ts` besides. */
import { fileSource, writeFileAtomically } from "./bytes/file.ts";
import { readModel } from "./formats/detect.ts";
import type { Model } from "./model/model.ts";

export * from "./index.ts";
export { fileSource, writeFileAtomically };

/** Reads the model file at `path`, of any known format. @throws {FormatError} */
export async function openModel(path: string): Promise<Model> {
  return readModel(await fileSource(path));
}

import type { ByteSource } from "../bytes/source.ts";
import { FormatError, isWeightGraphError } from "../errors.ts";
import { refuseLfsPointer } from "./lfsPointer.ts";

/**
 * A file of weights that a model file names; `path` leads to where it does.
 * @throws {FormatError} `FILE_NOT_FOUND`, `FILE_OUTSIDE_FOLDER`, `FORMAT_LFS_POINTER`, `FORMAT_TRUNCATED` for an empty file
 */
export async function openDataFile(
  source: ByteSource,
  file: string,
  path: readonly string[],
): Promise<ByteSource> {
  try {
    const data = await source.sibling(file);
    if (data.byteLength === 0) {
      throw new FormatError("FORMAT_TRUNCATED", "the file of weights is empty", { path });
    }
    await refuseLfsPointer(data, path);
    return data;
  } catch (cause) {
    if (!isWeightGraphError(cause, "FILE_NOT_FOUND")) throw cause;
    throw new FormatError(
      "FILE_NOT_FOUND",
      `${source.name} names ${file}, which is not beside it`,
      {
        path,
        cause,
        hint: "Fetch all files of the model into one folder.",
      },
    );
  }
}

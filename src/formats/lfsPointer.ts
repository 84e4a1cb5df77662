import type { ByteSource } from "../bytes/source.ts";
import { FormatError } from "../errors.ts";

/**
 * That a file is no git-lfs pointer: a text of three lines in place of what was meant. `path` leads to the file.
 * @throws {FormatError} `FORMAT_LFS_POINTER`
 */
export async function refuseLfsPointer(
  source: ByteSource,
  path: readonly string[] = [source.name],
): Promise<void> {
  const head = await source.slice(0, Math.min(64, source.byteLength));
  const start = new TextDecoder("latin1").decode(head);
  if (!start.startsWith("version https://git-lfs.github.com/spec/")) return;
  throw new FormatError("FORMAT_LFS_POINTER", "a git-lfs pointer stands in place of the file", {
    path,
    hint: "Fetch the real file with `git lfs pull`.",
  });
}

/** Files that a model names, kept inside the model's own folder: for reading and for writing. Node only. */
import { readdir, realpath, stat } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, sep } from "node:path";
import { FormatError } from "../errors.ts";

/**
 * The real path of the file that the model at `modelPath` calls `relativePath`. It must lie in the model's folder, or in the folder
 * of the file that the model's path is a link to (stores of downloads keep models as links to files that stand side by side).
 * @throws {FormatError} `FILE_OUTSIDE_FOLDER` if it leaves the folder by its name, by a symbolic link, or by a hard link whose
 *   other name stands elsewhere; `FILE_NOT_FOUND`.
 */
export async function containedPath(modelPath: string, relativePath: string): Promise<string> {
  const wanted = join(dirname(modelPath), ...namedParts(relativePath));
  const real = await realpath(wanted).catch(() => null);
  if (real === null) {
    throw new FormatError("FILE_NOT_FOUND", `no such file: ${wanted}`, {
      path: [basename(modelPath), relativePath],
      hint: "The model keeps data in this file: fetch it too, and put it beside the model.",
    });
  }
  const roots = [await realpath(dirname(modelPath)), dirname(await realpath(modelPath))];
  const root = roots.find((one) => isInside(real, one));
  if (root === undefined) throw outside(relativePath);
  if (await hasNameOutside(real, root)) {
    throw new FormatError("FILE_OUTSIDE_FOLDER", "a hard link to a file elsewhere", {
      path: [basename(modelPath), relativePath],
      hint: "Copy the file, so that it has no second name outside the model's folder.",
    });
  }
  return real;
}

/**
 * Where a file that the model calls `relativePath` is to be written when the model is written to `modelPath`.
 * @throws {FormatError} `FILE_OUTSIDE_FOLDER` if its name, or a link among the folders on the way, leads out of the model's folder.
 */
export async function containedTarget(modelPath: string, relativePath: string): Promise<string> {
  const folder = dirname(modelPath);
  const parts = namedParts(relativePath);
  const root = await realpath(folder).catch(() => null);
  const onTheWay = parts.slice(1).map((_, i) => join(folder, ...parts.slice(0, i + 1)));
  for (const path of root === null ? [] : onTheWay) {
    const real = await realpath(path).catch(() => null);
    if (real === null) break;
    if (!isInside(real, root!)) throw outside(relativePath);
  }
  return join(folder, ...parts);
}

/** @throws {FormatError} `FILE_OUTSIDE_FOLDER` for a name that is absolute, climbs, or names no file. */
function namedParts(relativePath: string): readonly string[] {
  const parts = relativePath.split(/[\\/]/).filter((part) => part !== "" && part !== ".");
  const isRooted = isAbsolute(relativePath) || /^([a-z]:|[\\/])/i.test(relativePath);
  if (isRooted || parts.length === 0 || parts.includes("..") || relativePath.includes("\0")) {
    throw outside(relativePath);
  }
  return parts;
}

function isInside(path: string, root: string): boolean {
  return path.startsWith(root.endsWith(sep) ? root : root + sep);
}

function outside(relativePath: string): FormatError {
  return new FormatError(
    "FILE_OUTSIDE_FOLDER",
    `${JSON.stringify(relativePath)} leads out of the model's folder`,
    { path: [relativePath], hint: "Move the named file beside the model." },
  );
}

/** Folders are searched for the other names of a file as far as this. */
const maxEntries = 10_000;

/** True when the file has more names than can be found in `root`. */
async function hasNameOutside(path: string, root: string): Promise<boolean> {
  const { nlink, ino, dev } = await stat(path);
  if (nlink <= 1) return false;
  let found = 0;
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  for (const entry of entries.slice(0, maxEntries)) {
    if (!entry.isFile()) continue;
    const other = await stat(join(entry.parentPath, entry.name)).catch(() => null);
    if (other?.ino === ino && other.dev === dev && ++found >= nlink) return false;
  }
  return true;
}

/** Folders and what lies in them, for Node only. */
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { FormatError } from "../errors.ts";

export interface FolderListing {
  /** Files by path relative to the folder, `/` between parts, sorted. */
  readonly files: readonly string[];
  /** Folders that could not be read, and links to folders, which are not followed. */
  readonly leftOut: readonly { readonly name: string; readonly reason: string }[];
}

export interface WalkOptions {
  /** Folders below the first that are looked into. @defaultValue 8 */
  readonly maxDepth?: number;
  /** @defaultValue 200000 */
  readonly maxFiles?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The files in a folder and below it; hidden ones are left out. A link to a file counts as one, a link to a folder is not
 * followed, so that no cycle is walked.
 * @throws {FormatError} `FILE_NOT_FOUND`, `FILE_NOT_READABLE` for what is no folder, `FORMAT_LIMIT`
 */
export async function walkFolder(
  path: string,
  { maxDepth = 8, maxFiles = 200_000, signal }: WalkOptions = {},
): Promise<FolderListing> {
  const files: string[] = [];
  const leftOut: { name: string; reason: string }[] = [];
  const open: { name: string; depth: number }[] = [{ name: "", depth: 0 }];
  while (open.length > 0) {
    signal?.throwIfAborted();
    const { name: folder, depth } = open.pop()!;
    const entries = await entriesOf(join(path, folder), folder === "");
    if (entries === null) leftOut.push({ name: folder, reason: "the folder cannot be read" });
    for (const entry of entries ?? []) {
      if (entry.name.startsWith(".")) continue;
      const name = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isFile()) files.push(name);
      else if (entry.isDirectory()) {
        if (depth < maxDepth) open.push({ name, depth: depth + 1 });
        else leftOut.push({ name, reason: `more than ${maxDepth} folders deep` });
      } else if (entry.isSymbolicLink()) {
        const target = await stat(join(path, name)).catch(() => null);
        if (target?.isFile()) files.push(name);
        else if (target?.isDirectory()) leftOut.push({ name, reason: "a link to a folder" });
        else if (target === null) leftOut.push({ name, reason: "a link that leads nowhere" });
      }
    }
    if (files.length > maxFiles) {
      throw new FormatError("FORMAT_LIMIT", `more than ${maxFiles} files lie in the folder`, {
        path: [path],
        hint: "Name the folder of one run, or a pattern such as 'runs/a/*.pt'.",
      });
    }
  }
  return { files: files.sort(), leftOut };
}

/** Null where a folder below the first cannot be read. */
async function entriesOf(
  path: string,
  isFirst: boolean,
): Promise<Awaited<ReturnType<typeof readEntries>> | null> {
  try {
    return await readEntries(path);
  } catch (cause) {
    if (!isFirst) return null;
    const isMissing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    throw new FormatError(
      isMissing ? "FILE_NOT_FOUND" : "FILE_NOT_READABLE",
      isMissing ? `no such folder: ${path}` : `${path} is not a folder that can be read`,
      { path: [path], cause, hint: "Name the folder that holds the checkpoints." },
    );
  }
}

function readEntries(path: string) {
  return readdir(path, { withFileTypes: true });
}

/** Whether a file or a folder stands at `path`, links followed; null if nothing can be seen there. */
export async function kindOf(path: string): Promise<"file" | "folder" | null> {
  const found = await stat(path).catch(() => null);
  if (found === null) return null;
  return found.isDirectory() ? "folder" : "file";
}

/** The folder that paths share, and each path from there, `/` between parts. */
export function fromCommonFolder(paths: readonly string[]): { folder: string; names: string[] } {
  const full = paths.map((path) => resolve(path));
  let folder = dirname(full[0] ?? resolve("."));
  const isOutside = (path: string): boolean =>
    path !== folder && !path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
  while (full.some(isOutside) && dirname(folder) !== folder) folder = dirname(folder);
  return { folder, names: full.map((path) => relative(folder, path).split(sep).join("/")) };
}

/** The path of `name` in a folder. */
export function pathWithin(folder: string, name: string): string {
  return join(folder, name);
}

export function parentOf(path: string): string {
  return dirname(path);
}

/** The last part of a path, of `.` too. */
export function nameOfPath(path: string): string {
  return basename(resolve(path));
}

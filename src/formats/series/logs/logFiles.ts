import type { Checkpoint } from "../chooseRun.ts";
import { folderOf, type SeriesFile } from "../seriesFile.ts";
import { isEventFileName, isLogName, logRank } from "./logNames.ts";

/**
 * The logs that belong to a run, the most telling first: those in its folder, above it, or in a folder without checkpoints of
 * other runs (`logs/train` beside `checkpoints`). Nearer ones come first, then as `logRank` has it.
 */
export function logFilesOf(
  files: readonly SeriesFile[],
  chosen: readonly Checkpoint[],
  models: readonly string[],
): SeriesFile[] {
  const own = new Set(chosen.map(({ file }) => file.name));
  const base = commonFolder([...own].map((name) => partsOf(folderOf(name))));
  const foreign = models.filter((name) => !own.has(name));
  const foreignFolders = new Set(
    foreign.flatMap((name) => {
      const parts = partsOf(folderOf(name));
      return parts.map((_, i) => parts.slice(0, i + 1).join("/"));
    }),
  );
  const placed = files.flatMap((file) => {
    if (own.has(file.name) || !isLogName(file.name)) return [];
    const parts = partsOf(folderOf(file.name));
    const shared = commonFolder([base, parts]).length;
    const branch = parts.slice(0, shared + 1).join("/");
    const belongs = parts.length === shared || !foreignFolders.has(branch) || isOwn(branch, own);
    return belongs ? [{ file, distance: base.length - shared + (parts.length - shared) }] : [];
  });
  return placed
    .sort(
      (a, b) =>
        a.distance - b.distance ||
        logRank(a.file.name) - logRank(b.file.name) ||
        (a.file.name < b.file.name ? -1 : 1),
    )
    .map(({ file }) => file);
}

/** What stands in front of the metrics of an event file, where files lie in several folders: `train/`, `validation/`. */
export function eventPrefixes(names: readonly string[]): ReadonlyMap<string, string> {
  const events = names.filter(isEventFileName);
  const shared = commonFolder(events.map((name) => partsOf(folderOf(name)))).length;
  return new Map(
    events.map((name) => {
      const parts = partsOf(folderOf(name)).slice(shared);
      return [name, parts.length === 0 ? "" : `${parts.join("/")}/`];
    }),
  );
}

function isOwn(folder: string, own: ReadonlySet<string>): boolean {
  return [...own].some((name) => name.startsWith(`${folder}/`));
}

function partsOf(folder: string): string[] {
  return folder === "" ? [] : folder.split("/");
}

function commonFolder(folders: readonly (readonly string[])[]): readonly string[] {
  const [first = [], ...rest] = folders;
  const end = first.findIndex((part, i) => rest.some((other) => other[i] !== part));
  return end === -1 ? first : first.slice(0, end);
}

/** What a user names to be followed, as files: for Node only. */
import { fileSource, type ReadLimits } from "../../bytes/file.ts";
import {
  fromCommonFolder,
  kindOf,
  nameOfPath,
  parentOf,
  pathWithin,
  walkFolder,
} from "../../bytes/folder.ts";
import { globMatcher, isGlobPattern, splitGlobPattern } from "../../bytes/globPattern.ts";
import { FormatError } from "../../errors.ts";
import type { ModelWarning } from "../../model/model.ts";
import { isLogName } from "./logs/logNames.ts";
import { parseSeriesManifest, type DatedEntry } from "./manifest.ts";
import { dateOf, listed, type SeriesFile } from "./seriesFile.ts";

export interface SeriesInput {
  readonly name: string;
  readonly files: readonly SeriesFile[];
  readonly dates: ReadonlyMap<string, DatedEntry>;
  readonly isListed: boolean;
  readonly warnings: readonly ModelWarning[];
}

const maxManifestLength = 32 * 2 ** 20;

/**
 * A folder, with what lies below it; a pattern, with the logs in its folder; a manifest, with the logs beside it; files one by one.
 * @throws {FormatError} `FILE_NOT_FOUND`, `FILE_NOT_READABLE`, `SERIES_EMPTY` for a pattern that nothing matches
 */
export async function seriesInput(
  given: readonly string[],
  limits: ReadLimits = {},
): Promise<SeriesInput> {
  const [first] = given;
  if (first === undefined) {
    throw new FormatError("SERIES_EMPTY", "no file or folder is named", {
      hint: "Name the folder that holds the checkpoints.",
    });
  }
  const kinds = await Promise.all(given.map(kindOf));
  if (given.length === 1) {
    if (kinds[0] === "folder") return ofFolder(first, limits);
    const manifest = kinds[0] === "file" ? await ofManifest(first, limits) : null;
    if (manifest !== null) return manifest;
  }
  const warnings: ModelWarning[] = [];
  const files: string[] = [];
  for (const [i, one] of given.entries()) {
    if (kinds[i] === "file") files.push(one);
    else if (kinds[i] === null && isGlobPattern(one)) files.push(...(await matching(one, limits)));
    else files.push(...(await inside(one, warnings, limits)));
  }
  const isListed = kinds.every((kind) => kind === "file");
  const logs = isListed ? await logsBeside(files, limits) : [];
  const unique = [...new Set([...files, ...logs])];
  const { folder, names } = fromCommonFolder(unique);
  return {
    name: nameOfPath(given.length === 1 && kinds[0] !== null ? first : folder),
    files: unique.map((own, i) => ({ name: names[i]!, open: () => fileSource(own, limits) })),
    dates: new Map(),
    isListed,
    warnings,
  };
}

async function ofFolder(folder: string, limits: ReadLimits): Promise<SeriesInput> {
  const warnings: ModelWarning[] = [];
  const { files, leftOut } = await walkFolder(folder, limits);
  warnAboutLeftOut(leftOut, warnings);
  return {
    name: nameOfPath(folder),
    files: files.map((name) => ({
      name,
      open: () => fileSource(pathWithin(folder, name), limits),
    })),
    dates: await datesIn(folder, files, limits),
    isListed: false,
    warnings,
  };
}

/** What a manifest in the folder says of files whose names say nothing. */
async function datesIn(
  folder: string,
  files: readonly string[],
  limits: ReadLimits,
): Promise<ReadonlyMap<string, DatedEntry>> {
  const dates = new Map<string, DatedEntry>();
  const known = new Set(files);
  for (const name of ["manifest.json", "run.json"]) {
    if (!known.has(name)) continue;
    for (const entry of (await readManifest(pathWithin(folder, name), limits)) ?? []) {
      if (known.has(entry.name) && dateOf(entry.name) === null) dates.set(entry.name, entry);
    }
  }
  return dates;
}

async function ofManifest(file: string, limits: ReadLimits): Promise<SeriesInput | null> {
  const entries = await readManifest(file, limits);
  if (entries === null) return null;
  const source = await fileSource(file, limits);
  const dates = new Map<string, DatedEntry>();
  const repeated: string[] = [];
  for (const entry of entries) {
    if (dates.has(entry.name)) repeated.push(entry.name);
    else dates.set(entry.name, entry);
  }
  const message = `listed twice, the first entry counts: ${listed(repeated)}`;
  const folder = parentOf(file);
  const { files } = await walkFolder(folder, limits);
  const logs = files.filter((name) => isLogName(name) && name !== nameOfPath(file));
  return {
    name: nameOfPath(file),
    files: [
      ...[...dates.keys()].map((name) => ({ name, open: () => source.sibling(name) })),
      ...logs.map((name) => ({ name, open: () => fileSource(pathWithin(folder, name), limits) })),
    ],
    dates,
    isListed: true,
    warnings: repeated.length === 0 ? [] : [{ code: "SERIES_DUPLICATE", message }],
  };
}

/** Null for a file that is no manifest. */
export async function readManifest(file: string, limits: ReadLimits): Promise<DatedEntry[] | null> {
  if (!/\.(?:jsonl?|ndjson|csv|tsv|txt)$/i.test(file)) return null;
  const source = await fileSource(file, limits);
  if (source.byteLength > maxManifestLength) return null;
  const bytes = await source.slice(0, source.byteLength);
  return parseSeriesManifest(new TextDecoder().decode(bytes), source.name);
}

async function inside(
  folder: string,
  warnings: ModelWarning[],
  limits: ReadLimits,
): Promise<string[]> {
  const { files, leftOut } = await walkFolder(folder, limits);
  warnAboutLeftOut(leftOut, warnings);
  return files.map((name) => pathWithin(folder, name));
}

/** The files that a pattern matches, and the logs in its folder. */
async function matching(pattern: string, limits: ReadLimits): Promise<string[]> {
  const { folder, rest } = splitGlobPattern(pattern);
  const matcher = globMatcher(rest);
  /** A pattern may mean folders: `run/checkpoint-*`. */
  const matches = (name: string): boolean => {
    for (let end = name.length; end > 0; end = name.lastIndexOf("/", end - 1)) {
      if (matcher(name.slice(0, end))) return true;
    }
    return false;
  };
  const { files } =
    (await kindOf(folder)) === "folder" ? await walkFolder(folder, limits) : { files: [] };
  if (!files.some(matches)) {
    throw new FormatError("SERIES_EMPTY", "no file matches the pattern", {
      path: [pattern],
      hint: "Signs: * and ? within a name, ** over folders, [0-9], {a,b}.",
    });
  }
  return files
    .filter((name) => matches(name) || isLogName(name))
    .map((name) => pathWithin(folder, name));
}

async function logsBeside(files: readonly string[], limits: ReadLimits): Promise<string[]> {
  const logs: string[] = [];
  for (const folder of new Set(files.map(parentOf))) {
    const listing = await walkFolder(folder, { ...limits, maxDepth: 0 });
    logs.push(...listing.files.filter(isLogName).map((name) => pathWithin(folder, name)));
  }
  return logs;
}

function warnAboutLeftOut(
  leftOut: readonly { readonly name: string; readonly reason: string }[],
  warnings: ModelWarning[],
): void {
  if (leftOut.length === 0) return;
  const names = leftOut.map(({ name, reason }) => `${name} (${reason})`);
  const message = `folders that were not looked into: ${listed(names)}`;
  warnings.push({ code: "SERIES_FOLDER_LEFT_OUT", message });
}

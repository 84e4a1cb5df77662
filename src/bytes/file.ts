/** Files and folders, for Node only. */
import { constants, existsSync, rmSync } from "node:fs";
import { link, mkdir, open, readFile, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { FormatError, isWeightGraphError } from "../errors.ts";
import { containedPath } from "./contained.ts";
import { checkSpan, type ByteSource } from "./source.ts";

/** What reading may take; none of it is limited unless it is said here. */
export interface ReadLimits {
  /** Bytes that a file of the model may have. */
  readonly maxFileSize?: number;
  /** Bytes that the process may hold, a read that is about to be made included. */
  readonly maxMemory?: number;
  /** Every read asks it. */
  readonly signal?: AbortSignal;
}

/**
 * A source on a regular file. It is open while slices of it are being read and closed once the last is done, so no handle is ever
 * leaked; `sibling` follows names inside the file's own folder only, by real path.
 * @throws {FormatError} `FILE_NOT_FOUND`, `FILE_NOT_READABLE`, `FORMAT_LIMIT`.
 */
export async function fileSource(path: string, limits: ReadLimits = {}): Promise<ByteSource> {
  const { size, isRegular } = await status(path);
  if (!isRegular) {
    throw new FormatError("FILE_NOT_READABLE", `${path} is not a regular file`, {
      path: [path],
      hint: "Name a file in it: the model file, or the index of its shards. `epochs` reads folders of checkpoints.",
    });
  }
  const name = basename(path);
  if (size > (limits.maxFileSize ?? Infinity)) {
    throw new FormatError("FORMAT_LIMIT", `the file has ${size} bytes`, {
      path: [name],
      hint: `Files of up to ${limits.maxFileSize} bytes are read: raise --max-file-size.`,
    });
  }
  const withHandle = handleUser(path);
  return {
    name,
    byteLength: size,
    async slice(start, end, room) {
      checkSpan(name, size, start, end);
      const fits = room !== undefined && room.byteLength >= end - start;
      checkLimits(limits, fits ? 0 : end - start, name);
      const bytes = fits ? room.subarray(0, end - start) : new Uint8Array(end - start);
      await withHandle((handle) => fill(handle, bytes, start, name));
      return bytes;
    },
    async sibling(relativePath) {
      return fileSource(await containedPath(path, relativePath), limits);
    },
  };
}

/** Slices read side by side share a handle: to open and to close are turns of the event loop, which other work holds up. */
function handleUser(path: string): (use: (handle: FileHandle) => Promise<void>) => Promise<void> {
  let opened: Promise<FileHandle> | null = null;
  let users = 0;
  return async (use) => {
    const own = (opened ??= open(path, constants.O_RDONLY));
    users++;
    try {
      await use(await own);
    } catch (cause) {
      throw isWeightGraphError(cause) ? cause : unreadable(path, cause);
    } finally {
      if (--users === 0) {
        opened = null;
        await own.then(
          (handle) => handle.close(),
          () => undefined,
        );
      }
    }
  };
}

function checkLimits({ signal, maxMemory }: ReadLimits, byteLength: number, name: string): void {
  signal?.throwIfAborted();
  if (maxMemory === undefined || process.memoryUsage.rss() + byteLength <= maxMemory) return;
  throw new FormatError(
    "FORMAT_LIMIT",
    `reading ${byteLength} more bytes would take too much memory`,
    {
      path: [name],
      hint: `${maxMemory} bytes may be held: raise --max-memory.`,
    },
  );
}

async function fill(
  handle: FileHandle,
  bytes: Uint8Array,
  start: number,
  name: string,
): Promise<void> {
  for (let filled = 0; filled < bytes.byteLength;) {
    const length = Math.min(bytes.byteLength - filled, 2 ** 30);
    const { bytesRead } = await handle.read(bytes, filled, length, start + filled);
    if (bytesRead === 0) {
      throw new FormatError("FORMAT_TRUNCATED", "the file became shorter while being read", {
        path: [name],
      });
    }
    filled += bytesRead;
  }
}

/**
 * Writes a file so that, at any moment, its path holds the old content, the new content or nothing: bytes go to a temporary file
 * beside it, which is renamed once it is on disk. Makes the folder if there is none.
 * @throws {FormatError} `FILE_EXISTS` unless `overwrite`, `FILE_NOT_WRITABLE`.
 */
export async function writeFileAtomically(
  path: string,
  content: Uint8Array | string | AsyncIterable<Uint8Array>,
  { overwrite = false }: { readonly overwrite?: boolean } = {},
): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${process.pid}.tmp`);
  unfinished.add(temporary);
  try {
    await mkdir(folder, { recursive: true });
    const handle = await open(temporary, "w");
    try {
      if (typeof content === "string" || content instanceof Uint8Array) {
        await handle.writeFile(content);
      } else {
        for await (const chunk of content) await handle.appendFile(chunk);
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (overwrite) await rename(temporary, path);
    else await link(temporary, path);
  } catch (cause) {
    // What the content itself says, not the disk.
    if (isWeightGraphError(cause) || (cause as Error).name === "AbortError") throw cause;
    const { code, syscall } = cause as NodeJS.ErrnoException;
    const exists = code === "EEXIST" && syscall === "link";
    throw new FormatError(
      exists ? "FILE_EXISTS" : "FILE_NOT_WRITABLE",
      exists ? "the file exists already" : "the file cannot be written",
      {
        path: [path],
        cause,
        hint: exists
          ? "Name another file, or pass --force."
          : "Check the folder and the free space.",
      },
    );
  } finally {
    await rm(temporary, { force: true }).catch(() => undefined);
    unfinished.delete(temporary);
  }
}

/** Temporary files of writes under way: a process that has to end at once leaves none behind. */
const unfinished = new Set<string>();
process.once("exit", () => {
  for (const temporary of unfinished) rmSync(temporary, { force: true });
});

/** A folder as a place where files are kept by name; names may lead into subfolders. */
export function folderStore(folder: string): FolderStore {
  return {
    async read(name) {
      try {
        return new Uint8Array(await readFile(join(folder, name)));
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code === "ENOENT") return null;
        throw new FormatError("FILE_NOT_READABLE", "the file cannot be read", {
          path: [join(folder, name)],
          cause,
        });
      }
    },
    write: (name, content, options) => writeFileAtomically(join(folder, name), content, options),
    remove: (name) => rm(join(folder, name), { force: true }),
  };
}

export interface FolderStore {
  /** Null if there is no such file. @throws {FormatError} `FILE_NOT_READABLE` */
  read(name: string): Promise<Uint8Array | null>;
  /** @throws as `writeFileAtomically`. */
  write(
    name: string,
    content: Uint8Array | string,
    options: { readonly overwrite: boolean },
  ): Promise<void>;
  remove(name: string): Promise<void>;
}

/** The folder of the package that holds this file, be it run from its source or as built. */
export function packageFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json")) && dirname(folder) !== folder) {
    folder = dirname(folder);
  }
  return folder;
}

async function status(path: string): Promise<{ size: number; isRegular: boolean }> {
  try {
    const { size, isFile } = await stat(path).then((s) => ({ size: s.size, isFile: s.isFile() }));
    return { size, isRegular: isFile };
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): FormatError {
  const missing = ["ENOENT", "ENOTDIR"].includes((cause as NodeJS.ErrnoException).code ?? "");
  return new FormatError(
    missing ? "FILE_NOT_FOUND" : "FILE_NOT_READABLE",
    missing ? `no such file: ${path}` : `cannot read ${path}`,
    { path: [path], cause, hint: "Check the path and its permissions." },
  );
}

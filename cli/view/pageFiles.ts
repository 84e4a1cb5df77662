import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, extname, join } from "node:path";

const contentTypes: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** Where `npm run build:viewer` puts the page. */
export const builtPageFolder: string = join(
  dirname(createRequire(import.meta.url).resolve("weightgraph/package.json")),
  "dist/viewer",
);

export interface PageFile {
  readonly contentType: string;
  readonly body: Uint8Array;
}

/**
 * A file of the built page, or null when there is none of that name. Only plain names in the folder itself or in `assets/`
 * are looked up, so that no path, however encoded, leads out of the folder.
 */
export async function readPageFile(folder: string, pathname: string): Promise<PageFile | null> {
  const name = pathname === "/" ? "index.html" : pathname.slice(1);
  if (!/^(assets\/)?[\w-]+(\.[\w-]+)*$/.test(name)) return null;
  const contentType = contentTypes[extname(name)];
  if (contentType === undefined) return null;
  try {
    return { contentType, body: await readFile(join(folder, name)) };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "EISDIR" || code === "ENOTDIR") return null;
    throw error;
  }
}

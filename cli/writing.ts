/** Files that a command writes: all of them or none, never over an input, and read back before anyone relies on them. */
import { realpath, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  containedTarget,
  FormatError,
  pieceChunks,
  piecesLength,
  UsageError,
  writeFileAtomically,
  type PatchedFile,
  type Piece,
} from "../src/node.ts";
import { say, type CliContext } from "./context.ts";
import { numberText, printable } from "./render.ts";

export interface OutputFile {
  readonly path: string;
  /** The file that it is a changed copy of. */
  readonly input?: string;
  readonly pieces: readonly Piece[];
}

export interface WritingFlags {
  readonly force: boolean;
  readonly dryRun: boolean;
}

export const writingFlags = {
  force: { kind: "boolean", brief: "Overwrite existing output files", default: false },
  dryRun: { kind: "boolean", brief: "Check and report everything, write nothing", default: false },
} as const;

/** What a file costs: its bytes, and those of them that are new. */
export interface OutputReport {
  readonly path: string;
  readonly bytes: number;
  readonly newBytes: number;
}

/**
 * The files of a patched model at `input`, to be written as `out` and beside it.
 * @throws {FormatError} `FILE_OUTSIDE_FOLDER`
 */
export async function outputsOf(
  files: readonly PatchedFile[],
  { input, out }: { readonly input?: string; readonly out: string },
): Promise<readonly OutputFile[]> {
  return Promise.all(
    files.map(async ({ file, pieces }) => ({
      pieces,
      path: file === null ? out : await containedTarget(out, file),
      ...(input !== undefined && { input: file === null ? input : join(dirname(input), file) }),
    })),
  );
}

/**
 * Writes the files, the last one first: a model file that names data which is not there yet is never seen. Looks at every path
 * before the first byte is written.
 * @throws {UsageError} `USAGE_INVALID_OPTION` when an output is an input; {FormatError} `FILE_EXISTS`, `FILE_NOT_WRITABLE`.
 */
export async function writeOutputs(
  context: CliContext,
  files: readonly OutputFile[],
  { force, dryRun }: WritingFlags,
): Promise<readonly OutputReport[]> {
  for (const file of files) {
    await refuseInput(file);
    if (!force && (await exists(file.path))) throw occupied(file.path);
  }
  if (!dryRun) {
    for (const { path, pieces } of files.toReversed()) {
      const content = pieceChunks(pieces, { signal: context.signal });
      await writeFileAtomically(path, content, { overwrite: force });
    }
  }
  return files.map(({ path, pieces }) => ({
    path,
    bytes: piecesLength(pieces),
    newBytes: piecesLength(pieces.filter(({ kind }) => kind !== "copy")),
  }));
}

async function refuseInput({ path, input }: OutputFile): Promise<void> {
  const own = await realpath(path).catch(() => null);
  if (own === null || input === undefined) return;
  if (own !== (await realpath(input).catch(() => null))) return;
  throw new UsageError("USAGE_INVALID_OPTION", "the output would overwrite the input", {
    path: [path],
    hint: "Name another file; data files beside the model need another folder.",
  });
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function occupied(path: string): FormatError {
  return new FormatError("FILE_EXISTS", "the file exists already", {
    path: [path],
    hint: "Name another file, or pass --force.",
  });
}

export function sayOutputs(
  context: CliContext,
  report: readonly OutputReport[],
  dryRun: boolean,
): void {
  for (const { path, bytes, newBytes } of report) {
    const what = `${printable(path)}: ${numberText(bytes)} bytes, ${numberText(newBytes)} of them new`;
    say(context, dryRun ? `would write ${what}` : `wrote ${what}`);
  }
}

/** A model that is about to be changed and written: its source, its files, and the copy with new weights. */
import { dirname } from "node:path";
import { realpath } from "node:fs/promises";
import {
  checkTensors,
  fileSource,
  openModel,
  patchModel,
  readModel,
  trackedSource,
  type Model,
  type PatchedFile,
  type TensorChanges,
  type TrackedSource,
} from "../src/node.ts";
import type { CliContext } from "./context.ts";
import { checkInput, requireLayers } from "./input.ts";
import { outputsOf, writeOutputs, type OutputReport, type WritingFlags } from "./writing.ts";

export interface ChangeableModel {
  readonly path: string;
  readonly source: TrackedSource;
  readonly model: Model;
}

/** @throws {UsageError} `FILE_NOT_FOUND`; {FormatError} of the reader, `FORMAT_NO_WEIGHTS`. */
export async function openChangeable(context: CliContext, path: string): Promise<ChangeableModel> {
  await checkInput(path);
  const source = trackedSource(await fileSource(path, context.limits));
  const model = await readModel(source);
  requireLayers(model);
  return { path, source, model };
}

/**
 * Writes a copy of the model with `changes` to `out` and reads it back. In another folder, the model's other files are copied too.
 * @throws {WeightGraphError} of `patchModel`, `writeOutputs` and `checkTensors`.
 */
export async function writePatched(
  context: CliContext,
  { path, source, model }: ChangeableModel,
  changes: TensorChanges,
  { out, ...flags }: WritingFlags & { readonly out: string },
): Promise<readonly OutputReport[]> {
  const patched = await patchModel(source, model, changes);
  const others = (await sameFolder(path, out)) ? [] : await untouched(source, patched);
  const files = await outputsOf([...patched, ...others], { input: path, out });
  const report = await writeOutputs(context, files, flags);
  if (!flags.dryRun) await checkTensors(await openModel(out, context.limits), changes);
  return report;
}

async function sameFolder(a: string, b: string): Promise<boolean> {
  const real = (path: string): Promise<string | null> => realpath(dirname(path)).catch(() => null);
  return (await real(a)) === (await real(b));
}

async function untouched(
  source: TrackedSource,
  patched: readonly PatchedFile[],
): Promise<readonly PatchedFile[]> {
  const known = new Set(patched.map(({ file }) => file));
  const names = [...source.opened].filter((name) => !known.has(name));
  return Promise.all(
    names.map(async (file) => {
      const other = await source.sibling(file);
      const whole = { kind: "copy", source: other, start: 0, end: other.byteLength } as const;
      return { file, pieces: [whole] };
    }),
  );
}
